"""The truth that several servers share: a database that runs each statement at once.

Several processes of a horde write to one PostgreSQL. Here their statements go through the real
`PostgresDatabase` (its retries, its doubts about commits, its bridge), over connections that
stand in for the driver's. A transaction takes no simulated time from its beginning to its commit,
so it is atomic and none waits for a lock; time passes before it begins, and between its commit and
the answer that tells of it. In that time other servers commit, tidings pass each other, connections
are lost and processes die. What transactions do to each other while they run is not in it: the real
database is, in `tests/machines`, `tests/crash` and the tests of many processes.

What runs the statements is SQLite in memory (`MemoryEngine`), or a real PostgreSQL (`RealEngine`),
asked from a thread beside, one statement after the other, so that a seed is one story there too.
"""

import asyncio
import itertools
import os
import re
import sqlite3
import threading
from collections.abc import Callable, Coroutine, Sequence
from functools import lru_cache
from typing import Any, NoReturn, Protocol, TypeVar

import asyncpg

from ordu.simulation.disk import Disk
from ordu.simulation.faults import Fault, Switch
from ordu.simulation.stage import Stage
from ordu.store.bridge import bridged
from ordu.store.database import Row, Transaction
from ordu.store.migrations import postgres as schema
from ordu.store.postgres import PostgresTransaction

T = TypeVar("T")

ASK_MS_MAX = 10  # until a connection is free and a transaction begins
ANSWER_MS_MAX = 8  # until it is known that it was committed
STALL_MS_MAX = 8_000
STATEMENTS_MAX = 6  # a connection is lost at one of the first so many of a transaction
LOCKING = re.compile(r" FOR (?:UPDATE|KEY SHARE)(?: SKIP LOCKED)?")
LOST_WORDS = "the connection was closed in the middle of operation"


class Engine(Protocol):
    """What runs statements at once, on one connection."""

    def execute(self, sql: str, *values: Any) -> str:
        """Run a statement; returns its status, as the driver tells it."""
        ...

    def executemany(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run a statement for each of the rows."""
        ...

    def fetch(self, sql: str, *values: Any) -> list[Row]:
        """All rows."""
        ...

    def close(self) -> None:
        """Throw it away."""
        ...


# On SQLite


@lru_cache(maxsize=1_000)
def for_sqlite(sql: str) -> str:
    """A statement for PostgreSQL in SQLite's words: nothing has to be locked."""
    if sql.startswith("BEGIN"):
        return "BEGIN"
    return LOCKING.sub("", re.sub(r"\$(\d+)", r"?\1", sql))


class MemoryEngine:
    """SQLite in memory, with the manners of PostgreSQL: what fails spoils its transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.is_spoilt = False

    def run(self, sql: str, values: Sequence[Any]) -> sqlite3.Cursor:
        """Run a statement."""
        if self.is_spoilt:
            raise asyncpg.InFailedSQLTransactionError("the transaction is aborted")
        try:
            return self.connection.execute(for_sqlite(sql), values)
        except sqlite3.IntegrityError as error:
            self.is_spoilt = True
            is_double = "UNIQUE" in str(error)
            kind = asyncpg.UniqueViolationError if is_double else asyncpg.ForeignKeyViolationError
            raise kind(str(error)) from error

    def execute(self, sql: str, *values: Any) -> str:
        """Run a statement; returns its status."""
        if sql in {"COMMIT", "ROLLBACK"}:
            status = "ROLLBACK" if self.is_spoilt else sql
            self.is_spoilt = False
            self.connection.execute(status)
            return status
        return f"DONE {self.run(sql, values).rowcount}"

    def executemany(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run a statement for each of the rows."""
        for row in rows:
            self.run(sql, row)

    def fetch(self, sql: str, *values: Any) -> list[Row]:
        """All rows."""
        return self.run(sql, values).fetchall()

    def close(self) -> None:
        """Nothing: the disk closes its connection."""


# On PostgreSQL


class RealEngine:
    """A schema of its own in a PostgreSQL database, which is gone when this is closed."""

    numbers = itertools.count()

    def __init__(self, url: str) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.schema = f"ordu_simulation_{os.getpid()}_{next(self.numbers)}"
        try:
            self.connection = self.wait(asyncpg.connect(url, timeout=schema.CONNECT_S))
            self.execute(f"CREATE SCHEMA {self.schema}")
            self.execute(f"SET search_path = {self.schema}")
            self.wait(schema.create(self.connection))
        except BaseException:
            self.end()
            raise

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """What this gives; everybody waits for it."""

        async def run() -> T:
            return await work

        return asyncio.run_coroutine_threadsafe(run(), self.loop).result()

    def execute(self, sql: str, *values: Any) -> str:
        """Run a statement; returns its status."""
        return str(self.wait(self.connection.execute(sql, *values)))

    def executemany(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run a statement for each of the rows."""
        self.wait(self.connection.executemany(sql, rows))

    def fetch(self, sql: str, *values: Any) -> list[Row]:
        """All rows."""
        rows: list[Row] = self.wait(self.connection.fetch(sql, *values))
        return rows

    def close(self) -> None:
        """Drop the schema."""
        try:
            if self.connection.is_in_transaction():
                self.execute("ROLLBACK")
            self.execute(f"DROP SCHEMA {self.schema} CASCADE")
            self.wait(self.connection.close())
        finally:
            self.end()

    def end(self) -> None:
        """End the thread beside."""
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


# What all servers have in common


class Truth:
    """The one database of a horde, and whether it can be reached."""

    def __init__(self, stage: Stage, disk: Disk, engine: Engine) -> None:
        self.chance = stage.chance
        self.faults = stage.faults
        self.disk = disk
        self.engine = engine
        self.is_reachable = True

    def look(self, operation: Callable[[Transaction], T]) -> T:
        """Run a read on what is committed, in no time."""
        return self.at_once("BEGIN", operation, "ROLLBACK")

    def change(self, operation: Callable[[Transaction], T]) -> T:
        """Run a write, in no time, whatever else goes wrong."""
        return self.at_once("BEGIN", operation, "COMMIT")

    def at_once(self, begin: str, operation: Callable[[Transaction], T], end: str) -> T:
        """Run an operation between these statements."""
        self.engine.execute(begin)
        try:
            return in_no_time(bridged(lambda: operation(PostgresTransaction(Bare(self.engine)))))
        finally:
            self.engine.execute(end)


def in_no_time(work: Coroutine[Any, Any, T]) -> T:
    """What a coroutine gives that never waits."""
    try:
        work.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    raise AssertionError("it waits for something")


class Bare:
    """A connection on which nothing goes wrong."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    async def execute(self, sql: str, *values: Any) -> str:
        """Run a statement; returns its status."""
        return self.engine.execute(sql, *values)

    async def executemany(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run a statement for each of the rows."""
        self.engine.executemany(sql, rows)

    async def fetch(self, sql: str, *values: Any) -> list[Row]:
        """All rows."""
        return self.engine.fetch(sql, *values)

    async def fetchrow(self, sql: str, *values: Any) -> Row | None:
        """The first row."""
        rows = self.engine.fetch(sql, *values)
        return rows[0] if rows else None


class Connection:
    """A connection of one life of a server, as the driver would give it.

    Of one transaction; the next gets another.
    """

    def __init__(self, pool: "Pool") -> None:
        self.pool = pool
        self.truth = pool.truth
        self.bare = Bare(pool.truth.engine)
        self.is_lost = False
        self.is_writing = False
        self.goes_wrong: tuple[int, Exception] | None = None  # at which statement, and how
        self.statements = 0

    def is_closed(self) -> bool:
        """Whether nothing can be said through it any more."""
        return self.is_lost

    async def execute(self, sql: str, *values: Any) -> str:
        """Run a statement; returns its status."""
        if sql == "COMMIT":
            return await self.commit()
        if sql == "ROLLBACK":
            status = await self.bare.execute(sql)
            await answer_travels(self.truth)
            return status
        if sql == "BEGIN":
            self.is_writing = True
            self.draw_fault()
        self.passed(sql)
        return await self.bare.execute(sql, *values)

    async def executemany(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run a statement for each of the rows."""
        self.passed(sql)
        await self.bare.executemany(sql, rows)

    async def fetch(self, sql: str, *values: Any) -> list[Row]:
        """All rows."""
        self.passed(sql)
        return await self.bare.fetch(sql, *values)

    async def fetchrow(self, sql: str, *values: Any) -> Row | None:
        """The first row."""
        self.passed(sql)
        return await self.bare.fetchrow(sql, *values)

    def draw_fault(self) -> None:
        """Decide whether this transaction fails before its commit, and where."""
        faults, at = self.truth.faults, self.truth.chance.randrange(1, STATEMENTS_MAX)
        if faults.strikes(Fault.STATEMENT_LOST):
            self.goes_wrong = (at, asyncpg.ConnectionDoesNotExistError(LOST_WORDS))
        elif faults.strikes(Fault.IN_THE_WAY):
            self.goes_wrong = (at, asyncpg.DeadlockDetectedError("deadlock detected"))

    def passed(self, sql: str) -> None:
        """A statement is to be run: note what it writes, unless it fails here."""
        if not self.is_writing:
            return
        if self.goes_wrong is not None and self.statements >= self.goes_wrong[0]:
            error = self.goes_wrong[1]
            if isinstance(error, asyncpg.ConnectionDoesNotExistError):
                self.lose(error)
            raise error
        self.statements += 1
        self.truth.disk.note(sql)

    def lose(self, error: Exception) -> NoReturn:
        """The connection is lost, and with it what was not committed."""
        self.truth.engine.execute("ROLLBACK")
        self.is_lost = True
        raise error

    async def commit(self) -> str:
        """Commit; on the way the connection may be lost, or the process killed."""
        truth, faults, switch = self.truth, self.truth.faults, self.pool.switch
        if faults.strikes(Fault.KILLED_BEFORE_COMMIT):
            truth.engine.execute("ROLLBACK")
            switch.kill()
        error = asyncpg.ConnectionDoesNotExistError(LOST_WORDS)
        is_lost = faults.strikes(Fault.COMMIT_LOST)
        if is_lost and truth.chance.random() < 0.5:
            self.lose(error)
        status = truth.engine.execute("COMMIT")
        self.pool.commits += 1
        if faults.strikes(Fault.KILLED_AFTER_COMMIT):
            switch.kill()
        await answer_travels(truth)
        if is_lost:
            self.is_lost = True
            raise error
        if faults.strikes(Fault.KILLED_BEFORE_PUBLISHING):
            switch.kill()
        return status


async def answer_travels(truth: Truth) -> None:
    """The answer of the database is on its way."""
    await asyncio.sleep(truth.chance.randrange(ANSWER_MS_MAX) / 1000)


class Pool:
    """The connections of one life of a server."""

    def __init__(self, truth: Truth, switch: Switch) -> None:
        self.truth = truth
        self.switch = switch
        self.used = 0
        self.commits = 0  # that nobody has looked at yet

    async def acquire(self, timeout: float) -> Connection:  # noqa: ASYNC109 - as the driver has it
        """A connection, after a while.

        Raises:
            OSError: the database cannot be reached.
        """
        del timeout
        self.used += 1
        stalls = self.truth.faults.strikes(Fault.STALLED)
        delay_ms = self.truth.chance.randrange(STALL_MS_MAX if stalls else ASK_MS_MAX)
        await asyncio.sleep(delay_ms / 1000)
        if not self.truth.is_reachable:
            self.used -= 1
            raise ConnectionRefusedError("nobody listens")
        return Connection(self)

    async def release(self, connection: Connection) -> None:
        """It is used no more."""
        del connection
        self.used -= 1
