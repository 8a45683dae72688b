"""Columns of lanes, and views of them: what each capability may serve, and why not the rest.

A lane has a *slot*, a number that is used again when the lane is gone. The columns are arrays over
slots; a view has an array of the same length with the verdict on each. New lanes are written into a
log, so that a view looks only at what came since it last did.
"""

from typing import Final, Generic, Protocol, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from ordu.rules.matching import Capability, Reason, Requirement, why_not

EMPTY: Final = np.iinfo(np.int64).min  # the rank of a lane in which nothing can be reserved
FIRST_SLOTS = 64  # then twice as many, and so on
Bits: TypeAlias = npt.NDArray[np.uint8]
REASONS: tuple[Reason | None, ...] = (None, *Reason)  # by their number in a view
NO_LANE: Final = 255  # the number for a slot that never had one
FEW = 50  # verdicts up to which each is noted by itself
NUMBERS = {reason: number for number, reason in enumerate(REASONS)}


class HasRequirement(Protocol):
    """What a column is of."""

    @property
    def requirement(self) -> Requirement:
        """What it asks of a worker."""
        ...


L = TypeVar("L", bound=HasRequirement)


class Columns(Generic[L]):
    """For each slot: its lane, the rank of the lane's head, and how many requests wait in it."""

    def __init__(self) -> None:
        self.lanes: list[L | None] = []
        self.ranks: npt.NDArray[np.int64] = np.full(FIRST_SLOTS, EMPTY, dtype=np.int64)
        self.counts: npt.NDArray[np.int64] = np.zeros(FIRST_SLOTS, dtype=np.int64)
        self.free: list[int] = []
        self.log: list[int] = []  # the slots of new lanes, from `log_start` on
        self.log_start = 0
        self.version = 0  # of what `skipped` counts

    @property
    def size(self) -> int:
        """How many slots there are, used or free."""
        return len(self.lanes)

    @property
    def room(self) -> int:
        """How many slots there can be before the columns grow."""
        return len(self.ranks)

    @property
    def log_end(self) -> int:
        """How many lanes have ever been added."""
        return self.log_start + len(self.log)

    def next_slot(self) -> int:
        """A slot for a new lane."""
        if self.free:
            return self.free.pop()
        slot = len(self.lanes)
        self.lanes.append(None)
        if slot == len(self.ranks):
            self.ranks = np.concatenate([self.ranks, np.full(slot, EMPTY, dtype=np.int64)])
            self.counts = np.concatenate([self.counts, np.zeros(slot, dtype=np.int64)])
        return slot

    def add(self, slot: int, lane: L) -> None:
        """Put a lane into its slot."""
        self.lanes[slot] = lane
        self.log.append(slot)
        if len(self.log) > 2 * self.size + FIRST_SLOTS:  # then to look at all is no more work
            forgotten = len(self.log) // 2
            del self.log[:forgotten]
            self.log_start += forgotten

    def remove(self, slot: int) -> None:
        """Take a lane out; nothing waits in its slot until it is used again."""
        self.lanes[slot] = None
        self.free.append(slot)
        self.set(slot, None, 0)

    def set(self, slot: int, rank: int | None, count: int) -> None:
        """Note a lane's head and length."""
        self.ranks[slot] = EMPTY if rank is None else rank
        self.counts[slot] = count
        self.version += 1


class View:
    """What one capability may serve. The verdict on a slot without a lane means nothing."""

    def __init__(self, capability: Capability) -> None:
        self.capability = capability
        self.reasons: npt.NDArray[np.uint8] = np.zeros(0, dtype=np.uint8)
        self.bits: Bits = np.zeros(0, dtype=np.uint8)  # 1 for each slot that it may serve
        self.slots: npt.NDArray[np.intp] | None = None  # the same as numbers, when asked for
        self.log_at = -1  # up to where the log of new lanes was read
        self.counted: dict[Reason, int] = {}
        self.counted_version = -1

    def catch_up(self, columns: Columns[L]) -> None:
        """Look at the lanes that came since this was last done."""
        if self.log_at == columns.log_end:
            return
        if self.log_at < columns.log_start:
            fresh: list[int] = list(range(columns.size))
        else:
            fresh = columns.log[self.log_at - columns.log_start :]
        self.grow(columns.room)
        lanes = [(slot, lane) for slot in fresh if (lane := columns.lanes[slot]) is not None]
        verdicts = [why_not(lane.requirement, self.capability) for _, lane in lanes]
        if len(lanes) <= FEW:
            for (slot, _), reason in zip(lanes, verdicts, strict=True):
                self.note(slot, reason)
        else:
            self.reasons[[slot for slot, _ in lanes]] = [NUMBERS[reason] for reason in verdicts]
            self.bits = np.packbits(self.reasons == 0)
        self.slots = None
        self.log_at = columns.log_end

    def grow(self, room: int) -> None:
        """Have room for verdicts on so many slots."""
        more = room - len(self.reasons)
        if more:
            self.reasons = np.pad(self.reasons, (0, more), constant_values=NO_LANE)
            self.bits = np.pad(self.bits, (0, more // 8))

    def note(self, slot: int, reason: Reason | None) -> None:
        """Remember a verdict."""
        self.reasons[slot] = NUMBERS[reason]
        bit = 0x80 >> (slot & 7)
        if reason is None:
            self.bits[slot >> 3] |= bit
        else:
            self.bits[slot >> 3] &= 0xFF ^ bit

    @property
    def allowed(self) -> npt.NDArray[np.intp]:
        """The slots it may serve."""
        if self.slots is None:
            self.slots = np.flatnonzero(self.reasons == 0)
        return self.slots

    def may_serve(self, slot: int) -> bool:
        """Whether the lane in this slot may be served."""
        return int(self.reasons[slot]) == 0

    def verdict(self, slot: int) -> Reason | None:
        """Why not this lane, or None when it may be served."""
        return REASONS[int(self.reasons[slot])]

    def skipped(self, columns: Columns[L]) -> dict[Reason, int]:
        """How many waiting requests may not be served, by reason."""
        if self.counted_version != columns.version:
            size = columns.size
            sums = np.bincount(
                self.reasons[:size], weights=columns.counts[:size], minlength=len(REASONS)
            )
            self.counted = {
                reason: int(sums[number])
                for number, reason in enumerate(REASONS)
                if reason is not None and sums[number]
            }
            self.counted_version = columns.version
        return dict(self.counted)
