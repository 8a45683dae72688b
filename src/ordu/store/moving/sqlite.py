"""A SQLite file as an end of a move.

The file is taken for this program alone. SQLite refuses that while any other has the file open, so
a server that runs is noticed, and none can begin before the move is over.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from ordu.store.migrations import make_tables
from ordu.store.moving import MoveError, Values
from ordu.store.moving.catalog import Table, columns_in, names_in, quoted
from ordu.store.sqlite import PRAGMAS, SqliteTransaction

IN_USE = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})


class SqliteEnd:
    """A file in a transaction."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.name = str(path)
        self.connection = connection
        self.tx = SqliteTransaction(connection)

    def tables(self) -> list[str]:
        """The tables that are there now."""
        return names_in(self.tx)

    def columns(self, table: str) -> list[str]:
        """The columns of a table that is there."""
        return columns_in(self.tx, table)

    def create(self) -> None:
        """Make every table."""
        make_tables(self.connection)

    def put(self, table: Table, rows: Sequence[Values]) -> None:
        """Add these rows; SQLite keeps whatever PostgreSQL does."""
        columns = ", ".join(map(quoted, table.columns))
        marks = ", ".join("?" * len(table.columns))
        sql = f"INSERT INTO {table.name} ({columns}) VALUES ({marks})"
        self.connection.executemany(sql, rows)

    def finish(self, tables: Sequence[Table]) -> None:
        """Numbers go on after the highest there is by themselves."""


@contextmanager
def source(path: Path) -> Iterator[SqliteEnd]:
    """A file that is there, as it is now.

    Raises:
        MoveError: it is not there, is no database, or is in use.
    """
    if not path.exists():
        raise MoveError(f"{path} does not exist.")
    with taken(path) as connection:
        yield SqliteEnd(path, connection)


@contextmanager
def target(path: Path) -> Iterator[SqliteEnd]:
    """A file that may be made, with what is done in it committed at the end.

    Raises:
        MoveError: it cannot be made, or is in use.
    """
    was_there = path.exists()
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise MoveError(f"{path} cannot be made: {error.strerror or error}.") from error
    try:
        with taken(path) as connection:
            yield SqliteEnd(path, connection)
            connection.execute("COMMIT")
    except BaseException:
        if not was_there:
            path.unlink(missing_ok=True)
        raise


@contextmanager
def draft(path: Path) -> Iterator[SqliteEnd]:
    """A new file that counts for nothing yet: quick, and whole only at the end."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.row_factory = sqlite3.Row
        # Without a log: should anything go wrong, the whole file is thrown away.
        for pragma in ("PRAGMA journal_mode=OFF", "PRAGMA synchronous=OFF"):
            connection.execute(pragma)
        connection.execute("BEGIN")
        yield SqliteEnd(path, connection)
        connection.execute("COMMIT")


@contextmanager
def taken(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection in a transaction, to a file that no other program has open."""
    try:
        with closing(sqlite3.connect(path, isolation_level=None, timeout=0)) as connection:
            connection.row_factory = sqlite3.Row
            for pragma in ("PRAGMA locking_mode=EXCLUSIVE", *PRAGMAS, "PRAGMA busy_timeout=0"):
                connection.execute(pragma)
            connection.execute("BEGIN EXCLUSIVE")
            yield connection
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", None) in IN_USE:
            raise MoveError(
                f"{path} is in use by another program. Stop the server first, so that nothing"
                " changes while it is moved."
            ) from error
        raise MoveError(f"{path} cannot be used: {error}.") from error
