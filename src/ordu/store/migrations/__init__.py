"""The schema's versions, and how a database is brought to the newest.

The start only reads one row; the migration library (Alembic) is loaded when that row says the
schema is behind. A version is a module in `versions/` with plain SQL; a new database is made by
running all of them, without the library. Both are one transaction: killed in the middle, it has not
happened. Here is how it is done for SQLite; `migrations.postgres` does the same for PostgreSQL.
"""

import sqlite3
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from ordu.store.sqlite import connect

NEWEST = "0010"
VERSION_TABLE = (
    "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL,"
    " CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
)


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
    if not must_change(str(path), version, may_migrate=may_migrate):
        return False
    if version is None:
        create(path)
    else:
        from ordu.store.migrations import runner  # noqa: PLC0415 - a quick start

        runner.upgrade(path)
    return True


def must_change(name: str, version: str | None, *, may_migrate: bool) -> bool:
    """Whether the database of this name has to be made or changed.

    Raises:
        SchemaError: it would have to and may not, or it was made by a newer Ordu.
    """
    if version == NEWEST:
        return False
    if version is not None and version > NEWEST:
        raise SchemaError(
            f"{name} has schema {version}, made by a newer Ordu than this one (schema {NEWEST}). "
            "Use that version, or another --data folder or --database."
        )
    if not may_migrate:
        raise SchemaError(
            f"{name} has schema {version or 'none'} and this Ordu needs {NEWEST}, but --no-migrate "
            "forbids changing it. Start once without it."
        )
    return True


def create(path: Path) -> None:
    """Make a new database, as the migration library would; that takes it half a second."""
    connection = connect(path)
    try:
        connection.execute("BEGIN IMMEDIATE")
        make_tables(connection)
        connection.execute("COMMIT")
    finally:
        connection.close()


def make_tables(connection: sqlite3.Connection) -> None:
    """Make every table in the transaction that was begun."""
    for statement in statements():
        connection.execute(statement)
    connection.execute(VERSION_TABLE)
    connection.execute("INSERT INTO alembic_version VALUES (?)", [NEWEST])


def statements() -> Iterator[str]:
    """Those of all versions, oldest first."""
    for path in sorted((Path(__file__).parent / "versions").glob("[0-9]*.py")):
        yield from import_module(f"{__name__}.versions.{path.stem}").STATEMENTS
