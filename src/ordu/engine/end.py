"""End: what stops a request or a job before a picture comes of it: cancel, fault, expiry, return.

Nothing is refunded, because nothing was charged: a job is paid for when it is settled.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from ordu.engine import suspicion
from ordu.engine import webhooks as telling
from ordu.engine.horde import Horde
from ordu.protocol.errors import Refused
from ordu.rules.lifecycle import (
    Counts,
    JobId,
    Millis,
    RequestId,
    RequestState,
    after_fault,
    is_done,
)
from ordu.rules.matching import Requirement, WorkerId
from ordu.rules.webhooks import WebhookEvent
from ordu.store import jobs, lanes, made, requests, stats, webhooks
from ordu.store.database import Transaction
from ordu.store.jobs import Job
from ordu.store.requests import Request

log = logging.getLogger(__name__)

SWEEP_MAX = 200  # how many of a kind a chore reads at a time
# What pictures can come with a request: the source, its mask, and five more for a remix.
EXTRA_PARTS = tuple(f"extra{number}" for number in range(5))
SOURCE_PARTS = ("src", "msk", *EXTRA_PARTS)


@dataclass(frozen=True)
class Ended:
    """A request after something of it ended."""

    request: Request
    requirement: Requirement


def request_not_found(request_id: str) -> Refused:
    """The refusal for a request that is not there."""
    return Refused(
        "RequestNotFound",
        f"There is no request {request_id[:64]!r}: it never was, or its time is over.",
    )


# Cancel


async def cancel(horde: Horde, request_id: RequestId) -> Request:
    """Drop what waits of a request; what a worker has already is finished and paid.

    Raises:
        Refused: RequestNotFound.
    """
    now = horde.now()
    ended = await horde.write(
        lambda tx: cancel_waiting(tx, request_id, now),
        lambda ended: horde.publish_request(ended.request, ended.requirement),
    )
    return ended.request


def cancel_waiting(tx: Transaction, request_id: RequestId, now: Millis) -> Ended:
    """Move everything that waits to cancelled."""
    request = requests.locked(tx, request_id)
    if request is None:
        raise request_not_found(request_id)
    if request.state is not RequestState.OPEN or is_done(request.state, request.counts):
        return ended_as_is(tx, request)
    counts = msgspec.structs.replace(
        request.counts,
        waiting=0,
        cancelled=request.counts.cancelled + request.counts.waiting,
    )
    return ended_with(tx, request, RequestState.CANCELLED, counts, request.faults, now)


# Fault


async def fault(horde: Horde, job_id: JobId) -> bool:
    """A job failed: its picture waits again, or the request is given up after too many faults.

    Returns False when the job had ended already.
    """
    now = horde.now()
    faults_max = horde.settings.faults_max

    def publish(failed: Failed | None) -> None:
        if failed is not None:
            horde.note_failure(failed.ended.request.id, failed.worker_id)
            horde.publish_request(failed.ended.request, failed.ended.requirement)
            horde.end_job(failed.worker_id, job_id)

    failed = await horde.write(lambda tx: fault_job(tx, job_id, faults_max, now), publish)
    if failed is not None:
        await suspicion.count_aborted(horde, failed.worker_id)
    return failed is not None


@dataclass(frozen=True)
class Failed:
    """A request after a worker failed one of its jobs."""

    worker_id: WorkerId
    ended: Ended


def fault_job(tx: Transaction, job_id: JobId, faults_max: int, now: Millis) -> Failed | None:
    """End a running job as faulted; None when it does not run any more."""
    job = jobs.by_id(tx, job_id)
    request = None if job is None else requests.locked(tx, job.request_id)
    if job is None or request is None or not jobs.fault(tx, job_id, now):
        return None
    stats.append(tx, [(f"worker:{job.worker_id}", "aborted", 1), made.faulted(now)])
    faults = request.faults + 1
    state = after_fault(request.state, faults, faults_max)
    ended = ended_with(tx, request, state, without_job(request.counts, state), faults, now)
    return Failed(job.worker_id, ended)


def without_job(counts: Counts, state: RequestState) -> Counts:
    """The counts after a running job failed: its picture waits again only in an open request."""
    if state is RequestState.OPEN:
        return msgspec.structs.replace(
            counts, processing=counts.processing - 1, waiting=counts.waiting + 1
        )
    return msgspec.structs.replace(
        counts,
        processing=counts.processing - 1,
        waiting=0,
        lost=counts.lost + counts.waiting + 1,
    )


# Return


async def give_back(horde: Horde, job: Job) -> None:
    """A job never reached its worker: its picture waits again, and nobody is at fault."""

    def publish(ended: Ended | None) -> None:
        if ended is not None:
            horde.publish_request(ended.request, ended.requirement)
            horde.end_job(job.worker_id, job.id)

    now = horde.now()
    await horde.write(lambda tx: return_job(tx, job, now), publish)


def return_soon(horde: Horde, given: Iterable[Job]) -> None:
    """Have jobs given back that whoever asked for them cannot be told of any more."""
    horde.errand(give_all_back(horde, given))


async def give_all_back(horde: Horde, given: Iterable[Job]) -> None:
    """Give these back; what cannot be written now is failed when its time is over."""
    for job in given:
        try:
            await give_back(horde, job)
        except Refused as refused:
            log.warning("job %s could not be given back: %s", job.id, refused.message)


def return_job(tx: Transaction, job: Job, now: Millis) -> Ended | None:
    """Forget a running job; its picture waits again."""
    request = requests.locked(tx, job.request_id)
    if request is None or not jobs.remove_running(tx, job.id):
        return None
    if request.state is RequestState.OPEN:
        requests.return_one(tx, request.id)
        fresh_row = requests.by_id(tx, request.id)
        assert fresh_row is not None
        return ended_as_is(tx, fresh_row)
    counts = msgspec.structs.replace(
        request.counts,
        processing=request.counts.processing - 1,
        cancelled=request.counts.cancelled + 1,
    )
    return ended_with(tx, request, request.state, counts, request.faults, now)


# Expiry


@dataclass(frozen=True)
class Expired:
    """A request that is gone, with its jobs."""

    request_id: RequestId
    jobs: tuple[Job, ...]
    ended: Ended
    wanted: frozenset[str] = frozenset()  # pictures that a webhook is still to be sent


async def expire(horde: Horde, request_id: RequestId) -> None:
    """Remove a request whose time is over, and its pictures."""
    now = horde.now()

    def publish(expired: Expired | None) -> None:
        if expired is not None:
            horde.tally.expired += 1
            horde.failures.pop(expired.request_id, None)
            for job in expired.jobs:
                horde.end_job(job.worker_id, job.id)
            horde.publish_request(expired.ended.request, expired.ended.requirement)

    expired = await horde.write(lambda tx: expire_request(tx, request_id, now), publish)
    if expired is not None:
        await horde.pictures.delete(picture_names(expired))


def expire_request(tx: Transaction, request_id: RequestId, now: Millis) -> Expired | None:
    """Remove a request that is still expired; None when something moved its end meanwhile."""
    request = requests.locked(tx, request_id)
    if request is None or request.expires_at > now:
        return None
    requirement = lanes.requirement(tx, request.lane_key)
    its_jobs = tuple(jobs.of_request(tx, request_id))
    wanted: frozenset[str] = frozenset()
    if request.webhook is not None:
        wanted = webhooks.pictures_waiting(tx, request_id)
    requests.remove(tx, request_id)
    counts = msgspec.structs.replace(
        request.counts, waiting=0, cancelled=request.counts.cancelled + request.counts.waiting
    )
    gone = msgspec.structs.replace(request, counts=counts, changes=request.changes + 1)
    if not is_done(request.state, request.counts):
        telling.tell_end_as(tx, gone, WebhookEvent.EXPIRED, now)
    return Expired(request_id, its_jobs, Ended(gone, requirement), wanted)


def picture_names(expired: Expired) -> list[str]:
    """The names of all pictures that can have belonged to a request and that nobody wants.

    One that is still to be sent to a webhook goes when it was (`sweeper.remove_orphans`).
    """
    made = {name for job in expired.jobs for name in (upload_name(job.id), picture_name(job))}
    return sorted(made - expired.wanted) + source_names(expired.request_id)


def upload_name(job_id: str) -> str:
    """The name in the picture store under which a worker may put a job's picture."""
    return f"{job_id}.webp"


def picture_name(job: Job) -> str:
    """The name in the picture store of the picture that a job was settled with."""
    return job.picture or upload_name(job.id)


def source_name(request_id: str, part: str = "src") -> str:
    """The name in the picture store of a picture that came with a request."""
    return f"{request_id}_{part}"


def source_names(request_id: str) -> list[str]:
    """The names of all pictures that can have come with a request."""
    return [source_name(request_id, part) for part in SOURCE_PARTS]


# What all of them share


def ended_with(
    tx: Transaction,
    request: Request,
    state: RequestState,
    counts: Counts,
    faults: int,
    now: Millis,
) -> Ended:
    """Write a request's new state and counts, and tell its webhook should it have ended."""
    assert counts.n == request.counts.n, "no picture is lost or made"
    requests.set_counts(tx, request.id, state, counts, faults)
    changed = msgspec.structs.replace(
        request, state=state, counts=counts, faults=faults, changes=request.changes + 1
    )
    telling.tell_end(tx, request, changed, now)
    return ended_as_is(tx, changed)


def ended_as_is(tx: Transaction, request: Request) -> Ended:
    """A request with its requirement."""
    return Ended(request, lanes.requirement(tx, request.lane_key))
