"""The disk of the simulated server: a database in memory and pictures in a dict.

Both outlive the server. The database is real SQLite with the real schema and the real writer; only
`begin`, `commit` and `probe` can go wrong, in the ways disks do.
"""

import asyncio
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from ordu.images.keeping import Room, Upload
from ordu.protocol.errors import Refused
from ordu.simulation.faults import Fault, Switch
from ordu.simulation.stage import Stage
from ordu.store.database import Row, Transaction
from ordu.store.migrations import bring_up_to_date
from ordu.store.sqlite import SqliteTransaction, SqliteWriter, connect

T = TypeVar("T")

STORING_MS_MAX = 400
OF_CHORES = (
    "SELECT",
    "UPDATE workers SET seen_at",
    "INSERT INTO learnt",
    "DELETE FROM learnt",
    "INSERT INTO totals",
)
FULL = "database or disk is full"


@cache
def empty_database() -> bytes:
    """A database with the newest schema and nothing in it, as the bytes of a file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "empty.sqlite3"
        bring_up_to_date(path)
        connection = sqlite3.connect(path)
        connection.execute("PRAGMA journal_mode=DELETE")  # a log cannot be copied into memory
        content = connection.serialize()
        connection.close()
    return content


class Disk:
    """What outlives the server: its database and its pictures."""

    def __init__(self, stage: Stage) -> None:
        self.clock = stage.clock
        self.chance = stage.chance
        self.faults = stage.faults
        self.is_full = False
        self.has_news = True  # something was written that anybody has promised anything about
        self.connection = connect(":memory:")
        self.connection.deserialize(empty_database())
        self.connection.execute("PRAGMA journal_mode=MEMORY")
        self.pictures: dict[str, bytes] = {}
        self.written_ms: dict[str, int] = {}  # when, for each of them

    def look(self, operation: Callable[[Transaction], T]) -> T:
        """Run a read on what is committed."""
        return MemoryDatabase(self, Switch(nothing)).read(operation)

    def change(self, operation: Callable[[Transaction], T]) -> T:
        """Run a write in which nothing goes wrong."""
        writer = SqliteWriter(self.connection)
        result = operation(writer.begin())
        writer.commit()
        return result

    def note(self, sql: str) -> None:
        """Note what a statement writes."""
        if not sql.startswith(OF_CHORES):
            self.has_news = True

    def cut(self) -> None:
        """The power goes: what was not committed is gone."""
        if self.connection.in_transaction:
            self.connection.execute("ROLLBACK")

    def close(self) -> None:
        """Throw it away."""
        self.connection.close()


def nothing() -> None:
    """Nobody has to be woken."""


class MemoryDatabase:
    """The database as one life of the server sees it."""

    def __init__(self, disk: Disk, switch: Switch) -> None:
        self.disk = disk
        self.switch = switch

    def writer(self) -> "MemoryWriter":
        """Open the writer."""
        return MemoryWriter(self.disk, self.switch)

    async def read_beside(self, operation: Callable[[Transaction], T]) -> T:
        """The same as `read`: nothing happens beside it here."""
        return self.read(operation)

    def read(self, operation: Callable[[Transaction], T]) -> T:
        """Run a read; nothing is being written meanwhile."""
        connection = self.disk.connection
        connection.execute("BEGIN")
        try:
            return operation(SqliteTransaction(connection))
        finally:
            connection.execute("ROLLBACK")

    def close(self) -> None:
        """Nothing: the disk outlives the server."""


class MemoryWriter(SqliteWriter):
    """The real writer, on a disk that can be full and in a process that can be killed."""

    def __init__(self, disk: Disk, switch: Switch) -> None:
        super().__init__(disk.connection)
        self.transaction = WatchedTransaction(disk)
        self.disk = disk
        self.switch = switch

    def begin(self) -> Transaction:
        """Begin a group; on a full disk sometimes the first statement fails, as in real ones."""
        super().begin()
        if self.disk.is_full and self.disk.chance.random() < 0.5:
            return FullTransaction(self.connection)
        return self.transaction

    def commit(self) -> None:
        """Commit, unless the disk is full or the server is killed right before or after."""
        if self.disk.is_full:
            raise sqlite3.OperationalError(FULL)
        if self.disk.faults.strikes(Fault.KILLED_BEFORE_COMMIT):
            self.switch.kill()
        super().commit()
        if self.disk.faults.strikes(Fault.KILLED_AFTER_COMMIT):
            self.switch.kill()

    def probe(self) -> None:
        """See whether writing works again."""
        if self.disk.is_full:
            raise sqlite3.OperationalError(FULL)
        super().probe()


class WatchedTransaction(SqliteTransaction):
    """A transaction that notes whether anything but what chores write was written.

    Half of all commits are a chore's. To look at everything again after each of those would take a
    third of the time and find nothing.
    """

    def __init__(self, disk: Disk) -> None:
        super().__init__(disk.connection)
        self.disk = disk

    def run(self, sql: str, **values: Any) -> int:
        """Run a statement."""
        self.note(sql)
        return super().run(sql, **values)

    def run_many(self, sql: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run a statement for each row."""
        self.note(sql)
        super().run_many(sql, rows)

    def one(self, sql: str, **values: Any) -> Row | None:
        """The first row."""
        self.note(sql)
        return super().one(sql, **values)

    def note(self, sql: str) -> None:
        """Note what a statement writes."""
        self.disk.note(sql)


class FullTransaction(SqliteTransaction):
    """A transaction on a full disk: SQLite gives it up as a whole when a statement finds out."""

    def run(self, sql: str, **values: Any) -> int:
        """Fail like the disk."""
        del sql, values
        self.fail()

    def run_many(self, sql: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Fail like the disk."""
        del sql, rows
        self.fail()

    def fail(self) -> NoReturn:
        """Give the transaction up."""
        self.connection.execute("ROLLBACK")
        raise sqlite3.OperationalError(FULL)


class MemoryPictures:
    """The pictures on a disk, as one life of the server sees them; storing takes a while.

    What is not flushed when the server dies is gone, as when the power goes. Where several servers
    share them, all that was put stays.
    """

    def __init__(self, disk: Disk, switch: Switch, *, is_shared: bool = False) -> None:
        self.disk = disk
        self.switch = switch
        self.is_shared = is_shared
        self.unflushed: dict[str, bytes] = {}

    async def put(self, name: str, data: bytes, *, is_durable: bool = True) -> None:
        """Keep these bytes under this name."""
        await asyncio.sleep(self.disk.chance.randrange(STORING_MS_MAX) / 1000)
        if self.disk.is_full:
            raise Refused("Unavailable", "Pictures cannot be stored at the moment.", 503)
        if self.disk.faults.strikes(Fault.KILLED_BEFORE_STORING):
            self.switch.kill()
        self.unflushed[name] = data
        if is_durable or self.is_shared:
            self.flush()
        if self.disk.faults.strikes(Fault.KILLED_AFTER_STORING):
            self.switch.kill()

    def room(self) -> Room | None:
        """Nobody asks here."""
        return None

    def flush(self) -> None:
        """Have all that was put outlive this life."""
        if not self.unflushed:
            return
        if self.disk.is_full:
            raise OSError(FULL)
        self.disk.pictures |= self.unflushed
        self.disk.written_ms |= dict.fromkeys(self.unflushed, self.disk.clock.now())
        self.disk.has_news = True
        self.unflushed.clear()

    async def get(self, name: str) -> bytes | None:
        """The bytes of this name, or None."""
        return self.unflushed.get(name, self.disk.pictures.get(name))

    async def size(self, name: str) -> int | None:
        """How many bytes this name has, or None."""
        data = await self.get(name)
        return None if data is None else len(data)

    async def head(self, name: str, length: int) -> bytes | None:
        """The first bytes of this name, or None."""
        data = await self.get(name)
        return None if data is None else data[:length]

    async def take_upload(self, upload: str, name: str, length: int) -> Upload | None:
        """Size and beginning of an upload, or None."""
        data = await self.get(upload)
        if data is not None and name != upload:
            await self.put(name, data, is_durable=False)
        return None if data is None else Upload(len(data), data[:length])

    async def delete(self, names: Sequence[str]) -> None:
        """Forget these names."""
        for name in names:
            if self.disk.faults.strikes(Fault.KILLED_DELETING):
                self.switch.kill()
            self.unflushed.pop(name, None)
            self.disk.pictures.pop(name, None)

    async def older_than(self, before_ms: int) -> AsyncIterator[tuple[str, int]]:
        """Every name last written before this time."""
        for name in list(self.disk.pictures):
            if self.disk.written_ms[name] < before_ms:
                yield name, self.disk.written_ms[name]

    async def tidy(self) -> None:
        """A dict is tidy."""

    def links(self, lifetime_s: int) -> None:
        """None: the server carries the bytes."""

    async def check(self) -> None:
        """A dict can be used."""

    def close(self) -> None:
        """Nothing: the disk outlives the server."""
