"""Settle: a worker brings a picture; the job ends, the worker's owner is paid, the requester
charged.

One transaction, one entry in the books. The picture's bytes are checked and stored before it, so
that a settled job never lacks its picture; when the settling then fails, the picture is an orphan
and swept.
"""

from dataclasses import dataclass

from ordu.engine.horde import Horde
from ordu.protocol.errors import Refused
from ordu.rules import pricing
from ordu.rules.lifecycle import JobId, JobState, Millis
from ordu.rules.matching import Requirement
from ordu.rules.money import Account, Entry, Kudos, UserId, settlement
from ordu.store import jobs, lanes, ledger, requests, stats, users
from ordu.store.database import Transaction
from ordu.store.jobs import Job
from ordu.store.requests import Request
from ordu.store.users import User


@dataclass(frozen=True)
class Result:
    """What a worker says of a picture it made."""

    job_id: JobId
    seed: str
    censored: bool = False
    metadata: str | None = None  # JSON


@dataclass(frozen=True)
class Settled:
    """A job that ended well, and what was paid for it."""

    job: Job
    request: Request
    requirement: Requirement
    reward: Kudos


async def find_running(horde: Horde, job_id: str, user: User) -> Job:
    """The job a worker wants to end.

    Raises:
        Refused: InvalidJobID, WrongCredentials, DuplicateGen, AbortedGen.
    """
    job = await horde.read(lambda tx: jobs.by_id(tx, job_id))
    if job is None:
        raise Refused(
            "InvalidJobID",
            f"Processing Job with ID {job_id[:64]!r} does not exist: it never did, or its request "
            "has ended.",
        )
    if job.owner_id != user.id:
        raise Refused(
            "WrongCredentials", "Wrong credentials: this job was given to somebody else's worker."
        )
    check_running(job)
    return job


def check_running(job: Job) -> None:
    """Refuse to end a job twice; a program of 2022 retries a 400 for ever, so it gets 404."""
    status = 400 if job.has_agent else 404
    if job.state is JobState.DONE:
        raise Refused("DuplicateGen", "The picture of this job was already submitted.", status)
    if job.state is JobState.FAULTED:
        raise Refused(
            "AbortedGen",
            "This job was given up because its time was over or it was reported as faulted. Please "
            "check your worker speed.",
            status,
        )


async def deliver(horde: Horde, job: Job, result: Result) -> Settled:
    """End a job whose picture is stored.

    Raises:
        Refused: DuplicateGen or AbortedGen, when it was ended meanwhile.
    """
    now = horde.now()
    entry_id = horde.fresh.id(now)
    lifetime_ms = horde.settings.request_lifetime_s * 1000
    tax = horde.settings.tax

    def publish(settled: Settled) -> None:
        horde.publish_request(settled.request, settled.requirement)
        horde.note_delivery(now, settled.request.work)
        worker = horde.presence.by_id.get(job.worker_id)
        if worker is not None:
            worker.speeds.append(settled.request.work * 1000 / max(1, now - job.started_at))

    return await horde.write(
        lambda tx: settle(tx, result, tax, entry_id, now, lifetime_ms), publish
    )


def settle(
    tx: Transaction, result: Result, tax: float, entry_id: str, now: Millis, lifetime_ms: int
) -> Settled:
    """End the job, pay for it and count it."""
    ended = jobs.finish(
        tx,
        result.job_id,
        now,
        seed=result.seed,
        censored=result.censored,
        metadata=result.metadata,
    )
    job = jobs.by_id(tx, result.job_id)
    if job is None:
        raise Refused("InvalidJobID", f"Processing Job with ID {result.job_id} does not exist.")
    if not ended:
        check_running(job)
    request = requests.by_id(tx, job.request_id)
    assert request is not None, "a job has a request"
    reward = pricing.reward(request.price, tax)
    entry = entry_for(tx, job, request, reward)
    ledger.post(tx, entry, entry_id, now)
    paid = paid_by(entry, request.user_id)
    requests.finish_one(tx, request.id, paid, Millis(now + lifetime_ms))
    stats.append(tx, counted(job, request, entry, reward))
    request = requests.by_id(tx, job.request_id)
    assert request is not None
    return Settled(job, request, lanes.requirement(tx, request.lane_key), reward)


def entry_for(tx: Transaction, job: Job, request: Request, reward: Kudos) -> Entry:
    """The entry that pays for a job."""
    payer = users.by_id(tx, request.user_id)
    owner = users.by_id(tx, job.owner_id)
    assert payer is not None, "users are never removed"
    assert owner is not None, "users are never removed"
    return settlement(
        f"settle:{job.id}",
        payer=payer.id,
        owner=owner.id,
        bill=request.bill,
        reward=reward,
        available=payer.kudos,
        trusted=owner.is_trusted,
        censored=job.censored,
    )


def paid_by(entry: Entry, user_id: UserId) -> Kudos:
    """What an entry took from a user."""
    return Kudos(
        -sum(line.amount for line in entry.lines if line.user_id == user_id and line.amount < 0)
    )


def counted(job: Job, request: Request, entry: Entry, reward: Kudos) -> list[tuple[str, str, int]]:
    """What statistics learn from a settled job."""
    user, owner, worker = (
        f"user:{request.user_id}",
        f"user:{job.owner_id}",
        f"worker:{job.worker_id}",
    )
    accumulated = [
        (f"user:{line.user_id}", f"kudos:{line.action}", line.amount)
        for line in entry.lines
        if line.account is Account.USER
    ]
    return [
        (user, "used", request.work),
        (owner, "fulfilled", 1),
        (owner, "contributed", request.work),
        (worker, "fulfilled", 1),
        (worker, "contributed", request.work),
        (worker, "kudos:generated", reward),
        *accumulated,
    ]
