"""SQLite, and PostgreSQL with one, two and four processes: the same figures of each, in turns.

In all of them 10,000 wait in 1,000 lanes. A turn starts one horde's server, measures everything,
and stops it; then comes the next horde, and after all of them the next round. So a slow moment of
the machine is one for all, and what is not measured does not run. Commits are durable everywhere.

Lifecycles go through 64 connections, empty pops and checks through 20. Checks are of 500 of those
that wait, again and again, as clients ask. Pops with a backlog are
begun at a fixed rate, and each is placed for what was taken before. A worker waits for a request
that another process takes, where there are several; which process answers on a connection is read
from /proc.
"""

import contextlib
import itertools
import time
from argparse import Namespace
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from figures import Figure, options, p50, p99, read, tell
from fill import fill
from home import POSTGRES, SQLITE, Home, a_database, a_home, a_postgres, place_of
from lifecycle import lifecycle
from load import Connection, latencies_ms, rate, run
from pictures import Pictures
from pop_backlog import CONNECTIONS as ON_THE_WAY
from pop_backlog import OWNERS, Backlog, Load, here
from target import Target, a_server, allow_many_connections, only_ours, with_people
from wake import woken_ms
from wishes import lanes

PROCESSES = (1, 2, 4)
WAITING, LANES = 10_000, 1_000
WRITERS, READERS = 64, 20  # connections
ASKED_AFTER = 500  # requests
ROUNDS = 100  # of waking somebody, in a turn
WARM = 3  # a part of the time, as a third
LIFECYCLES, EMPTY, CHECKS = "whole lifecycles", "empty pops", "checks"
POP, WOKEN = "pop with a backlog", "placed to a waiting worker"
ELSEWHERE = "placed to a worker waiting at another process"

Work: TypeAlias = Callable[[Connection, int], Awaitable[object]]


@dataclass
class Variant:
    """One horde, and what was measured of it."""

    place: str
    home: Home
    backlog: Backlog
    values: dict[tuple[str, str], list[float]] = field(default_factory=lambda: defaultdict(list))

    def figures(self) -> list[Figure]:
        """What was measured, told with where."""
        return [
            Figure(name=f"{what}, {self.place}", unit=unit, values=values, series=self.place)
            for (what, unit), values in self.values.items()
        ]


@contextlib.asynccontextmanager
async def variants(given: Namespace) -> AsyncIterator[list[Variant]]:
    """All hordes, each with its people and its backlog; none of them runs."""
    async with contextlib.AsyncExitStack() as stack:
        server, _ = stack.enter_context(a_postgres(given.database))
        found = []
        for processes in (0, *given.many):
            folder = await stack.enter_async_context(a_home(Namespace(database=SQLITE)))
            if processes:
                database = await stack.enter_async_context(a_database(server))
                home = Home(folder.data, database, processes)
            else:
                home = folder
            place = place_of(POSTGRES, processes) if processes else "SQLite, 1 process"
            found.append(Variant(place, home, await filled(given, home)))
        yield found


async def filled(given: Namespace, home: Home) -> Backlog:
    """Give a horde people, workers, and requests that wait."""
    waiting, many_lanes = (100, 10) if given.quick else (WAITING, LANES)
    placed = int(given.per_s * given.seconds * (given.runs + 1) * 2)
    async with a_server(home) as empty:
        target = await with_people(empty, OWNERS, placed)
        bodies = lanes(many_lanes, await here(target))
    return Backlog(target, bodies, await fill(home, bodies, waiting))


async def take_turn(given: Namespace, variant: Variant, pictures: Pictures) -> None:
    """Start its server, measure everything, stop it."""
    async with a_server(variant.home) as server:
        target = server.knowing(variant.backlog.target)
        calls = Load(Backlog(target, variant.backlog.bodies, variant.backlog.ids))
        numbers = itertools.count()
        asks = calls.checks[:ASKED_AFTER]

        async def check(connection: Connection, _: int) -> None:
            await connection.ask(asks[next(numbers) % len(asks)])

        own = lifecycle(target, WRITERS, pictures, model="a model of its own")
        for name, connections, work in (
            (LIFECYCLES, WRITERS, own),
            (EMPTY, READERS, calls.pop_empty),
            (CHECKS, READERS, check),
        ):
            done = await warm_rate(given, target, connections, work)
            variant.values[name, "/s"].append(done)
        took_ms = await pops_ms(given, target, calls)
        variant.values[f"{POP}, median", "ms"].append(p50(took_ms))
        variant.values[f"{POP}, p99", "ms"].append(p99(took_ms))
        name = ELSEWHERE if target.processes > 1 else WOKEN
        rounds = 3 if given.quick else ROUNDS
        woken = [await woken_ms(target, pictures, "a model to wait for") for _ in range(rounds)]
        variant.values[f"{name}, median", "ms"].append(p50(woken))
        variant.values[f"{name}, p99", "ms"].append(p99(woken))


async def warm_rate(given: Namespace, target: Target, connections: int, work: Work) -> float:
    """How much of this is done a second, once the server is warm."""
    await rate(target.address, connections, given.seconds / WARM, work)
    return await rate(target.address, connections, given.seconds, work)


async def pops_ms(given: Namespace, target: Target, calls: Load) -> list[float]:
    """How long pops take that are given a job."""
    for seconds in (given.seconds / WARM, given.seconds):
        took_ms = await latencies_ms(
            target.address, ON_THE_WAY, given.per_s, seconds, calls.place_and_pop
        )
    return took_ms


async def measure(given: Namespace) -> list[Figure]:
    """All hordes in turns."""
    only_ours(given, "several servers have to be started for it.")
    allow_many_connections()
    pictures = Pictures(4 if given.quick else 200)
    async with variants(given) as found:
        for number in range(given.runs):
            for variant in found:
                began = time.perf_counter()
                await take_turn(given, variant, pictures)
                took_s = time.perf_counter() - began
                print(f"-- round {number + 1}, {variant.place}: {took_s:.0f} s", flush=True)
    return [figure for variant in found for figure in variant.figures()]


if __name__ == "__main__":
    parser = options(__doc__)
    parser.set_defaults(database=POSTGRES)
    parser.add_argument("--many", type=int, nargs="+", default=PROCESSES, metavar="PROCESSES")
    parser.add_argument("--per-s", type=int, default=200, help="pops with a backlog, a second")
    given = read(parser)
    tell(given, run(measure(given)))
