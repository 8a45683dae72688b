"""Writes that share durable commits: how a database with one writer is driven.

**Group commit.** A durable commit costs a disk flush, whatever it carries. So there is one writer,
and operations that arrive while it commits share the next commit: each runs in its own savepoint,
the group is committed once, and only then is anybody answered. Alone, an operation is committed at
once. One that is refused or fails rolls back its own savepoint and nobody else's. If the commit
itself fails (a full disk), the whole group is refused with 503, nothing of it is published, and
writing stops until a probe passes.

The operations run in the event loop, because they need the interpreter as it does: two threads that
both want it hand it to and fro at every statement, and spend more on that than on the work. Only
the commit, which waits for the disk and not for the interpreter, is made in a thread beside it
(docs/adr/0018).

An operation is a function of a transaction; whatever else it needs it is handed when it is made, so
it can be run again. After the commit the event loop *publishes* the results in commit order, so
that what memory says never runs ahead of what the disk knows.
"""

import asyncio
import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from ordu.failpoints import Failpoint, name_of
from ordu.store.database import PENDING_MAX, STOP_MAX_S, TOO_MUCH, Transaction, unavailable
from ordu.store.pending import Dropped, Pending

log = logging.getLogger(__name__)

T = TypeVar("T")

GROUP_OPERATIONS_MAX = 64
GROUP_WORK_S = 0.005
PROBE_INTERVAL_S = 1.0
BUSY_RETRY_S = 0.005  # how often is looked whether another program has stopped writing
BUSY_MAX_S = 5.0  # how long is waited for it
CANNOT_WRITE = "The horde cannot write to its disk at the moment."


class Busy(Exception):  # noqa: N818 - a fact, not an error
    """Another program is writing to the database at this moment."""


class Writer(Protocol):
    """The one connection that writes; used by one thread at a time."""

    def begin(self) -> Transaction:
        """Begin the transaction of a group.

        Raises:
            Busy: another program is writing.
        """
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
        """Open the writer; called once."""
        ...

    def read(self, operation: Callable[[Transaction], T]) -> T:
        """Run an operation that only reads, on what is committed."""
        ...

    async def read_beside(self, operation: Callable[[Transaction], T]) -> T:
        """Run one that takes long, beside the event loop; given up when cancelled."""
        ...

    def close(self) -> None:
        """Close what was opened for reading."""
        ...


@dataclass(eq=False)
class GroupedDatabase:
    """A database that reads at once and writes in groups. Belongs to one event loop."""

    backend: Backend
    monotonic: Callable[[], float] = time.monotonic
    failpoint: Failpoint | None = None
    before_commit: Callable[[], None] = lambda: None  # makes durable what commits rely on
    pending: deque[Pending[Any]] = field(default_factory=deque)
    waiting: int = 0  # pending, or in a group that is not answered yet
    is_open: bool = False
    round: "Round | None" = None
    on_users_changed: Callable[[frozenset[int]], None] | None = None
    on_counted: Callable[[Mapping[str, int]], None] | None = None
    on_commit: Callable[[int, float], None] | None = None

    async def start(self) -> None:
        """Begin to write what comes."""
        self.is_open = True
        self.round = Round(self, asyncio.get_running_loop())

    async def stop(self) -> None:
        """Finish what is pending, then close."""
        self.is_open = False
        if self.round is not None:
            await self.round.stop()
            self.round = None
        self.backend.close()

    async def read(self, operation: Callable[[Transaction], T]) -> T:
        """Run a read; it sees every write that was answered, and never waits for the writer."""
        return self.backend.read(operation)

    async def read_beside(self, operation: Callable[[Transaction], T]) -> T:
        """Run a read that takes long, with nobody waiting for it meanwhile."""
        return await self.backend.read_beside(operation)

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
            raise unavailable(TOO_MUCH)
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self.waiting += 1
        self.pending.append(Pending(operation, publish, abandon, future))
        if self.round is not None:
            self.round.wake()
        return await future

    def deliver(self, group: list[Pending[Any]]) -> None:
        """Answer a group in commit order; runs in the event loop."""
        self.waiting -= len(group)
        for item in group:
            item.deliver(self.failpoint, self.on_users_changed, self.on_counted)

    def connections(self) -> tuple[int, int]:
        """The one that writes and the one that reads."""
        return 2, int(self.waiting > 0)


class Round:
    """Gather a group and run it, have it committed beside the loop, hand it back, and so on."""

    def __init__(self, database: GroupedDatabase, loop: asyncio.AbstractEventLoop) -> None:
        self.database = database
        self.loop = loop
        self.writer = database.backend.writer()
        self.groups = Groups(database)
        self.to_commit: queue.SimpleQueue[Group | None] = queue.SimpleQueue()
        self.beside = threading.Thread(target=self.commit_all, name="ordu-commit", daemon=True)
        self.beside.start()
        self.idle = asyncio.Event()
        self.idle.set()

    def wake(self) -> None:
        """Something is pending: run it soon, with what comes by then."""
        if self.idle.is_set():
            self.idle.clear()
            self.loop.call_soon(self.run)

    def run(self) -> None:
        """Run a group; while it is committed, the next may gather."""
        try:
            group = self.groups.run(self.writer)
        except Busy:
            self.loop.call_later(BUSY_RETRY_S, self.run)
            return
        if group.is_over:
            self.end(group)
        else:
            self.to_commit.put(group)

    def commit_all(self) -> None:
        """Commit what is handed over, until there is no more; the life of the thread beside."""
        while (group := self.to_commit.get()) is not None:
            self.groups.commit(self.writer, group)
            self.loop.call_soon_threadsafe(self.end, group)
        self.writer.close()

    def end(self, group: "Group") -> None:
        """Answer a group and go on with the next."""
        if group.took_s is not None and self.database.on_commit is not None:
            self.database.on_commit(len(group.items), group.took_s)
        self.database.deliver(group.items)
        if self.database.pending:
            self.loop.call_soon(self.run)
        else:
            self.idle.set()

    async def stop(self) -> None:
        """Finish what is pending, within a bound, and close the writer."""
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_MAX_S):
                await self.idle.wait()
        if not self.idle.is_set():
            log.error("writes were still pending after %g s and are given up", STOP_MAX_S)
        self.to_commit.put(None)
        await asyncio.to_thread(self.beside.join, STOP_MAX_S)


@dataclass(eq=False)
class Group:
    """Operations that share a commit. It is over when there is nothing to commit any more."""

    items: list[Pending[Any]] = field(default_factory=list)
    is_over: bool = False
    took_s: float | None = None  # its commit, with what that relies on


class Groups:
    """How a group is run and committed; nothing of it happened when anything goes wrong."""

    def __init__(self, database: GroupedDatabase) -> None:
        self.database = database
        self.is_broken = False
        self.probed_at = 0.0
        self.busy_since: float | None = None

    def run(self, writer: Writer) -> Group:
        """Run what is pending, within the bounds of a group; runs in the event loop.

        Raises:
            Busy: another program is writing, and not for too long yet.
        """
        group = Group()
        pending, monotonic = self.database.pending, self.database.monotonic
        try:
            self.ensure_writable(writer)
            tx = self.begin(writer)
            deadline = monotonic() + GROUP_WORK_S
            while pending and len(group.items) < GROUP_OPERATIONS_MAX:
                item = pending.popleft()
                group.items.append(item)
                run_one(writer, tx, item)
                if monotonic() >= deadline:
                    break
            if all(item.error is not None for item in group.items):
                writer.rollback()
                group.is_over = True
        except Busy:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the whole group must be told
            self.give_up(writer, group, error)
        return group

    def commit(self, writer: Writer, group: Group) -> None:
        """Make a group durable; runs beside the event loop."""
        try:
            self.passed(group, "before")
            began_s = self.database.monotonic()
            self.database.before_commit()
            writer.commit()
            group.took_s = self.database.monotonic() - began_s
            self.passed(group, "after")
        except Exception as error:  # noqa: BLE001 - as above
            self.give_up(writer, group, error)
        group.is_over = True

    def begin(self, writer: Writer) -> Transaction:
        """Begin a transaction as soon as no other program writes, or fail after a while."""
        now = self.database.monotonic()
        try:
            tx = writer.begin()
        except Busy:
            self.busy_since = now if self.busy_since is None else self.busy_since
            if now - self.busy_since < BUSY_MAX_S:
                raise
            self.busy_since = None
            raise TimeoutError("another program has been writing for too long") from None
        self.busy_since = None
        return tx

    def passed(self, group: Group, moment: str) -> None:
        """Die here where a test wants that."""
        failpoint = self.database.failpoint
        if failpoint is not None:
            for item in group.items:
                if item.error is None:
                    failpoint.passed(name_of(item.operation), moment)

    def ensure_writable(self, writer: Writer) -> None:
        """After a failed commit, let nothing through until a probe has been written."""
        if not self.is_broken:
            return
        now = self.database.monotonic()
        if now - self.probed_at < PROBE_INTERVAL_S:
            raise unavailable(CANNOT_WRITE)
        self.probed_at = now
        writer.probe()
        self.is_broken = False
        log.warning("writing works again")

    def give_up(self, writer: Writer, group: Group, error: Exception) -> None:
        """Roll back and refuse a whole group: nothing of it happened."""
        if not self.is_broken:
            log.error("a commit failed; nothing is written until a probe passes: %s", error)
        self.is_broken = True
        try:
            writer.rollback()
        except Exception:  # the connection is useless now; the probe will say when it works again
            log.exception("rolling back failed as well")
        if not group.items:  # it failed before anybody was in it
            group.items.extend(self.database.pending)
            self.database.pending.clear()
        for item in group.items:
            if item.error is None:
                item.error = unavailable(CANNOT_WRITE)
        group.is_over = True


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
    item.touched, item.counts = tx.take_touched(), tx.take_counts()
