"""What a backup costs a horde that is busy, and how long a backup and its way back take.

A horde with waiting requests and three lines of the books for each goes through whole lifecycles
all the time. `ordu backup` runs beside it again and again, in turns with as long a time without;
then the last backup is proved and brought back. Load, server and backup share the machine.
"""

import asyncio
import contextlib
import shutil
import sys
import time
from argparse import Namespace
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from figures import Figure, options, p99, read, tell
from home import SQLITE, Home, a_home
from lifecycle import lifecycle
from load import Connection, run
from move import filled, moved
from pictures import Pictures
from target import Target, a_server, only_ours, with_people

CONNECTIONS = 16
PICTURES = 200
WARM_UP_S = 2.0
SETTLE_S = 1.0


class Done(NamedTuple):
    """A lifecycle that was gone through."""

    at: float
    took_s: float


@dataclass
class Found:
    """What was measured."""

    rates: dict[bool, list[float]] = field(default_factory=lambda: {False: [], True: []})
    slowest: dict[bool, list[float]] = field(default_factory=lambda: {False: [], True: []})
    backup_s: list[float] = field(default_factory=list)


async def measure(given: Namespace) -> list[Figure]:
    """In turns with and without, then the way back."""
    only_ours(given, "a backup is made where the horde is.")
    found = Found()
    async with a_home(given) as home:
        rows = await asyncio.to_thread(fill, home, 500 if given.quick else given.requests)
        place = home.data.parent / f"{home.data.name}-backup"
        try:
            async with a_server(home) as server:
                target = await with_people(server, 5, 0)
                async with busy(given, target) as done:
                    for _ in range(given.runs):
                        await both(home, place, done, found)
            size_mb = sum(each.stat().st_size for each in place.rglob("*.*")) / 1e6
            check_s = await ordu("restore", "--check", str(place))
            back = home.data.parent / f"{home.data.name}-back"
            restore_s = await ordu("restore", str(place), "--to", str(back))
            shutil.rmtree(back)
        finally:
            shutil.rmtree(place, ignore_errors=True)
    what = f"{rows:,} rows and pictures, {size_mb:.0f} MB"
    return figures(found, what, check_s, restore_s)


def fill(home: Home, requests: int) -> int:
    """Fill the books of a horde; how many rows they have."""
    file = home.data / "horde.sqlite3"
    rows = filled(file, requests, is_offered=False)  # what waits goes on waiting
    if home.database:
        moved(file, home.database)
        file.unlink()
    return rows


@contextlib.asynccontextmanager
async def busy(given: Namespace, target: Target) -> AsyncIterator[list[Done]]:
    """Lifecycles that go on all the time, each as it is done."""
    work = lifecycle(target, given.connections, Pictures(4 if given.quick else PICTURES))
    done: list[Done] = []

    async def go_on(connection: Connection, number: int) -> None:
        while True:
            began = time.perf_counter()
            await work(connection, number)
            now = time.perf_counter()
            done.append(Done(now, now - began))

    async with target.address.connections(given.connections) as opened:
        tasks = [asyncio.create_task(go_on(each, number)) for number, each in enumerate(opened)]
        await asyncio.sleep(WARM_UP_S)
        try:
            yield done
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            for task in tasks:
                if not task.cancelled():
                    task.result()


async def both(home: Home, place: Path, done: list[Done], found: Found) -> None:
    """A backup, and as long without one, in turns which comes first."""
    shutil.rmtree(place, ignore_errors=True)
    with window(done, found, is_backed_up=True):
        database = ("--database", home.database) if home.database else ()
        took_s = await ordu("backup", str(place), "--data", str(home.data), *database)
    found.backup_s.append(took_s)
    await asyncio.sleep(SETTLE_S)
    with window(done, found, is_backed_up=False):
        await asyncio.sleep(took_s)


@contextlib.contextmanager
def window(done: list[Done], found: Found, *, is_backed_up: bool) -> Iterator[None]:
    """A time of which it is counted what was done."""
    first, began = len(done), time.perf_counter()
    yield
    took_s = time.perf_counter() - began
    some = [each.took_s * 1000 for each in done[first:]]
    found.rates[is_backed_up].append(len(some) / took_s)
    found.slowest[is_backed_up].append(p99(some))


async def ordu(*words: str) -> float:
    """How long a command takes, in seconds."""
    began = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "ordu.cli", *words, stdout=asyncio.subprocess.DEVNULL
    )
    assert await process.wait() == 0, "the command failed; run it by hand to see why"
    return time.perf_counter() - began


def figures(found: Found, what: str, check_s: float, restore_s: float) -> list[Figure]:
    """What was measured, for people."""
    share = [
        100 * (1 - busy_rate / free)
        for busy_rate, free in zip(found.rates[True], found.rates[False], strict=True)
    ]
    return [
        Figure(name="lifecycles, no backup beside", unit="/s", values=found.rates[False]),
        Figure(name="lifecycles while a backup is made", unit="/s", values=found.rates[True]),
        Figure(name="fewer lifecycles while a backup is made", unit="%", values=share),
        Figure(name="lifecycle, 99th, no backup", unit="ms", values=found.slowest[False]),
        Figure(name="lifecycle, 99th, while backed up", unit="ms", values=found.slowest[True]),
        Figure(name=f"ordu backup, busy, {what}", unit="s", values=found.backup_s),
        Figure(name="ordu restore --check of it", unit="s", values=[check_s]),
        Figure(name="ordu restore of it", unit="s", values=[restore_s]),
    ]


def main() -> None:
    parser = options(__doc__, connections=CONNECTIONS)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.set_defaults(database=SQLITE)
    given = read(parser)
    tell(given, run(measure(given)))


if __name__ == "__main__":
    main()
