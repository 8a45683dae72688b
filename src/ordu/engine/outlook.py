"""Outlook: who that is here could serve a requirement, and how much they draw together.

It is asked with every check, so it is kept: where few workers are here until anything of them
changes, where many are for a second at most. Where something waits for a requirement, whether a
worker may serve it is read from what is remembered of its lane.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from ordu.engine.horde import Horde
from ordu.engine.known import BELIEVED_MS
from ordu.engine.presence import Worker
from ordu.rules.estimates import Crew
from ordu.rules.lifecycle import Millis
from ordu.rules.matching import Capability, Requirement
from ordu.rules.money import UserId

EXACT_MAX = 50  # up to so many workers an outlook is made whenever something changed


@dataclass(frozen=True, slots=True)
class Outlook:
    """The workers that could serve a requirement, taken together."""

    able: tuple[Worker, ...]
    capabilities: frozenset[Capability]
    threads: int  # how many pictures they draw at once
    speed: float  # things per second of all of these threads
    jobs_busy: int  # how many jobs they are at
    work_busy: float  # how much work is left of these

    @property
    def crew(self) -> Crew:
        """The same without who they are."""
        return Crew(self.threads, self.speed, self.jobs_busy, self.work_busy)


@dataclass(slots=True)
class Kept:
    """An outlook for everybody, and those who would serve nobody but their owner."""

    outlook: Outlook
    private: tuple[Worker, ...]
    offers: int  # the version of who is here with what
    version: int  # of all that it was made from


def outlook_of(horde: Horde, requirement: Requirement, user_id: UserId) -> Outlook:
    """Who could serve a request of this user."""
    now = horde.now()
    kept = kept_outlook(horde, requirement, now)
    if kept is None:
        kept = look(horde, requirement, now)
        horde.known.outlooks.put(requirement, kept, now)
    elif is_exact(horde) and kept.version != horde.version:
        # The same workers, that are at something else or of another pace now.
        kept.outlook = taken_together(horde, kept.outlook.able, now)
        kept.version = horde.version
    own = [worker for worker in kept.private if worker.user_id == user_id]
    return taken_together(horde, (*kept.outlook.able, *own), now) if own else kept.outlook


def somebody_able(horde: Horde, requirement: Requirement, user_id: UserId) -> bool:
    """Whether anybody that is here could serve a request of this user; makes no outlook for it."""
    now = horde.now()
    kept = kept_outlook(horde, requirement, now)
    if kept is not None:
        return bool(kept.outlook.able) or any(each.user_id == user_id for each in kept.private)
    can_serve = horde.lanes.can_serve(requirement)
    return any(
        (worker.takes_from_all or worker.user_id == user_id) and can_serve(worker.capability)
        for worker in horde.presence.here(now)
    )


def is_exact(horde: Horde) -> bool:
    """Whether so few are here that everything has to be true at once."""
    return len(horde.presence.by_id) <= EXACT_MAX


def kept_outlook(horde: Horde, requirement: Requirement, now: Millis) -> Kept | None:
    """The outlook that is kept, if it is of those who are here."""
    kept: Kept | None = horde.known.outlooks.get(requirement, now)
    if kept is not None and is_exact(horde) and kept.offers != horde.presence.version:
        return None
    return kept


def look(horde: Horde, requirement: Requirement, now: Millis) -> Kept:
    """Look at every worker that is here."""
    can_serve = horde.lanes.can_serve(requirement)
    able: list[Worker] = []
    private: list[Worker] = []
    for worker in horde.presence.here(now):
        if can_serve(worker.capability):
            (able if worker.takes_from_all else private).append(worker)
    together = taken_together(horde, able, now)
    return Kept(together, tuple(private), horde.presence.version, horde.version)


def taken_together(horde: Horde, able: Iterable[Worker], now: Millis) -> Outlook:
    """What these workers are together."""
    able = tuple(able)
    age_ms = 0 if is_exact(horde) else BELIEVED_MS
    busy = [horde.running.busy(worker, now, age_ms=age_ms) for worker in able]
    return Outlook(
        able=able,
        capabilities=frozenset(worker.capability for worker in able),
        threads=sum(worker.offer.threads for worker in able),
        speed=sum(worker.speed * worker.offer.threads for worker in able),
        jobs_busy=sum(each.jobs for each in busy),
        work_busy=sum(each.work for each in busy),
    )
