"""Running: the jobs that workers are at now, in the event loop's memory.

SQL knows them too; this copy of what was committed is for telling people how long they wait, which
is asked a thousand times as often as jobs begin and end.
"""

from collections.abc import Collection
from dataclasses import dataclass

from ordu.rules.lifecycle import JobId, Millis
from ordu.rules.matching import WorkerId


@dataclass(frozen=True, slots=True)
class Running:
    """A job that a worker is at: how much work it is, and since when."""

    work: int
    started_at: Millis

    def left(self, speed: float, now: Millis) -> float:
        """How much work is left of it at this speed, in things per second."""
        return max(0.0, self.work - speed * (now - self.started_at) / 1000)


class RunningJobs:
    """The running jobs of each worker."""

    def __init__(self) -> None:
        self.by_worker: dict[WorkerId, dict[JobId, Running]] = {}
        self.version = 0  # goes up with every change

    def begin(self, worker_id: WorkerId, job_id: JobId, work: int, started_at: Millis) -> None:
        """A worker has got a job."""
        self.version += 1
        self.by_worker.setdefault(worker_id, {})[job_id] = Running(work, started_at)

    def end(self, worker_id: WorkerId, job_id: JobId) -> None:
        """A job runs no more, however it ended."""
        self.version += 1
        theirs = self.by_worker.get(worker_id)
        if theirs is not None:
            theirs.pop(job_id, None)
            if not theirs:
                del self.by_worker[worker_id]

    def of(self, worker_id: WorkerId) -> Collection[Running]:
        """What a worker is at."""
        return self.by_worker.get(worker_id, {}).values()
