"""Place: a wish becomes a waiting request."""

from collections.abc import Mapping
from typing import TypeVar, overload

import msgspec

from ordu.engine.books import found, locked
from ordu.engine.end import source_name
from ordu.engine.horde import Horde
from ordu.engine.once import Done, Once, Telling, once
from ordu.protocol.errors import Refused
from ordu.rules import limits, pricing, ranking
from ordu.rules.lifecycle import Counts, Millis, RequestId, RequestState, Wish
from ordu.rules.matching import Requirement, lane_key
from ordu.rules.money import ZERO, Kudos, UserId
from ordu.rules.pricing import Upfront
from ordu.store import lanes, requests, stats, workers
from ordu.store.database import Transaction
from ordu.store.requests import Request
from ordu.store.users import User

R = TypeVar("R")


class Terms(msgspec.Struct, frozen=True):
    """The operator's terms for a request."""

    lifetime_ms: int
    growth_per_s: int
    upfront: Upfront


def terms_of(horde: Horde) -> Terms:
    """The terms of this horde's operator."""
    settings = horde.settings
    return Terms(
        settings.request_lifetime_s * 1000,
        settings.priority_growth_per_s,
        Upfront(settings.upfront),
    )


def quote(wish: Wish, user: User) -> Kudos:
    """What a wish will cost its user in all."""
    return Kudos(pricing.bill(wish.price, user.usage_multiplier) * wish.n)


@overload
async def accept(
    horde: Horde, user: User, wish: Wish, sources: Mapping[str, bytes] | None = None
) -> Request: ...


@overload
async def accept(
    horde: Horde,
    user: User,
    wish: Wish,
    sources: Mapping[str, bytes] | None,
    call: Once | None,
    telling: Telling[Request, R],
) -> Done[Request, R]: ...


async def accept(
    horde: Horde,
    user: User,
    wish: Wish,
    sources: Mapping[str, bytes] | None = None,
    call: Once | None = None,
    telling: Telling[Request, R] | None = None,
) -> Request | Done[Request, R]:
    """Place a wish for a user; returns the request once it is durable.

    `sources` are the pictures that come with it, by their part (`end.SOURCE_PARTS`). With `telling`
    it returns also what is answered, and the same `call` made again places nothing.

    Raises:
        Refused: MaintenanceMode, WorkerNotFound, TooManyPrompts, KudosUpfront.
    """
    check_open(horde)
    now = horde.now()
    request_id = RequestId(horde.fresh.id(now))
    terms = terms_of(horde)
    for part, data in (sources or {}).items():  # before: who is placed never lacks a picture
        await horde.pictures.put(source_name(request_id, part), data)

    def placed(tx: Transaction) -> Request:
        return place(tx, wish, user.id, request_id, terms, now)

    def run(tx: Transaction) -> Request | Done[Request, R]:
        return placed(tx) if telling is None else once(tx, call, now, placed, telling)

    def publish(done: Request | Done[Request, R]) -> None:
        request = done.result if isinstance(done, Done) else done
        if request is not None:
            horde.publish_placed(request, wish.requirement)

    done = await horde.write(run, publish)
    if sources and isinstance(done, Done) and done.is_again:  # these go with no request
        await horde.pictures.delete([source_name(request_id, part) for part in sources])
    return done


def check_open(horde: Horde) -> None:
    """Refuse while the horde is in maintenance."""
    if horde.modes.get("maintenance_mode"):
        raise Refused(
            "MaintenanceMode",
            "This horde is in maintenance and takes no new requests. What was asked for before is "
            "kept; try again later.",
        )


def place(
    tx: Transaction,
    wish: Wish,
    user_id: UserId,
    request_id: RequestId,
    terms: Terms,
    now: Millis,
) -> Request:
    """Add the request. Nothing is charged: each job is, when it is delivered.

    The price of a request that is to be paid up front is held, so that it cannot be spent twice.
    """
    is_upfront = pricing.is_upfront(terms.upfront, is_heavy=wish.is_heavy)
    # Who only has to pay later is not locked: all who share a key would wait for each other.
    user = found(tx, user_id) if not is_upfront else locked(tx, user_id)[0]
    if user.is_wiped:  # a moment ago; whoever called was known
        raise Refused("DeletedUser", "This account is gone.")
    limits.check_concurrency(requests.waiting_of_user(tx, user_id), wish.n, user.concurrency)
    check_workers(tx, wish.requirement)
    request = drafted(wish, user, request_id, terms, now)
    if is_upfront:
        pricing.check_upfront(Kudos(request.bill * wish.n), available(tx, user))
    lanes.remember(tx, request.lane_key, wish.requirement)
    requests.add(tx, request)
    stats.append(tx, [(f"user:{user_id}", "requested", wish.n)])
    return request


def available(tx: Transaction, user: User) -> Kudos:
    """What a user can pay up front with: the balance without what is held of it."""
    return Kudos(user.kudos - requests.held_of(tx, user.id))


def drafted(wish: Wish, user: User, request_id: RequestId, terms: Terms, now: Millis) -> Request:
    """The request that a wish of this user becomes when it is placed at this moment."""
    priority = ranking.priority(user.id, max(user.kudos, ZERO), is_flagged=user.is_flagged)
    return Request(
        id=request_id,
        user_id=user.id,
        kind=wish.kind,
        state=RequestState.OPEN,
        lane_key=lane_key(wish.requirement),
        rank=ranking.rank(priority, now, terms.growth_per_s),
        created_at=now,
        expires_at=Millis(now + terms.lifetime_ms),
        counts=Counts(waiting=wish.n, processing=0, finished=0, lost=0, cancelled=0),
        faults=0,
        work=wish.work,
        price=wish.price,
        bill=pricing.bill(wish.price, user.usage_multiplier),
        charged=ZERO,
        ttl_ms=wish.ttl_ms,
        seed=wish.seed,
        seed_step=wish.seed_step,
        wants_links=wish.wants_links,
        is_upfront=pricing.is_upfront(terms.upfront, is_heavy=wish.is_heavy),
        body=wish.body,
        webhook=wish.webhook,
    )


def check_workers(tx: Transaction, requirement: Requirement) -> None:
    """Refuse a list of workers that names one nobody knows."""
    named = sorted(requirement.workers_allowed | requirement.workers_denied)
    unknown = workers.unknown_ids(tx, list(named)) if named else []
    if unknown:
        raise Refused(
            "WorkerNotFound",
            f"The field `workers` names {', '.join(unknown)}, which this horde does not know. "
            "GET /api/v2/workers lists those there are.",
        )
