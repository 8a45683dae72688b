"""Ahead: how much goes before a place in the order, lane by lane.

`Positions` answers for one set of workers, and keeps sums over the whole order for it. To compare
many sets of workers for one request, as an explanation does, it is enough to know once how much
goes before it in each lane: then each set is one look at an array over lanes. For that, sums are
kept at a few *marks* in the order of a snapshot; from the last mark before a place only the rest
is counted. A hundred thousand waiting cost 1 or 2 ms for each snapshot that somebody asks about,
and each question a fraction of one (`bench/bench_explain.py`).
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ordu.engine.positions import Positions

MARKS = 32
MARK_ENTRIES_MAX = 1_000_000  # numbers in all marks together, for jobs and for work

Amounts = npt.NDArray[np.float64]


class ByLane(NamedTuple):
    """Pictures and work by the slot of their lane."""

    jobs: Amounts
    work: Amounts

    def within(self, served: npt.NDArray[np.bool_]) -> tuple[int, int]:
        """How much it is in the lanes that somebody serves."""
        size = min(len(self.jobs), len(served))
        chosen = served[:size]
        return round(float(self.jobs[:size] @ chosen)), round(float(self.work[:size] @ chosen))


class Ahead:
    """Sums by lane at marks in the order of one snapshot."""

    def __init__(self) -> None:
        self.order: npt.NDArray[np.int64] | None = None  # of the snapshot the marks are for
        self.step = 1
        self.marks: list[ByLane] = []

    def by_lane(self, positions: Positions, index: int, slots: int) -> ByLane:
        """What stands before this index in the order; `slots` is how many lanes there can be."""
        if self.order is not positions.order:
            self.make(positions, slots)
        mark = index // self.step
        part = counted(positions, mark * self.step, index, len(self.marks[0].jobs))
        before = self.marks[mark]
        return ByLane(before.jobs + part.jobs, before.work + part.work)

    def total(self, positions: Positions, slots: int) -> ByLane:
        """All that waits."""
        if self.order is not positions.order:
            self.make(positions, slots)
        return self.marks[-1]

    def make(self, positions: Positions, slots: int) -> None:
        """Make the marks for the snapshot of now."""
        many = len(positions.order)
        marks = max(1, min(MARKS, MARK_ENTRIES_MAX // max(1, slots)))
        self.step = many // marks + 1
        sums = ByLane(np.zeros(slots), np.zeros(slots))
        self.marks = [sums]
        for start in range(0, many, self.step):
            part = counted(positions, start, start + self.step, slots)
            sums = ByLane(sums.jobs + part.jobs, sums.work + part.work)
            self.marks.append(sums)
        self.order = positions.order


def counted(positions: Positions, start: int, end: int, slots: int) -> ByLane:
    """Pictures and work by lane in this part of the order."""
    places = positions.order[start:end]
    lanes, left = positions.lanes[places], positions.left[places]
    return ByLane(
        summed(lanes, left, slots),
        summed(lanes, left * positions.work[places], slots),
    )


def summed(lanes: npt.NDArray[np.int64], amounts: npt.NDArray[np.int64], slots: int) -> Amounts:
    """The sum of these amounts in each lane."""
    return np.bincount(lanes, weights=amounts, minlength=slots).astype(np.float64, copy=False)
