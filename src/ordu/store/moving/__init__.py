"""Moving a whole horde from one database to another, whole or not at all.

All rows are read from one moment of the source and written in one transaction of the target, so a
move that fails or is killed has not happened. Rows go in pages, in the order of their keys, and are
then read back: for each table both sides must have the same count and the same checksum, and the
books must be in order on both, with the same totals for each user.

`move` is a plain function of two *ends*, like every operation of the store; an end that has to wait
is bridged. What there is to move is not written down anywhere: it is asked of the newest schema
(`moving.catalog`).
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

import msgspec

from ordu.store import ledger
from ordu.store.database import Transaction
from ordu.store.migrations import NEWEST
from ordu.store.moving.catalog import VERSIONS, Table, quoted, tables_of_the_schema

PAGE_ROWS = 1_000
PAGE_USERS = 100_000
NAMED_MAX = 5  # things that are named in a refusal

Values: TypeAlias = tuple[Any, ...]


class MoveError(Exception):
    """The move cannot be made, and nothing was changed."""


class End(Protocol):
    """A database in a transaction: where a horde is, or where it is to be."""

    @property
    def name(self) -> str:
        """The database, for people."""
        ...

    @property
    def tx(self) -> Transaction:
        """Its transaction."""
        ...

    def tables(self) -> list[str]:
        """The tables that are there now, but for those of extensions."""
        ...

    def columns(self, table: str) -> Sequence[str]:
        """The columns of a table that is there."""
        ...

    def create(self) -> None:
        """Make every table."""
        ...

    def put(self, table: Table, rows: Sequence[Values]) -> None:
        """Add these rows.

        Raises:
            MoveError: one of them cannot be kept here; it says which.
        """
        ...

    def finish(self, tables: Sequence[Table]) -> None:
        """Do what is to be done after the last row."""
        ...


@dataclass
class Sum:
    """How many rows were seen, and their checksum."""

    rows: int = 0
    digest: Any = field(default_factory=lambda: hashlib.blake2b(digest_size=16))

    def add(self, rows: Sequence[Values]) -> None:
        """Count these rows in; both sides see them in the same order and pages."""
        self.rows += len(rows)
        self.digest.update(msgspec.msgpack.encode(rows))

    def is_as(self, other: "Sum") -> bool:
        """Whether both have seen the same."""
        return self.rows == other.rows and bool(self.digest.digest() == other.digest.digest())


@dataclass(frozen=True)
class Moved:
    """What was moved."""

    rows: Mapping[str, int]  # by table
    entries: int
    users: int
    left: Sequence[str]  # tables of the source that are not a horde's


class Tell(Protocol):
    """Who is told how far a move is."""

    def begin(self, step: str, table: str, rows: int) -> None:
        """It is `copying` or `comparing` so many rows of this table now."""
        ...

    def advance(self, rows: int) -> None:
        """So many more of them are done."""
        ...


def move(source: End, target: End, tell: Tell) -> Moved:
    """Move everything from one end to the other; the caller commits.

    Raises:
        MoveError: it cannot be done; the caller rolls back.
    """
    tables = tables_of_the_schema()
    left = check_source(source, tables)
    make_ready(target, tables)
    rows = copy_tables(source, target, tables, tell)
    users = compare_books(source, target)
    return Moved(rows, ledger.entry_count(target.tx), users, left)


def copy_whole(source: End, target: End, tell: Tell) -> Mapping[str, int]:
    """Copy everything as it is, books in order or not, and compare it; the rows of each table.

    What a backup of PostgreSQL is. The caller commits.

    Raises:
        MoveError: it cannot be done; the caller rolls back.
    """
    tables = tables_of_the_schema()
    check_version(source)
    check_tables(source, tables)
    make_ready(target, tables)
    return copy_tables(source, target, tables, tell)


def copy_tables(source: End, target: End, tables: Sequence[Table], tell: Tell) -> Mapping[str, int]:
    """Copy these tables and read them back; how many rows each has."""
    sums = {table.name: copy(source, target, table, tell) for table in tables}
    target.finish(tables)
    for table in tables:
        compare(target, table, sums[table.name], tell)
    return {name: each.rows for name, each in sums.items()}


def check_source(source: End, tables: Sequence[Table]) -> list[str]:
    """Refuse a source that is not a horde of this version in good order.

    Returns the tables that stand beside those of a horde.
    """
    check_version(source)
    check_tables(source, tables)
    if wrong := ledger.audit(source.tx):
        raise MoveError(
            f"The books of {source.name} are not in order: {len(wrong)} things are wrong, the first"
            f" is: {wrong[0]}. `ordu audit` lists them."
        )
    ours = {table.name for table in tables}
    return [name for name in source.tables() if name not in ours and name != VERSIONS]


def check_version(end: End) -> None:
    """Refuse another schema than the newest."""
    is_horde = VERSIONS in end.tables()
    row = end.tx.one(f"SELECT version_num FROM {VERSIONS}") if is_horde else None
    if row is None:
        raise MoveError(f"{end.name} has no horde in it.")
    version = str(row["version_num"])
    if version != NEWEST:
        todo = (
            "It was made by a newer Ordu, so use that."
            if version > NEWEST
            else "Start `ordu serve` on it once, which brings it up to date."
        )
        raise MoveError(f"{end.name} has schema {version} and this Ordu moves {NEWEST}. {todo}")


def check_tables(end: End, tables: Sequence[Table]) -> None:
    """Refuse tables that have other columns than those of the schema."""
    for table in tables:
        if set(end.columns(table.name)) != set(table.columns):
            raise MoveError(f"The table {table.name} of {end.name} is not as Ordu makes it.")


def make_ready(target: End, tables: Sequence[Table]) -> None:
    """Make the tables of the target, which must be empty."""
    there = target.tables()
    if not there:
        target.create()
        return
    ours = {table.name for table in tables}
    if foreign := [name for name in there if name not in ours and name != VERSIONS]:
        raise not_empty(target, "it has other tables", foreign)
    full = [
        name for name in there if name in ours and target.tx.one(f"SELECT 1 FROM {name} LIMIT 1")
    ]
    if full:
        raise not_empty(target, "it has rows in", full)
    check_version(target)
    check_tables(target, tables)


def not_empty(target: End, why: str, names: Sequence[str]) -> MoveError:
    """The refusal of a target in which there is something."""
    shown = ", ".join(names[:NAMED_MAX]) + (", …" if len(names) > NAMED_MAX else "")
    return MoveError(
        f"{target.name} is not empty: {why} {shown}. Nothing was changed; name a new database."
    )


def copy(source: End, target: End, table: Table, tell: Tell) -> Sum:
    """Copy a table; returns what was read."""
    tell.begin("copying", table.name, count(source, table))
    total = Sum()
    for rows in pages(source.tx, table):
        target.put(table, rows)
        total.add(rows)
        tell.advance(len(rows))
    return total


def compare(target: End, table: Table, sent: Sum, tell: Tell) -> None:
    """Refuse what did not arrive as it was sent."""
    tell.begin("comparing", table.name, sent.rows)
    arrived = Sum()
    for rows in pages(target.tx, table):
        arrived.add(rows)
        tell.advance(len(rows))
    if not arrived.is_as(sent):
        raise MoveError(
            f"The table {table.name} did not arrive as it was: {sent.rows} rows were read and"
            f" {arrived.rows} are there, or something in them is different. Nothing was changed."
        )


def count(end: End, table: Table) -> int:
    """How many rows a table has."""
    row = end.tx.one(f"SELECT COUNT(*) AS count FROM {table.name}")
    assert row is not None
    return int(row["count"])


def pages(tx: Transaction, table: Table) -> Iterator[list[Values]]:
    """The rows of a table in the order of its key, so many at a time."""
    key = ", ".join(map(quoted, table.key))
    select = f"SELECT {', '.join(map(quoted, table.columns))} FROM {table.name}"
    order = f"ORDER BY {key} LIMIT {PAGE_ROWS}"
    places = [table.columns.index(name) for name in table.key]
    names = [f"key{number}" for number in range(len(places))]
    after = f"WHERE ({key}) > ({', '.join(f':{name}' for name in names)})"
    rows = [tuple(row) for row in tx.all(f"{select} {order}")]
    while rows:
        yield rows
        last = {name: rows[-1][place] for name, place in zip(names, places, strict=True)}
        rows = [tuple(row) for row in tx.all(f"{select} {after} {order}", **last)]


def compare_books(source: End, target: End) -> int:
    """Refuse when the totals of any user differ, or the books are not in order; counts users."""
    if wrong := ledger.audit(target.tx):
        raise MoveError(f"The books are not in order in {target.name}: {wrong[0]}.")
    users, after = 0, -1
    while last := last_user(source.tx, after):
        users += last[1]
        if totals(source.tx, after, last[0]) != totals(target.tx, after, last[0]):
            raise MoveError(f"The totals of the users up to {last[0]} differ. Nothing was changed.")
        after = last[0]
    return users


def last_user(tx: Transaction, after: int) -> tuple[int, int] | None:
    """The last number of the next many users, and how many they are; None after the last."""
    row = tx.one(
        "SELECT MAX(id) AS last, COUNT(*) AS count FROM"
        f" (SELECT id FROM users WHERE id > :after ORDER BY id LIMIT {PAGE_USERS}) AS page",
        after=after,
    )
    return (row["last"], row["count"]) if row and row["count"] else None


def totals(tx: Transaction, after: int, last: int) -> set[tuple[int, str, int]]:
    """What the lines of these users sum to, for each of their accounts."""
    rows = tx.all(
        "SELECT user_id, account, SUM(amount) AS total FROM lines"
        " WHERE user_id > :after AND user_id <= :last GROUP BY user_id, account",
        after=after,
        last=last,
    )
    return {(row["user_id"], row["account"], int(row["total"])) for row in rows}
