"""PostgreSQL: many connections that write at once, from any number of processes and machines.

Each operation is a transaction of its own on a connection of a bounded pool. What several of them
change is locked before it is read (`Transaction.for_update`), in one order, so they wait for each
other and never in a circle. Should a transaction be in another's way all the same, or lose its
connection before the commit, it is run again, a bounded number of times: an operation can be.

When the connection is lost while the commit is on its way, nobody knows whether it happened. Then
the caller is told 503 and nothing is published, as if the server had been killed at that moment;
`on_doubt` is called, so that memory is compared with the database.

With a pooler such as PgBouncer in transaction mode between us and the database, nothing may be kept
in a session: no prepared statements, no settings, no locks beyond a transaction.
"""

import asyncio
import contextlib
import logging
import random
import re
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias, TypeVar

import asyncpg

from ordu.failpoints import Failpoint, name_of
from ordu.protocol.errors import Refused
from ordu.store.bridge import bridged, wait
from ordu.store.database import PENDING_MAX, STOP_MAX_S, TOO_MUCH, Row, Transaction, unavailable
from ordu.store.pending import Dropped, Pending

log = logging.getLogger(__name__)

T = TypeVar("T")
Connection: TypeAlias = asyncpg.Connection

TRIES_MAX = 8  # of one operation that others are in the way of
LOST_S_MAX = 6.0  # how long is tried to reach a database that is away
PAUSE_S = 0.005  # before the second try; twice as long before each one after that
PAUSE_S_MAX = 1.0
CONNECT_S = 5.0
STATEMENT_S = 30.0
LONG_STATEMENT_S = 600.0
POOL_WAIT_S = 5.0  # for a connection, when all are at work
STATEMENTS_MAX = 1_000  # kept as they were translated, and prepared on each connection
SESSION = {  # what the server gives up for us, should we not
    "application_name": "ordu",
    "lock_timeout": "5s",
    "idle_in_transaction_session_timeout": "30s",
    "jit": "off",
}
CANNOT_REACH = "The horde cannot reach its database at the moment."

# Another transaction was in the way; the same operation may well succeed after it.
IN_THE_WAY = (
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.LockNotAvailableError,
)
# A second row of one name or number, or one that goes with another that is gone: whoever runs again
# sees what there is.
NOT_ALLOWED = (asyncpg.UniqueViolationError, asyncpg.ForeignKeyViolationError)
LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # so says the driver when it is asked in the middle of the end
    asyncpg.OperatorInterventionError,  # the database is being stopped, or is starting
    asyncpg.TooManyConnectionsError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    OSError,
    TimeoutError,
)
UNREACHABLE = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError, ValueError)
CANNOT_BE_KEPT = (asyncpg.DataError, UnicodeEncodeError)

# A name with a colon before it, or a text in quotes, in which there are no names.
_PARAMETER = re.compile(r"'[^']*'|(?<![:\w]):([a-z_]\w*)")


class Statement(NamedTuple):
    """A statement as PostgreSQL takes it: with numbers for the names of values."""

    text: str
    names: tuple[str, ...]


@lru_cache(maxsize=STATEMENTS_MAX)
def translated(sql: str) -> Statement:
    """A statement with `:name` parameters in the words of the driver."""
    names: list[str] = []

    def number(found: re.Match[str]) -> str:
        name = found[1]
        if name is None:
            return found[0]
        if name not in names:
            names.append(name)
        return f"${names.index(name) + 1}"

    return Statement(_PARAMETER.sub(number, sql), tuple(names))


class PostgresTransaction:
    """SQL on one connection; to be used in a function that is bridged."""

    for_update = " FOR UPDATE"
    skip_locked = " FOR UPDATE SKIP LOCKED"
    for_share = " FOR KEY SHARE"

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.touched: set[int] = set()
        self.counts: dict[str, int] = {}

    def run(self, sql: str, **values: Any) -> int:
        """Run a statement and return how many rows it changed."""
        text, names = translated(sql)
        status = wait(self.connection.execute(text, *[values[name] for name in names]))
        return int(status.rpartition(" ")[2])

    def run_many(self, sql: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run one statement for each of the rows."""
        text, names = translated(sql)
        if rows:
            wait(self.connection.executemany(text, [[row[name] for name in names] for row in rows]))

    def one(self, sql: str, **values: Any) -> Row | None:
        """The first row, or None."""
        text, names = translated(sql)
        if is_in_vain(text, values):
            return None
        row: Row | None = wait(self.connection.fetchrow(text, *[values[name] for name in names]))
        return row

    def all(self, sql: str, **values: Any) -> list[Row]:
        """All rows."""
        text, names = translated(sql)
        if is_in_vain(text, values):
            return []
        rows: list[Row] = wait(self.connection.fetch(text, *[values[name] for name in names]))
        return rows

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


def is_in_vain(text: str, values: Mapping[str, Any]) -> bool:
    """Whether a question can have no answer: no text in PostgreSQL has a NUL, and none is found."""
    return text.startswith("SELECT") and any(
        isinstance(value, str) and "\0" in value for value in values.values()
    )


class PlainConnection(asyncpg.Connection):  # type: ignore[misc] # the driver ships no types
    """A connection that goes back into the pool as it is: we leave nothing behind in a session."""

    def get_reset_query(self) -> str:
        """Nothing to undo; the driver would ask the server for it after each use."""
        return ""


class CommitLostError(Exception):
    """The connection was lost while the commit was on its way."""


class Tries:
    """How often an operation was tried, and for how long."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.number = 0  # of the try that runs, from 0
        self.begun = asyncio.get_running_loop().time()
        self.hindered = 0  # how many of them others were in the way of

    def is_hindered_too_often(self) -> bool:
        """Others were in the way once more: whether it should not be tried again."""
        self.hindered += 1
        return self.hindered >= TRIES_MAX

    def take_too_long(self) -> bool:
        """The database is away: whether it should not be tried again."""
        return asyncio.get_running_loop().time() - self.begun >= LOST_S_MAX

    async def pause(self) -> None:
        """Wait a little before the next try, and not as long as others do."""
        longest = min(PAUSE_S_MAX, PAUSE_S * 2 ** min(self.number, 20))
        self.number += 1
        await asyncio.sleep(longest * self.chance.uniform(0.5, 1))


@dataclass(eq=False)
class PostgresDatabase:
    """A `Database` on a PostgreSQL server. Belongs to one event loop.

    `is_pooled` says that a pooler in transaction mode stands between us and the server.
    """

    url: str
    connections_max: int = 10
    is_pooled: bool = False
    statement_s: float = STATEMENT_S
    failpoint: Failpoint | None = None
    on_users_changed: Callable[[frozenset[int]], None] | None = None
    on_counted: Callable[[Mapping[str, int]], None] | None = None
    on_commit: Callable[[int, float], None] | None = None
    on_doubt: Callable[[], None] = lambda: None
    waiting: int = 0  # writes that are not answered yet
    tasks: set["asyncio.Task[None]"] = field(default_factory=set)
    pool: asyncpg.Pool | None = None
    is_open: bool = False
    chance: random.Random = field(default_factory=random.Random)

    async def start(self) -> None:
        """Connect.

        Raises:
            OSError, asyncpg.PostgresError: the database cannot be reached.
        """
        self.pool = await asyncpg.create_pool(
            self.url,
            min_size=0,  # else the pool keeps one by itself, and logs a traceback when it cannot
            max_size=self.connections_max,
            connection_class=PlainConnection,
            timeout=CONNECT_S,
            command_timeout=self.statement_s,
            statement_cache_size=0 if self.is_pooled else STATEMENTS_MAX,
            server_settings={} if self.is_pooled else SESSION,
        )
        async with self.connection():
            self.is_open = True

    async def stop(self) -> None:
        """Finish what is pending, within a bound, then close."""
        self.is_open = False
        if self.tasks:
            _, late = await asyncio.wait(self.tasks, timeout=STOP_MAX_S)
            if late:
                log.error("%d writes were still pending and are given up", len(late))
        pool, self.pool = self.pool, None
        if pool is not None:
            try:
                await asyncio.wait_for(pool.close(), STOP_MAX_S)
            except TimeoutError:
                pool.terminate()

    @contextlib.asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection of the pool."""
        pool = self.pool
        if pool is None:
            raise unavailable(CANNOT_REACH)
        connection = await pool.acquire(timeout=POOL_WAIT_S)
        try:
            yield connection
        finally:
            await pool.release(connection)

    # Reading

    async def read(self, operation: Callable[[Transaction], T]) -> T:
        """Run a read on one snapshot; it sees every write that was answered."""
        tries = Tries(self.chance)
        while True:
            try:
                async with self.connection() as connection:
                    return await self.read_on(connection, operation)
            except LOST as error:
                if tries.take_too_long():
                    raise given_up("a read", error, CANNOT_REACH) from error
            await tries.pause()

    async def read_beside(self, operation: Callable[[Transaction], T]) -> T:
        """Run a read that takes long, on a connection that nobody else waits for."""
        connection = await asyncpg.connect(
            self.url,
            timeout=CONNECT_S,
            command_timeout=LONG_STATEMENT_S,
            connection_class=PlainConnection,
            statement_cache_size=0,
            server_settings={} if self.is_pooled else SESSION,
        )
        try:
            return await self.read_on(connection, operation)
        finally:
            connection.terminate()

    async def read_on(self, connection: Connection, operation: Callable[[Transaction], T]) -> T:
        """Run a read on this connection."""
        try:
            await connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            return await bridged(lambda: operation(PostgresTransaction(connection)))
        except CANNOT_BE_KEPT as error:
            raise cannot_be_kept(error) from error
        finally:
            await undo(connection)

    # Writing

    async def write(
        self,
        operation: Callable[[Transaction], T],
        publish: Callable[[T], None] | None = None,
        abandon: Callable[[], None] | None = None,
    ) -> T:
        """Run a write and return its result once it is durable."""
        if self.waiting >= PENDING_MAX or not self.is_open:
            if abandon is not None:
                abandon()
            raise unavailable(TOO_MUCH)
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self.waiting += 1
        # A task of its own: once begun it completes, also when its caller leaves.
        task = loop.create_task(self.carry_out(Pending(operation, publish, abandon, future)))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return await future

    async def carry_out(self, item: Pending[Any]) -> None:
        """Run a write, as often as it takes, and tell how it ended."""
        try:
            await self.attempts(item)
        except CommitLostError:
            log.warning("the connection was lost during a commit; nobody knows how it ended")
            item.error = unavailable(CANNOT_REACH)
            self.on_doubt()
        except CANNOT_BE_KEPT as error:
            item.error = cannot_be_kept(error)
        except BaseException as error:  # noqa: BLE001 - it belongs to the caller, whatever it is
            item.error = error
        self.waiting -= 1
        item.deliver(self.failpoint, self.on_users_changed, self.on_counted)

    def connections(self) -> tuple[int, int]:
        """Those of the pool, and how many of them are at work."""
        if self.pool is None:
            return 0, 0
        size = self.pool.get_size()
        return size, size - self.pool.get_idle_size()

    async def attempts(self, item: Pending[Any]) -> None:
        """Run a write until it is committed or refused, a bounded number of times."""
        tries = Tries(self.chance)
        while True:
            try:
                async with self.connection() as connection:
                    if tries.number == 0 and item.future.cancelled():
                        raise Dropped
                    return await self.attempt(connection, item)
            except NOT_ALLOWED:
                if tries.is_hindered_too_often():  # whoever comes first: it is our own mistake
                    raise
            except IN_THE_WAY as error:
                if tries.is_hindered_too_often():
                    raise given_up("a write", error, TOO_MUCH) from error
            except (*LOST, asyncpg.ReadOnlySQLTransactionError) as error:
                if tries.take_too_long():
                    raise given_up("a write", error, CANNOT_REACH) from error
            await tries.pause()

    async def attempt(self, connection: Connection, item: Pending[Any]) -> None:
        """Run a write in a transaction on this connection."""
        tx = PostgresTransaction(connection)
        try:
            await connection.execute("BEGIN")
            result = await bridged(lambda: item.operation(tx))
        except asyncpg.ReadOnlySQLTransactionError:
            connection.terminate()  # another machine has taken over; a new connection finds it
            raise
        except BaseException:
            await undo(connection)
            raise
        self.passed(item, "before")
        began_s = time.monotonic()
        try:
            status = await connection.execute("COMMIT")
        except LOST as error:
            raise CommitLostError from error
        assert status == "COMMIT", "an operation hid that one of its statements failed"
        self.passed(item, "after")
        if self.on_commit is not None:
            self.on_commit(1, time.monotonic() - began_s)
        item.result, item.touched, item.counts = result, tx.take_touched(), tx.take_counts()

    def passed(self, item: Pending[Any], moment: str) -> None:
        """Die here where a test wants that."""
        if self.failpoint is not None:
            self.failpoint.passed(name_of(item.operation), moment)


async def undo(connection: Connection) -> None:
    """Roll back. A connection that cannot be asked to is given up; then the server does so."""
    if not connection.is_closed():
        try:
            await connection.execute("ROLLBACK")
        except LOST:
            connection.terminate()


def given_up(what: str, error: BaseException, why: str) -> Refused:
    """The refusal of what was tried for too long."""
    log.error("%s was given up: %r", what, error)
    return unavailable(why)


def cannot_be_kept(error: Exception) -> Refused:
    """The refusal of a value that the database cannot hold: a NUL in a text, a number too large."""
    return Refused("BadRequest", f"Something in this call cannot be kept: {error}.", 400)
