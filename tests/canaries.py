"""Canaries: texts that occur nowhere else, and where in a horde they are found.

What a horde keeps of somebody is found by looking at all it keeps: each column of each table, and
each file of its folder, whatever their names.
"""

from pathlib import Path

from ordu.engine.horde import Horde
from ordu.store.database import Transaction

TABLES = {
    "": "SELECT name FROM sqlite_master WHERE type = 'table'",
    "postgres": "SELECT table_name AS name FROM information_schema.tables"
    " WHERE table_schema = 'public'",
}


def columns_with(tx: Transaction, text: str, *, is_postgres: bool) -> set[str]:
    """The columns, as `table.column`, in which this text stands somewhere."""
    found = set()
    for table in tx.all(TABLES["postgres" if is_postgres else ""]):
        for row in tx.all(f'SELECT * FROM "{table["name"]}"'):
            for column in row.keys():  # noqa: SIM118 - a row of SQLite gives values
                if text in as_text(row[column]):
                    found.add(f"{table['name']}.{column}")
    return found


def as_text(value: object) -> str:
    """A value as it can be searched."""
    return bytes(value).decode("latin-1") if isinstance(value, bytes | memoryview) else str(value)


async def kept_in(horde: Horde, text: str) -> set[str]:
    """The columns of a horde's database in which this text stands."""
    is_postgres = horde.settings.is_postgres
    return await horde.read(lambda tx: columns_with(tx, text, is_postgres=is_postgres))


async def pictures_of(horde: Horde) -> set[str]:
    """The names of all pictures that a horde keeps."""
    return {name async for name, _ in horde.pictures.older_than(2**62)}


def files_with(folder: Path, text: str) -> set[str]:
    """The files below a folder in whose bytes this text stands, also in what was deleted."""
    return {
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and text.encode() in path.read_bytes()
    }
