"""Pops, empty pops and checks while very many wait: is a longer queue slower?

Ten to a million requests wait in up to 10,000 lanes. Workers of a mixed crowd pop at a fixed rate
and are given jobs; before each pop a request is placed like one that was taken, so that the queue
stays as it is. Of long queues they also pop while nothing is placed. Then workers pop that nothing
fits, then requests are asked after, at the same rate. Calls are begun when they are due, whether
the server keeps up or not. The first pop of each worker after a start is told by itself: the server
has to learn then what it may serve.
"""

import contextlib
import random
import time
from argparse import Namespace
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass

import msgspec
from figures import Aim, Figure, options, p50, p99, read, tell
from fill import fill
from home import a_home
from load import Connection, latencies_ms, run
from target import (
    Target,
    a_server,
    a_target,
    each,
    only_ours,
    wait_in_queue,
    with_people,
    worker_ids,
)
from wishes import UNWANTED, lane_of, lanes, offer

OWNERS = 20
WORKERS, UNABLE = 300, 100  # who may serve what waits, and who offers what nobody wants
THROUGH_THE_API = 50_000  # more than these are written through the store
CONNECTIONS = 100  # so many calls may be on the way
WITHOUT_JOB_MAX = 0.05
FIRST = "first pop of a worker after a start"
PLACING, ALONE = "pop with a job while placing", "pop with a job"
AIM = Aim(goal=10, floor=25)
AIMED_AT = 1_000_000


class Payload(msgspec.Struct):
    """What is to be drawn."""

    prompt: str = ""


class Popped(msgspec.Struct):
    """What is read of the answer to a pop."""

    id: str | None
    payload: Payload


POPPED = msgspec.json.Decoder(Popped)


@dataclass(frozen=True)
class Backlog:
    """A server in which many wait."""

    target: Target
    bodies: list[bytes]
    ids: list[str]


@contextlib.asynccontextmanager
async def a_backlog(given: Namespace, waiting: int) -> AsyncIterator[Backlog]:
    """A server with a mixed crowd of workers, and so many waiting."""
    many_lanes = min(waiting, given.lanes)
    placed = int(given.per_s * given.seconds * (given.runs + 1))
    if waiting > THROUGH_THE_API:
        only_ours(given, f"{waiting:,} waiting are written through the store")
        async with a_home(given) as home:
            async with a_server(home) as empty:
                target = await with_people(empty, OWNERS, placed)
                bodies = lanes(many_lanes, await here(target))
            ids = await fill(home, bodies, waiting)
            async with a_server(home) as filled:
                yield Backlog(filled.knowing(target), bodies, ids)
        return
    async with a_target(given, OWNERS, waiting + placed) as target:
        bodies = lanes(many_lanes, await here(target))
        yield Backlog(target, bodies, await wait_in_queue(target, bodies, waiting))


async def here(target: Target) -> list[str]:
    """Let all workers pop once, while nothing waits; their ids."""
    await each(target, [target.pop(number, **offer(number)) for number in range(WORKERS)])
    return await worker_ids(target)


class Load:
    """The calls of this backlog."""

    def __init__(self, backlog: Backlog) -> None:
        target, chance = backlog.target, random.Random(2)
        self.pops = [target.pop(number, **offer(number)) for number in range(WORKERS)]
        self.empty = [target.pop(WORKERS + number, [UNWANTED]) for number in range(UNABLE)]
        self.places = [target.place(number, body) for number, body in enumerate(backlog.bodies)]
        self.checks = [target.check(each) for each in chance.choices(backlog.ids, k=10_000)]
        self.order = chance.choices(range(WORKERS), k=10_000)  # in which the workers pop
        self.taken: deque[int] = deque()  # the lanes of which one is missing
        self.without_job = 0

    async def pop(self, connection: Connection, number: int) -> float | None:
        """Pop, and be given a job."""
        worker = self.order[number % len(self.order)]
        popped = POPPED.decode((await connection.ask(self.pops[worker])).body)
        if popped.id is None:
            self.without_job += 1
            return None
        self.taken.append(lane_of(popped.payload.prompt))
        return 0

    async def place_and_pop(self, connection: Connection, number: int) -> float | None:
        """Place what was taken before, which is not measured, and pop; how long placing took."""
        begun = time.perf_counter()
        lane = self.taken.popleft() if self.taken else number % len(self.places)
        await connection.ask(self.places[lane])
        placed = time.perf_counter()
        return None if await self.pop(connection, number) is None else placed - begun

    async def pop_empty(self, connection: Connection, number: int) -> float:
        """Pop, and be given nothing."""
        await connection.ask(self.empty[number % UNABLE])
        return 0

    async def check(self, connection: Connection, number: int) -> float | None:
        """Ask after a request, which may be drawn and gone by now where few wait."""
        answer = await connection.send(self.checks[number % len(self.checks)])
        return 0 if answer.status == 200 else None

    async def first_pops(self, connection: Connection) -> list[float]:
        """How many milliseconds the first pop of each worker takes."""
        took_ms = []
        for pop in (*self.pops, *self.empty):
            begun = time.perf_counter()
            popped = POPPED.decode((await connection.ask(pop)).body)
            took_ms.append((time.perf_counter() - begun) * 1000)
            if popped.id is not None:
                await connection.ask(self.places[lane_of(popped.payload.prompt)])
        return took_ms


async def latencies(given: Namespace, backlog: Backlog) -> dict[str, list[list[float]]]:
    """Each run's milliseconds, for every series; the first pops are one run."""
    calls = Load(backlog)
    works = {PLACING: calls.place_and_pop, "empty pop": calls.pop_empty, "check": calls.check}
    if len(backlog.ids) > THROUGH_THE_API:
        works[ALONE] = calls.pop
    found: dict[str, list[list[float]]] = {name: [] for name in works}
    address = backlog.target.address
    async with address.connections(1) as (connection,):
        found[FIRST] = [await calls.first_pops(connection)]
    for turn in range(given.runs + 1):
        for name, work in works.items():
            seconds = given.seconds if turn else given.seconds / 3  # the first is to get warm
            took_ms = await latencies_ms(address, CONNECTIONS, given.per_s, seconds, work)
            if turn:
                found[name].append(took_ms)
    with_job = sum(map(len, found[PLACING]))
    share = calls.without_job / (with_job + calls.without_job)
    assert share < WITHOUT_JOB_MAX, f"{share:.0%} of the pops were given no job"
    return found


async def measure(given: Namespace) -> list[Figure]:
    """Every length of the queue."""
    figures: list[Figure] = []
    for waiting in [10, 100] if given.quick else given.waiting:
        async with a_backlog(given, waiting) as backlog:
            found = await latencies(given, backlog)
        where = f"{waiting:,} waiting in {len(backlog.bodies):,} lanes"
        for series, runs in found.items():
            rate = "" if series == FIRST else f", at {given.per_s}/s"
            figures += told(series, f"{series}, {where}{rate}", waiting, runs)
    return figures


def told(series: str, name: str, waiting: int, runs: list[list[float]]) -> list[Figure]:
    """The median and the 99th percentile of these runs."""
    is_aimed_at = series in {ALONE, PLACING} and waiting == AIMED_AT
    return [
        Figure(
            name=f"{name}: {what}",
            unit="ms",
            values=[of(took_ms) for took_ms in runs],
            aim=AIM if is_aimed_at and what == "p99" else None,
            series="" if series == FIRST else f"{series}, {what}",
            waiting=waiting,
        )
        for what, of in (("median", p50), ("p99", p99))
    ]


if __name__ == "__main__":
    parser = options(__doc__)
    parser.add_argument("--per-s", type=int, default=500, help="calls begun a second")
    parser.add_argument("--lanes", type=int, default=10_000)
    parser.add_argument(
        "--waiting", type=int, nargs="+", default=[10, 1_000, 100_000, 1_000_000], metavar="N"
    )
    given = read(parser)
    tell(given, run(measure(given)))
