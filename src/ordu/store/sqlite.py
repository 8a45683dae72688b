"""SQLite: one file in WAL mode with full durability, one connection that writes, one that reads.

WAL lets readers go on while the writer commits; `synchronous=FULL` makes each commit survive a
power cut. The reading connection belongs to the event loop: an indexed read takes tens of
microseconds, less than a hop to another thread.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from ordu.store.database import Row, Transaction
from ordu.store.groups import Busy

T = TypeVar("T")

BUSY_TIMEOUT_MS = 5_000
PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}",
    "PRAGMA temp_store=MEMORY",
    # What is deleted is written over, whatever the library was made with: a prompt is not kept in
    # a free page (docs/adr/0036).
    "PRAGMA secure_delete=ON",
    # Pages that are written again and again go into the file once for 16 MB of log, not for 4.
    "PRAGMA wal_autocheckpoint=4000",
)


def connect(path: Path | str) -> sqlite3.Connection:
    """Open the file with our settings; transactions are begun and ended by hand."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    for pragma in PRAGMAS:
        connection.execute(pragma)
    return connection


class SqliteTransaction:
    """SQL on one connection. Nothing has to be locked: there is one writer."""

    for_update = skip_locked = for_share = ""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.touched: set[int] = set()
        self.counts: dict[str, int] = {}

    def run(self, sql: str, **values: Any) -> int:
        """Run a statement and return how many rows it changed."""
        return self.connection.execute(sql, values).rowcount

    def run_many(self, sql: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run one statement for each of the rows."""
        self.connection.executemany(sql, rows)

    def one(self, sql: str, **values: Any) -> Row | None:
        """The first row, or None."""
        row: Row | None = self.connection.execute(sql, values).fetchone()
        return row

    def all(self, sql: str, **values: Any) -> list[Row]:
        """All rows."""
        return self.connection.execute(sql, values).fetchall()

    def touch(self, user_id: int) -> None:
        """Note that something of this user was changed, for those who remember users."""
        self.touched.add(user_id)

    def count(self, what: str, amount: int) -> None:
        """Count something for metrics, should this be committed."""
        self.counts[what] = self.counts.get(what, 0) + amount

    def take_counts(self) -> Mapping[str, int]:
        """What was counted since this was last asked."""
        counts, self.counts = self.counts, {}
        return counts

    def take_touched(self) -> frozenset[int]:
        """The users that were changed since this was last asked."""
        touched = frozenset(self.touched)
        self.touched.clear()
        return touched


class SqliteWriter:
    """The writing connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.transaction = SqliteTransaction(self.connection)

    def begin(self) -> Transaction:
        """Begin the transaction of a group, taking the write lock at once.

        Raises:
            Busy: another program is writing.
        """
        try:
            self.connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
                raise Busy(str(error)) from error
            raise
        return self.transaction

    def savepoint(self) -> None:
        """Mark the point to which one operation can be rolled back."""
        self.connection.execute("SAVEPOINT operation")

    def keep(self) -> None:
        """Keep what was done since the savepoint."""
        self.connection.execute("RELEASE operation")

    def undo(self) -> None:
        """Undo what was done since the savepoint."""
        self.connection.execute("ROLLBACK TO operation")
        self.connection.execute("RELEASE operation")

    def commit(self) -> None:
        """Make the group durable."""
        self.connection.execute("COMMIT")

    def rollback(self) -> None:
        """Give up the whole group; some failures have done so already."""
        if self.connection.in_transaction:
            self.connection.execute("ROLLBACK")

    def probe(self) -> None:
        """Write and commit one row, to see whether that works again."""
        self.connection.execute("BEGIN IMMEDIATE")
        self.connection.execute(
            "INSERT INTO facts (name, value) VALUES ('probe', '1')"
            " ON CONFLICT (name) DO UPDATE SET value = CAST(value AS INTEGER) + 1"
        )
        self.connection.execute("COMMIT")

    def close(self) -> None:
        """Close the connection, folding the log back into the file."""
        self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.connection.close()


class Sqlite:
    """A database file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.reader = connect(path)
        self.reader.execute("PRAGMA query_only=ON")
        self.reading = SqliteTransaction(self.reader)

    def writer(self) -> SqliteWriter:
        """Open the writing connection; it does not wait for other programs: who drives it does."""
        connection = connect(self.path)
        connection.execute("PRAGMA busy_timeout=0")
        return SqliteWriter(connection)

    def read(self, operation: Callable[[Transaction], T]) -> T:
        """Run a read on one snapshot of what is committed."""
        self.reader.execute("BEGIN")
        try:
            return operation(self.reading)
        finally:
            self.reader.execute("ROLLBACK")

    async def read_beside(self, operation: Callable[[Transaction], T]) -> T:
        """Run a read that takes long in a thread and on a connection of its own.

        SQLite leaves the interpreter to others while it looks through a table.
        """
        connection = connect(self.path)
        connection.execute("PRAGMA query_only=ON")

        def run() -> T:
            try:
                connection.execute("BEGIN")
                return operation(SqliteTransaction(connection))
            finally:
                connection.close()

        try:
            return await asyncio.to_thread(run)
        except asyncio.CancelledError:
            with suppress(sqlite3.Error):  # it may have just ended
                connection.interrupt()
            raise

    def close(self) -> None:
        """Close the reading connection."""
        self.reader.close()
