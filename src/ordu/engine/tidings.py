"""Tidings: what the processes of one horde tell each other of what they committed.

Each process keeps its own map of what waits. It changes its own at once; what the others have to
know of that goes out in batches, a few milliseconds after the commit and beside it. Tidings are
hints: one that is lost costs a wrong map for a while and never a picture given to two, because
claims are decided in SQL. Whoever notices a gap compares its map with SQL (`engine.elsewhere`).

A horde on SQLite is one process and tells nobody.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Protocol, TypeAlias

import msgspec

from ordu.engine.lanes import Mapped
from ordu.rules.lifecycle import JobId, Millis, RequestId
from ordu.rules.matching import WorkerId
from ordu.store.jobs import Job

log = logging.getLogger(__name__)

BATCH_S = 0.004  # so long others may join a batch
TEXT_BYTES_MAX = 7_900  # what a notice of PostgreSQL can carry, less a little
ITEMS_MAX = 100  # in one text


class Item(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """One thing that was committed."""


class Changed(Item, frozen=True, tag="r"):
    """A request was placed, or something of it changed: so many of its pictures wait now."""

    mapped: Mapped
    is_over: bool  # nothing waits and nothing runs


class Begun(Item, frozen=True, tag="b"):
    """A worker has got a job of so much work."""

    job: Job
    work: int


class Ended(Item, frozen=True, tag="e"):
    """A job runs no more."""

    worker_id: WorkerId
    job_id: JobId


class Failed(Item, frozen=True, tag="f"):
    """A worker failed a job of this request."""

    request_id: RequestId
    worker_id: WorkerId


class Delivered(Item, frozen=True, tag="d"):
    """A worker brought so much work, so fast."""

    worker_id: WorkerId
    at: Millis
    work: int
    speed: float


class Edited(Item, frozen=True, tag="w"):
    """A worker was changed, or removed."""

    worker_id: WorkerId


class Switched(Item, frozen=True, tag="m"):
    """A mode of the horde was switched."""


class Rekeyed(Item, frozen=True, tag="k"):
    """A user has another key: who comes with the one before is not known any more."""

    user_id: int


class Offended(Item, frozen=True, tag="o"):
    """Somebody at this address asked for what is not drawn."""

    address: str
    at: Millis


class Counted(Item, frozen=True, tag="c"):
    """So many more calls were counted in the window of a limit."""

    operation: str
    number: int  # which of the operation's limits
    who: str
    per_s: int
    began_at: Millis
    calls: int


class AskedAsProgram(Item, frozen=True, tag="a"):
    """A caller that takes the horde for a program of its own asked for pictures."""

    who: str  # a user, and from where
    request_id: RequestId
    task_id: str  # what the caller calls it; may be empty
    job: str
    steps: int


class SetAsProgram(Item, frozen=True, tag="s"):
    """Such a caller has set options."""

    who: str
    at: Millis
    model: str  # empty: none
    clip_skip: int


AnyItem: TypeAlias = (
    Changed
    | Begun
    | Ended
    | Failed
    | Delivered
    | Edited
    | Switched
    | Rekeyed
    | Offended
    | Counted
    | AskedAsProgram
    | SetAsProgram
)


class Batch(msgspec.Struct, frozen=True, array_like=True):
    """What one process tells at a time; the numbers of its batches have no gaps."""

    sender: str
    number: int
    items: list[AnyItem]


class Channel(Protocol):
    """What carries texts from each process to all others, those that are there."""

    is_keeper: bool  # whether this process is the one that does the chores of the whole horde

    def send(self, text: str) -> None:
        """Tell the others, soon."""
        ...


class Tidings:
    """The tidings of one process: those that go out, and those that come in."""

    def __init__(self, sender: str, channel: Channel, on_gap: Callable[[], None]) -> None:
        self.sender = sender
        self.channel = channel
        self.on_gap = on_gap
        self.outbox: list[AnyItem] = []
        self.number = 0
        self.heard: dict[str, int] = {}  # the number of the newest batch of each other process
        self.is_due = False

    def tell(self, item: AnyItem) -> None:
        """Tell the others of this, with what comes by then."""
        self.outbox.append(item)
        if not self.is_due:
            self.is_due = True
            asyncio.get_running_loop().call_later(BATCH_S, self.flush)

    def flush(self) -> None:
        """Send what has gathered."""
        self.is_due = False
        items, self.outbox = self.outbox, []
        for text in self.written(items):
            self.channel.send(text)

    def written(self, items: list[AnyItem]) -> Iterable[str]:
        """Batches as text, none of them too long."""
        for first in range(0, len(items), ITEMS_MAX):
            yield from self.halved(items[first : first + ITEMS_MAX])

    def halved(self, items: list[AnyItem]) -> Iterable[str]:
        """A batch as text, or as several where it is too long for one."""
        text = msgspec.json.encode(Batch(self.sender, self.number + 1, items))
        if len(text) > TEXT_BYTES_MAX and len(items) > 1:
            middle = len(items) // 2
            yield from self.halved(items[:middle])
            yield from self.halved(items[middle:])
            return
        self.number += 1  # one that is too long all the same is a gap for the others
        if len(text) <= TEXT_BYTES_MAX:
            yield text.decode()

    def read(self, text: str) -> list[AnyItem]:
        """What another process tells; nothing for what this one has told itself.

        What cannot be read is a gap: the other process may be of another version.
        """
        try:
            batch = msgspec.json.decode(text, type=Batch)
        except msgspec.MsgspecError:
            log.warning("tidings of another version of Ordu came: they are looked up instead")
            self.on_gap()
            return []
        if batch.sender == self.sender:
            return []
        expected = self.heard.get(batch.sender, batch.number - 1) + 1
        self.heard[batch.sender] = batch.number
        if batch.number != expected:
            self.on_gap()
        return batch.items

    def missed(self) -> None:
        """For a while nothing was heard of anybody."""
        self.heard.clear()
        self.on_gap()
