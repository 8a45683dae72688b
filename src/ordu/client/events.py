"""What happens to a request, as values, and how they are read from a stream of the horde.

The stream is Server-Sent Events: blocks of `name: value` lines, an empty line after each. What is
not known here (comments, other names) is passed over, so that a newer horde may tell more.
"""

from collections.abc import AsyncGenerator, Generator
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from ordu.client.errors import BrokenHorde
from ordu.client.pictures import Progress, progress_of
from ordu.client.wire import Answer, known, read
from ordu.protocol import events
from ordu.protocol.operations import get_async_events
from ordu.protocol.requests import GenerationStable, RequestStatusCheck

BLOCK_BYTES_MAX = 1024 * 1024  # of one event; ours have less than a kilobyte


@dataclass(frozen=True, slots=True)
class Queued:
    """It waits; the horde says how far it is. `id` is what to come back with after any event."""

    id: str
    progress: Progress


@dataclass(frozen=True, slots=True)
class Moved:
    """It stands somewhere else in line."""

    id: str
    position: int
    wait_s: int


@dataclass(frozen=True, slots=True)
class Processing:
    """Something of it is drawn."""

    id: str
    progress: Progress


@dataclass(frozen=True, slots=True)
class PictureReady:
    """A picture is finished, and lies at this link."""

    id: str
    link: str
    picture_id: str
    seed: str
    model: str
    worker_id: str
    worker_name: str
    censored: bool


@dataclass(frozen=True, slots=True)
class Ended:
    """Nothing more will come of it: `state` is `done`, `faulted`, `cancelled` or `expired`."""

    id: str
    progress: Progress
    state: str


RequestEvent: TypeAlias = Queued | Moved | Processing | PictureReady | Ended
AsyncEvents: TypeAlias = AsyncGenerator[RequestEvent, None]
SyncEvents: TypeAlias = Generator[RequestEvent, None, None]


class Block(NamedTuple):
    """One event as it came."""

    id: str
    name: str
    data: bytes


class Blocks:
    """Puts events together from the bytes of a stream; lines end with LF or CRLF."""

    def __init__(self) -> None:
        self._rest = b""
        self._fields: dict[bytes, bytes] = {}

    def feed(self, data: bytes) -> list[Block]:
        """The events that are complete with these bytes.

        Raises:
            BrokenHorde: one has no end.
        """
        *lines, self._rest = (self._rest + data).split(b"\n")
        complete = []
        for line in lines:
            name, _, value = line.removesuffix(b"\r").partition(b":")
            if name:
                self._fields[name] = self._joined(name, value.removeprefix(b" "))
            elif not line.strip():
                complete += self._end()
        if len(self._rest) + sum(map(len, self._fields.values())) > BLOCK_BYTES_MAX:
            raise BrokenHorde(f"The horde sent an event of more than {BLOCK_BYTES_MAX} bytes.")
        return complete

    def _joined(self, name: bytes, value: bytes) -> bytes:
        before = self._fields.get(name) if name == b"data" else None
        return value if before is None else before + b"\n" + value

    def _end(self) -> list[Block]:
        fields, self._fields = self._fields, {}
        if b"data" not in fields:
            return []
        name, id_ = (fields.get(key, b"").decode(errors="replace") for key in (b"event", b"id"))
        return [Block(id_, name, fields[b"data"])]


def event_of(block: Block, request_id: str) -> RequestEvent | None:
    """The event that a block tells of; None when it is none that we know.

    Raises:
        BrokenHorde: it cannot be read.
    """
    answer = Answer(200, {}, block.data)
    name = get_async_events.name
    match block.name:
        case events.QUEUED:
            check = read(answer, RequestStatusCheck, name)
            return Queued(block.id, progress_of(request_id, check))
        case events.PROCESSING:
            check = read(answer, RequestStatusCheck, name)
            return Processing(block.id, progress_of(request_id, check))
        case events.POSITION:
            place = read(answer, events.QueuePosition, name)
            return Moved(block.id, known(place.position, 0), known(place.wait_time, 0))
        case events.PICTURE:
            return _picture_of(block.id, read(answer, GenerationStable, name))
        case events.DONE:
            end = read(answer, events.RequestEnded, name)
            return Ended(block.id, progress_of(request_id, end), known(end.state, "done"))
    return None


def _picture_of(id_: str, generation: GenerationStable) -> PictureReady:
    return PictureReady(
        id=id_,
        link=known(generation.img, ""),
        picture_id=known(generation.id, ""),
        seed=known(generation.seed, ""),
        model=known(generation.model, ""),
        worker_id=known(generation.worker_id, ""),
        worker_name=known(generation.worker_name, ""),
        censored=known(generation.censored, default=False),
    )
