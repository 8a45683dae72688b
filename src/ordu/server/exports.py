"""Exports: everything that is kept of a user, sent piece by piece as one JSON document.

Whatever there is, a piece is read in one look at the database and is in memory alone; between two
of them others are served. So the parts of a document are of slightly different moments. What a
reader gets that does not end with a brace is not whole: something broke, and the connection was
closed.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from contextlib import aclosing
from functools import partial

import msgspec
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ordu.engine import acts, history, webhooks
from ordu.engine.end import picture_name, source_names
from ordu.engine.history import Wanted
from ordu.engine.horde import Horde
from ordu.protocol import operations
from ordu.protocol.acts import ActChange, ActTarget
from ordu.protocol.errors import Refused
from ordu.protocol.export import (
    ExportedAct,
    ExportedAnswer,
    ExportedBrowser,
    ExportedDelivery,
    ExportedIdentity,
    ExportedPicture,
    ExportedRequest,
    ExportedSuspicion,
)
from ordu.protocol.webhooks import WebhookAttempt
from ordu.rules import money, rights
from ordu.rules.lifecycle import JobState
from ordu.rules.money import ANONYMOUS, UserId
from ordu.rules.rights import Standing
from ordu.server import movements
from ordu.server.hangups import HangUp, noticed
from ordu.server.streams import SEND_S_MAX
from ordu.server.views import delivery_fields, iso_date, user_view, worker_view
from ordu.store import acts as stored_acts
from ordu.store import answers, identities, jobs, requests, sign_ins, suspicions, workers
from ordu.store.database import Transaction
from ordu.store.jobs import Job
from ordu.store.requests import Request
from ordu.store.users import User
from ordu.store.webhooks import Attempt

REQUESTS_AT_ONCE = 200
MOVEMENTS_AT_ONCE = 500


def check_may_export(caller: User, target: UserId) -> None:
    """Refuse everybody but the user and the administrator.

    Raises:
        Refused: AnonForbiddenUser, NotAdmin.
    """
    rights.check_not_anonymous(caller.id, "AnonForbiddenUser")
    if target == ANONYMOUS:
        raise Refused("AnonForbiddenUser", "The anonymous user is everybody, and has no data.")
    if caller.id != target:
        stands = rights.standing(caller.id, target, is_moderator=caller.is_moderator)
        rights.check(rights.EXPORT_OTHERS, stands, "take somebody else's data")


class Export(Response):
    """The answer with all that is kept of a user."""

    def __init__(self, horde: Horde, user: User) -> None:
        self.horde = horde
        self.user = user
        self.status_code = 200
        self.background = None
        name = f"ordu-user-{user.id}.json"
        self.raw_headers = [
            (b"content-type", b"application/json"),
            (b"content-disposition", f'attachment; filename="{name}"'.encode()),
            (b"cache-control", b"no-store"),
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it; to a reader that hung up or takes nothing the rest is not sent."""
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        await send(start)
        if scope["method"] == "HEAD":
            await send({"type": "http.response.body", "body": b""})
            return
        try:
            async with aclosing(document(self.horde, self.user)) as pieces:
                with noticed(receive, asyncio.Event()) as hang_up:
                    await self.send_pieces(pieces, send, hang_up)
        except TimeoutError:
            return  # the server closes the connection, because the answer is not complete

    async def send_pieces(self, pieces: AsyncIterator[bytes], send: Send, hang_up: HangUp) -> None:
        """Send them one after the other, each as soon as the reader has taken the one before.

        Raises:
            TimeoutError: it takes nothing.
        """
        async for piece in pieces:
            if hang_up.happened:
                return
            async with asyncio.timeout(SEND_S_MAX):
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def document(horde: Horde, user: User) -> AsyncGenerator[bytes, None]:
    """The document, piece by piece."""
    now = horde.now()
    account = await horde.read(lambda tx: user_view(tx, user, now, Standing.OWNER))
    yield b'{"made":' + msgspec.json.encode(iso_date(now))
    yield b',"account":' + msgspec.json.encode(account)
    yield b',"note":' + msgspec.json.encode(user.admin_comment)
    for name, parts in (
        ("identities", identities_of(horde, user)),
        ("browsers", browsers_of(horde, user)),
        ("workers", workers_of(horde, user)),
        ("requests", requests_of(horde, user)),
        ("webhooks", webhooks_of(horde, user)),
        ("kudos", movements_of(horde, user)),
        ("answers", answers_of(horde, user)),
        ("suspicions", suspicions_of(horde, user)),
        ("acts", acts_of(horde, user)),
    ):
        yield f',"{name}":['.encode()
        comma = b""
        async for part in parts:
            texts = [msgspec.json.encode(each) for each in part]
            if texts:
                yield comma + b",".join(texts)
                comma = b","
        yield b"]"
    yield b"}\n"


async def identities_of(horde: Horde, user: User) -> AsyncIterator[Iterable[msgspec.Struct]]:
    """By what the user can sign in: of each provider one at most."""
    yield [
        ExportedIdentity(
            issuer=each.issuer, subject=each.subject, created=iso_date(each.created_at)
        )
        for each in await horde.read(lambda tx: identities.of_user(tx, user.id))
    ]


async def browsers_of(horde: Horde, user: User) -> AsyncIterator[Iterable[msgspec.Struct]]:
    """The user's browsers that a provider signed in: there are few."""
    yield [
        ExportedBrowser(created=iso_date(since), expires=iso_date(until))
        for since, until in await horde.read(lambda tx: sign_ins.of_user(tx, user.id))
    ]


async def workers_of(horde: Horde, user: User) -> AsyncIterator[Iterable[msgspec.Struct]]:
    """The user's workers as their owner sees them."""
    for worker_id in await horde.read(lambda tx: workers.of_user(tx, user.id)):
        worker = await horde.find_worker(worker_id)
        if worker is not None:
            yield [await horde.read(lambda tx: worker_view(tx, horde, worker, Standing.OWNER))]  # noqa: B023 - at once


async def requests_of(horde: Horde, user: User) -> AsyncIterator[Iterable[msgspec.Struct]]:
    """The user's requests that are still kept."""
    after: str | None = ""

    def read(tx: Transaction) -> tuple[list[tuple[Request, list[Job]]], str | None]:
        assert after is not None
        found, following = requests.part_of_user(tx, user.id, after, REQUESTS_AT_ONCE)
        return [(each, jobs.of_request(tx, each.id)) for each in found], following

    while after is not None:
        part, after = await horde.read(read)
        yield [await exported(horde, request, theirs) for request, theirs in part]


async def webhooks_of(horde: Horde, user: User) -> AsyncIterator[Iterable[msgspec.Struct]]:
    """What was sent to the user's webhooks."""
    cursor: str | None = None
    while True:
        found, cursor = await webhooks.page(horde, user, cursor, webhooks.PAGE_MAX)
        details = [await webhooks.details(horde, user, each.id) for each in found]
        yield [
            ExportedDelivery(
                **delivery_fields(each),
                message=msgspec.Raw(each.body.encode()),
                log=[attempt_view(attempt) for attempt in attempts],
            )
            for each, attempts in details
        ]
        if cursor is None:
            return


def attempt_view(attempt: Attempt) -> WebhookAttempt:
    """An attempt to deliver, on the wire."""
    return WebhookAttempt(
        number=attempt.number,
        at=iso_date(attempt.began_at),
        took_ms=attempt.took_ms,
        status=attempt.status,
        error=attempt.error,
    )


async def answers_of(horde: Horde, user: User) -> AsyncIterator[Iterable[msgspec.Struct]]:
    """Answers that are kept for calls that the user may make again: those of some days."""
    for row in operations.TABLE:
        found = await horde.read(partial(answers.of_user, operation=row.name, user_id=user.id))
        yield [ExportedAnswer(operation=row.name, answer=msgspec.Raw(each)) for each in found]


async def suspicions_of(horde: Horde, user: User) -> AsyncIterator[Iterable[msgspec.Struct]]:
    """What the user and their workers are suspected of: each reason once."""

    def read(tx: Transaction) -> list[ExportedSuspicion]:
        subjects: dict[str, str | None] = {suspicions.of_user(user.id): None}
        subjects |= {suspicions.of_worker(each): each for each in workers.of_user(tx, user.id)}
        return [
            ExportedSuspicion(
                worker_id=worker_id, reason=reason, times=times, newest=iso_date(newest_at)
            )
            for subject, worker_id in subjects.items()
            for reason, times, newest_at in suspicions.of(tx, subject)
        ]

    yield await horde.read(read)


async def acts_of(horde: Horde, user: User) -> AsyncIterator[Iterable[msgspec.Struct]]:
    """What those who run the horde did to the account and its workers, not who of them."""

    def read(tx: Transaction) -> list[ExportedAct]:
        theirs = {*workers.of_user(tx, user.id), *acts.workers_of(tx, user.id)}
        targets = [("user", str(user.id)), *(("worker", each) for each in sorted(theirs))]
        found = [each for target in targets for each in stored_acts.upon(tx, *target)]
        return [act_view(each) for each in sorted(found, key=lambda each: each.id)]

    yield await horde.read(read)


def act_view(act: stored_acts.Act) -> ExportedAct:
    """An act on the wire, without who did it."""
    return ExportedAct(
        date=iso_date(act.created_at),
        operation=act.operation,
        target=ActTarget(kind=act.target_kind, id=act.target_id, name=act.target_name),
        changes=[
            ActChange(field=each.field, before=each.before, after=each.after)
            for each in act.changes
        ],
        reason=act.reason,
    )


async def movements_of(horde: Horde, user: User) -> AsyncIterator[Iterable[msgspec.Struct]]:
    """The user's kudos history."""
    below: int | None = None
    while True:
        page = await history.page(horde, user, Wanted(below=below), MOVEMENTS_AT_ONCE)
        yield movements.shown(page)
        below = page.below
        if below is None:
            return


async def exported(horde: Horde, request: Request, theirs: Sequence[Job]) -> ExportedRequest:
    """A request with its pictures."""
    sources = [
        name for name in source_names(request.id) if await horde.pictures.size(name) is not None
    ]
    return ExportedRequest(
        id=request.id,
        kind=request.kind,
        state=request.state,
        created=iso_date(request.created_at),
        expires=iso_date(request.expires_at),
        kudos=money.exact(request.charged),
        webhook=None if request.webhook is None else request.webhook.url,
        asked=msgspec.Raw(request.body),
        sources=[await horde.links.get_url(name) for name in sources],
        pictures=[await exported_picture(horde, job) for job in theirs],
    )


async def exported_picture(horde: Horde, job: Job) -> ExportedPicture:
    """A picture, or one that was begun."""
    is_done = job.state is JobState.DONE
    return ExportedPicture(
        id=job.id,
        state=job.state,
        model=job.model,
        seed=job.result_seed,
        worker_id=job.worker_id,
        worker_name=job.worker_name,
        censored=job.censored,
        metadata=None if job.metadata is None else msgspec.Raw(job.metadata.encode()),
        link=await horde.links.get_url(picture_name(job)) if is_done else None,
        began=iso_date(job.started_at),
        ended=None if job.ended_at is None else iso_date(job.ended_at),
    )
