"""What somebody who follows a request has missed: the events between what was seen and what is.

The id of an event says all that was seen up to it: which pictures, which version of the request,
which place in line. So whoever comes back with `Last-Event-ID` is sent exactly what was missed,
whoever sent the others, and nobody has to keep a log.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from ordu.engine.following import is_elsewhere, place_of
from ordu.engine.progress import Progress
from ordu.protocol import events
from ordu.protocol.requests import RequestStatusCheck
from ordu.rules.lifecycle import JobState, RequestState
from ordu.server.shown import counted, generation
from ordu.store.jobs import Job

_ID = re.compile(r"([0-9a-f]{1,32})/([0-9a-z.]{0,100})/(\d{1,9})/(\d{1,9})", re.ASCII)


class Seen(NamedTuple):
    """What somebody has seen of a request."""

    pictures: int = 0  # a bit for each, by its ordinal
    version: str = ""
    position: int = 0
    wait_s: int = 0

    def __str__(self) -> str:
        return f"{self.pictures:x}/{self.version}/{self.position}/{self.wait_s}"

    @classmethod
    def read(cls, text: str | None) -> "Seen":
        """What a `Last-Event-ID` says; one that is not ours says nothing."""
        found = _ID.fullmatch(text or "")
        if found is None:
            return cls()
        return cls(int(found[1], 16), found[2], int(found[3]), int(found[4]))


def missed(
    seen: Seen, progress: Progress, link: Callable[[Job], str], *, with_place: bool
) -> tuple[bytes, Seen]:
    """The events that were missed, as they are sent, and what has been seen after them.

    Pictures come first, so that the end is the last event; `with_place` says whether the place in
    line is to be told too.
    """
    parts: list[bytes] = []
    for job in unseen(seen, progress):
        seen = seen._replace(pictures=seen.pictures | 1 << job.ordinal)
        parts.append(event(events.PICTURE, generation(job, link(job)), seen))
    if progress.version != seen.version:
        seen = seen._replace(version=progress.version)
        if not progress.position:
            seen = seen._replace(position=0, wait_s=0)
        parts.append(event(*state_of(progress), seen))
    place = place_of(progress)
    if with_place and progress.position and is_elsewhere((seen.position, seen.wait_s), place):
        seen = seen._replace(position=place[0], wait_s=place[1])
        told = events.QueuePosition(position=place[0], wait_time=place[1])
        parts.append(event(events.POSITION, told, seen))
    return b"".join(parts), seen


def unseen(seen: Seen, progress: Progress) -> list[Job]:
    """The jobs whose pictures were not seen yet, the first that ended first."""
    finished = in_order_of_end(progress.jobs)
    return [job for job in finished if not seen.pictures & 1 << job.ordinal]


def in_order_of_end(jobs: tuple[Job, ...]) -> list[Job]:
    """The jobs that ended with a picture, the first first."""
    finished = [job for job in jobs if job.state is JobState.DONE]
    return sorted(finished, key=lambda job: (job.ended_at or 0, job.id))


def state_of(progress: Progress) -> tuple[str, msgspec.Struct]:
    """The event that tells how a request is now."""
    if progress.done:
        return events.DONE, ended(progress, end_of(progress))
    if not progress.request.counts.processing:
        return events.QUEUED, RequestStatusCheck(**counted(progress))
    return events.PROCESSING, events.RequestProcessing(**counted(progress), jobs=running(progress))


def running(progress: Progress) -> list[events.RunningJob]:
    """The pictures that workers are at, the first that was begun first."""
    return [
        events.RunningJob(
            id=job.id, worker_id=job.worker_id, worker_name=job.worker_name, model=job.model
        )
        for job in progress.jobs
        if job.state is JobState.RUNNING
    ]


def end_of(progress: Progress) -> events.End:
    """How a request ended."""
    if progress.faulted:
        return "faulted"
    return "cancelled" if progress.request.state is RequestState.CANCELLED else "done"


def ended(progress: Progress, state: events.End) -> events.RequestEnded:
    """The last that is told of a request."""
    return events.RequestEnded(**counted(progress) | {"done": True}, state=state)


def event(name: str, data: msgspec.Struct, seen: Seen) -> bytes:
    """One event as it is sent. JSON has no line ends in it, so the data is one line."""
    return f"event: {name}\nid: {seen}\ndata: ".encode() + msgspec.json.encode(data) + b"\n\n"
