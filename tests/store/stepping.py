"""Two transactions on two real connections, one statement at a time, in an order that is given.

Each side pauses before each of its statements and before its commit. A step lets one side run one
of them. A side that has to wait for a lock is known by what PostgreSQL says of it; the other goes
on meanwhile, and its commit lets the first go on too.
"""

import asyncio
import itertools
import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import asyncpg

from ordu.protocol.errors import Refused
from ordu.store.bridge import bridged
from ordu.store.database import Transaction
from ordu.store.postgres import SESSION, PostgresTransaction

ANSWER_S_MAX = 10.0  # a statement takes so long at most, when it does not wait for a lock
LOOK_S = 0.002  # after which PostgreSQL is asked whether a statement waits for a lock
SWITCHES_MAX = 3
SHORT_MAX = 12  # orders of the short version
ORDERS_MAX = 70  # of two short transactions all orders are taken
SAMPLE = 30  # so many more of those of long ones

Operation = Callable[[Transaction], Any]


@dataclass(frozen=True)
class Outcome:
    """How a transaction ended: what it gave, in short, or why it was refused or failed."""

    text: str
    is_broken: bool = False


def outcome_of(result: Any) -> Outcome:
    plain = result is None or isinstance(result, bool | int | str)
    return Outcome(repr(result) if plain else type(result).__name__)


class Gated:
    """A connection that waits for its turn before each statement."""

    def __init__(self, side: "Side") -> None:
        self.side = side

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self.side.connection, name)

        async def when_it_may(*arguments: Any) -> Any:
            await self.side.turn()
            return await method(*arguments)

        return when_it_may


class Side:
    """One of two transactions."""

    def __init__(self, connection: asyncpg.Connection, monitor: asyncpg.Connection) -> None:
        self.connection = connection
        self.monitor = monitor
        self.has_arrived = asyncio.Event()  # it waits for its turn, or is done
        self.may_go = asyncio.Event()
        self.is_blocked = False
        self.steps = 0
        self.outcome: Outcome | None = None
        self.task: asyncio.Task[None] | None = None

    @property
    def is_done(self) -> bool:
        return self.outcome is not None

    async def begin(self, operation: Operation) -> None:
        """Begin a transaction, up to its first statement."""
        self.steps, self.is_blocked, self.outcome = 0, False, None
        self.has_arrived.clear()
        self.may_go.clear()
        self.task = asyncio.create_task(self.run(operation))
        await self.arrive()

    async def run(self, operation: Operation) -> None:
        try:
            outcome = await self.carried_out(operation)
        except Refused as refused:
            outcome = Outcome(refused.rc)
        except Exception as error:  # noqa: BLE001 - told to the test
            outcome = Outcome(repr(error), is_broken=True)
        self.outcome = outcome
        self.has_arrived.set()

    async def carried_out(self, operation: Operation) -> Outcome:
        await self.connection.execute("BEGIN")
        try:
            result = await bridged(lambda: operation(PostgresTransaction(Gated(self))))
            await self.turn()
            await self.connection.execute("COMMIT")
        except BaseException:
            await self.connection.execute("ROLLBACK")
            raise
        return outcome_of(result)

    async def turn(self) -> None:
        """Wait until the next statement may run."""
        self.has_arrived.set()
        await self.may_go.wait()
        self.may_go.clear()
        self.steps += 1

    async def step(self) -> None:
        """Run one statement, or begin to wait for a lock."""
        self.has_arrived.clear()
        self.may_go.set()
        await self.arrive()

    async def arrive(self) -> None:
        """Wait until the statement has run, or is known to wait for a lock."""
        async with asyncio.timeout(ANSWER_S_MAX):
            while not self.has_arrived.is_set():
                with suppress(TimeoutError):
                    await asyncio.wait_for(self.has_arrived.wait(), LOOK_S)
                    break
                if await self.waits_for_a_lock():
                    self.is_blocked = True
                    return
        self.is_blocked = False

    async def waits_for_a_lock(self) -> bool:
        found: bool = await self.monitor.fetchval(
            "SELECT cardinality(pg_blocking_pids($1)) > 0", self.connection.get_server_pid()
        )
        return found


class Pair:
    """Two sides, and what is looked at from beside them."""

    def __init__(self, connections: list[asyncpg.Connection]) -> None:
        self.monitor = connections[2]
        self.sides = (Side(connections[0], self.monitor), Side(connections[1], self.monitor))

    @classmethod
    async def connected(cls, url: str) -> "Pair":
        """Two sides in this database; a circle of waiters is told soon, for it is a failure."""
        settings = SESSION | {"deadlock_timeout": "20ms"}
        return cls([await asyncpg.connect(url, server_settings=settings) for _ in range(3)])

    async def close(self) -> None:
        for each in (*(side.connection for side in self.sides), self.monitor):
            await each.close()

    async def run(self, operations: tuple[Operation, Operation], order: str) -> str:
        """Run both in this order of steps (`abab…`); returns how much of the order was free.

        Who waits for a lock waits until the other is done, so what the order says after that
        changes nothing: another order with the same beginning is the same run.
        """
        for side, operation in zip(self.sides, operations, strict=True):
            await side.begin(operation)
        for number, letter in enumerate(order):
            side = self.sides["ab".index(letter)]
            if side.is_done:
                continue
            await side.step()
            if side.is_blocked:
                await self.finish()
                return order[: number + 1]
        await self.finish()
        return order

    async def finish(self) -> None:
        """Let both come to their end."""
        while not all(side.is_done for side in self.sides):
            free = [side for side in self.sides if not side.is_done and not side.is_blocked]
            if free:
                await free[0].step()
            else:  # they wait for each other: PostgreSQL ends one of them
                await self.one_arrives()
            for side, other in (self.sides, self.sides[::-1]):
                if side.is_blocked and other.is_done:
                    await side.arrive()

    async def one_arrives(self) -> None:
        waits = [asyncio.create_task(side.has_arrived.wait()) for side in self.sides]
        done, left = await asyncio.wait(
            waits, timeout=ANSWER_S_MAX, return_when=asyncio.FIRST_COMPLETED
        )
        for each in left:
            each.cancel()
        assert done, "two transactions wait for each other, and PostgreSQL does not see it"

    @property
    def outcomes(self) -> tuple[Outcome, Outcome]:
        first, second = (side.outcome for side in self.sides)
        assert first is not None
        assert second is not None
        return first, second


# Orders


def orders(one: int, other: int, *, is_long: bool, chance: random.Random) -> list[str]:
    """In which orders the steps of two transactions are taken.

    The short version has moments at which the one can come in between the other, and mostly all of
    them. The long one has all orders of short transactions, and of long ones all with few changes
    of side and some more.
    """
    if not is_long:
        short = list(dict.fromkeys(with_switches(one, other, 2)))
        return short if len(short) <= SHORT_MAX else chance.sample(short, SHORT_MAX)
    everything = number_of_orders(one, other)
    if everything <= ORDERS_MAX:
        return list(all_orders(one, other))
    letters = list("a" * one + "b" * other)
    few = with_switches(one, other, SWITCHES_MAX)
    sample = ("".join(chance.sample(letters, len(letters))) for _ in range(SAMPLE))
    return list(dict.fromkeys([*few, *sample]))


def number_of_orders(one: int, other: int) -> int:
    found = 1
    for number in range(1, other + 1):
        found = found * (one + number) // number
    return found


def all_orders(one: int, other: int) -> Iterator[str]:
    for places in itertools.combinations(range(one + other), one):
        chosen = set(places)
        yield "".join("a" if place in chosen else "b" for place in range(one + other))


def with_switches(one: int, other: int, most: int) -> Iterator[str]:
    """All orders in which the side changes at most so often."""
    for first, second, here, there in (("a", "b", one, other), ("b", "a", other, one)):
        yield first * here + second * there
        for cut in range(1, here):
            yield first * cut + second * there + first * (here - cut)
            if most < 3:
                continue
            for cut_there in range(1, there):
                yield (
                    first * cut + second * cut_there
                    + first * (here - cut) + second * (there - cut_there)
                )  # fmt: skip
