"""Settle: a worker brings a picture; the job ends, the worker's owner is paid, the requester
charged.

One transaction, one entry in the books. The picture's bytes are checked and stored before it, so
that a settled job never lacks its picture; when the settling then fails, the picture is an orphan
and swept.
"""

from collections.abc import Callable

import msgspec

from ordu.engine import results, suspicion, webhooks
from ordu.engine.books import found, is_due, kudos_deltas, locked, promote_if_due
from ordu.engine.end import picture_name
from ordu.engine.horde import Horde
from ordu.engine.tidings import Edited
from ordu.protocol.errors import Refused
from ordu.rules import money, pricing
from ordu.rules.lifecycle import JobId, JobState, Millis
from ordu.rules.money import ANONYMOUS, About, Account, Entry, Kudos, UserId, settlement
from ordu.rules.results import Seen, Wanted
from ordu.store import givers, jobs, ledger, made, requests, stats
from ordu.store import results as counts
from ordu.store.database import Transaction
from ordu.store.jobs import Job
from ordu.store.requests import Request
from ordu.store.users import User


class Result(msgspec.Struct, frozen=True):
    """What a worker says of a picture it made."""

    job_id: JobId
    seed: str
    censored: bool = False
    metadata: str | None = None  # JSON
    picture: str | None = None  # its name in the picture store; None for the usual
    seen: Seen | None = None  # what we saw of it; None when nothing is expected of it


class Settled(msgspec.Struct, frozen=True):
    """A job that ended well, and what was paid for it."""

    job: Job
    request: Request
    reward: Kudos
    makes_trusted: bool  # its owner, by this reward
    suspected: suspicion.Suspicion | None  # against its worker, by what is odd about it


class Terms(msgspec.Struct, frozen=True):
    """The operator's terms for a settlement."""

    tax: float
    trust_threshold: Kudos
    lifetime_ms: int
    too_fast: Callable[[int, int], bool]  # so much work in so many milliseconds
    wanted: Callable[[bytes], Wanted] | None = None  # how the pictures of a request may look
    is_strict: bool = False  # refuses what is odd
    suspects: bool = False  # whoever delivers too much that is odd


async def find_running(horde: Horde, job_id: str, user: User) -> Job:
    """The job a worker wants to end.

    Raises:
        Refused: InvalidJobID, WrongCredentials, DuplicateGen, AbortedGen.
    """
    job = horde.running.job(JobId(job_id))
    if job is None:
        job = await horde.read(lambda tx: jobs.by_id(tx, job_id))
    if job is not None and job.owner_id != user.id:
        raise Refused(
            "WrongCredentials", "Wrong credentials: this job was given to somebody else's worker."
        )
    if job is None or job.state is not JobState.RUNNING:
        raise refusal_of(job, job_id)
    return job


def refusal_of(job: Job | None, job_id: str) -> Refused:
    """Why a job that does not run cannot be ended.

    A program of 2022 retries a 400 for ever, so it gets 404.
    """
    if job is None:
        return Refused(
            "InvalidJobID",
            f"Processing Job with ID {job_id[:64]!r} does not exist: it never did, or its request "
            "has ended.",
        )
    status = 400 if job.has_agent else 404
    if job.state is JobState.DONE:
        return Refused("DuplicateGen", "The picture of this job was already submitted.", status)
    return Refused(
        "AbortedGen",
        "This job was given up because its time was over or it was reported as faulted. Please "
        "check your worker speed.",
        status,
    )


async def deliver(
    horde: Horde, job: Job, result: Result, wanted: Callable[[bytes], Wanted] | None = None
) -> Settled:
    """End a job whose picture is stored.

    Raises:
        Refused: DuplicateGen or AbortedGen, when it was ended meanwhile; BadPicture, when something
            is odd about it and the settings take nothing odd.
    """
    now = horde.now()
    entry_id = horde.fresh.id(now)
    settings = horde.settings
    terms = Terms(
        settings.tax,
        money.from_whole(settings.trust_threshold),
        settings.request_lifetime_s * 1000,
        lambda work, elapsed_ms: suspicion.is_too_fast(horde, work, elapsed_ms),
        wanted,
        settings.strict_results,
        settings.rate_limits,
    )

    def publish(settled: Settled) -> None:
        horde.publish_progress(settled.request, (settled.job,))
        horde.end_job(job.worker_id, job.id)
        work = settled.request.work
        horde.note_speed(job.worker_id, now, work, work * 1000 / max(1, now - job.started_at))
        worker = horde.presence.by_id.get(job.worker_id)
        if settled.suspected is not None:
            if worker is not None:
                suspicion.note(worker, settled.suspected)
            horde.tell(Edited(job.worker_id))  # others may know it where we do not
        if settled.makes_trusted:
            horde.end_pauses(job.owner_id)

    return await horde.write(lambda tx: settle(tx, job, result, terms, entry_id, now), publish)


def settle(
    tx: Transaction, running: Job, result: Result, terms: Terms, entry_id: str, now: Millis
) -> Settled:
    """End the job, pay for it and count it."""
    request = requests.locked(tx, running.request_id)
    job = jobs.finish(
        tx,
        result.job_id,
        now,
        seed=result.seed,
        censored=result.censored,
        metadata=result.metadata,
        picture=result.picture,
    )
    if job is None:
        raise refusal_of(jobs.by_id(tx, result.job_id), result.job_id)
    assert request is not None, "a job has a request"
    is_too_fast = terms.too_fast(request.work, now - job.started_at)
    odd = results.odd(result.seen, terms.wanted, request.body, is_too_fast=is_too_fast)
    if terms.is_strict:
        results.refuse(odd)
    reward = pricing.reward(request.price, terms.tax)
    payer, owner = parties(tx, request.user_id, job.owner_id)
    entry = settlement(
        f"settle:{job.id}",
        payer=payer.id,
        owner=owner.id,
        bill=request.bill,
        reward=reward,
        available=available_for(tx, payer, request),
        trusted=owner.is_trusted,
        censored=job.censored,
        about=picture_in(job, request),
    )
    parts = ledger.post(tx, entry, entry_id, now)
    paid = paid_by(entry, request.user_id)
    assert 0 <= paid <= request.bill, f"job {job.id} cost {paid} and its bill is {request.bill}"
    before = request
    request = requests.finish_one(tx, request.id, paid, Millis(now + terms.lifetime_ms))
    learnt = [
        *counted(job, request, reward),
        *kudos_deltas(entry, parts, now),
        *made.delivered(now, job.model, request.work),
        *givers.gave(now, owner.id, reward, pictures=1),
        *counts.delivered(
            now,
            job.worker_id,
            looked_at=result.seen is not None and result.seen.was_looked_at,
            censored=job.censored,
        ),
    ]
    stats.append(tx, learnt)
    evaluating = Kudos(owner.evaluating_kudos + escrow_of(entry, owner.id))
    makes_trusted = is_due(owner, evaluating, terms.trust_threshold, now) and promote_if_due(
        tx, owner.id, terms.trust_threshold, entry_id, now
    )
    suspected = results.count(tx, job.worker_id, owner.id, odd, now, suspects=terms.suspects)
    webhooks.tell_picture(tx, request, job, picture_name(job), now)
    webhooks.tell_end(tx, before, request, now)
    return Settled(job, request, reward, makes_trusted, suspected)


def parties(tx: Transaction, payer_id: UserId, owner_id: UserId) -> tuple[User, User]:
    """Who pays and who is paid, to be changed by nobody else meanwhile.

    The anonymous user pays nothing, and is not locked: all who place as nobody would wait for it.
    """
    if payer_id == ANONYMOUS:
        return found(tx, payer_id), locked(tx, owner_id)[0]
    payer, owner = locked(tx, payer_id, owner_id)
    return payer, owner


def available_for(tx: Transaction, payer: User, request: Request) -> Kudos:
    """What a payer has for a job of this request: all that is not held for others."""
    if payer.id == ANONYMOUS:
        return payer.kudos
    held = requests.held_of(tx, payer.id) - (request.bill if request.is_upfront else 0)
    return Kudos(payer.kudos - held)


def paid_by(entry: Entry, user_id: UserId) -> Kudos:
    """What an entry took from a user."""
    return Kudos(
        -sum(line.amount for line in entry.lines if line.user_id == user_id and line.amount < 0)
    )


def escrow_of(entry: Entry, user_id: UserId) -> Kudos:
    """What an entry adds to what is held for a user until they are trusted."""
    return Kudos(
        sum(
            line.amount
            for line in entry.lines
            if line.user_id == user_id and line.account is Account.ESCROW
        )
    )


class Size(msgspec.Struct, frozen=True):
    """What of a request's body people read in their history."""

    width: int | None = None
    height: int | None = None


_SIZE = msgspec.json.Decoder(Size)


def picture_in(job: Job, request: Request) -> About:
    """What the books say of a picture, to whoever paid and to whoever earned."""
    size = _SIZE.decode(request.body)
    return About(worker_id=job.worker_id, model=job.model, width=size.width, height=size.height)


def counted(job: Job, request: Request, reward: Kudos) -> list[tuple[str, str, int]]:
    """What statistics learn from a settled job."""
    user, owner, worker = (
        f"user:{request.user_id}",
        f"user:{job.owner_id}",
        f"worker:{job.worker_id}",
    )
    return [
        (user, "used", request.work),
        (owner, "fulfilled", 1),
        (owner, "contributed", request.work),
        (worker, "fulfilled", 1),
        (worker, "contributed", request.work),
        (worker, "kudos:generated", reward),
    ]
