"""The database as the engine sees it: reads, and writes that share durable commits.

**Group commit.** A durable commit costs a disk flush, whatever it carries. So there is one writer,
and operations that arrive while it works share the next commit: each runs in its own savepoint, the
group is committed once, and only then is anybody answered. An operation that is refused or fails
rolls back its own savepoint and nobody else's. If the commit itself fails (a full disk), the whole
group is refused with 503, nothing of it is published, and writing stops until a probe passes.

An operation is a function of a transaction; whatever else it needs it is handed when it is made, so
it can be run again. After the commit the event loop *publishes* the results in commit order, so
that what memory says never runs ahead of what the disk knows.
"""

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from ordu.failpoints import Failpoint, name_of
from ordu.protocol.errors import Refused

log = logging.getLogger(__name__)

T = TypeVar("T")
Row = Mapping[str, Any]

GROUP_OPERATIONS_MAX = 64
GROUP_WORK_S = 0.005
PENDING_MAX = 10_000
PROBE_INTERVAL_S = 1.0
RETRY_AFTER_S = 5


class Transaction(Protocol):
    """What an operation may do: run SQL with `:name` parameters."""

    def run(self, sql: str, **values: Any) -> int:
        """Run a statement and return how many rows it changed."""
        ...

    def run_many(self, sql: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run one statement for each of the rows."""
        ...

    def one(self, sql: str, **values: Any) -> Row | None:
        """The first row, or None."""
        ...

    def all(self, sql: str, **values: Any) -> list[Row]:
        """All rows."""
        ...


class Writer(Protocol):
    """The one connection that writes, driven by the writer thread."""

    def begin(self) -> Transaction:
        """Begin the transaction of a group."""
        ...

    def savepoint(self) -> None:
        """Mark the point to which one operation can be rolled back."""
        ...

    def keep(self) -> None:
        """Keep what was done since the savepoint."""
        ...

    def undo(self) -> None:
        """Undo what was done since the savepoint."""
        ...

    def commit(self) -> None:
        """Make the group durable."""
        ...

    def rollback(self) -> None:
        """Give up the whole group."""
        ...

    def probe(self) -> None:
        """Write and commit something; raises when that does not work."""
        ...

    def close(self) -> None:
        """Close the connection."""
        ...


class Backend(Protocol):
    """A database product: how to open a writer, and how to read beside it."""

    def writer(self) -> Writer:
        """Open the writer; called once, in the writer thread."""
        ...

    def read(self, operation: Callable[[Transaction], T]) -> T:
        """Run an operation that only reads, on what is committed."""
        ...

    def close(self) -> None:
        """Close what was opened for reading."""
        ...


@dataclass(eq=False)
class Pending(Generic[T]):
    """An operation on its way, and how it ended."""

    operation: Callable[[Transaction], T]
    publish: Callable[[T], None] | None
    abandon: Callable[[], None] | None
    future: "asyncio.Future[T]"
    result: T | None = None
    error: BaseException | None = None

    def deliver(self, failpoint: Failpoint | None) -> None:
        """Publish or abandon, then answer the caller; runs in the event loop."""
        if self.error is None:
            if self.publish is not None:
                self.publish(self.result)  # type: ignore[arg-type] # set whenever error is None
            if failpoint is not None:
                failpoint.passed(name_of(self.operation), "unanswered")
            if not self.future.done():
                self.future.set_result(self.result)  # type: ignore[arg-type] # as above
            return
        if self.abandon is not None:
            self.abandon()
        if not self.future.done():
            self.future.set_exception(self.error)


class Dropped(Exception):  # noqa: N818 - nobody is told: its caller has gone
    """The caller left before the operation began."""


@dataclass(eq=False)
class Database:
    """Reads at once, and writes in groups through one thread. Belongs to one event loop."""

    backend: Backend
    monotonic: Callable[[], float] = time.monotonic
    failpoint: Failpoint | None = None
    pending: "queue.SimpleQueue[Pending[Any] | None]" = field(default_factory=queue.SimpleQueue)
    waiting: int = 0
    is_open: bool = False
    thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the writer thread."""
        loop = asyncio.get_running_loop()
        self.is_open = True
        self.thread = threading.Thread(
            target=WriterLoop(self, loop).run, name="ordu-writer", daemon=True
        )
        self.thread.start()

    async def stop(self) -> None:
        """Finish what is pending, then close."""
        if self.thread is not None:
            self.pending.put(None)
            self.is_open = False
            await asyncio.to_thread(self.thread.join)
            self.thread = None
        self.backend.close()

    async def read(self, operation: Callable[[Transaction], T]) -> T:
        """Run a read; it sees every write that was answered, and never waits for the writer."""
        return self.backend.read(operation)

    async def write(
        self,
        operation: Callable[[Transaction], T],
        publish: Callable[[T], None] | None = None,
        abandon: Callable[[], None] | None = None,
    ) -> T:
        """Run a write and return its result once it is durable.

        Exactly one of `publish(result)` and `abandon()` is called in the event loop, also when the
        caller has gone: `publish` after the commit and in commit order, `abandon` when nothing was
        written.

        Raises:
            Refused: by the operation itself, or `Unavailable` (503) when nothing can be written.
        """
        if self.waiting >= PENDING_MAX or not self.is_open:
            if abandon is not None:
                abandon()
            raise unavailable("The horde has more to write than it can; try again soon.")
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self.waiting += 1
        self.pending.put(Pending(operation, publish, abandon, future))
        return await future


class WriterLoop:
    """The life of the writer thread: gather a group, run it, commit it, hand it back."""

    def __init__(self, database: Database, loop: asyncio.AbstractEventLoop) -> None:
        self.database = database
        self.loop = loop
        self.is_broken = False
        self.probed_at = 0.0

    def run(self) -> None:
        """Work until told to stop."""
        writer = self.database.backend.writer()
        while (first := self.database.pending.get()) is not None:
            group = self.run_group(writer, first)
            self.loop.call_soon_threadsafe(self.deliver, group)
        writer.close()

    def deliver(self, group: list[Pending[Any]]) -> None:
        """Answer a group in commit order; runs in the event loop."""
        self.database.waiting -= len(group)
        for item in group:
            try:
                item.deliver(self.database.failpoint)
            except Exception:
                log.exception("publishing a committed write failed")
                if not item.future.done():
                    item.future.set_exception(unavailable("The horde lost track of this write."))

    def run_group(self, writer: Writer, first: Pending[Any]) -> list[Pending[Any]]:
        """Run and commit everything that is pending, within the bounds of a group."""
        group: list[Pending[Any]] = [first]
        try:
            self.ensure_writable(writer)
            tx = writer.begin()
            deadline = self.database.monotonic() + GROUP_WORK_S
            run_one(writer, tx, first)
            while len(group) < GROUP_OPERATIONS_MAX and self.database.monotonic() < deadline:
                item = self.next_item()
                if item is None:
                    break
                group.append(item)
                run_one(writer, tx, item)
            self.passed(group, "before")
            writer.commit()
            self.passed(group, "after")
        except Exception as error:  # noqa: BLE001 - whatever it is, the whole group must be told
            self.give_up(writer, group, error)
        return group

    def passed(self, group: list[Pending[Any]], moment: str) -> None:
        """Die here where a test wants that."""
        failpoint = self.database.failpoint
        if failpoint is not None:
            for item in group:
                if item.error is None:
                    failpoint.passed(name_of(item.operation), moment)

    def next_item(self) -> Pending[Any] | None:
        """The next pending operation if there is one now; a stop goes back to the queue."""
        try:
            item = self.database.pending.get_nowait()
        except queue.Empty:
            return None
        if item is None:
            self.database.pending.put(None)
        return item

    def ensure_writable(self, writer: Writer) -> None:
        """After a failed commit, let nothing through until a probe has been written."""
        if not self.is_broken:
            return
        now = self.database.monotonic()
        if now - self.probed_at < PROBE_INTERVAL_S:
            raise unavailable("The horde cannot write to its disk at the moment.")
        self.probed_at = now
        writer.probe()
        self.is_broken = False
        log.warning("writing works again")

    def give_up(self, writer: Writer, group: list[Pending[Any]], error: Exception) -> None:
        """Roll back and refuse a whole group: nothing of it happened."""
        if not self.is_broken:
            log.error("a commit failed; nothing is written until a probe passes: %s", error)
        self.is_broken = True
        try:
            writer.rollback()
        except Exception:  # the connection is useless now; the probe will say when it works again
            log.exception("rolling back failed as well")
        for item in group:
            if item.error is None:
                item.error = unavailable("The horde cannot write to its disk at the moment.")


def run_one(writer: Writer, tx: Transaction, item: Pending[Any]) -> None:
    """Run one operation in its own savepoint."""
    if item.future.cancelled():
        item.error = Dropped()
        return
    writer.savepoint()
    try:
        item.result = item.operation(tx)
    except Exception as error:  # noqa: BLE001 - it belongs to the caller, whatever it is
        writer.undo()
        item.error = error
    else:
        writer.keep()


def unavailable(message: str) -> Refused:
    """The refusal when nothing can be written."""
    return Refused("Unavailable", message, retry_after_s=RETRY_AFTER_S)
