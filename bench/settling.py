"""What a settled job costs: SQL of lifecycles alone, this tree and another one in turns.

The operations of place, claim and settle as the engine has them, 64 at a time, and the chore that
folds statistics after every thousand, on SQLite with its group commits or on PostgreSQL
(`--database postgres`). Told is the processor time of a lifecycle: of this process, and of
PostgreSQL; and what it leaves in the database. `--beside FOLDER` measures the `src` of another
checkout as well, each in a process of its own, in turns.
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from argparse import Namespace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from home import POSTGRES, SQLITE, a_database, a_postgres
from proc import cpu_s
from transactions import FIRST, a_crowd

from ordu.rules.lifecycle import Millis
from ordu.rules.money import UserId
from ordu.store import stats, users
from ordu.store.groups import GroupedDatabase
from ordu.store.migrations import bring_up_to_date
from ordu.store.migrations import postgres as schema
from ordu.store.postgres import PostgresDatabase
from ordu.store.sqlite import Sqlite

HERE = Path(__file__).parents[1] / "src"
CALLERS = 64
FOLD_EVERY = 1_000


async def measure(database: Any, given: Namespace, pid: int | None) -> dict[str, float]:
    """Processor time and wall time of a lifecycle, in microseconds."""
    crowd = await a_crowd(database, given.people)

    async def some(lifecycles: int) -> None:
        for first in range(0, lifecycles, FOLD_EVERY):
            left = iter(range(min(FOLD_EVERY, lifecycles - first)))

            async def caller(left: Any = left) -> None:
                for _ in left:
                    await crowd.lifecycle()

            await asyncio.gather(*(caller() for _ in range(CALLERS)))
            while await database.write(stats.fold):
                pass

    await some(given.lifecycles // 4)  # to get warm, and to have some books
    here, there, began = time.process_time(), cpu_s(pid) if pid else 0, time.perf_counter()
    await some(given.lifecycles)
    each = 1e6 / given.lifecycles
    return {
        "here": (time.process_time() - here) * each,
        "there": ((cpu_s(pid) if pid else 0) - there) * each,
        "wall": (time.perf_counter() - began) * each,
    }


async def on_sqlite(given: Namespace) -> dict[str, float]:
    """On a file of its own."""
    with TemporaryDirectory(prefix="ordu-bench-") as folder:
        path = Path(folder) / "horde.sqlite3"
        bring_up_to_date(path)
        database = GroupedDatabase(Sqlite(path))
        await database.start()
        await database.write(lambda tx: add_people(tx, given.people))
        found = await measure(database, given, None)
        await database.stop()
        many = given.lifecycles + given.lifecycles // 4
        return found | {"bytes": path.stat().st_size / many}


async def on_postgres(given: Namespace) -> dict[str, float]:
    """On a server of its own."""
    with a_postgres(POSTGRES) as (server, pid):
        async with a_database(server) as url:
            await schema.bring_up_to_date(url)
            database = PostgresDatabase(url, connections_max=9)
            await database.start()
            await database.write(lambda tx: add_people(tx, given.people))
            found = await measure(database, given, pid)
            size = await database.read(
                lambda tx: tx.one("SELECT pg_database_size(current_database()) AS size")["size"]
            )
            await database.stop()
            return found | {"bytes": size / (given.lifecycles + given.lifecycles // 4)}


def add_people(tx: Any, people: int) -> None:
    """Those who ask, and those who are paid."""
    for number in range(FIRST, FIRST + 2 * people):
        users.add(
            tx,
            user_id=UserId(number),
            username=f"person {number}",
            key_hash=None,
            concurrency=100_000,
            now=Millis(time.time_ns() // 1_000_000),
            is_trusted=True,
        )
    tx.run("UPDATE users SET kudos = 1000000000")


def in_a_process(source: Path) -> dict[str, float]:
    """What is measured of one tree."""
    environment = os.environ | {"PYTHONPATH": str(source), "ORDU_BENCH_ALONE": "1"}
    done = subprocess.run(
        [sys.executable, *sys.argv], env=environment, check=True, capture_output=True, text=True
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Measure, and tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=[SQLITE, POSTGRES], default=SQLITE)
    parser.add_argument("--beside", type=Path, help="the src of another checkout")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--people", type=int, default=500)
    parser.add_argument("--lifecycles", type=int, default=8_000)
    given = parser.parse_args()
    if os.environ.get("ORDU_BENCH_ALONE"):
        way = on_sqlite if given.database == SQLITE else on_postgres
        print(json.dumps(asyncio.run(way(given))))
        return
    trees = {"this": HERE} | ({"other": given.beside.resolve()} if given.beside else {})
    found: dict[str, list[dict[str, float]]] = {name: [] for name in trees}
    for _ in range(given.runs):
        for name, source in trees.items():
            found[name].append(in_a_process(source))
    for name, values in found.items():
        for what in values[0]:
            each = [value[what] for value in values]
            low, middle, high = min(each), statistics.median(each), max(each)
            print(f"{name:<6} {what:<6} {middle:8.0f} ({low:.0f} to {high:.0f})")


if __name__ == "__main__":
    main()
