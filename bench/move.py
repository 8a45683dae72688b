"""How long `ordu move` takes to bring a horde to PostgreSQL and back, and how much memory it has.

A horde with waiting requests and three lines of the books for each. The database is one of the
development environment, made for this with the durability it has in production; `--to` names
another, which must be empty.
"""

import argparse
import asyncio
import os
import sqlite3
import sys
import time
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from figures import Figure, read, tell
from fill import fill
from home import SETTINGS, SQLITE, Home
from wishes import lanes

from ordu.store.migrations import bring_up_to_date

LANES = 1_000
# Half as many entries again as there are requests, each with two lines.
BOOKS = """
CREATE TEMP TABLE n AS WITH RECURSIVE n (i) AS
    (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {entries}) SELECT i FROM n;
INSERT INTO entries (id, event, created_at)
    SELECT printf('%036d', i), 'earned by ' || i, 1760000000000 + i FROM n;
INSERT INTO lines (entry_id, number, account, user_id, amount, action)
    SELECT printf('%036d', i), 0, 'mint', NULL, -700, 'accumulated' FROM n;
INSERT INTO lines (entry_id, number, account, user_id, amount, action)
    SELECT printf('%036d', i), 1, 'user', (SELECT MIN(id) FROM users) + i % {users}, 700,
    'accumulated' FROM n;
UPDATE users SET kudos =
    (SELECT COALESCE(SUM(amount), 0) FROM lines WHERE user_id = users.id AND account = 'user');
"""


def measure(given: Namespace) -> list[Figure]:
    """There and back, each once a run."""
    there, back, memory = [], [], []
    for _ in range(given.runs):
        with TemporaryDirectory(prefix="ordu-bench-") as folder, a_database(given) as url:
            file = Path(folder) / "horde.sqlite3"
            rows = filled(file, 500 if given.quick else given.requests)
            for places, speeds in (((file, url), there), ((url, file.with_name("back")), back)):
                seconds, megabytes = moved(*places)
                speeds.append(rows / seconds)
                memory.append(megabytes)
    return [
        Figure(name=f"rows moved from SQLite to PostgreSQL, {rows:,}", unit="/s", values=there),
        Figure(name=f"rows moved back, {rows:,}", unit="/s", values=back),
        Figure(name="memory of a move", unit="MB", values=memory),
    ]


@contextmanager
def a_database(given: Namespace) -> Iterator[str]:
    """An empty PostgreSQL database."""
    if given.to:
        yield given.to
        return
    from tests.postgres import PostgresServer  # noqa: PLC0415 - not where one is named

    server = PostgresServer(SETTINGS)
    try:
        yield server.empty()
    finally:
        server.stop()


def filled(file: Path, requests: int, *, is_offered: bool = True) -> int:
    """Make a horde with so many requests for models that are offered, or not; its rows."""
    bring_up_to_date(file)
    asyncio.run(
        fill(Home(file.parent), lanes(min(LANES, requests), [], is_offered=is_offered), requests)
    )
    connection = sqlite3.connect(file)
    users = connection.execute("SELECT COUNT(*) FROM users").fetchone()[0]
    connection.executescript(BOOKS.format(entries=requests * 3 // 2, users=users))
    tables = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'alembic_version'"
    ).fetchall()
    rows = sum(
        connection.execute(f"SELECT COUNT(*) FROM {name}").fetchone()[0] for (name,) in tables
    )
    connection.close()
    return int(rows)


def moved(source: object, target: object) -> tuple[float, float]:
    """Seconds that the command took, and the most megabytes it had."""
    urls = [
        f"sqlite:///{each}" if isinstance(each, Path) else str(each) for each in (source, target)
    ]
    words = [sys.executable, "-m", "ordu.cli", "move", "--from", urls[0], "--to", urls[1]]
    begun = time.perf_counter()
    with Path(os.devnull).open("w") as nothing:
        quiet = [(os.POSIX_SPAWN_DUP2, nothing.fileno(), number) for number in (1, 2)]
        process = os.posix_spawn(sys.executable, words, os.environ, file_actions=quiet)
        _, status, usage = os.wait4(process, 0)
    assert os.waitstatus_to_exitcode(status) == 0, "the move failed; run it by hand to see why"
    return time.perf_counter() - begun, usage.ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--to", help="an empty PostgreSQL database; without it, one is made")
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--seconds", type=float, help=argparse.SUPPRESS)
    parser.add_argument("--quick", action="store_true", help="only see whether it works")
    parser.add_argument("--figures", type=Path, help="write the figures into this file")
    parser.set_defaults(database=SQLITE, processes=1, url=None)  # each figure names its own
    given = read(parser)
    if given.to:
        given.runs = 1  # then it is not empty any more
    tell(given, measure(given))


if __name__ == "__main__":
    main()
