"""Demand: how much waits for which model, and how much of it one worker could take.

Which lane asks for which model stands in arrays, so that a question is a sum over them. To make
them takes some milliseconds where there are many lanes; so then it is done once a second at most,
and only when lanes have come since. Lanes that are gone have nothing in them.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ordu.engine.lanes import LaneMap
from ordu.engine.views import NUMBERS
from ordu.rules.lifecycle import Millis
from ordu.rules.matching import Capability, Reason

BELIEVED_MS = 1_000
EXACT_MAX = 100  # with so few lanes, new ones are looked at at once


class Wanted(NamedTuple):
    """A model that something waits for."""

    name: str
    jobs: int  # pictures that wait for it, or for one of several with it
    work: int  # of all of these
    reach: int  # how much of this work a worker could do


class Pairs:
    """Which lane asks for which model: an entry for each pair."""

    def __init__(self, lanes: LaneMap, now: Millis) -> None:
        pairs = [
            (lane.slot, name, lane.requirement.pixels)
            for lane in lanes.columns.lanes  # also those in which nothing waits now
            if lane is not None
            for name in lane.requirement.models
        ]
        self.names = list(dict.fromkeys(name for _, name, _ in pairs))
        numbers = {name: number for number, name in enumerate(self.names)}
        self.slots: npt.NDArray[np.intp] = np.array([slot for slot, _, _ in pairs], np.intp)
        self.models: npt.NDArray[np.intp] = np.array(
            [numbers[name] for _, name, _ in pairs], np.intp
        )
        self.pixels: npt.NDArray[np.int64] = np.array([pixels for _, _, pixels in pairs], np.int64)
        self.made_at = now
        self.log_end = lanes.columns.log_end

    def within_reach(self, lanes: LaneMap, capability: Capability) -> npt.NDArray[np.bool_]:
        """For each pair, whether a worker could take what waits there if it offered the model.

        Where it does offer it: what it may serve. Else what only its models keep from it, as far as
        is known, and is not too large; whether its program lacks something else is not looked at.
        """
        reasons = lanes.view(capability).reasons[self.slots]
        lacks_model = reasons == NUMBERS[Reason.MODELS]
        reach: npt.NDArray[np.bool_] = (reasons == 0) | (
            lacks_model & (self.pixels <= capability.pixels_max)
        )
        return reach

    def summed(self, amounts: npt.NDArray[np.float64]) -> list[int]:
        """The sum of an amount for each pair, by model."""
        sums = np.bincount(self.models, weights=amounts, minlength=len(self.names))
        return [round(each) for each in sums.tolist()]


class Demand:
    """What is asked for, by model."""

    def __init__(self) -> None:
        self.pairs: Pairs | None = None

    def of(self, lanes: LaneMap, capability: Capability, now: Millis) -> list[Wanted]:
        """The models that something waits for, those with most work first."""
        pairs = self.fresh(lanes, now)
        waiting = lanes.waiting_by_lane()
        jobs, work = at(waiting.jobs, pairs.slots), at(waiting.work, pairs.slots)
        reach = work * pairs.within_reach(lanes, capability)
        columns = (pairs.names, pairs.summed(jobs), pairs.summed(work), pairs.summed(reach))
        wanted = [Wanted(*each) for each in zip(*columns, strict=True) if each[1]]
        return sorted(wanted, key=lambda each: (-each.work, each.name))

    def fresh(self, lanes: LaneMap, now: Millis) -> Pairs:
        """The pairs, made anew if lanes have come and it is time."""
        pairs = self.pairs
        if pairs is not None and pairs.log_end == lanes.columns.log_end:
            return pairs
        is_old = pairs is None or not 0 <= now - pairs.made_at < BELIEVED_MS
        if pairs is None or is_old or len(lanes.lanes) <= EXACT_MAX:
            pairs = self.pairs = Pairs(lanes, now)
        return pairs


def at(amounts: npt.NDArray[np.float64], slots: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
    """The amounts at these slots; nothing at those that came later."""
    missing = int(slots.max(initial=-1)) + 1 - len(amounts)
    return (np.pad(amounts, (0, missing)) if missing > 0 else amounts)[slots]


def waiting_by_model(lanes: LaneMap) -> dict[str, tuple[int, int]]:
    """For each model that is asked for, how many pictures wait and how much work that is."""
    queued: dict[str, tuple[int, int]] = {}
    for lane in lanes.lanes.values():
        for model in lane.requirement.models:
            before = queued.get(model, (0, 0))
            queued[model] = (before[0] + lane.jobs, before[1] + lane.work)
    return queued
