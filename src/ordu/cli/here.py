"""The horde on this machine, opened without its server."""

import sqlite3
from pathlib import Path

from ordu.cli.failures import WRONG_USAGE, Failure, extra
from ordu.settings import ServerSettings

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
