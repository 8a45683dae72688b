"""Positions: how much goes before a waiting request, lane by lane, without walking the queue.

All that waits stands in *blocks*, thousands in each. The blocks are in order: everything in one
goes before everything in the next. Within a block there is no order, so one comes at the end of it
and the last takes the place of one that goes. For each block a row of sums says how much goes
before it in each lane. So what goes before a request is the row of its block, and those of its
block that go before it, found by comparing its arrays. For a set of workers only the lanes that
they serve are added up: a mask over lanes answers for any set, at every moment exactly.

Each change is added to the rows of all later blocks, one number in each. A full block is split at
its middle; one with little in it joins its neighbour. When there is no room for more rows, because
very many wait in very many lanes, blocks become twice as large.

A question takes 10 to 40 µs in a thousand lanes and 40 to 60 in ten thousand, and as much again for
a set of workers that was not asked for since a lane came; a change takes 5 to 15. No work is put
off: the longest at once is to make larger blocks, 20 ms with a million waiting, or to make room for
twice as many rows or lanes, up to 40 ms, each a few times in the life of a server. All of this
takes about 60 bytes for each request that waits, and up to 40 MB for the rows (`bench/lanes.py`).
"""

import bisect
from collections.abc import Sequence
from typing import Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

BLOCK_ENTRIES = 8_192  # in a block, as long as there is room for all rows
ROW_NUMBERS_MAX = 2_500_000  # in all rows together, for jobs and for work
FIRST_SLOTS, FIRST_ROWS = 64, 8  # then twice as many, and so on

Order: TypeAlias = tuple[int, str]  # negative rank, id: the smaller goes first
Amounts: TypeAlias = npt.NDArray[np.float64]  # whole numbers, exact up to 2**53
Mask: TypeAlias = npt.NDArray[np.bool_]

FIRST: Final[Order] = (-(2**63), "")
LAST_ID: Final = chr(0x10FFFF)  # after every id


class ByLane(NamedTuple):
    """Pictures and work by the slot of their lane."""

    jobs: Amounts
    work: Amounts

    def within(self, served: Mask | Amounts) -> tuple[int, int]:
        """How much it is in the lanes that somebody serves."""
        size = min(len(self.jobs), len(served))
        chosen = served[:size]
        return added_up(self.jobs[:size], chosen), added_up(self.work[:size], chosen)


class Block:
    """Some that wait: all whose order is `low` or more, up to the next block."""

    def __init__(self, low: Order, row: int, room: int) -> None:
        self.low = low
        self.row = row  # of the sums before it
        self.ids: list[str] = []
        self.ranks = np.empty(room, dtype=np.int64)  # negative
        self.lanes = np.empty(room, dtype=np.intp)
        self.amounts = np.empty((2, room))  # jobs, work

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def is_full(self) -> bool:
        """Whether nothing more has room."""
        return len(self.ids) == len(self.ranks)

    def append(self, order: Order, lane: int, jobs: int, work: int) -> None:
        """Take one in."""
        end = len(self.ids)
        rank, request_id = order
        self.ids.append(request_id)
        self.ranks[end] = rank
        self.lanes[end] = lane
        self.amounts[0, end] = jobs
        self.amounts[1, end] = work

    def find(self, order: Order) -> int:
        """Where one stands."""
        rank, request_id = order
        same = np.flatnonzero(self.ranks[: len(self.ids)] == rank).tolist()
        return next(index for index in same if self.ids[index] == request_id)

    def drop(self, index: int) -> None:
        """Let one go; the last takes its place."""
        end = len(self.ids) - 1
        last = self.ids.pop()
        if index != end:
            self.ids[index] = last
            self.ranks[index] = self.ranks[end]
            self.lanes[index] = self.lanes[end]
            self.amounts[:, index] = self.amounts[:, end]

    def before(self, order: Order) -> Mask:
        """Which of them go before this."""
        rank, request_id = order
        ranks = self.ranks[: len(self.ids)]
        found: Mask = ranks < rank
        for index in np.flatnonzero(ranks == rank).tolist():
            found[index] = self.ids[index] < request_id
        return found

    def middle(self) -> Order:
        """The order before which half of them go."""
        half = len(self.ids) // 2
        ranks = self.ranks[: len(self.ids)]
        rank = int(np.partition(ranks, half)[half])
        same = sorted(self.ids[index] for index in np.flatnonzero(ranks == rank).tolist())
        return rank, same[half - int(np.count_nonzero(ranks < rank))]

    def fill(
        self,
        ids: Sequence[str],
        ranks: npt.ArrayLike,
        lanes: npt.ArrayLike,
        amounts: npt.ArrayLike,
    ) -> None:
        """Have these and no others."""
        self.ids = list(ids)
        end = len(self.ids)
        self.ranks[:end] = np.asarray(ranks)
        self.lanes[:end] = np.asarray(lanes)
        self.amounts[:, :end] = np.asarray(amounts)

    def split(self, low: Order, row: int) -> "Block":
        """Give those from here on to a new block."""
        stays = self.before(low)
        upper = Block(low, row, len(self.ranks))
        for block, mask in ((upper, ~stays), (self, stays)):
            chosen = np.flatnonzero(mask)
            ids = [self.ids[index] for index in chosen.tolist()]
            block.fill(ids, self.ranks[chosen], self.lanes[chosen], self.amounts[:, chosen])
            # `upper` is filled first: then `self` still has all of them.
        return upper

    def widen(self, room: int) -> None:
        """Have room for so many."""
        old = self.ranks, self.lanes, self.amounts
        self.ranks, self.lanes = np.empty(room, dtype=np.int64), np.empty(room, dtype=np.intp)
        self.amounts = np.empty((2, room))
        end = len(self.ids)
        self.fill(self.ids, old[0][:end], old[1][:end], old[2][:, :end])

    def absorb(self, other: "Block") -> None:
        """Take all of the next block in."""
        start, more = len(self.ids), len(other.ids)
        end = start + more
        self.ids += other.ids
        self.ranks[start:end] = other.ranks[:more]
        self.lanes[start:end] = other.lanes[:more]
        self.amounts[:, start:end] = other.amounts[:, :more]

    def by_lane(self, slots: int, chosen: Mask | None = None) -> ByLane:
        """How much there is of them, or of those chosen, in each lane."""
        end = len(self.ids)
        lanes, (jobs, work) = self.lanes[:end], self.amounts[:, :end]
        if chosen is not None:
            lanes, jobs, work = lanes[chosen], jobs[chosen], work[chosen]
        return ByLane(summed(lanes, jobs, slots), summed(lanes, work, slots))


class Positions:
    """Where every waiting request stands."""

    def __init__(self) -> None:
        self.many = 0
        self.room = BLOCK_ENTRIES  # in each block
        self.total = ByLane(np.zeros(FIRST_SLOTS), np.zeros(FIRST_SLOTS))
        self.rows = ByLane(np.zeros((1, FIRST_SLOTS)), np.zeros((1, FIRST_SLOTS)))
        self.blocks = [Block(FIRST, 0, self.room)]
        self.make_rows(min(FIRST_ROWS, rows_max(FIRST_SLOTS)), FIRST_SLOTS)

    @property
    def slots(self) -> int:
        """How many lanes there is room for."""
        return len(self.total.jobs)

    # What waits

    def add(self, order: Order, lane: int, jobs: int, work: int) -> None:
        """A request waits, with so many pictures and so much work in all."""
        if lane >= self.slots:
            self.grow(lane)
        while (block := self.blocks[at := self.at(order)]).is_full:
            self.make_room(at, order)
        block.append(order, lane, jobs, work)
        self.many += 1
        self.count(at, lane, jobs, work)

    def change(self, order: Order, jobs: int, work: int) -> None:
        """So much more of it waits, or less."""
        at = self.at(order)
        block = self.blocks[at]
        index = block.find(order)
        block.amounts[0, index] += jobs
        block.amounts[1, index] += work
        self.count(at, int(block.lanes[index]), jobs, work)

    def remove(self, order: Order) -> None:
        """Nothing of it waits any more."""
        at = self.at(order)
        block = self.blocks[at]
        index = block.find(order)
        jobs, work = block.amounts[:, index].tolist()
        self.count(at, int(block.lanes[index]), -jobs, -work)
        block.drop(index)
        self.many -= 1
        if len(block) < self.room // 4 and len(self.blocks) > 1:
            self.join_if_few(at)

    def load(
        self, orders: Sequence[Order], lanes: Sequence[int], amounts: Sequence[Sequence[int]]
    ) -> None:
        """Take in all that waits, in order, while nothing does; `amounts` are jobs and work."""
        if not orders:
            return
        if max(lanes) >= self.slots:
            self.grow(max(lanes))
        most = rows_max(self.slots)
        while len(orders) > (step := self.room // 4 * 3) * most:
            self.widen()
        self.make_rows(min(most, len(orders) // step * 5 // 4 + FIRST_ROWS), self.slots)
        self.free.append(self.blocks.pop().row)
        for start in range(0, len(orders), step):
            part = slice(start, start + step)
            block = Block(orders[start] if start else FIRST, self.free.pop(), self.room)
            block.fill(
                [request_id for _, request_id in orders[part]],
                [rank for rank, _ in orders[part]],
                lanes[part],
                [each[part] for each in amounts],
            )
            self.blocks.append(block)
            self.rows.jobs[block.row], self.rows.work[block.row] = self.total
            self.total = plus(self.total, block.by_lane(self.slots))
        self.many = len(orders)
        self.note_order()

    def count(self, at: int, lane: int, jobs: float, work: float) -> None:
        """So much more waits in a lane, in this block."""
        self.total.jobs[lane] += jobs
        self.total.work[lane] += work
        later = self.order[at + 1 :]
        if len(later):
            self.rows.jobs[later, lane] += jobs
            self.rows.work[later, lane] += work

    # Where one stands

    def at(self, order: Order) -> int:
        """Which block this belongs to."""
        return bisect.bisect_right(self.lows, order, lo=1) - 1

    def before(self, order: Order, served: Mask) -> tuple[int, int]:
        """Pictures and work before this in lanes that somebody serves; the mask is of all slots."""
        at = self.at(order)
        block = self.blocks[at]
        end = len(block)
        chosen = (served.take(block.lanes[:end]) & block.before(order)).astype(np.float64)
        jobs, work = (added_up(each[:end], chosen) for each in block.amounts)
        if at == 0:  # the usual case: few wait
            return jobs, work
        jobs_before, work_before = self.sums_before(block).within(served.astype(np.float64))
        return jobs + jobs_before, work + work_before

    def by_lane(self, order: Order) -> ByLane:
        """What goes before this, lane by lane."""
        block = self.blocks[self.at(order)]
        return plus(self.sums_before(block), block.by_lane(self.slots, block.before(order)))

    def sums_before(self, block: Block) -> ByLane:
        """What goes before a block, lane by lane."""
        return ByLane(self.rows.jobs[block.row], self.rows.work[block.row])

    # Blocks and rows

    def note_order(self) -> None:
        """The blocks, or their rows, are others now."""
        self.lows = [block.low for block in self.blocks]
        self.order: npt.NDArray[np.intp] = np.array([block.row for block in self.blocks], np.intp)

    def make_rows(self, many: int, slots: int) -> None:
        """Have so many rows for so many lanes; those of the blocks are the first."""
        rows = ByLane(np.zeros((many, slots)), np.zeros((many, slots)))
        for new, old in zip(rows, self.rows, strict=True):
            for row, block in enumerate(self.blocks):
                new[row, : old.shape[1]] = old[block.row]
        for row, block in enumerate(self.blocks):
            block.row = row
        self.rows = rows
        self.free = list(range(many - 1, len(self.blocks) - 1, -1))
        self.note_order()

    def make_room(self, at: int, order: Order) -> None:
        """Let there be room in a full block, or in what becomes of it, before one more comes."""
        if not self.free:
            rows, most = len(self.rows.jobs), rows_max(self.slots)
            if rows < most:
                self.make_rows(min(2 * rows, most), self.slots)
            else:
                self.widen()
            return
        block = self.blocks[at]
        # Most that come are the last of all; then what is full may stay so.
        is_last = at == len(self.blocks) - 1 and bool(block.before(order).all())
        upper = block.split(order if is_last else block.middle(), self.free.pop())
        sums = plus(self.sums_before(block), block.by_lane(self.slots))
        self.rows.jobs[upper.row], self.rows.work[upper.row] = sums
        self.blocks.insert(at + 1, upper)
        self.note_order()

    def join_if_few(self, at: int) -> None:
        """Join a block in which few are with one beside it, if that has room for more after."""
        for first in (at, at - 1):
            if not 0 <= first < len(self.blocks) - 1:
                continue
            block, following = self.blocks[first : first + 2]
            many = len(block) + len(following)
            if many <= self.room // 2 or many in {len(block), len(following)}:
                block.absorb(following)
                self.free.append(following.row)
                del self.blocks[first + 1]
                self.note_order()
                return

    def widen(self) -> None:
        """Make two blocks one, everywhere."""
        self.room *= 2
        for first, block in enumerate(self.blocks[::2]):
            block.widen(self.room)
            for following in self.blocks[2 * first + 1 : 2 * first + 2]:
                block.absorb(following)
                self.free.append(following.row)
        self.blocks = self.blocks[::2]
        self.note_order()

    def grow(self, lane: int) -> None:
        """Have room for this lane."""
        slots = self.slots
        while slots <= lane:
            slots *= 2
        most = rows_max(slots)
        while len(self.blocks) > 1 and len(self.blocks) >= most:
            self.widen()
        more = (0, slots - self.slots)
        self.total = ByLane(np.pad(self.total.jobs, more), np.pad(self.total.work, more))
        self.make_rows(min(len(self.rows.jobs), most), slots)


def rows_max(slots: int) -> int:
    """How many rows there may be for so many lanes."""
    return max(2, ROW_NUMBERS_MAX // slots)


def plus(one: ByLane, other: ByLane) -> ByLane:
    """Both together."""
    return ByLane(one.jobs + other.jobs, one.work + other.work)


def added_up(amounts: Amounts, chosen: Mask | Amounts) -> int:
    """The sum of these amounts, of those chosen.

    Not `amounts @ chosen`: that is done in threads and waits for them, which took 15 ms instead of
    15 µs when the other core was busy.
    """
    return round(float(np.einsum("i,i", amounts, chosen)))


def summed(lanes: npt.NDArray[np.intp], amounts: Amounts, slots: int) -> Amounts:
    """The sum of these amounts in each lane."""
    return np.bincount(lanes, weights=amounts, minlength=slots).astype(np.float64, copy=False)
