"""Standing: how far a call is, in this API's words.

Workers do not tell how many steps they have done. What is told as steps and as a share is how many
pictures are finished, and of one that is being drawn the time it has taken of the time that its
worker usually needs.
"""

from datetime import UTC, datetime

from ordu.engine.horde import Horde
from ordu.engine.progress import Progress as HordeProgress
from ordu.engine.progress import progress_of
from ordu.engine.tidings import AskedAsProgram
from ordu.protocol.errors import Refused
from ordu.rules.lifecycle import JobState, Millis, RequestState
from ordu.server.doors.automatic1111.messages import Progress, State, TaskProgress

SHARE_MAX = 0.95  # of a picture that is not finished, however long it takes


async def found(horde: Horde, asked: AskedAsProgram | None) -> HordeProgress | None:
    """How far a call is; None when there is none, or it is no longer known."""
    if asked is None:
        return None
    try:
        return await progress_of(horde, asked.request_id)
    except Refused:
        return None


def progress_reply(
    horde: Horde, asked: AskedAsProgram | None, progress: HordeProgress | None
) -> Progress:
    """What `progress` answers."""
    if asked is None or progress is None:
        return Progress()
    was_interrupted = progress.request.state is RequestState.CANCELLED
    timestamp = timestamp_of(progress.request.created_at)
    if progress.done:
        return Progress(state=State(interrupted=was_interrupted, job_timestamp=timestamp))
    share = share_of(horde, progress)
    counts = progress.request.counts
    return Progress(
        progress=round(share, 4),
        eta_relative=float(progress.wait_s),
        state=State(
            interrupted=was_interrupted,
            job=asked.job,
            job_count=counts.n,
            job_timestamp=timestamp,
            job_no=counts.finished,
            sampling_step=int(step_share(horde, progress) * asked.steps),
            sampling_steps=asked.steps,
        ),
        textinfo=words_of(progress),
    )


def task_reply(horde: Horde, progress: HordeProgress | None) -> TaskProgress:
    """What is answered about one call by its id."""
    if progress is None:
        return TaskProgress(textinfo="Waiting...")
    if progress.done:
        return TaskProgress(completed=True, textinfo="Done")
    is_active = progress.request.counts.processing > 0 or progress.request.counts.finished > 0
    return TaskProgress(
        active=is_active,
        queued=not is_active,
        progress=round(share_of(horde, progress), 4) if is_active else None,
        eta=float(progress.wait_s),
        textinfo=words_of(progress),
    )


def share_of(horde: Horde, progress: HordeProgress) -> float:
    """How much of the call is done, from 0 to 1."""
    counts = progress.request.counts
    return min(1.0, (counts.finished + sum(shares(horde, progress))) / max(1, counts.n))


def step_share(horde: Horde, progress: HordeProgress) -> float:
    """How much is done of the picture that is being drawn and is furthest."""
    return max(shares(horde, progress), default=0.0)


def shares(horde: Horde, progress: HordeProgress) -> list[float]:
    """How much is done of each picture that is being drawn, by its worker's usual pace."""
    now, found_ = horde.now(), []
    for job in progress.jobs:
        if job.state is JobState.RUNNING:
            worker = horde.presence.by_id.get(job.worker_id)
            expected_s = progress.request.work / worker.speed if worker and worker.speed else 0.0
            elapsed_s = max(0.0, (now - job.started_at) / 1000)
            found_.append(min(SHARE_MAX, elapsed_s / expected_s) if expected_s else 0.0)
    return found_


def words_of(progress: HordeProgress) -> str:
    """How far it is, for people."""
    counts = progress.request.counts
    parts = [f"{counts.finished} of {counts.n} done"]
    if counts.processing:
        parts.append(f"{counts.processing} being drawn")
    if counts.waiting:
        parts.append(f"place {progress.position} in line")
    if not progress.is_possible:
        parts.append("no worker here can draw it now")
    return f"{', '.join(parts)}; about {progress.wait_s} s"


def timestamp_of(moment: Millis) -> str:
    """A moment as this API writes it, in universal time."""
    return datetime.fromtimestamp(moment / 1000, UTC).strftime("%Y%m%d%H%M%S")
