"""Demand: what is asked for and what is offered, by model.

To add up all lanes takes a moment where there are many, so what explanations are made of is
remembered for a second.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from ordu.engine.lanes import LaneMap
from ordu.engine.presence import Worker
from ordu.rules.lifecycle import Millis
from ordu.rules.matching import WorkerId

BELIEVED_MS = 1_000


@dataclass
class OfModel:
    """One model: what waits for it, and who offers it."""

    jobs: int = 0  # pictures that wait for it, or for one of several with it
    work: int = 0  # of all of these
    speeds: dict[WorkerId, float] = field(default_factory=dict)  # of all threads of each worker

    def speed_without(self, worker_id: WorkerId) -> float:
        """The speed of all workers that offer it but one."""
        return sum(speed for each, speed in self.speeds.items() if each != worker_id)


class Demand:
    """What is asked for and offered, as it was a moment ago."""

    def __init__(self) -> None:
        self.models: dict[str, OfModel] = {}
        self.made_at: Millis | None = None

    def by_model(
        self, lanes: LaneMap, online: Callable[[], Iterable[Worker]], now: Millis
    ) -> dict[str, OfModel]:
        """Every model that is asked for or offered; up to a second old."""
        if self.made_at is None or not 0 <= now - self.made_at < BELIEVED_MS:
            self.models, self.made_at = added_up(lanes, online()), now
        return self.models


def added_up(lanes: LaneMap, online: Iterable[Worker]) -> dict[str, OfModel]:
    """Add up all lanes and all workers."""
    models = {name: OfModel(*waiting) for name, waiting in waiting_by_model(lanes).items()}
    for worker in online:
        speed = worker.speed * worker.offer.threads
        for name in worker.capability.models:
            models.setdefault(name, OfModel()).speeds[worker.id] = speed
    return models


def waiting_by_model(lanes: LaneMap) -> dict[str, tuple[int, int]]:
    """For each model that is asked for, how many pictures wait and how much work that is."""
    queued: dict[str, tuple[int, int]] = {}
    for lane in lanes.lanes.values():
        for model in lane.requirement.models:
            before = queued.get(model, (0, 0))
            queued[model] = (before[0] + lane.jobs, before[1] + lane.work)
    return queued
