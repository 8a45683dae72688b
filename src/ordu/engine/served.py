"""Served: which lanes a set of workers serves together.

Of each set that was asked for lately it is remembered until a lane comes, with a bit for each lane;
so thousands of sets fit into little memory.
"""

from collections import OrderedDict
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from ordu.engine.positions import Mask
from ordu.engine.views import Bits
from ordu.rules.matching import Capability

MASKS_MAX = 4_000  # sets of workers
MASK_BYTES_MAX = 32 * 2**20  # for all of them together

Capabilities: TypeAlias = frozenset[Capability]
Lanes: TypeAlias = tuple[int, int]  # how many ever came, and how many slots there is room for


class Masks:
    """What sets of workers that were asked for lately serve."""

    def __init__(self) -> None:
        self.kept: OrderedDict[Capabilities, tuple[Lanes, Bits]] = OrderedDict()

    def get(self, capabilities: Capabilities, lanes: Lanes) -> Mask | None:
        """For each slot, whether any of these serves its lane; None if that has to be looked at."""
        kept = self.kept.get(capabilities)
        if kept is None or kept[0] != lanes:
            return None
        self.kept.move_to_end(capabilities)
        return as_mask(kept[1])

    def put(self, capabilities: Capabilities, lanes: Lanes, served: Mask) -> None:
        """Remember what they serve, while there are no other lanes than now."""
        bits = np.packbits(served)
        self.kept[capabilities] = (lanes, bits)
        self.kept.move_to_end(capabilities)
        while len(self.kept) > max(1, min(MASKS_MAX, MASK_BYTES_MAX // len(bits))):
            self.kept.popitem(last=False)


def united(all_bits: Sequence[Bits], slots: int) -> Mask:
    """For each slot, whether it is in any of these."""
    if not all_bits:
        return np.zeros(slots, dtype=np.bool_)
    words = np.concatenate(all_bits).view(np.uint64).reshape(len(all_bits), -1)
    return as_mask(np.bitwise_or.reduce(words, axis=0).view(np.uint8))


def as_mask(bits: Bits) -> Mask:
    """A bit for each slot as a truth value."""
    return np.unpackbits(bits).view(np.bool_)
