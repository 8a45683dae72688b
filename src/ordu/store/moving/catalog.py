"""What a horde's tables are: asked of a new database in memory, so that it cannot be outdated."""

from dataclasses import dataclass
from graphlib import TopologicalSorter

from ordu.store.database import Transaction
from ordu.store.migrations import make_tables
from ordu.store.sqlite import SqliteTransaction, connect

VERSIONS = "alembic_version"  # made with the schema, not moved


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the newest schema."""

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]  # the columns of its primary key


def tables_of_the_schema() -> list[Table]:
    """Every table of a horde, those first that others refer to."""
    connection = connect(":memory:")
    try:
        make_tables(connection)
        tx = SqliteTransaction(connection)
        names = [name for name in names_in(tx) if name != VERSIONS]
        referred = {name: references_of(tx, name) for name in names}
        return [table_in(tx, name) for name in TopologicalSorter(referred).static_order()]
    finally:
        connection.close()


def names_in(tx: Transaction) -> list[str]:
    """The tables of a SQLite database."""
    rows = tx.all(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite!_%'"
        " ESCAPE '!' ORDER BY name"
    )
    return [row["name"] for row in rows]


def columns_in(tx: Transaction, table: str) -> list[str]:
    """The columns of a table of a SQLite database."""
    rows = tx.all("SELECT name FROM pragma_table_info(:name) ORDER BY cid", name=table)
    return [row["name"] for row in rows]


def table_in(tx: Transaction, table: str) -> Table:
    """A table of a SQLite database."""
    key = tx.all("SELECT name FROM pragma_table_info(:name) WHERE pk > 0 ORDER BY pk", name=table)
    return Table(table, tuple(columns_in(tx, table)), tuple(row["name"] for row in key))


def references_of(tx: Transaction, table: str) -> set[str]:
    """The tables whose rows must be there before those of this one."""
    rows = tx.all('SELECT "table" AS name FROM pragma_foreign_key_list(:name)', name=table)
    return {row["name"] for row in rows} - {table}


def quoted(name: str) -> str:
    """The name of a column in SQL; some are words of its own."""
    return f'"{name}"'
