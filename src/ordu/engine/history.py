"""History: a user's movements, page by page, with the names that go with them.

A page is found by looking at so many places at most. With a filter it may have fewer movements than
were asked for, or none, and still a cursor: there is more to look through.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from ordu.engine.horde import Horde
from ordu.protocol.errors import Refused
from ordu.rules.history import Cause, Kind, Movement
from ordu.rules.lifecycle import Millis
from ordu.rules.money import ANONYMOUS, Kudos
from ordu.store import days, history
from ordu.store.database import Transaction
from ordu.store.users import User

PAGE_MAX = 200
SCANNED_MAX = 2_000  # places that are looked at for one page
SCANNED_AT_ONCE = 200


@dataclass(frozen=True)
class Wanted:
    """Which movements: `since` is included, `until` is not, and those below the place `below`."""

    kind: Kind | None = None
    worker_id: str | None = None
    since: Millis | None = None
    until: Millis | None = None
    below: int | None = None

    def has(self, movement: Movement) -> bool:
        """Whether it is one of these, by what is not asked of the index."""
        return (self.kind is None or movement.kind is self.kind) and (
            self.worker_id is None
            or (movement.about is not None and movement.about.worker_id == self.worker_id)
        )


@dataclass(frozen=True)
class Page:
    """A part of a history, newest first."""

    movements: list[Movement]
    others: Mapping[str, str]  # the other party of a transfer, by entry
    workers: Mapping[str, str]  # the names of workers that are here or were, by id
    below: int | None  # where the next part begins; None after the last


def check_has_history(user: User) -> None:
    """Refuse the anonymous user, whom many share and who pays and earns nothing."""
    if user.id == ANONYMOUS:
        raise Refused(
            "AnonForbidden",
            "The anonymous user has no kudos, and so no history. Register to have your own.",
        )


async def page(horde: Horde, user: User, wanted: Wanted, most: int) -> Page:
    """The next movements of a user, so many at most.

    Raises:
        Refused: AnonForbidden.
    """
    check_has_history(user)
    return await horde.read(lambda tx: read_page(tx, user, wanted, most))


def read_page(tx: Transaction, user: User, wanted: Wanted, most: int) -> Page:
    """The same in a transaction."""
    first, end = bounds(tx, user, wanted)
    floor = max(first, end - SCANNED_MAX)
    found: list[Movement] = []
    while end > floor and len(found) < most:
        begin = max(floor, end - SCANNED_AT_ONCE)
        fitting = [each for each in history.between(tx, user.id, begin, end) if wanted.has(each)]
        room = most - len(found)
        found += fitting[:room]
        end = found[-1].place if len(fitting) >= room else begin
    gifts = (each.entry_id for each in found if each.cause is Cause.TRANSFER)
    machines = (each.about.worker_id for each in found if each.about is not None)
    return Page(
        found,
        history.others_in(tx, user.id, gifts),
        history.workers_named(tx, machines),
        end if end > first else None,
    )


def bounds(tx: Transaction, user: User, wanted: Wanted) -> tuple[int, int]:
    """The places between which the wanted movements are, without the second."""
    end = history.newest(tx, user.id) + 1
    if wanted.below is not None:
        end = min(end, wanted.below)
    if wanted.until is not None:
        end = history.first_since(tx, user.id, wanted.until, end)
    first = 1
    if wanted.since is not None:
        first = history.first_since(tx, user.id, wanted.since, end)
    return first, end


async def by_day(
    horde: Horde, user: User, worker_id: str | None, first: date, last: date
) -> Mapping[date, Mapping[str, Kudos]]:
    """What moved on each day from the first to the last on which something did.

    Raises:
        Refused: AnonForbidden.
    """
    check_has_history(user)
    return await horde.read(lambda tx: days.of_user(tx, user.id, worker_id, first, last))
