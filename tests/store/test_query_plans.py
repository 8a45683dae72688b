"""Every query of the hot path uses an index: none reads a table from end to end."""

import asyncio
import inspect
import json
import sqlite3
from pathlib import Path

import asyncpg
import pytest
from tests.store.exercise import WHOLE_TABLE, exercise

from ordu.store.bridge import bridged, wait
from ordu.store.migrations import bring_up_to_date
from ordu.store.postgres import PostgresTransaction, translated
from ordu.store.sqlite import SqliteTransaction, connect


class Looking:
    """Looks at the plan of every statement before it is run."""

    def look(self, sql, values):
        caller = inspect.stack()[2].function
        is_plain_insert = sql.lstrip().startswith("INSERT INTO") and "SELECT" not in sql
        if caller not in WHOLE_TABLE and not is_plain_insert:
            self.scans += [(caller, scan) for scan in self.scans_of(sql, values)]

    def run(self, sql, **values):
        self.look(sql, values)
        return super().run(sql, **values)

    def run_many(self, sql, rows):
        for row in rows[:1]:
            self.look(sql, row)
        super().run_many(sql, rows)

    def one(self, sql, **values):
        self.look(sql, values)
        return super().one(sql, **values)

    def all(self, sql, **values):
        self.look(sql, values)
        return super().all(sql, **values)


class Watching(Looking, SqliteTransaction):
    """Asks SQLite for the plans."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__(connection)
        self.scans: list[tuple[str, str]] = []

    def scans_of(self, sql, values):
        rows = self.connection.execute(f"EXPLAIN QUERY PLAN {sql}", values).fetchall()
        details = [row["detail"] for row in rows]
        return [
            detail
            for detail in details
            if detail.startswith("SCAN") and "INDEX" not in detail and "CONSTANT" not in detail
        ]


@pytest.fixture
def tx(tmp_path):
    path = tmp_path / "plans.sqlite3"
    bring_up_to_date(path)
    connection = connect(path)
    yield Watching(connection)
    connection.close()


def test_no_hot_query_reads_a_whole_table(tx):
    exercise(tx)
    assert tx.scans == []


def test_the_watcher_sees_a_whole_table_being_read(tx):
    def careless():
        tx.all("SELECT * FROM jobs WHERE model = :model", model="x")

    careless()
    assert tx.scans == [("careless", "SCAN jobs")]


# PostgreSQL

CROWD = Path(__file__).parent / "crowd.sql"
# PostgreSQL may read all requirements for this one; it is asked once, at the start of a process.
AT_THE_START = {("with_waiting", "Seq Scan on lanes")}
LITTLE = {"facts", "news", "learnt"}  # tables that are short, or read from one end


def scans(plan, is_limited=False):
    """The tables that a plan reads from end to end, in whichever order."""
    is_limited = is_limited or plan["Node Type"] == "Limit"
    kind, has_condition = plan["Node Type"], "Index Cond" in plan or "Recheck Cond" in plan
    if kind == "Seq Scan" or (kind in INDEXED and not has_condition and not is_limited):
        name = plan.get("Relation Name", plan.get("Index Name"))
        if name not in LITTLE and plan.get("Index Name") not in PARTIAL:
            yield f"{kind} on {name}"
    for part in plan.get("Plans", ()):
        yield from scans(part, is_limited)


INDEXED = {"Index Scan", "Index Only Scan", "Bitmap Index Scan"}
# Indexes that hold only what is looked for: reading one of them whole is what it is for.
PARTIAL = {
    "deliveries_waiting",
    "deliveries_waiting_of_request",
    "jobs_running",
    "requests_upfront",
    "requests_waiting",
    "requests_waiting_by_user",
    "users_by_deletion",
    "users_by_monthly",
}


class WatchingPostgres(Looking, PostgresTransaction):
    """Asks PostgreSQL for the plans."""

    def __init__(self, connection):
        super().__init__(connection)
        self.scans: list[tuple[str, str]] = []

    def scans_of(self, sql, values):
        text, names = translated(sql)
        found = self.connection.fetchval(
            f"EXPLAIN (FORMAT JSON) {text}", *(values[name] for name in names)
        )
        (explained,) = json.loads(wait(found))
        return list(scans(explained["Plan"]))


async def scans_in(url, story):
    """What is read from end to end in a story, in a horde with many rows."""
    connection = await asyncpg.connect(url)
    await connection.execute(CROWD.read_text())
    tx = WatchingPostgres(connection)
    async with connection.transaction():
        await bridged(lambda: story(tx))
    await connection.close()
    return tx.scans


def test_no_hot_query_reads_a_whole_table_of_postgresql(postgres):
    found = asyncio.run(scans_in(postgres.new(), exercise))
    assert [each for each in found if each not in AT_THE_START] == []


def test_the_watcher_sees_a_whole_table_of_postgresql_being_read(postgres):
    def careless(tx):
        tx.all("SELECT * FROM jobs WHERE model = :model", model="x")
        wait(tx.connection.execute("SET LOCAL enable_seqscan = off"))
        tx.all("SELECT id FROM requests ORDER BY id")

    assert asyncio.run(scans_in(postgres.new(), careless)) == [
        ("careless", "Seq Scan on jobs"),
        ("careless", "Index Only Scan on requests"),
    ]
