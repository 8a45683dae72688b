"""What is told of a request as it happens: the messages of `get_async_events`.

`queued` carries a `RequestStatusCheck`, `picture` a `GenerationStable` whose `img` is a link; the
others have a message of their own here.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from ordu.protocol.requests import Generation, RequestStatusCheck

STREAM = "text/event-stream"

QUEUED = "queued"
POSITION = "position"
PROCESSING = "processing"
PICTURE = "picture"
DONE = "done"

End = Literal["done", "faulted", "cancelled", "expired"]


class QueuePosition(msgspec.Struct, frozen=True, kw_only=True):
    """Where a request stands in line, when it moved."""

    position: Annotated[
        int | UnsetType, Meta(description="The position in the requests queue; 1 is the next.")
    ] = UNSET
    wait_time: Annotated[
        int | UnsetType, Meta(description="The expected seconds until all images are there.")
    ] = UNSET


class RunningJob(Generation, frozen=True, kw_only=True):
    """A picture that a worker is at."""

    id: Annotated[str | UnsetType, Meta(description="The UUID that the image will have.")] = UNSET


class RequestProcessing(RequestStatusCheck, frozen=True, kw_only=True):
    """How far a request is that workers are at."""

    jobs: Annotated[
        list[RunningJob] | UnsetType, Meta(description="The images that workers are at, by whom.")
    ] = UNSET


class RequestEnded(RequestStatusCheck, frozen=True, kw_only=True):
    """How far a request came, and how it ended."""

    state: Annotated[
        str | UnsetType, Meta(description="`done`, `faulted`, `cancelled` or `expired`.")
    ] = UNSET
