"""Is group commit worth it on PostgreSQL? SQL of lifecycles alone, one or several to a transaction.

No server of ours: the operations of place, claim and settle as the engine has them, run as
`PostgresDatabase` runs them. One transaction for each operation, over 1 to 16 connections; against
groups of up to 4, 16 and 64 operations in one, one after the other on the same connection. There
are no savepoints: when one of a group fails, the group is rolled back and each is run again alone.
Twice as many callers wait as operations can be under way, so groups fill. Many people ask and many
are paid (`--people`): who has the same payer or owner waits for the other until its commit.

Told are lifecycles a second, and the processor time of one: of this process, and of PostgreSQL.
Then what a lifecycle leaves in the database. The ways are measured in turns.
"""

import argparse
import asyncio
import itertools
import statistics
import time
from argparse import Namespace
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import asyncpg
import msgspec
from figures import add_database, told
from home import POSTGRES, a_database, a_postgres
from load import run
from proc import cpu_s
from wishes import plain

from ordu.engine import claim, place, settle
from ordu.engine.fresh import Fresh
from ordu.engine.lanes import LaneMap, Waiting
from ordu.kinds.catalogue import Catalogue
from ordu.kinds.image.asking import wish
from ordu.protocol.errors import Refused
from ordu.protocol.requests import GenerationInput
from ordu.rules.lifecycle import Millis, RequestId, Wish
from ordu.rules.matching import Capability, Offer, WorkerId, lane_key
from ordu.rules.money import Kudos, UserId
from ordu.rules.pricing import Upfront
from ordu.settings import ServerSettings
from ordu.store import users
from ordu.store.bridge import bridged
from ordu.store.database import Transaction
from ordu.store.migrations import postgres as schema
from ordu.store.pending import Pending
from ordu.store.postgres import IN_THE_WAY, LOST, PostgresDatabase, PostgresTransaction, undo

T = TypeVar("T")

ALONE = (1, 2, 4, 8, 16)  # connections
SIZES_OF_GROUPS = (4, 16, 64)  # operations at most
FEW = (1, 2, 4)  # connections that run groups
MODELS = 20
LIFETIME_MS = 86_400_000
FIRST = 10  # the number of the first of these people
PLACE_TERMS = place.Terms(LIFETIME_MS, 1, Upfront.HEAVY)
SETTLE_TERMS = settle.Terms(0.0, Kudos(10**12), LIFETIME_MS, lambda work, elapsed_ms: False)
SIZES = """SELECT relname, pg_relation_size(oid), pg_indexes_size(oid) FROM pg_class
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY relname"""
LEFT_BY = 2_000  # lifecycles of which it is told what they leave


class Grouping(PostgresDatabase):
    """A database that runs several operations in one transaction."""

    size = 1
    groups = 0
    repeated = 0  # groups that were run again one by one

    async def begin(self, size: int, connections: int) -> None:
        """Run groups of up to so many operations from now on."""
        self.size = size
        self.queue: deque[Pending[Any]] = deque()
        self.is_due = asyncio.Event()
        loop = asyncio.get_running_loop()
        self.runners = [loop.create_task(self.run_groups()) for _ in range(connections)]

    async def end(self) -> None:
        """Run no more."""
        for each in self.runners:
            each.cancel()
        await asyncio.gather(*self.runners, return_exceptions=True)

    async def write(
        self,
        operation: Callable[[Transaction], T],
        publish: Callable[[T], None] | None = None,
        abandon: Callable[[], None] | None = None,
    ) -> T:
        """Have it run with others."""
        if self.size == 1:
            return await super().write(operation, publish, abandon)
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self.queue.append(Pending(operation, publish, abandon, future))
        self.is_due.set()
        return await future

    async def run_groups(self) -> None:
        """One connection's groups, one after the other."""
        while True:
            while not self.queue:
                self.is_due.clear()
                await self.is_due.wait()
            items = [self.queue.popleft() for _ in range(min(self.size, len(self.queue)))]
            await self.run_group(items)

    async def run_group(self, items: list[Pending[Any]]) -> None:
        """Run these in one transaction; when one fails, each in its own."""
        self.groups += 1
        async with self.connection() as connection:
            await connection.execute("BEGIN")
            try:
                for item in items:
                    tx = PostgresTransaction(connection)
                    item.result = await bridged(lambda: item.operation(tx))  # noqa: B023 - at once
                    item.touched = tx.take_touched()
                await connection.execute("COMMIT")
            except (*IN_THE_WAY, *LOST, Refused):
                await undo(connection)
                self.repeated += 1
                items = await self.one_by_one(items)
        for item in items:
            item.deliver(None, None)

    async def one_by_one(self, items: list[Pending[Any]]) -> list[Pending[Any]]:
        """Run each in a transaction of its own; nothing is left to be delivered."""
        for item in items:
            self.waiting += 1
            await self.carry_out(item)
        return []


@dataclass
class Crowd:
    """Lifecycles of so many people."""

    database: Grouping
    people: int
    wishes: list[Wish]
    fresh: Fresh = field(default_factory=Fresh)
    numbers: Any = field(default_factory=itertools.count)

    async def lifecycle(self) -> None:
        """Place, claim, settle."""
        number = next(self.numbers)
        wanted = self.wishes[number % len(self.wishes)]
        now, request_id = self.now_and_id()
        payer = UserId(FIRST + number % self.people)
        await self.database.write(
            lambda tx: place.place(tx, wanted, payer, RequestId(request_id), PLACE_TERMS, now)
        )
        waiting = a_waiting(RequestId(request_id), payer, wanted)
        taker = self.taker(number, wanted)
        claimed = await self.database.write(
            lambda tx: claim.claim(
                tx, waiting, taker, lambda *_: 1, self.fresh, self.now_and_id()[0], LIFETIME_MS
            )
        )
        assert isinstance(claimed, claim.Claimed)
        job = claimed.job
        now, entry_id = self.now_and_id()
        brought = settle.Result(job.id, str(job.seed), picture=f"{job.id}.0.webp")
        await self.database.write(
            lambda tx: settle.settle(tx, job, brought, SETTLE_TERMS, entry_id, now)
        )

    def now_and_id(self) -> tuple[Millis, str]:
        """The present moment, and an id of it."""
        now = Millis(time.time_ns() // 1_000_000)
        return now, self.fresh.id(now)

    def taker(self, number: int, wanted: Wish) -> claim.Taker:
        """A worker that can do this."""
        worker_id = WorkerId(f"worker {number % self.people}")
        requirement = wanted.requirement
        capability = Capability(
            kind=requirement.kind,
            worker_id=worker_id,
            models=requirement.models,
            pixels_max=requirement.pixels,
            features=requirement.features,
        )
        owner = UserId(FIRST + self.people + number % self.people)
        return claim.Taker(worker_id, worker_id, owner, Offer(capability=capability))


def a_waiting(request_id: RequestId, user_id: UserId, wanted: Wish) -> Waiting:
    """A request as the map has it."""
    lanes = LaneMap()
    lanes.update(
        request_id=request_id,
        user_id=user_id,
        rank=0,
        work=wanted.work,
        left=1,
        lane_key=lane_key(wanted.requirement),
        changes=0,
        requirement=wanted.requirement,
    )
    return lanes.requests[request_id]


@dataclass
class Found:
    """What was measured of one way, once each run."""

    per_s: list[float] = field(default_factory=list)
    client_us: list[float] = field(default_factory=list)
    server_us: list[float] = field(default_factory=list)
    repeated: list[float] = field(default_factory=list)  # share of the groups

    def row(self, name: str) -> str:
        """A line of the table."""
        spread = f"{told(min(self.per_s))} to {told(max(self.per_s))}"
        client, server, again = (
            statistics.median(each) for each in (self.client_us, self.server_us, self.repeated)
        )
        return (
            f"{name:<34} {told(statistics.median(self.per_s)):>7} /s ({spread:<16})"
            f" {client:6.0f} µs here {server:6.0f} µs PostgreSQL {again:5.0%} again"
        )


async def measure_one(
    given: Namespace, url: str, pid: int | None, size: int, connections: int
) -> tuple[float, float, float, float]:
    """Lifecycles a second, processor time of one here and there, and how many groups ran twice."""
    database = Grouping(url, connections_max=connections + 1)
    await database.start()
    if size > 1:
        await database.begin(size, connections)
    crowd = await a_crowd(database, given.people)
    callers = 2 * size * connections
    done = 0

    async def keep_on(until: float) -> None:
        nonlocal done
        while time.perf_counter() < until:
            await crowd.lifecycle()
            done += 1

    async def all_for(seconds: float) -> float:
        nonlocal done
        done, began = 0, time.perf_counter()
        await asyncio.gather(*(keep_on(began + seconds) for _ in range(callers)))
        return time.perf_counter() - began

    try:
        await all_for(given.seconds / 4)  # to get warm
        database.groups = database.repeated = 0
        here, there = time.process_time(), cpu_s(pid) if pid else 0
        took_s = await all_for(given.seconds)
        here, there = time.process_time() - here, (cpu_s(pid) if pid else 0) - there
        again = database.repeated / max(1, database.groups)
        return done / took_s, here / done * 1e6, there / done * 1e6, again
    finally:
        if size > 1:
            await database.end()
        await database.stop()


async def a_crowd(database: Grouping, people: int) -> Crowd:
    """People who ask for the models there are."""
    settings = ServerSettings()
    asked = [
        msgspec.json.decode(plain(models=[f"model {number}"]), type=GenerationInput)
        for number in range(MODELS)
    ]
    asker = await database.read(lambda tx: users.by_id(tx, UserId(FIRST)))
    assert asker is not None, "they were added"
    return Crowd(database, people, [wish(each, asker, settings, Catalogue()) for each in asked])


async def add_people(url: str, people: int) -> None:
    """Those who ask, those who are paid, and their workers."""
    database = PostgresDatabase(url)
    await database.start()

    def add(tx: Transaction) -> None:
        now = Millis(time.time_ns() // 1_000_000)
        for number in range(FIRST, FIRST + 2 * people):
            users.add(
                tx,
                user_id=UserId(number),
                username=f"person {number}",
                key_hash=None,
                concurrency=100_000,
                now=now,
                is_trusted=True,
            )

    await database.write(add)
    await database.stop()


async def what_is_left(url: str, people: int, many: int) -> list[str]:
    """What so many lifecycles leave in a database: log, tables and indexes, by table."""
    database = Grouping(url, connections_max=8)
    await database.start()
    crowd = await a_crowd(database, people)
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("CHECKPOINT")
        log, sizes = await look(connection)
        numbers = iter(range(many))

        async def keep_on() -> None:
            for _ in numbers:
                await crowd.lifecycle()

        await asyncio.gather(*(keep_on() for _ in range(8)))
        log_after, sizes_after = await look(connection)
    finally:
        await connection.close()
        await database.stop()
    lines = [f"{'write-ahead log, after a checkpoint':<34} {(log_after - log) / many:8,.0f} bytes"]
    for name, (table, indexes) in sizes_after.items():
        before = sizes.get(name, (0, 0))
        grown = (table - before[0]) / many, (indexes - before[1]) / many
        if sum(grown) >= 1:
            lines.append(f"{name:<34} {grown[0]:8,.0f} bytes, its indexes {grown[1]:6,.0f}")
    return lines


async def look(connection: Any) -> tuple[int, dict[str, tuple[int, int]]]:
    """How long the log is, and how large each table and its indexes are."""
    log = await connection.fetchval("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn")
    rows = await connection.fetch(SIZES)
    return int(log), {row[0]: (int(row[1]), int(row[2])) for row in rows}


async def measure(given: Namespace) -> None:
    """All ways in turns, and what is left."""
    ways = [(1, each) for each in given.alone] + list(
        itertools.product(given.groups, given.group_connections)
    )
    found: dict[tuple[int, int], Found] = {way: Found() for way in ways}
    with a_postgres(given.database) as (server, pid):
        async with a_database(server) as url:
            await schema.bring_up_to_date(url)
            await add_people(url, given.people)
            for _ in range(given.runs):
                for way in ways:
                    for values, value in zip(
                        (
                            found[way].per_s,
                            found[way].client_us,
                            found[way].server_us,
                            found[way].repeated,
                        ),
                        await measure_one(given, url, pid, *way),
                        strict=True,
                    ):
                        values.append(value)
            left = await what_is_left(url, given.people, given.left_by)
    for (size, connections), one in found.items():
        what = "one to a transaction" if size == 1 else f"up to {size} to a transaction"
        print(one.row(f"{what}, {connections} connections"))
    print("\nof each lifecycle is left:")
    print("\n".join(left))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_database(parser)
    parser.set_defaults(database=POSTGRES)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2, help="of one run of one way")
    parser.add_argument("--people", type=int, default=100, help="who ask, and as many who are paid")
    parser.add_argument("--alone", type=int, nargs="*", default=ALONE, metavar="CONNECTIONS")
    parser.add_argument("--groups", type=int, nargs="*", default=SIZES_OF_GROUPS, metavar="MANY")
    parser.add_argument("--group-connections", type=int, nargs="*", default=FEW, metavar="N")
    parser.add_argument("--left-by", type=int, default=LEFT_BY, help="lifecycles")
    run(measure(parser.parse_args()))
