"""Suspicion: what makes a worker and its owner suspect, and what follows (protocol sheet 20 §11).

Each count is a thing that honest people do now and then and cheats do all the time; `rules.trust`
has the reasons. With enough of them a worker is paused and its owner can neither move kudos nor
become trusted. Those who are trusted are never suspect. A moderator sees the reasons and clears
them (`reset_suspicion`).
"""

from collections import deque
from dataclasses import dataclass

from ordu.engine.horde import Horde
from ordu.engine.presence import Worker
from ordu.engine.tidings import Edited, Offended
from ordu.rules import trust
from ordu.rules.lifecycle import Millis
from ordu.rules.matching import WorkerId
from ordu.rules.money import ANONYMOUS, UserId
from ordu.rules.trust import SuspicionReason
from ordu.store import suspicions, users, workers
from ordu.store.database import Transaction
from ordu.store.users import User

HOUR_MS = 3_600_000
ABORTED_MAX = 20  # jobs in an hour that a worker may give up
ABORTED_MAX_IN_RAID = 10
ABORTED_TEXT = (
    "This worker gave up too many jobs in an hour. Look at its log, lower its largest size or its"
    " models, and end its maintenance"
)


@dataclass(frozen=True)
class Suspicion:
    """What was counted at once, and whether it pauses the worker."""

    is_paused: bool
    times: int = 1


def suspect_user(tx: Transaction, user: User, reason: SuspicionReason, now: Millis) -> bool:
    """Count a suspicion against a user; False when they are beyond it, or it was counted before."""
    if user.is_trusted or user.id == ANONYMOUS:
        return False
    if not suspicions.count(tx, suspicions.of_user(user.id), reason, now):
        return False
    users.change(tx, user.id, {"suspicion": user.suspicion + 1})
    return True


def suspect(
    tx: Transaction, worker_id: WorkerId, owner_id: UserId, reason: SuspicionReason, now: Millis
) -> Suspicion | None:
    """Count a suspicion against a worker and its owner; None when nothing was counted."""
    owner = users.locked(tx, owner_id).get(owner_id)
    worker = workers.locked(tx, worker_id)
    if owner is None or worker is None or not suspect_user(tx, owner, reason, now):
        return None
    suspicions.count(tx, suspicions.of_worker(worker.id), reason, now)
    is_paused = trust.is_suspicious(worker.suspicion + 1, trusted=False)
    changes: dict[str, object] = {"suspicion": worker.suspicion + 1}
    if is_paused:
        changes["is_paused"] = True
    workers.change(tx, worker.id, changes)
    return Suspicion(is_paused)


def is_too_fast(horde: Horde, work: int, elapsed_ms: int) -> bool:
    """Whether a delivery came faster than any machine that this horde believes in."""
    fastest = horde.settings.too_fast_megapixelsteps_per_s
    if not fastest or not horde.settings.rate_limits:
        return False
    return work > fastest * 1000 * max(1, elapsed_ms)


def note(worker: Worker, suspicion: Suspicion | None) -> None:
    """Copy a committed suspicion into the presence."""
    if suspicion is not None:
        worker.suspicion += suspicion.times
        worker.is_paused = worker.is_paused or suspicion.is_paused


async def count_aborted(horde: Horde, worker_id: WorkerId) -> None:
    """A worker gave up a job: too many in an hour put it into maintenance, with a notice.

    In a raid fewer are too many, and the worker is not told.
    """
    worker = horde.presence.by_id.get(worker_id)
    if worker is None:
        return
    now = horde.now()
    forget_before(worker.aborted, Millis(now - HOUR_MS))
    worker.aborted.append(now)
    is_raid = horde.modes.get("raid_mode", False)
    if len(worker.aborted) <= (ABORTED_MAX_IN_RAID if is_raid else ABORTED_MAX):
        return
    worker.aborted.clear()

    def write(tx: Transaction) -> Suspicion | None:
        reason = SuspicionReason.TOO_MANY_JOBS_ABORTED
        suspicion = suspect(tx, worker.id, worker.user_id, reason, now)
        if not is_raid:
            workers.change(tx, worker.id, {"maintenance_text": ABORTED_TEXT})
        return suspicion

    def publish(suspicion: Suspicion | None) -> None:
        note(worker, suspicion)
        if not is_raid:
            worker.maintenance_text = ABORTED_TEXT
            horde.presence.changed()
        horde.tell(Edited(worker.id))

    await horde.write(write, publish)


async def count_prompt(horde: Horde, user: User, address: str) -> None:
    """Somebody asked for what is not drawn: their address has to wait, and it is held against them.

    Moderators try such prompts on purpose.
    """
    if user.is_moderator:
        return
    now = horde.now()
    if horde.settings.rate_limits:
        horde.timeouts.offence(address, now)
        horde.tell(Offended(address, now))
    reason = SuspicionReason.CORRUPT_PROMPT

    def write(tx: Transaction) -> None:
        known = users.locked(tx, user.id).get(user.id)
        if known is not None:
            suspect_user(tx, known, reason, now)

    if user.id != ANONYMOUS and not user.is_trusted:
        await horde.write(write)


def forget_before(moments: deque[Millis], since: Millis) -> None:
    """Drop the moments that are too long ago."""
    while moments and moments[0] < since:
        moments.popleft()
