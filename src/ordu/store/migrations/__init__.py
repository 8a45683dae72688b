"""The schema's versions, and how a database is brought to the newest.

The start only reads one row; the migration library (Alembic) is loaded when that row says the
schema is behind. A version is a module in `versions/` with plain SQL that both databases
understand. A migration is one transaction: killed in the middle, it has not happened.
"""

import sqlite3
from pathlib import Path

NEWEST = "0004"


class SchemaError(Exception):
    """The schema is not the one this version needs, and may not or cannot be changed."""


def version_of(path: Path) -> str | None:
    """The schema version of a SQLite file; None when it is empty or not there."""
    if not path.exists():
        return None
    connection = sqlite3.connect(path)
    try:
        row = connection.execute(
            "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'alembic_version'"
        ).fetchone()
        if row is None:
            return None
        found = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    finally:
        connection.close()
    return None if found is None else str(found[0])


def bring_up_to_date(path: Path, *, may_migrate: bool = True) -> bool:
    """Make sure that the file has the newest schema; says whether anything was changed.

    Raises:
        SchemaError: it is behind and may not be migrated, or it was made by a newer Ordu.
    """
    version = version_of(path)
    if version == NEWEST:
        return False
    if version is not None and version > NEWEST:
        raise SchemaError(
            f"{path} has schema {version}, made by a newer Ordu than this one (schema {NEWEST}). "
            "Use that version, or another --data folder."
        )
    if not may_migrate:
        raise SchemaError(
            f"{path} has schema {version or 'none'} and this Ordu needs {NEWEST}, but --no-migrate "
            "forbids changing it. Start once without it."
        )
    from ordu.store.migrations import runner  # noqa: PLC0415 - a quick start

    runner.upgrade(path)
    return True
