"""Positions: how much goes before a waiting request, without walking the queue.

All waiting requests stand in arrays. A *snapshot* is their order by rank; for a set of workers, the
running sums of pictures and work over that order, counting only the lanes these workers serve, give
the position of every request at once. A snapshot is at most a second old; while few wait it is made
anew whenever something changed, so that small hordes are told the exact truth.

The next snapshot is made from the one before: those that are gone are left out, new ones put in. So
it costs no sorting, but a million waiting take 50 to 85 ms, once a second and only when somebody
asks; a hundred thousand take 5 (`bench/bench_lanes.py`).
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ordu.rules.lifecycle import Millis
from ordu.rules.matching import Capability

FIRST_PLACES = 256
EXACT_MAX = 100  # up to so many waiting a snapshot is made whenever something changed
AGE_MS_MAX = 1_000
SUMS_MAX = 64  # sets of workers for which sums are kept
SUM_ENTRIES_MAX = 8_000_000  # and so many numbers in all

Served = Callable[[Iterable[Capability]], npt.NDArray[np.bool_]]


class Sums(NamedTuple):
    """Pictures and work before each place of the order, in the lanes that some workers serve."""

    jobs: npt.NDArray[np.int64]
    work: npt.NDArray[np.int64]


class Positions:
    """Where every waiting request stands."""

    def __init__(self) -> None:
        self.ranks: npt.NDArray[np.int64] = np.zeros(FIRST_PLACES, dtype=np.int64)  # negative
        self.left: npt.NDArray[np.int64] = np.zeros(FIRST_PLACES, dtype=np.int64)
        self.work: npt.NDArray[np.int64] = np.zeros(FIRST_PLACES, dtype=np.int64)
        self.lanes: npt.NDArray[np.int64] = np.zeros(FIRST_PLACES, dtype=np.int64)
        self.ids: list[str] = []  # by place
        self.free: list[int] = []  # places that no snapshot knows
        self.gone: list[int] = []  # places that were left since the snapshot was made
        self.new: list[int] = []  # places that were taken since
        self.many = 0
        # The snapshot.
        self.order: npt.NDArray[np.int64] = np.zeros(0, dtype=np.int64)  # places, best rank first
        self.keys: npt.NDArray[np.int64] = np.zeros(0, dtype=np.int64)  # their ranks, negative
        self.index: npt.NDArray[np.int64] = np.zeros(0, dtype=np.int64)  # of each place in it
        self.sums: OrderedDict[frozenset[Capability], Sums] = OrderedDict()
        self.made_at: Millis | None = None
        self.is_changed = True

    # What waits

    def add(self, order: tuple[int, str], left: int, work: int, lane: int) -> int:
        """Take a place for a request."""
        place = self.free.pop() if self.free else self.grow()
        self.ranks[place], self.ids[place] = order
        self.left[place], self.work[place], self.lanes[place] = left, work, lane
        self.new.append(place)
        self.many += 1
        self.is_changed = True
        return place

    def grow(self) -> int:
        """A place that was never used."""
        if len(self.gone) > len(self.ids) // 2:
            self.refresh()  # nobody has asked for long: use the places of those who have left
            return self.free.pop()
        place = len(self.ids)
        self.ids.append("")
        if place == len(self.ranks):
            for name in ("ranks", "left", "work", "lanes"):
                column = getattr(self, name)
                setattr(self, name, np.concatenate([column, np.zeros_like(column)]))
        return place

    def change(self, place: int, left: int) -> None:
        """Another number of pictures waits."""
        self.left[place] = left
        self.is_changed = True

    def remove(self, place: int) -> None:
        """Nothing of it waits any more."""
        self.left[place] = 0
        self.gone.append(place)
        self.many -= 1
        self.is_changed = True

    # Where one stands

    def ahead_of(
        self,
        place: int,
        order: tuple[int, str],
        capabilities: frozenset[Capability],
        served: Served,
        now: Millis,
    ) -> tuple[int, int]:
        """Pictures and work before this request in what workers of these capabilities serve."""
        self.keep_fresh(now)
        sums = self.sums_for(capabilities, served)
        index = self.index[place] if place < len(self.index) else -1
        if index < 0:  # it came after the snapshot
            index = self.index_of_rank(order[0])
        return int(sums.jobs[index]), int(sums.work[index])

    def keep_fresh(self, now: Millis) -> None:
        """Make the snapshot anew if it is old."""
        if self.is_old(now):
            self.refresh()
            self.made_at = now

    def index_of_rank(self, negative_rank: int) -> int:
        """How many of the snapshot go before a request of this rank that is not in it."""
        return int(np.searchsorted(self.keys, negative_rank, side="right"))

    def is_old(self, now: Millis) -> bool:
        """Whether the snapshot has to be made anew."""
        if not self.is_changed:
            return False
        if self.made_at is None or self.many <= EXACT_MAX:
            return True
        return not 0 <= now - self.made_at < AGE_MS_MAX

    def refresh(self) -> None:
        """Make the snapshot of now."""
        new = [place for place in self.new if self.left[place]]
        if self.many <= EXACT_MAX:
            kept = self.order[self.left[self.order] > 0].tolist()
            places = sorted({*kept, *new}, key=lambda place: (self.ranks[place], self.ids[place]))
            self.order = np.array(places, dtype=np.int64)
        else:
            self.order = self.merged(np.array(new, dtype=np.int64))
        self.keys = self.ranks[self.order]
        self.index = np.full(len(self.ids), -1, dtype=np.int64)
        self.index[self.order] = np.arange(len(self.order))
        self.free += self.gone
        self.gone, self.new = [], []
        self.sums.clear()
        self.is_changed = False

    def merged(self, new: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """The order of those that are still there with these put in.

        Of two with the same rank the one that was there before goes first: nearly always that is
        the older one, as it has to be.
        """
        kept = self.order[self.left[self.order] > 0]
        new = new[np.argsort(self.ranks[new], kind="stable")]
        at = np.searchsorted(self.ranks[kept], self.ranks[new], side="right")
        return np.insert(kept, at, new)

    def sums_for(self, capabilities: frozenset[Capability], served: Served) -> Sums:
        """The running sums for workers of these capabilities."""
        sums = self.sums.get(capabilities)
        if sums is None:
            room = max(2, min(SUMS_MAX, SUM_ENTRIES_MAX // max(1, len(self.order))))
            while len(self.sums) >= room:
                self.sums.popitem(last=False)
            mask = served(capabilities)
            jobs = self.left[self.order] * mask[self.lanes[self.order]]
            sums = Sums(before(jobs), before(jobs * self.work[self.order]))
            self.sums[capabilities] = sums
        return sums


def before(amounts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """For each element the sum of those before it, and the sum of all at the end."""
    sums = np.zeros(len(amounts) + 1, dtype=np.int64)
    np.cumsum(amounts, out=sums[1:])
    return sums
