"""Checking in: a worker says that it is here and what it offers; a new name makes a new worker."""

from collections.abc import Callable

import msgspec

from ordu.engine.horde import Horde, worker_from
from ordu.engine.leaving import check_not_deleted
from ordu.engine.presence import Worker
from ordu.engine.rewards import reward_uptime
from ordu.protocol.addresses import is_public_text
from ordu.protocol.errors import Refused
from ordu.rules import limits
from ordu.rules.matching import Offer, WorkerId
from ordu.rules.money import ANONYMOUS
from ordu.store import workers
from ordu.store.database import Transaction
from ordu.store.users import User
from ordu.store.workers import WorkerRow

FAST_PER_S = 500_000  # things a second below which a worker counts as slow (sheet 11 §2)
BEAT_MS_MAX = 30_000  # how often it is noted that a waiting worker is here


async def check_in(
    horde: Horde,
    user: User,
    name: str,
    kind: str,
    offer_for: Callable[[WorkerId], Offer],
    address: str = "",
    said: object = None,
) -> Worker:
    """Note that a worker is here; the first pop of a new name makes a new worker.

    The offer is made anew only when the worker said something else than the last time (`said`), or
    when its owner's standing or its pace is another.

    Raises:
        Refused: DeletedUser, AnonForbiddenWorker, WorkerFlaggedMaintenance, TimeoutIP,
            WrongCredentials, PolymorphicNameConflict, WorkerInviteOnly, TooManyWorkers,
            TooManyWorkersTrusted, TooManySameIPs.
    """
    check_may_work(user)
    horde.timeouts.check(address, horde.now())
    worker = horde.presence.by_name.get(name)
    if worker is None:
        found_row = await find_or_add(horde, user, name, kind, offer_for, address)
        worker = horde.presence.add(found_row)
    if worker.user_id != user.id:
        raise Refused(
            "WrongCredentials",
            f"Wrong credentials to submit as this worker: {name!r} belongs to somebody else. "
            "Give your worker another name.",
        )
    if worker.kind != kind:
        raise Refused(
            "PolymorphicNameConflict",
            f"The name {name!r} is taken by a worker for {worker.kind}. Use another name.",
        )
    worker.address = address
    told = (said, user.is_trusted, user.is_customizer, worker.speed >= FAST_PER_S)
    offer = worker.offer
    if said is None or told != worker.said:
        offer = paced(offer_for(worker.id), worker.speed)
        worker.said = told
        horde.presence.changed()
    worker.seen(offer, horde.now(), horde.presence.stale_ms)
    await reward_uptime(horde, worker)
    return worker


def keep_here(horde: Horde) -> None:
    """Note that the workers are here whose pops wait, each every so often."""
    now, beat_ms = horde.now(), min(BEAT_MS_MAX, horde.presence.stale_ms // 4)
    for worker in horde.idle.workers():
        if now - worker.seen_at >= beat_ms:
            stay(horde, worker)


def stay(horde: Horde, worker: Worker) -> None:
    """Note that a worker that waits is here still."""
    worker.seen(worker.offer, horde.now(), horde.presence.stale_ms)


def paced(offer: Offer, speed: float) -> Offer:
    """An offer with what the horde knows of the worker's speed."""
    if speed >= FAST_PER_S:
        return offer
    capability = msgspec.structs.replace(offer.capability, is_fast=False)
    return msgspec.structs.replace(offer, capability=capability)


def check_may_work(user: User) -> None:
    """Refuse users that may not run workers."""
    check_not_deleted(user)
    if user.id == ANONYMOUS:
        raise Refused(
            "AnonForbiddenWorker",
            "A worker needs a key of its owner, so that its kudos have somewhere to go: register "
            "to get one.",
        )
    if user.is_flagged:
        raise Refused(
            "WorkerFlaggedMaintenance",
            "This account is under review; until that is over we cannot accept workers serving "
            "others from it.",
        )


async def find_or_add(
    horde: Horde,
    user: User,
    name: str,
    kind: str,
    offer_for: Callable[[WorkerId], Offer],
    address: str,
) -> Worker:
    """The worker of this name; a new one when there is none."""
    row = await horde.read(lambda tx: workers.by_name(tx, name))
    if row is None:
        check_address(horde, user, address)
        now = horde.now()
        worker_id = WorkerId(horde.fresh.id(now))
        fresh_row = WorkerRow(
            id=worker_id,
            user_id=user.id,
            name=name,
            kind=kind,
            created_at=now,
            seen_at=now,
            offer=msgspec.json.encode(offer_for(worker_id)).decode(),
            uptime_s=0,
            uptime_rewarded_s=0,
            is_paused=False,
            maintenance_text=None,
            info=None,
            suspicion=0,
        )
        invite_only = horde.modes.get("invite_only_mode", False)
        row = await horde.write(lambda tx: add_worker(tx, fresh_row, user, invite_only=invite_only))
    return worker_from(row)


def check_address(horde: Horde, user: User, address: str) -> None:
    """Refuse a new worker at an address that has many; never on this machine or a private net."""
    if not horde.settings.rate_limits or not is_public_text(address):
        return
    many = sum(1 for each in horde.presence.here(horde.now()) if each.address == address)
    limits.check_worker_address(
        many,
        horde.settings.workers_per_address,
        user.worker_invited,
        is_trusted=user.is_trusted,
    )


def add_worker(tx: Transaction, row: WorkerRow, user: User, *, invite_only: bool) -> WorkerRow:
    """Add a worker, unless a pop that came a moment earlier has done so."""
    existing = workers.by_name(tx, row.name)
    if existing is not None:
        return existing
    many = len(workers.of_user(tx, user.id))
    if invite_only and many >= user.worker_invited:
        raise Refused(
            "WorkerInviteOnly",
            "This horde takes new workers by invitation only; ask its operators for one.",
        )
    limits.check_worker_count(many, user.worker_invited, is_trusted=user.is_trusted)
    workers.add(tx, row)
    return row
