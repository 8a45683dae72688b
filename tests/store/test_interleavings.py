"""All orders of each pair of verbs, step by step on real connections: as if one after the other.

No two of them wait for each other in a circle, no change is lost, and what comes of both is what
comes of one after the other. `make test` takes each moment at which the one can come in between the
other; the long version takes all orders of short pairs and a sample of those of long ones.
"""

import asyncio
import itertools
import json
import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.postgres import PostgresServer
from tests.store.stepping import Operation, Outcome, Pair, orders
from tests.store.verbs import VERBS, operation_of, set_scene

from ordu.simulation import invariants
from ordu.store.bridge import bridged
from ordu.store.database import Transaction
from ordu.store.postgres import PostgresTransaction

PAIRS = list(itertools.combinations_with_replacement(VERBS, 2))
VACUUM_EVERY = 500  # runs: what they leave behind makes the tables long
TAX = 0.1
CLAIMS = {"claim", "claim_three"}

State = tuple[tuple[str, str], ...]
Ended = tuple[State, tuple[Outcome, Outcome]]

COUNTED: dict[str, int] = {"runs": 0, "waits": 0}


class Stage:
    """A database with the scene in it, which each run begins with."""

    def __init__(self, url: str) -> None:
        self.runner = asyncio.Runner()
        self.pair = self.runner.run(Pair.connected(url))
        self.tables: list[str] = []
        self.reset = ""
        self.good: set[State] = set()  # states in which everything is as it must be
        self.runner.run(self.keep_scene())

    def close(self) -> None:
        self.runner.run(self.pair.close())
        self.runner.close()

    async def keep_scene(self) -> None:
        monitor = self.pair.monitor
        async with monitor.transaction():
            await bridged(lambda: set_scene(PostgresTransaction(monitor)))
        rows = await monitor.fetch(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
            " AND tablename <> 'alembic_version'"
        )
        first = ("facts", "users", "workers", "lanes", "requests", "jobs", "entries", "lines")
        names = {row["tablename"] for row in rows}
        self.tables = [*first, *sorted(names - set(first))]
        await monitor.execute("CREATE SCHEMA scene")
        for each in self.tables:
            await monitor.execute(f"CREATE TABLE scene.{each} AS TABLE public.{each}")
        gone = "".join(f"DELETE FROM {each};" for each in reversed(self.tables))
        back = "".join(f"INSERT INTO {each} SELECT * FROM scene.{each};" for each in self.tables)
        self.reset = f"BEGIN;{gone}{back}COMMIT;"

    async def ran(self, operations: tuple[Operation, Operation], order: str) -> tuple[str, Ended]:
        """Run both in this order from the scene on; how much of the order was free, and the end."""
        COUNTED["runs"] += 1
        if COUNTED["runs"] % VACUUM_EVERY == 0:
            await self.pair.monitor.execute("VACUUM")
        await self.pair.monitor.execute(self.reset)
        free = await self.pair.run(operations, order)
        COUNTED["waits"] += free != order
        state = await self.state()
        if state not in self.good:
            wrong = await bridged(lambda: wrong_in(PostgresTransaction(self.pair.monitor)))
            assert wrong == [], (order, wrong)
            self.good.add(state)
        return free, (state, self.pair.outcomes)

    async def state(self) -> State:
        """Every row of every table; of statistics the sums, however far they are folded."""
        others = [each for each in self.tables if each not in ("learnt", "totals")]
        parts = [f"SELECT '{each}' AS name, t::text AS row FROM {each} AS t" for each in others]
        rows = await self.pair.monitor.fetch(" UNION ALL ".join(parts))
        found = [(row["name"], row["row"]) for row in rows]
        return tuple(sorted([*found, *await self.statistics()]))

    async def statistics(self) -> list[tuple[str, str]]:
        monitor = self.pair.monitor
        sums: dict[tuple[str, str], int] = {}
        for row in await monitor.fetch("SELECT subject, name, amount FROM totals"):
            sums[row["subject"], row["name"]] = row["amount"]
        for row in await monitor.fetch("SELECT deltas FROM learnt"):
            for subject, name, amount in json.loads(row["deltas"]):
                sums[subject, name] = sums.get((subject, name), 0) + amount
        return [("statistics", f"{key}: {amount}") for key, amount in sums.items()]


def wrong_in(tx: Transaction) -> list[str]:
    """What must be true at every moment, and is not."""
    return [
        *invariants.books(tx),
        *invariants.floors(tx),
        *invariants.settlements(tx, TAX),
        *invariants.counts(tx),
        *invariants.assignments(tx),
        *lanes_without_requirement(tx),
    ]


def lanes_without_requirement(tx: Transaction) -> list[str]:
    rows = tx.all("SELECT id FROM requests WHERE lane_key NOT IN (SELECT lane_key FROM lanes)")
    return [f"request {row['id']} has no requirement" for row in rows]


@pytest.fixture(scope="session")
def stage(postgres: PostgresServer) -> Iterator[Stage]:
    made = Stage(postgres.new())
    yield made
    made.close()


@dataclass
class Serial:
    """What comes of two verbs one after the other, in either order."""

    ends: list[Ended] = field(default_factory=list)
    steps: tuple[int, int] = (0, 0)


async def one_after_the_other(stage: Stage, operations: Any) -> Serial:
    found = Serial()
    for order in ("a" * 99 + "b" * 99, "b" * 99 + "a" * 99):
        _, ended = await stage.ran(operations(), order)
        assert not any(outcome.is_broken for outcome in ended[1]), ended[1]
        steps = tuple(side.steps for side in stage.pair.sides)
        found.steps = (max(found.steps[0], steps[0]), max(found.steps[1], steps[1]))
        found.ends.append(ended)
    return found


async def passed_over(stage: Stage, names: tuple[str, str]) -> list[Ended]:
    """What comes of a pair when a claim passes over the row that the other has locked."""
    allowed = []
    for number, name in enumerate(names):
        if name in CLAIMS:
            nothing: Operation = lambda tx: tx.one("SELECT 1")  # noqa: E731
            both = [operation_of(each, side) for side, each in enumerate(names)]
            both[number] = nothing
            _, (state, outcomes) = await stage.ran((both[0], both[1]), "")
            pair = list(outcomes)
            pair[number] = Outcome("Missed")
            allowed.append((state, (pair[0], pair[1])))
    return allowed


async def explore(stage: Stage, names: tuple[str, str], *, is_long: bool) -> None:
    """Run a pair in its orders; each must end as one after the other does."""

    def both() -> tuple[Operation, Operation]:
        return operation_of(names[0], 0), operation_of(names[1], 1)

    serial = await one_after_the_other(stage, both)
    allowed = [*serial.ends, *await passed_over(stage, names)]
    decided: list[str] = []  # beginnings after which a side waited: the rest changes nothing
    wrong = []
    for order in orders(*serial.steps, is_long=is_long, chance=random.Random(str(names))):
        if any(order.startswith(each) for each in decided):
            continue
        free, ended = await stage.ran(both(), order)
        if free != order:
            decided.append(free)
        if ended not in allowed:
            wrong.append(told(free, ended, allowed))
    assert wrong == [], f"{len(wrong)} orders, the first of them: {wrong[0]}"


def told(order: str, ended: Ended, allowed: list[Ended]) -> str:
    """An order that ended otherwise, and what is otherwise."""
    state, outcomes = ended
    differences = [
        f"not as {[each.text for each in theirs]}: too much {sorted(set(state) - set(other))},"
        f" missing {sorted(set(other) - set(state))}"
        for other, theirs in allowed
    ]
    return "\n".join([f"{order}: {[each.text for each in outcomes]}", *differences])


@pytest.mark.parametrize("names", PAIRS, ids=" and ".join)
def test_two_verbs_end_as_one_after_the_other(stage: Stage, names: tuple[str, str]) -> None:
    stage.runner.run(explore(stage, names, is_long=False))


@pytest.mark.slow
@pytest.mark.parametrize("names", PAIRS, ids=" and ".join)
def test_two_verbs_end_as_one_after_the_other_in_all_orders(
    stage: Stage, names: tuple[str, str]
) -> None:
    stage.runner.run(explore(stage, names, is_long=True))


# That it would be seen


def careless(tx: Transaction) -> None:
    """Reads what it changes without a lock."""
    kudos = tx.one("SELECT evaluating_kudos AS kudos FROM users WHERE id = 8")
    assert kudos is not None
    tx.run("UPDATE users SET evaluating_kudos = :more WHERE id = 8", more=kudos["kudos"] + 1)


def the_other_way(first: int, second: int) -> Operation:
    def operation(tx: Transaction) -> None:
        for user_id in (first, second):
            tx.run("UPDATE users SET concurrency = concurrency + 1 WHERE id = :id", id=user_id)

    return operation


@pytest.mark.parametrize(
    ("both", "seen"),
    [
        pytest.param((careless, careless), "missing", id="a change that is lost"),
        pytest.param((the_other_way(5, 6), the_other_way(6, 5)), "deadlock", id="a circle"),
    ],
)
def test_what_goes_wrong_is_seen(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, both: tuple[Operation, Operation], seen: str
) -> None:
    monkeypatch.setattr(sys.modules[__name__], "operation_of", lambda _, side: both[side])
    monkeypatch.setattr(sys.modules[__name__], "wrong_in", lambda _: [])
    with pytest.raises(AssertionError, match=seen):
        stage.runner.run(explore(stage, ("one", "other"), is_long=True))
