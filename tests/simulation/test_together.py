"""Several servers that share a database: nothing breaks, and each check is seen to fail."""

from collections import Counter

import asyncpg
import pytest
from tests.postgres import sync
from tests.simulation.test_sabotage import broken_by
from tests.simulation.test_seeds import told

from ordu.engine.elsewhere import Elsewhere
from ordu.engine.horde import Horde
from ordu.engine.tidings import Edited, Tidings
from ordu.simulation.faults import TOGETHER
from ordu.simulation.invariants import Invariant
from ordu.simulation.run import run_seed, run_seeds
from ordu.store import workers

pytestmark = pytest.mark.timeout(300)  # on a busy machine a test may take a minute

SHARDS = 8
SEEDS = 160
SHORT = 35  # calls under faults
SEEDS_MAX = 150  # in which a mistake made on purpose has to be noticed


def notices(invariant):
    assert broken_by(run_seeds(range(SEEDS_MAX), SHORT, processes=3)) is invariant


@pytest.mark.parametrize("processes", [2, 3, 4])
def test_nothing_breaks_when_nothing_goes_wrong(processes):
    report = run_seeds(range(8), SHORT, calm=True, processes=processes)
    assert not report.failures, told(report)
    assert not report.faults
    assert report.checked[Invariant.MAP] > 100


@pytest.mark.parametrize("shard", range(SHARDS))
def test_nothing_breaks_whatever_goes_wrong(shard):
    report = run_seeds(range(shard, SEEDS, SHARDS), SHORT, processes=2 + shard % 3)
    assert not report.failures, told(report)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("shard", range(SHARDS))
def test_nothing_breaks_in_many_and_longer_lives(shard):
    first = SEEDS + shard * 400
    report = run_seeds(range(first, first + 380), processes=2 + shard % 3)
    report_of_long = run_seeds(range(first + 380, first + 400), steps=300, processes=3)
    assert not report.failures, told(report)
    assert not report_of_long.failures, told(report_of_long)


def test_every_kind_of_fault_strikes_and_every_promise_is_looked_at():
    fired, checked = Counter(), Counter()
    for seed in range(600):
        world, failure = run_seed(seed, SHORT, processes=2)
        assert failure is None
        fired += world.stage.faults.fired
        checked += world.watch.checked
        if len(fired) == len(TOGETHER):
            break
    assert set(fired) == set(TOGETHER)
    assert set(checked) == set(Invariant)


# On a real PostgreSQL


def lived_on(postgres, seeds, **how):
    """What came of these seeds on PostgreSQL."""
    url = postgres.empty()
    try:
        report = run_seeds(seeds, SHORT, database=url, **how)
    finally:
        postgres.drop(url)
    assert not report.failures, told(report)
    return report


def test_a_seed_is_the_same_life_on_postgresql(postgres):
    there = lived_on(postgres, range(6), processes=3)
    here = run_seeds(range(6), SHORT, processes=3)
    assert (there.events, there.commits, there.outcome) == (
        here.events, here.commits, here.outcome,
    )  # fmt: skip
    assert there.faults == here.faults


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("processes", [1, 2, 4])
def test_nothing_breaks_on_postgresql(postgres, processes):
    first = 1_000 * processes
    lived_on(postgres, range(first, first + 200), processes=processes)


def test_nothing_of_a_life_is_left_on_postgresql(postgres):
    url = postgres.empty()
    run_seeds(range(2), SHORT, processes=2, database=url)

    async def schemas():
        connection = await asyncpg.connect(url)
        try:
            rows = await connection.fetch("SELECT nspname FROM pg_namespace")
        finally:
            await connection.close()
        return {row["nspname"] for row in rows}

    assert not [name for name in sync(schemas()) if name.startswith("ordu")]


# Sabotage


def test_a_map_that_is_never_compared_is_noticed(monkeypatch):
    async def idle(elsewhere):
        pass

    monkeypatch.setattr(Elsewhere, "compare_page", idle)
    notices(Invariant.MAP)


def test_a_change_of_a_worker_that_is_not_told_and_not_looked_up_is_noticed(monkeypatch):
    tell = Tidings.tell

    def reserved(self, item):
        if not isinstance(item, Edited):
            tell(self, item)

    monkeypatch.setattr(Tidings, "tell", reserved)
    monkeypatch.setattr("ordu.engine.elsewhere.RARELY", 10**9)
    notices(Invariant.MAP)


def test_a_horde_without_a_keeper_is_noticed(monkeypatch):
    monkeypatch.setattr(Horde, "is_keeper", False)
    notices(Invariant.ENDS)


def test_time_that_one_process_takes_from_another_is_noticed(monkeypatch):
    monkeypatch.setattr(workers, "LONGER", ":uptime_s")
    notices(Invariant.FORWARD)


def test_a_horde_with_many_keepers_breaks_no_promise(monkeypatch):
    monkeypatch.setattr(Horde, "is_keeper", True)
    report = run_seeds(range(60), SHORT, processes=3)
    assert not report.failures, told(report)
