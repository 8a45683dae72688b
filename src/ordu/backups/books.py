"""The books of one moment, in a SQLite file, while the horde goes on.

SQLite makes the copy itself (`VACUUM INTO`): a read on one snapshot that no writer waits for, and
what was deleted is not in it. Of PostgreSQL all rows are read in one transaction and compared, as a
move does; so both are the same file, and either can be brought back into either.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TypeVar

from ordu.backups import BackupError
from ordu.store import ledger
from ordu.store.database import Transaction
from ordu.store.migrations import bring_up_to_date
from ordu.store.moving import MoveError, Tell, copy_whole
from ordu.store.moving import sqlite as files
from ordu.store.moving.catalog import VERSIONS, names_in, quoted
from ordu.store.sqlite import SqliteTransaction

T = TypeVar("T")


async def copy_sqlite(source: Path, target: Path) -> None:
    """Copy the books of a SQLite file; when it is cancelled, it stops in the middle.

    Raises:
        BackupError: they cannot be copied.
    """
    connection = sqlite3.connect(source, isolation_level=None, check_same_thread=False)

    def copy() -> None:
        connection.execute("VACUUM INTO ?", [str(target)])

    copying = asyncio.ensure_future(asyncio.to_thread(copy))
    try:
        await asyncio.shield(copying)
    except sqlite3.Error as error:
        raise BackupError(f"The books of {source} cannot be copied: {error}.") from error
    finally:
        if not copying.done():
            connection.interrupt()
            await asyncio.gather(copying, return_exceptions=True)
        connection.close()


async def copy_postgres(url: str, target: Path, tell: Tell) -> None:
    """Copy the books of a PostgreSQL database.

    Raises:
        BackupError: they cannot be copied.
    """
    from ordu.store import reaching  # noqa: PLC0415 - most hordes have no use for it
    from ordu.store.bridge import bridged  # noqa: PLC0415 - the same
    from ordu.store.moving import postgres  # noqa: PLC0415 - the same

    try:
        with files.draft(target) as end:
            async with postgres.served(url) as source:
                await bridged(lambda: copy_whole(source, end, tell))
    except MoveError as error:
        raise BackupError(f"The books cannot be copied: {error}") from error
    except reaching.GIVEN_UP as error:
        raise BackupError(reaching.why_not(url, error)) from error


async def read_postgres(url: str, operation: Callable[[Transaction], T]) -> T:
    """What a read of a PostgreSQL database gives.

    Raises:
        BackupError: it cannot be used.
    """
    from ordu.store import reaching  # noqa: PLC0415 - most hordes have no use for it
    from ordu.store.postgres import PostgresDatabase  # noqa: PLC0415 - the same

    database = PostgresDatabase(url, connections_max=1)
    try:
        await database.start()
        try:
            return await database.read(operation)
        finally:
            await database.stop()
    except reaching.GIVEN_UP as error:
        raise BackupError(reaching.why_not(url, error)) from error


def at_rest(path: Path) -> None:
    """Have a file of the books be one file that may be copied, without a log beside it."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")


@contextmanager
def opened(path: Path) -> Iterator[SqliteTransaction]:
    """Books in a file that nobody changes."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.row_factory = sqlite3.Row
        yield SqliteTransaction(connection)


def read(path: Path, operation: Callable[[Transaction], T]) -> T:
    """What a read of books in a file gives."""
    with opened(path) as tx:
        return operation(tx)


def rows_of(tx: Transaction) -> dict[str, int]:
    """How many rows each table has, but for the one with the version."""
    counts = {}
    for name in names_in(tx):
        row = tx.one(f"SELECT COUNT(*) AS count FROM {quoted(name)}")  # noqa: S608 - from the schema
        assert row is not None
        counts[name] = int(row["count"])
    counts.pop(VERSIONS, None)
    return counts


def prove(path: Path, rows: Mapping[str, int]) -> int:
    """Bring books that are a copy up to date and see whether they are in order; counts entries.

    Raises:
        BackupError: they are not, or are not those that were copied.
    """
    try:
        if (found := read(path, rows_of)) != dict(rows):
            wrong = sorted(name for name in {*found, *rows} if found.get(name) != rows.get(name))
            raise BackupError(f"The books do not have the rows they had in {', '.join(wrong)}.")
        bring_up_to_date(path)
        at_rest(path)
        with opened(path) as tx:
            if wrong := ledger.audit(tx):
                raise BackupError(
                    f"The books are not in order: {len(wrong)} things are wrong, the first is:"
                    f" {wrong[0]}."
                )
            return ledger.entry_count(tx)
    except sqlite3.Error as error:
        raise BackupError(f"The books cannot be read: {error}.") from error
