"""Progress: how far a request is, where it stands in line, and how long it will take.

All of it is true for *this* request: who that is online could serve it, how fast they are, what
they are at, and what goes before it in the lanes that they also serve.
"""

import msgspec

from ordu.engine.end import request_not_found
from ordu.engine.horde import Horde
from ordu.engine.known import Standing
from ordu.engine.lanes import Waiting
from ordu.engine.outlook import Outlook, outlook_of
from ordu.rules.estimates import Before, takes_s
from ordu.rules.lifecycle import JobState, Millis, RequestId, RequestState, is_done
from ordu.store import jobs, lanes, requests
from ordu.store.database import Transaction
from ordu.store.jobs import Job
from ordu.store.requests import Request


class Progress(msgspec.Struct, frozen=True):
    """How far a request is."""

    request: Request
    jobs: tuple[Job, ...]
    done: bool
    faulted: bool
    position: int  # 1-based; 0 when nothing of it waits
    wait_s: int
    is_possible: bool

    @property
    def version(self) -> str:
        """Another text whenever something happened to the request, and the same after a restart.

        That it moved up in line is not in it.
        """
        counts = self.request.counts
        return (
            f"{counts.waiting}.{counts.processing}.{counts.finished}.{counts.lost}"
            f".{counts.cancelled}.{self.request.faults}.{self.request.state}"
        )


async def progress_of(horde: Horde, request_id: str) -> Progress:
    """How far a request is now.

    Raises:
        Refused: RequestNotFound.
    """
    request, its_jobs, requirement = await standing_of(horde, RequestId(request_id))
    outlook = outlook_of(horde, requirement, request.user_id)
    jobs_ahead, work_ahead = ahead(horde, request, outlook)
    done = is_done(request.state, request.counts)
    is_running = request.counts.processing > 0
    return Progress(
        request=request,
        jobs=its_jobs,
        done=done,
        faulted=request.state is RequestState.FAULTED,
        position=jobs_ahead + 1 if request.counts.waiting else 0,
        wait_s=0 if done else wait_s(horde, request, its_jobs, outlook, (jobs_ahead, work_ahead)),
        is_possible=bool(outlook.able) or is_running or done,
    )


async def standing_of(horde: Horde, request_id: RequestId) -> Standing:
    """A request with its jobs and its requirement; from memory when it was asked for lately.

    Raises:
        Refused: RequestNotFound.
    """
    known = await horde.known.requests.recall(
        request_id, horde.now, lambda: horde.read(lambda tx: find(tx, request_id))
    )
    if known is None:
        raise request_not_found(request_id)
    return known


def find(tx: Transaction, request_id: RequestId) -> Standing | None:
    """A request, its jobs and its requirement."""
    request = requests.by_id(tx, request_id)
    if request is None:
        return None
    its_jobs = tuple(jobs.of_request(tx, request.id))
    return Standing(request, its_jobs, lanes.requirement(tx, request.lane_key))


def ahead(horde: Horde, request: Request, outlook: Outlook) -> tuple[int, int]:
    """Pictures and work that go before this request with the workers that could serve it."""
    waiting: Waiting | None = horde.lanes.requests.get(request.id)
    if waiting is None:
        return 0, 0
    return horde.lanes.ahead_of(waiting, outlook.capabilities)


def wait_s(
    horde: Horde,
    request: Request,
    its_jobs: tuple[Job, ...],
    outlook: Outlook,
    before: tuple[int, int],
) -> int:
    """Seconds until the whole request is done, as far as can be known.

    `before` is how many pictures, and how much work, wait before it (`rules.estimates.takes_s`).
    When nobody could serve it, it is as long as the request is kept.
    """
    now = horde.now()
    running = running_s(horde, request, its_jobs, now)
    waiting = request.counts.waiting
    if not waiting:
        return round(running)
    if not outlook.able:
        return max(0, (request.expires_at - now) // 1000)
    seconds = takes_s(outlook.crew, Before(*before), waiting, request.work)
    assert seconds is not None, "somebody could serve it"
    return round(max(seconds, running))


def running_s(horde: Horde, request: Request, its_jobs: tuple[Job, ...], now: Millis) -> float:
    """Seconds that the longest of a request's running jobs still needs."""
    remaining = 0.0
    for job in its_jobs:
        if job.state is JobState.RUNNING:
            worker = horde.presence.by_id.get(job.worker_id)
            expected = request.work / worker.speed if worker else 0.0
            remaining = max(remaining, expected - (now - job.started_at) / 1000)
    return remaining
