"""A PostgreSQL database as an end of a move.

The source is read as it is at one moment; servers that go on would write what is not moved, so a
move is refused while one is there. In the target the lock of the schema is held, for which a server
that starts waits.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import asyncpg

from ordu.settings.setting import without_password
from ordu.store.bridge import wait
from ordu.store.channel import KEEPER_LOCK
from ordu.store.migrations import postgres as schema
from ordu.store.moving import MoveError, Values
from ordu.store.moving.catalog import Table
from ordu.store.postgres import LOST, PostgresTransaction, undo

LOCK_WAIT = "10s"
# A move takes as long as it takes; only for this transaction, so that a pooler may be between.
PATIENCE = (
    "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0;"
    f" SET LOCAL lock_timeout = '{LOCK_WAIT}'"
)
WHOLE_NUMBERS = {"integer": 2**31, "bigint": 2**63}
# What the driver raises for values that it or the server cannot take.
CANNOT_BE_KEPT = (asyncpg.DataError, TypeError, ValueError, OverflowError)


class PostgresEnd:
    """A database in a transaction; to be used in a function that is bridged."""

    def __init__(self, url: str, connection: Any) -> None:
        self.name = without_password(url)
        self.connection = connection
        self.tx = PostgresTransaction(connection)
        self.known: dict[str, dict[str, str]] = {}  # the types of tables that are filled

    def tables(self) -> list[str]:
        """The tables that are there now, but for those of extensions."""
        rows = self.tx.all(
            "SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace(current_schema())"
            " AND relkind IN ('r', 'p', 'f') AND NOT EXISTS (SELECT 1 FROM pg_depend"
            " WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid AND deptype = 'e')"
            " ORDER BY relname"
        )
        return [row["relname"] for row in rows]

    def columns(self, table: str) -> list[str]:
        """The columns of a table that is there."""
        return list(self.types(table))

    def types(self, table: str) -> dict[str, str]:
        """The columns of a table with their types."""
        rows = self.tx.all(
            "SELECT attname, format_type(atttypid, atttypmod) AS type FROM pg_attribute"
            " WHERE attrelid = to_regclass(:name) AND attnum > 0 AND NOT attisdropped"
            " ORDER BY attnum",
            name=table,
        )
        return {row["attname"]: row["type"] for row in rows}

    def create(self) -> None:
        """Make every table."""
        wait(schema.create(self.connection))

    def put(self, table: Table, rows: Sequence[Values]) -> None:
        """Add these rows."""
        if table.name not in self.known:  # once it has failed nothing can be asked any more
            self.known[table.name] = self.types(table.name)
        adding = self.connection.copy_records_to_table(
            table.name, records=rows, columns=table.columns
        )
        try:
            wait(adding)
        except CANNOT_BE_KEPT as error:
            flaw = first_flaw(table, self.known[table.name], rows)
            raise MoveError(flaw or f"{table.name} cannot be moved: {error}.") from error

    def finish(self, tables: Sequence[Table]) -> None:
        """Let numbers go on after the highest there is, and the server know what it has now."""
        for table in tables:
            for column in self.numbered(table.name):
                self.tx.all(
                    "SELECT setval(pg_get_serial_sequence(:name, :column), last) FROM"
                    f' (SELECT MAX("{column}") AS last FROM {table.name}) AS found'
                    " WHERE last IS NOT NULL",
                    name=table.name,
                    column=column,
                )
            wait(self.connection.execute(f"ANALYZE {table.name}"))

    def numbered(self, table: str) -> list[str]:
        """The columns of a table that the server numbers."""
        rows = self.tx.all(
            "SELECT attname FROM pg_attribute"
            " WHERE attrelid = to_regclass(:name) AND attidentity <> ''",
            name=table,
        )
        return [row["attname"] for row in rows]


def first_flaw(table: Table, types: Mapping[str, str], rows: Sequence[Values]) -> str | None:
    """The first value that cannot be kept, with its row; None when there is none we know of."""
    for row in rows:
        for column, value in zip(table.columns, row, strict=True):
            if why := flaw_of(value, types[column]):
                key = (f"{name} {row[table.columns.index(name)]!r}" for name in table.key)
                return (
                    f"The row of {table.name} with {' and '.join(key)} cannot be moved: its"
                    f" {column} {why}. Change it in the source, then move again."
                )
    return None


def flaw_of(value: object, type_: str) -> str | None:
    """Why PostgreSQL cannot keep a value, of all that SQLite may hold."""
    match value:
        case None:
            return None
        case str() if type_ == "text":
            return "has a NUL in it, which no text of PostgreSQL has" if "\0" in value else None
        case int() if type_ in WHOLE_NUMBERS:
            most = WHOLE_NUMBERS[type_]
            return None if -most <= value < most else f"is beyond what fits in {type_}"
        case bytes() if type_ == "bytea":
            return None
        case float() if type_ == "double precision":
            return None
    return f"is {type(value).__name__} where {type_} belongs"


@asynccontextmanager
async def source(url: str) -> AsyncIterator[PostgresEnd]:
    """A database as it is at one moment.

    Raises:
        MoveError: servers use it.
        TooOldError, OSError, asyncpg.PostgresError: it cannot be used.
    """
    async with moment(url) as connection:
        is_alone = await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", KEEPER_LOCK)
        if not is_alone:
            raise MoveError(
                f"{without_password(url)} is in use by a server. Stop all servers first, so that"
                " nothing changes while it is moved."
            )
        yield PostgresEnd(url, connection)


@asynccontextmanager
async def served(url: str) -> AsyncIterator[PostgresEnd]:
    """A database as it is at one moment, while servers go on with it.

    Raises:
        TooOldError, OSError, asyncpg.PostgresError: it cannot be used.
    """
    async with moment(url) as connection:
        await connection.fetchval("SELECT 1")  # the moment is that of the first statement
        yield PostgresEnd(url, connection)


def moment(url: str) -> AbstractAsyncContextManager[Any]:
    """A connection that sees one moment of a database and changes nothing."""
    return connected(url, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")


@asynccontextmanager
async def target(url: str) -> AsyncIterator[PostgresEnd]:
    """A database, with what is done in it committed at the end.

    Raises:
        MoveError: another program makes or moves a horde there.
        TooOldError, OSError, asyncpg.PostgresError: it cannot be used.
    """
    async with connected(url, "BEGIN") as connection:
        try:
            await connection.execute("SELECT pg_advisory_xact_lock($1)", schema.LOCK)
        except asyncpg.LockNotAvailableError as error:
            raise MoveError(
                f"Another program is making a horde in {without_password(url)}, or moving one to"
                " it."
            ) from error
        yield PostgresEnd(url, connection)
        try:
            await connection.execute("COMMIT")
        except LOST as error:
            raise MoveError(
                f"{without_password(url)} was lost while the move was made to count; it has"
                " happened or it has not. `ordu audit` on it says which."
            ) from error


@asynccontextmanager
async def connected(url: str, begin: str) -> AsyncIterator[Any]:
    """A connection in a transaction, which is rolled back unless it was committed."""
    connection = await asyncpg.connect(url, timeout=schema.CONNECT_S, statement_cache_size=0)
    try:
        schema.check_age(connection)
        await connection.execute(begin)
        await connection.execute(PATIENCE)
        yield connection
    finally:
        if connection.is_in_transaction():
            await undo(connection)
        await connection.close(timeout=schema.CONNECT_S)
