"""Webhooks: what is told to whom, and the log in which their owners see how that went.

What is told is written down in the transaction of what happened (`tell_picture`, `tell_end`), so
neither is there without the other. It is sent by the courier (`engine.courier`).
"""

from collections.abc import Sequence

import msgspec

from ordu.engine.horde import Horde
from ordu.outside.targets import taken_apart
from ordu.protocol.errors import Refused
from ordu.protocol.requests import GenerationMetadata
from ordu.protocol.webhooks import WebhookEnd, WebhookGeneration
from ordu.rules import money, rights
from ordu.rules.lifecycle import Millis
from ordu.rules.money import UserId
from ordu.rules.trust import DAY_MS
from ordu.rules.webhooks import WebhookEvent, ended_as
from ordu.store import webhooks
from ordu.store.database import Transaction
from ordu.store.jobs import Job
from ordu.store.requests import Request
from ordu.store.users import User
from ordu.store.webhooks import Attempt, Delivery, SigningSecret

ROUNDS_MAX = 50  # batches of old deliveries that are dropped in one go
PAGE_MAX = 100  # deliveries in one answer
INT64_DIGITS = 18  # a seed with more is told as text


# What is told


def tell_picture(tx: Transaction, request: Request, job: Job, picture: str, now: Millis) -> None:
    """Have a webhook told of a picture that was settled, where the request has one."""
    if request.webhook is None:
        return
    seed = job.result_seed or str(job.seed)
    message = WebhookGeneration(
        seed=int(seed) if seed.isdecimal() and len(seed) <= INT64_DIGITS else seed,
        worker_id=job.worker_id,
        worker_name=job.worker_name,
        model=job.model,
        id=job.id,
        censored=job.censored,
        gen_metadata=msgspec.json.decode(job.metadata or "[]", type=list[GenerationMetadata]),
        request=request.id,
        kudos=money.exact(request.bill),
        event=WebhookEvent.GENERATION,
    )
    webhooks.add(
        tx,
        delivery_id=job.id,
        user_id=request.user_id,
        request_id=request.id,
        event=WebhookEvent.GENERATION,
        url=request.webhook.url,
        host=taken_apart(request.webhook.url).host,
        body=msgspec.json.encode(message).decode(),
        picture=picture,
        wants_links=request.wants_links,
        now=now,
    )


def tell_end(tx: Transaction, before: Request, after: Request, now: Millis) -> None:
    """Have a webhook told that a request has ended, where it is to be and just did."""
    event = ended_as((before.state, before.counts), after.state, after.counts)
    if event is not None:
        tell_end_as(tx, after, event, now)


def tell_end_as(tx: Transaction, request: Request, event: WebhookEvent, now: Millis) -> None:
    """Have a webhook told how a request has ended, where it is to be."""
    if request.webhook is None or not request.webhook.tells_end:
        return
    message = WebhookEnd(
        event=event,
        request=request.id,
        finished=request.counts.finished,
        lost=request.counts.lost,
        cancelled=request.counts.cancelled,
        kudos=money.exact(request.charged),
    )
    webhooks.add(
        tx,
        delivery_id=request.id,
        user_id=request.user_id,
        request_id=request.id,
        event=event,
        url=request.webhook.url,
        host=taken_apart(request.webhook.url).host,
        body=msgspec.json.encode(message).decode(),
        now=now,
    )


# The log


def check_has_log(caller: User) -> None:
    """Refuse those who share a user: each would see what the others are told.

    Raises:
        Refused: AnonForbidden.
    """
    rights.check_not_anonymous(caller.id, "AnonForbidden")


def not_found(delivery_id: str) -> Refused:
    """The refusal for a delivery that is not the caller's, or not there."""
    return Refused(
        "DeliveryNotFound",
        f"You have no webhook delivery {delivery_id[:64]!r}: it never was, or it is too old to be "
        "kept.",
    )


async def page(
    horde: Horde, user: User, cursor: str | None, most: int
) -> tuple[Sequence[Delivery], str | None]:
    """A part of a user's log, newest first, and the cursor of the next.

    Raises:
        Refused: DeliveryNotFound, nothing has the id that the cursor is.
    """

    def look(tx: Transaction) -> list[Delivery]:
        after = None if cursor is None else webhooks.by_id(tx, user.id, cursor)
        if cursor is not None and after is None:
            raise not_found(cursor)
        return webhooks.of_user(tx, user.id, after, most + 1)

    found = await horde.read(look)
    return found[:most], found[most - 1].id if len(found) > most else None


async def details(horde: Horde, user: User, delivery_id: str) -> tuple[Delivery, Sequence[Attempt]]:
    """One of a user's deliveries, with its attempts.

    Raises:
        Refused: DeliveryNotFound.
    """

    def look(tx: Transaction) -> tuple[Delivery, Sequence[Attempt]]:
        delivery = webhooks.by_id(tx, user.id, delivery_id)
        if delivery is None:
            raise not_found(delivery_id)
        return delivery, webhooks.attempts_of(tx, delivery.id)

    return await horde.read(look)


async def replay(horde: Horde, user: User, delivery_id: str) -> tuple[Delivery, Sequence[Attempt]]:
    """Have one of a user's deliveries sent again, from now on and with all tries.

    Raises:
        Refused: DeliveryNotFound.
    """
    now = horde.now()

    def again(tx: Transaction) -> tuple[Delivery, Sequence[Attempt]]:
        delivery = webhooks.replay(tx, user.id, delivery_id, now)
        if delivery is None:
            raise not_found(delivery_id)
        return delivery, webhooks.attempts_of(tx, delivery.id)

    return await horde.write(again, lambda _: horde.mail.set())


async def rotate_secret(horde: Horde, user: User) -> SigningSecret:
    """Have another secret sign for a user from now on; the one before does too, for a day."""
    now = horde.now()
    return await horde.write(lambda tx: webhooks.rotate_secret(tx, user.id, now))


# Chores


async def forget_deliveries(horde: Horde) -> None:
    """A chore: drop what is too old, and what is too much of one user."""
    before = Millis(horde.now() - horde.settings.keep_deliveries_s * 1000)

    def forget(tx: Transaction) -> int:
        return webhooks.forget_before(tx, before) + webhooks.forget_beyond(tx)

    for _ in range(ROUNDS_MAX):
        if await horde.write(forget) < webhooks.FORGET_MAX:
            break


def secrets_that_sign(secret: SigningSecret, now: Millis) -> list[int]:
    """The numbers of the secrets that sign now: the newest, and for a day the one before."""
    is_fresh = secret.number > 0 and now - secret.since < DAY_MS
    return [secret.number, secret.number - 1] if is_fresh else [secret.number]


def key_label(user_id: UserId, number: int) -> str:
    """The label by which a user's signing key is derived from the installation's secret."""
    return f"webhooks:{user_id}:{number}"
