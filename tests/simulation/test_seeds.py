"""Seeds: short lives of a horde in which much goes wrong, and nothing breaks."""

import pytest

from ordu.simulation.run import run_seeds

SHARDS = 20
SEEDS = 2_000


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
    report = run_seeds(range(shard, SEEDS, SHARDS))
    assert not report.failures, told(report)
    assert report.seeds == SEEDS // SHARDS
