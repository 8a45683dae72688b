"""Claim: a worker asks for a job and is given one of the pictures it may make.

`pop` reserves a picture of the best request in the map and has the writer take it in SQL; when the
map was wrong, it tries the next.
"""

import asyncio
import itertools
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import partial
from typing import TypeAlias

import msgspec

from ordu.engine import end
from ordu.engine.books import found
from ordu.engine.fresh import Fresh
from ordu.engine.horde import Horde
from ordu.engine.lanes import Waiting
from ordu.engine.presence import Worker
from ordu.protocol.errors import Refused
from ordu.rules.lifecycle import JobId, JobState, Millis, RequestId, seed_of_job
from ordu.rules.matching import Offer, Reason, Requirement, WorkerId, model_for
from ordu.rules.money import UserId
from ordu.store import jobs, requests
from ordu.store.database import Transaction
from ordu.store.jobs import Job
from ordu.store.requests import Request

TRIES = 8  # how often a pop tries when the map was wrong, before it says there is nothing
SPREAD_MAX = 16.0  # among how many heads a pop chooses while processes reach for the same
SPREAD_KEPT = 0.95  # of that, after a claim that did not miss
PAUSE_S = 0.001  # before what others were taking is looked at again; twice as long each time
EXTRA_SLOW_TIMES = 3  # how much longer a worker may take that calls itself extra slow
EXTRA_SLOW_LIFETIME_MS = 3_600_000  # how long a request lives after such a worker took a job
HEADS_MAX = 20  # how many heads a pop looks at for what requirements cannot say


class Claimed(msgspec.Struct, frozen=True):
    """A job, with the request it is of; several, when the worker makes pictures together."""

    jobs: tuple[Job, ...]
    request: Request
    requirement: Requirement

    @property
    def job(self) -> Job:
        """The first of them, whose seed and model hold for all."""
        return self.jobs[0]


class Missed(msgspec.Struct, frozen=True):
    """No job of this request, and the request as SQL has it.

    When something of it waits, another process was taking some of it at that moment.
    """

    request: Request | None

    @property
    def is_taken(self) -> bool:
        """Whether nothing of it waits."""
        return self.request is None or self.request.counts.waiting == 0


class Nothing(msgspec.Struct, frozen=True):
    """No job, and how many waiting requests were passed over for what reason."""

    skipped: dict[Reason, int]


# Handing out


HasWord: TypeAlias = Callable[[bytes, Sequence[str]], bool]
Batch: TypeAlias = Callable[[bytes, int, int], int]


async def pop(horde: Horde, worker: Worker, has_word: HasWord, batch: Batch) -> Claimed | Nothing:
    """Give a worker a job, or say why there is none. `has_word` and `batch` are its kind's.

    Raises:
        Refused: WorkerMaintenance, when the worker is in maintenance and its owner waits for
        nothing.
    """
    passed: dict[Reason, int] = {}
    missed: set[RequestId] = set()
    for number in range(TRIES):
        waiting = await best(horde, worker, has_word, passed, missed)
        if waiting is not None:
            claimed = await take(horde, worker, waiting, batch)
            if claimed is not None:
                return claimed
            missed.add(waiting.request_id)
        elif not any(each in horde.lanes.requests for each in missed):
            break
        else:  # others were taking some of these, and may have left some
            missed.clear()
            await asyncio.sleep(PAUSE_S * 2**number)
    if worker.maintenance_text is not None:
        text = worker.maintenance_text.rstrip(" .")
        raise Refused(
            "WorkerMaintenance",
            f"This worker is in maintenance mode: {text}. Its owner can end it.",
        )
    return Nothing(skipped(horde, worker) | passed)


def skipped(horde: Horde, worker: Worker) -> dict[Reason, int]:
    """How many waiting requests this worker may not serve, by reason."""
    if not worker.is_paused:
        return horde.lanes.skipped(worker.capability)
    many = len(horde.lanes.requests)
    return {Reason.PAUSED: many} if many else {}


async def best(
    horde: Horde,
    worker: Worker,
    has_word: HasWord,
    passed: dict[Reason, int],
    missed: Collection[RequestId] = (),
) -> Waiting | None:
    """The request this worker should serve next, as far as the map knows.

    Not one that it `missed` a moment ago, and not one that somebody took while it was looked at.
    While processes get into each other's way, one of the best few by chance.

    What a requirement cannot say is looked at here, a few heads deep; `passed` is told how many
    were passed over for it.
    """
    passed.clear()
    choices: list[Waiting] = []
    heads: Iterable[Waiting] = itertools.islice(in_order(horde, worker), HEADS_MAX)
    if worker.offer.requires_kudos or worker.offer.blacklist:
        heads = list(heads)  # SQL is asked about them, and others change the map meanwhile
    for waiting in heads:
        if waiting.request_id in missed:
            continue
        reason = await objection(horde, worker, waiting, has_word)
        if reason is None and waiting.is_free:
            choices.append(waiting)
            if len(choices) >= int(horde.spread):
                break
        elif reason is not None:
            passed[reason] = passed.get(reason, 0) + 1
    if len(choices) > 1:
        return choices[horde.fresh.choice() % len(choices)]
    return choices[0] if choices else None


async def objection(
    horde: Horde,
    worker: Worker,
    waiting: Waiting,
    has_word: HasWord,
) -> Reason | None:
    """Why this worker should not be given this request although it could serve it."""
    failed = horde.failures.get(waiting.request_id, ())
    if worker.id in failed and somebody_else(horde, waiting, failed):
        return Reason.FAILED_BEFORE
    if worker.offer.requires_kudos and not await can_pay(horde, worker, waiting):
        return Reason.KUDOS
    if worker.offer.blacklist:
        request = await horde.read(partial(requests.by_id, request_id=waiting.request_id))
        if request is not None and has_word(request.body, worker.offer.blacklist):
            return Reason.BLACKLIST
    return None


async def can_pay(horde: Horde, worker: Worker, waiting: Waiting) -> bool:
    """Whether a requester has the kudos for one job; the worker's friends need none."""
    if waiting.user_id in {worker.user_id, *worker.offer.priority_user_ids}:
        return True

    def look(tx: Transaction) -> bool:
        request, user = requests.by_id(tx, waiting.request_id), found(tx, waiting.user_id)
        return request is None or user.is_trusted or user.kudos >= request.bill

    return await horde.read(look)


def somebody_else(horde: Horde, waiting: Waiting, failed: Collection[WorkerId]) -> bool:
    """Whether a worker that has not failed this request is here and could serve it."""
    return any(
        worker.id not in failed and horde.lanes.verdict(waiting.lane, worker.capability) is None
        for worker in horde.online()
    )


def in_order(horde: Horde, worker: Worker) -> Iterator[Waiting]:
    """What this worker may be given: its owner's first, then its friends', then everybody's."""
    first = [worker.user_id]
    if not worker.takes_from_all:
        return horde.lanes.candidates_of(first, worker.capability)
    first += [user_id for user_id in worker.offer.priority_user_ids if user_id != worker.user_id]
    others = (
        waiting
        for waiting in horde.lanes.candidates(worker.capability)
        if waiting.user_id not in first
    )
    return itertools.chain(horde.lanes.candidates_of(first, worker.capability), others)


async def take(horde: Horde, worker: Worker, waiting: Waiting, batch: Batch) -> Claimed | None:
    """Reserve a picture of this request and have the writer give it to the worker.

    None when SQL knows better than the map that nothing of it waits; the map is mended then.
    """
    horde.lanes.reserve(waiting)
    given: Claimed | None = None
    is_gone = False

    def abandon() -> None:
        horde.lanes.release(waiting)
        if is_gone:  # somebody may have looked while it was reserved
            horde.idle.tell(waiting.lane, waiting.user_id, 1)

    def publish(claimed: Claimed | Missed) -> None:
        nonlocal given
        horde.lanes.release(waiting)
        if isinstance(claimed, Missed):
            horde.spread = min(SPREAD_MAX, 2 * horde.spread)
            if claimed.is_taken:
                horde.lanes.forget(waiting)
            return
        horde.spread = max(1.0, horde.spread * SPREAD_KEPT)
        given = claimed
        if is_gone:
            end.return_soon(horde, claimed.jobs)
        horde.publish_request(claimed.request, claimed.requirement, claimed.jobs)
        horde.begin_jobs(claimed.jobs, claimed.request.work)

    now = horde.now()
    lifetime_ms = horde.settings.request_lifetime_s * 1000
    # Copied now: the worker may pop again with another offer before the writer runs.
    taker = Taker.of(worker)
    try:
        await horde.write(
            lambda tx: claim(tx, waiting, taker, batch, horde.fresh, now, lifetime_ms),
            publish,
            abandon,
        )
    except asyncio.CancelledError:  # whoever asked is gone, and the claim may be committed yet
        is_gone = True
        if given is not None:
            end.return_soon(horde, given.jobs)
        raise
    return given


class Taker(msgspec.Struct, frozen=True):
    """The worker a job is given to, as it was when it asked."""

    worker_id: WorkerId
    name: str
    owner_id: UserId
    offer: Offer

    @property
    def times(self) -> int:
        """How many times the usual time it may take."""
        return EXTRA_SLOW_TIMES if self.offer.capability.is_extra_slow else 1

    @classmethod
    def of(cls, worker: Worker) -> "Taker":
        """What a claim needs to know of a worker."""
        return cls(worker.id, worker.name, worker.user_id, worker.offer)


def claim(
    tx: Transaction,
    waiting: Waiting,
    taker: Taker,
    batch: Batch,
    fresh: Fresh,
    now: Millis,
    lifetime_ms: int,
) -> Claimed | Missed:
    """Give this worker a picture of a request, if one of it waits that nobody else is taking.

    The write is conditional: a wrong map costs one more try, never a picture given to two. A worker
    that makes several together gets as many as its batch has room for and as wait.
    """
    if taker.offer.capability.is_extra_slow:
        lifetime_ms = max(lifetime_ms, EXTRA_SLOW_LIFETIME_MS)
    request_id, requirement = waiting.request_id, waiting.lane.requirement
    request = requests.take_one(tx, request_id, now, lifetime_ms, taker.times)
    if request is None:
        return Missed(requests.by_id(tx, request_id))
    offer = taker.offer
    model = model_for(requirement, offer.capability, fresh.choice())
    room = batch(request.body, offer.capability.pixels_max, offer.amount) if offer.amount > 1 else 1
    claimed = [new_job(tx, request, model, taker, fresh, now)]
    while len(claimed) < room:
        more = requests.take_one(tx, request_id, now, lifetime_ms, taker.times)
        if more is None:
            break
        request = more
        claimed.append(new_job(tx, request, model, taker, fresh, now))
    return Claimed(tuple(claimed), request, requirement)


def new_job(
    tx: Transaction, request: Request, model: str, taker: Taker, fresh: Fresh, now: Millis
) -> Job:
    """Add the job for the lowest of the request's pictures that nobody makes or has made."""
    is_first = request.counts.processing + request.counts.finished == 1
    ordinal = 0 if is_first else jobs.free_ordinal(tx, request.id)
    assert ordinal < request.counts.n, f"request {request.id} has no picture {ordinal}"
    seed = (
        fresh.seed()
        if request.seed is None
        else seed_of_job(request.seed, request.seed_step, ordinal)
    )
    job = Job(
        id=JobId(fresh.id(now)),
        request_id=request.id,
        worker_id=taker.worker_id,
        worker_name=taker.name,
        owner_id=taker.owner_id,
        ordinal=ordinal,
        state=JobState.RUNNING,
        model=model,
        seed=seed,
        started_at=now,
        due_at=Millis(now + request.ttl_ms * taker.times),
        has_agent=taker.offer.agent is not None,
    )
    jobs.add(tx, job)
    return job
