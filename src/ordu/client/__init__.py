"""The Python client: one method for each operation of the horde, sync and async, typed.

    from ordu.client import Horde

    with Horde("http://127.0.0.1:7001") as horde:
        for picture in horde.generate("a lighthouse at dusk"):
            picture.save("lighthouse.webp")

`Horde` and `AsyncHorde` have the same methods. What a horde refuses is raised as one of the errors
below, all of them `HordeError`.
"""

from ordu.client._async import AsyncHorde
from ordu.client._sync import Horde
from ordu.client.errors import (
    BadInput,
    BrokenHorde,
    Closed,
    HordeError,
    KudosRefused,
    NotAllowed,
    NotFound,
    NotImplementedByHorde,
    RequestFaulted,
    TookTooLong,
    TooMuch,
    UnknownKey,
    Unreachable,
)
from ordu.client.events import (
    Ended,
    Moved,
    PictureReady,
    Processing,
    Queued,
    RequestEvent,
)
from ordu.client.pictures import Picture, Progress, Stage

__all__ = [
    "AsyncHorde",
    "BadInput",
    "BrokenHorde",
    "Closed",
    "Ended",
    "Horde",
    "HordeError",
    "KudosRefused",
    "Moved",
    "NotAllowed",
    "NotFound",
    "NotImplementedByHorde",
    "Picture",
    "PictureReady",
    "Processing",
    "Progress",
    "Queued",
    "RequestEvent",
    "RequestFaulted",
    "Stage",
    "TooMuch",
    "TookTooLong",
    "UnknownKey",
    "Unreachable",
]
