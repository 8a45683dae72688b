"""The horde on this machine, opened without its server."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ordu.cli.failures import WRONG_USAGE, Failure, extra
from ordu.settings import ServerSettings

if TYPE_CHECKING:
    from ordu.store.database import Transaction

T = TypeVar("T")

WHERE = ("data", "database")  # the settings that say where a horde is


def database_here(settings: ServerSettings) -> Path:
    """The database of the horde that is here already; its schema is the one we know."""
    with extra("server"):
        from ordu.store.migrations import NEWEST
    path = settings.database_path()
    if not path.exists():
        raise Failure(
            f"There is no horde here: {path} does not exist. Say where it is with --data;"
            " the first `ordu serve` makes one.",
            WRONG_USAGE,
        )
    version = schema_of(path)
    if version != NEWEST:
        raise Failure(
            f"{path} has schema {version or 'none'} and this Ordu needs {NEWEST}; `ordu serve`"
            " brings an older one up to date when it starts.",
            WRONG_USAGE,
        )
    return path


def schema_of(path: Path) -> str | None:
    """The schema version of a database; None where there is none yet."""
    from ordu.store.migrations import version_of

    try:
        return version_of(path)
    except sqlite3.DatabaseError as error:
        raise Failure(f"{path} cannot be used as a database: {error}.", WRONG_USAGE) from error


def read_here(path: Path, operation: Callable[["Transaction"], T]) -> T:
    """What a read of the horde's database gives, of one moment."""
    from ordu.store.sqlite import Sqlite

    database = Sqlite(path)
    try:
        return database.read(operation)
    finally:
        database.close()


def change_here(path: Path, operation: Callable[["Transaction"], T]) -> T:
    """What a change of the horde's database gives, once it is durable; also beside its server."""
    from ordu.store.groups import Busy
    from ordu.store.sqlite import SqliteWriter, connect

    writer = SqliteWriter(connect(path))
    try:
        result = operation(writer.begin())
        writer.commit()
    except (sqlite3.OperationalError, Busy) as error:
        raise Failure(f"{path} cannot be changed now: {error}.") from error
    finally:
        writer.rollback()
        writer.close()
    return result
