"""Seeds: short lives of a horde in which much goes wrong, and nothing breaks."""

import json
import os
import subprocess
import sys
from collections import Counter

import pytest

from ordu.simulation.faults import ALONE
from ordu.simulation.invariants import Invariant
from ordu.simulation.run import run_seed, run_seeds

SHARDS = 20
SEEDS = 2_000
SHORT = 35  # calls under faults; with the usual 50 all of them would take over a minute


def told(report):
    """The stories of the seeds that failed."""
    return "\n\n".join(
        "\n".join((*failure.story, failure.invariant, *failure.wrong, failure.command))
        for failure in report.failures
    )


def test_nothing_breaks_when_nothing_goes_wrong():
    report = run_seeds(range(40), calm=True)
    assert not report.failures, told(report)
    assert not report.faults


@pytest.mark.parametrize("shard", range(SHARDS))
def test_nothing_breaks_whatever_goes_wrong(shard):
    report = run_seeds(range(shard, SEEDS, SHARDS), steps=SHORT)
    assert not report.failures, told(report)
    assert report.seeds == SEEDS // SHARDS


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("shard", range(SHARDS))
def test_nothing_breaks_in_many_and_longer_lives(shard):
    first = SEEDS + shard * 500
    report = run_seeds(range(first, first + 450))
    report_of_long = run_seeds(range(first + 450, first + 500), steps=500)
    assert not report.failures, told(report)
    assert not report_of_long.failures, told(report_of_long)


def test_every_kind_of_fault_strikes_and_every_kind_of_entry_is_booked():
    fired, checked, outcome = Counter(), Counter(), Counter()
    for seed in range(600):
        world, failure = run_seed(seed)
        assert failure is None
        fired += world.stage.faults.fired
        checked += world.watch.checked
        outcome += world.outcome
        if len(fired) == len(ALONE) and len(outcome) == len(OUTCOME):
            break
    assert set(fired) == ALONE
    assert set(checked) == set(Invariant)
    assert set(outcome) == OUTCOME


OUTCOME = {
    "requests placed",
    "jobs handed out",
    *(
        f"entries of kind {kind}"
        for kind in ("settle", "transfer", "admin", "awarded", "recurring", "trust", "uptime")
    ),
}


def test_a_seed_is_the_same_life_in_every_process():
    lives = []
    for hash_seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-m", "ordu.cli", "simulate", "--seeds", "5", "--json"],
            env=os.environ | {"PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        facts = json.loads(done.stdout)
        lives.append({name: facts[name] for name in ("events", "commits", "outcome", "faults")})
    assert lives[0] == lives[1]
