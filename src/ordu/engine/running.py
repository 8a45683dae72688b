"""Running: the jobs that workers are at now, in the event loop's memory.

SQL knows them too; this copy of what was committed is for telling people how long they wait, which
is asked a thousand times as often as jobs begin and end, and for knowing at once whose a job is.
"""

from collections import OrderedDict
from collections.abc import Collection
from typing import NamedTuple

import msgspec

from ordu.engine.presence import Worker
from ordu.rules.lifecycle import JobId, Millis
from ordu.rules.matching import WorkerId
from ordu.store.jobs import Job

ENDED_MAX = 4_096  # jobs that are remembered as over


class Running(msgspec.Struct, frozen=True):
    """A job that a worker is at, and how much work it is."""

    job: Job
    work: int

    def left(self, speed: float, now: Millis) -> float:
        """How much work is left of it at this speed, in things per second."""
        return max(0.0, self.work - speed * (now - self.job.started_at) / 1000)


class Busy(NamedTuple):
    """How much a worker is at: so many jobs, and so much work left of them at that moment."""

    jobs: int
    work: float
    at: Millis


IDLE = Busy(0, 0.0, Millis(0))


class RunningJobs:
    """The running jobs, by id and of each worker."""

    def __init__(self) -> None:
        self.kept: dict[WorkerId, Busy] = {}
        self.by_id: dict[JobId, Running] = {}
        self.by_worker: dict[WorkerId, dict[JobId, Running]] = {}
        self.ended: OrderedDict[JobId, None] = OrderedDict()  # the newest
        self.version = 0  # goes up with every change

    def begin(self, job: Job, work: int) -> None:
        """A worker has got a job; one that has ended does not begin again.

        Where several processes tell each other of it, the end may be heard of first.
        """
        if job.id in self.ended:
            return
        self.version += 1
        self.kept.pop(job.worker_id, None)
        running = self.by_id[job.id] = Running(job, work)
        self.by_worker.setdefault(job.worker_id, {})[job.id] = running

    def end(self, worker_id: WorkerId, job_id: JobId) -> None:
        """A job runs no more, however it ended."""
        self.version += 1
        self.ended[job_id] = None
        if len(self.ended) > ENDED_MAX:
            self.ended.popitem(last=False)
        self.kept.pop(worker_id, None)
        self.by_id.pop(job_id, None)
        theirs = self.by_worker.get(worker_id)
        if theirs is not None:
            theirs.pop(job_id, None)
            if not theirs:
                del self.by_worker[worker_id]

    def job(self, job_id: JobId) -> Job | None:
        """A job that runs, as far as this process knows."""
        running = self.by_id.get(job_id)
        return None if running is None else running.job

    def of(self, worker_id: WorkerId) -> Collection[Running]:
        """What a worker is at."""
        return self.by_worker.get(worker_id, {}).values()

    def busy(self, worker: Worker, now: Millis, *, age_ms: int) -> Busy:
        """How much a worker is at, as it was so long ago at most."""
        theirs = self.by_worker.get(worker.id)
        if theirs is None:
            return IDLE
        kept = self.kept.get(worker.id)
        if kept is None or not 0 <= now - kept.at <= age_ms:
            speed = worker.speed
            left = sum(running.left(speed, now) for running in theirs.values())
            kept = self.kept[worker.id] = Busy(len(theirs), left, now)
        return kept
