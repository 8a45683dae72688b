"""Outlook: who that is here could serve a requirement, and how much they draw together.

It is asked with every check, so it is kept: where few workers are here until anything of them
changes, where many are for a second at most.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from ordu.engine.horde import Horde
from ordu.engine.presence import Worker
from ordu.rules.estimates import Crew
from ordu.rules.lifecycle import Millis
from ordu.rules.matching import Capability, Requirement, why_not
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
    kept: Kept | None = horde.known.outlooks.get(requirement, now)
    is_exact = len(horde.presence.by_id) <= EXACT_MAX
    if kept is None or (is_exact and kept.offers != horde.presence.version):
        kept = look(horde, requirement, now)
        horde.known.outlooks.put(requirement, kept, now)
    elif is_exact and kept.version != horde.version:
        # The same workers, that are at something else or of another pace now.
        kept.outlook = taken_together(horde, kept.outlook.able, now)
        kept.version = horde.version
    own = [worker for worker in kept.private if worker.user_id == user_id]
    return taken_together(horde, (*kept.outlook.able, *own), now) if own else kept.outlook


def able_workers(horde: Horde, requirement: Requirement, user_id: UserId) -> tuple[Worker, ...]:
    """The workers that are here and could serve a request of this user."""
    return outlook_of(horde, requirement, user_id).able


def look(horde: Horde, requirement: Requirement, now: Millis) -> Kept:
    """Look at every worker that is here."""
    verdicts: dict[Capability, bool] = {}  # many workers offer the same
    able: list[Worker] = []
    private: list[Worker] = []
    for worker in horde.presence.here(now):
        capability = worker.capability
        can = verdicts.get(capability)
        if can is None:
            can = verdicts[capability] = why_not(requirement, capability) is None
        if can:
            (able if worker.takes_from_all else private).append(worker)
    together = taken_together(horde, able, now)
    return Kept(together, tuple(private), horde.presence.version, horde.version)


def taken_together(horde: Horde, able: Iterable[Worker], now: Millis) -> Outlook:
    """What these workers are together."""
    able = tuple(able)
    left = [job.left(worker.speed, now) for worker in able for job in horde.running.of(worker.id)]
    return Outlook(
        able=able,
        capabilities=frozenset(worker.capability for worker in able),
        threads=sum(worker.offer.threads for worker in able),
        speed=sum(worker.speed * worker.offer.threads for worker in able),
        jobs_busy=len(left),
        work_busy=sum(left),
    )
