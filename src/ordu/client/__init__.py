"""The Python client: one method for each operation of the horde, sync and async, typed.

    from ordu.client import Horde

    with Horde("http://127.0.0.1:7001") as horde:
        for picture in horde.generate("a lighthouse at dusk"):
            picture.save("lighthouse.webp")

`Horde` and `AsyncHorde` have the same methods. What a horde refuses is raised as one of the errors
below, all of them `HordeError`. `ordu.client.testing` has a horde in memory for tests.
"""

from ordu.client._async import AsyncHorde
from ordu.client._async_request import AsyncRequest
from ordu.client._sync import Horde
from ordu.client._sync_request import SyncRequest
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
from ordu.client.many import Outcome
from ordu.client.pictures import Picture, Progress, Stage
from ordu.client.sources import Source
from ordu.client.wishes import Wish, wish
from ordu.protocol.params import Lora, TextualInversion

__all__ = [
    "AsyncHorde",
    "AsyncRequest",
    "BadInput",
    "BrokenHorde",
    "Closed",
    "Ended",
    "Horde",
    "HordeError",
    "KudosRefused",
    "Lora",
    "Moved",
    "NotAllowed",
    "NotFound",
    "NotImplementedByHorde",
    "Outcome",
    "Picture",
    "PictureReady",
    "Processing",
    "Progress",
    "Queued",
    "RequestEvent",
    "RequestFaulted",
    "Source",
    "Stage",
    "SyncRequest",
    "TextualInversion",
    "TooMuch",
    "TookTooLong",
    "UnknownKey",
    "Unreachable",
    "Wish",
    "wish",
]
