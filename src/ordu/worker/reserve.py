"""The reserve: jobs that were taken and not begun, and devices that wait for one."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from ordu.worker.backends import Drawing
from ordu.worker.bench import Bench
from ordu.worker.jobs import Job


@dataclass(frozen=True, slots=True)
class Held:
    """A job that was taken; what it is drawn from is being fetched meanwhile."""

    job: Job
    taken_at: float  # seconds of the worker's clock
    drawing: asyncio.Task[Drawing | Exception]  # with its source image and mask; or why not


class Reserve:
    """Gives each job to a device that can make it, best to one that has its model in memory."""

    def __init__(self, benches: Sequence[Bench]) -> None:
        self._benches = benches
        self._held: deque[Held] = deque()
        self._waiting: dict[asyncio.Future[Held | None], Bench] = {}
        self._is_closed = False

    @property
    def count(self) -> int:
        """How many jobs wait for a device."""
        return len(self._held)

    @property
    def idle_count(self) -> int:
        """How many devices, or parts of them, wait for a job."""
        return len(self._waiting)

    def put(self, held: Held) -> None:
        """Give a job to a device that waits, or keep it until one does."""
        model = held.job.drawing.model
        able = [each for each, bench in self._waiting.items() if self._may_give(model, bench)]
        if not able:
            self._held.append(held)
            return
        chosen = max(able, key=lambda each: self._waiting[each].is_ready_for(model))
        del self._waiting[chosen]
        chosen.set_result(held)

    async def get(self, bench: Bench) -> Held | None:
        """The next job for this device; None when there will be no more."""
        able = [each for each in self._held if self._may_give(each.job.drawing.model, bench)]
        if able:
            chosen = max(able, key=lambda each: bench.is_ready_for(each.job.drawing.model))
            self._held.remove(chosen)
            return chosen
        if self._is_closed:
            return None
        waiting: asyncio.Future[Held | None] = asyncio.get_running_loop().create_future()
        self._waiting[waiting] = bench
        try:
            return await waiting
        finally:
            self._waiting.pop(waiting, None)

    def close(self) -> None:
        """There will be no more jobs: devices that wait are told so."""
        self._is_closed = True
        for each in list(self._waiting):
            del self._waiting[each]
            each.set_result(None)

    def _may_give(self, model: str, bench: Bench) -> bool:
        """Whether this device can make it, or none can: then it says itself why not."""
        return bench.can_make(model) or not any(each.can_make(model) for each in self._benches)
