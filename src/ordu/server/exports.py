"""Exports: everything that is kept of a user, sent piece by piece as one JSON document.

Whatever there is, a piece is read in one look at the database and is in memory alone; between two
of them others are served. So the parts of a document are of slightly different moments. What a
reader gets that does not end with a brace is not whole: something broke, and the connection was
closed.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from contextlib import aclosing

import msgspec
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ordu.engine import history, webhooks
from ordu.engine.history import Wanted
from ordu.engine.horde import Horde
from ordu.protocol.errors import Refused
from ordu.protocol.export import (
    ExportedBrowser,
    ExportedIdentity,
    ExportedPicture,
    ExportedRequest,
)
from ordu.protocol.webhooks import WebhookDelivery
from ordu.rules import money, rights
from ordu.rules.money import ANONYMOUS, UserId
from ordu.rules.rights import Standing
from ordu.server import movements
from ordu.server.hangups import HangUp, noticed
from ordu.server.streams import SEND_S_MAX
from ordu.server.views import delivery_fields, iso_date, user_view, worker_view
from ordu.store import identities, jobs, requests, sign_ins, workers
from ordu.store.database import Transaction
from ordu.store.jobs import Job
from ordu.store.requests import Request
from ordu.store.users import User

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
    for name, parts in (
        ("identities", identities_of(horde, user)),
        ("browsers", browsers_of(horde, user)),
        ("workers", workers_of(horde, user)),
        ("requests", requests_of(horde, user)),
        ("webhooks", webhooks_of(horde, user)),
        ("kudos", movements_of(horde, user)),
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

    def read(tx: Transaction) -> tuple[list[ExportedRequest], str | None]:
        assert after is not None
        found, following = requests.part_of_user(tx, user.id, after, REQUESTS_AT_ONCE)
        return [exported(each, jobs.of_request(tx, each.id)) for each in found], following

    while after is not None:
        part, after = await horde.read(read)
        yield part


async def webhooks_of(horde: Horde, user: User) -> AsyncIterator[Iterable[msgspec.Struct]]:
    """What was sent to the user's webhooks."""
    cursor: str | None = None
    while True:
        found, cursor = await webhooks.page(horde, user, cursor, webhooks.PAGE_MAX)
        yield [WebhookDelivery(**delivery_fields(each)) for each in found]
        if cursor is None:
            return


async def movements_of(horde: Horde, user: User) -> AsyncIterator[Iterable[msgspec.Struct]]:
    """The user's kudos history."""
    below: int | None = None
    while True:
        page = await history.page(horde, user, Wanted(below=below), MOVEMENTS_AT_ONCE)
        yield movements.shown(page)
        below = page.below
        if below is None:
            return


def exported(request: Request, theirs: Sequence[Job]) -> ExportedRequest:
    """A request with its pictures."""
    return ExportedRequest(
        id=request.id,
        kind=request.kind,
        state=request.state,
        created=iso_date(request.created_at),
        expires=iso_date(request.expires_at),
        kudos=money.exact(request.charged),
        webhook=None if request.webhook is None else request.webhook.url,
        asked=msgspec.Raw(request.body),
        pictures=[
            ExportedPicture(
                id=job.id,
                state=job.state,
                model=job.model,
                seed=job.result_seed,
                worker_id=job.worker_id,
                worker_name=job.worker_name,
                censored=job.censored,
                began=iso_date(job.started_at),
                ended=None if job.ended_at is None else iso_date(job.ended_at),
            )
            for job in theirs
        ],
    )
