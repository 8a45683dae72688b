"""The arithmetic of bench/scale.py: a horde's growth on paper."""

import importlib.util
import math
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

FILE = Path(__file__).parents[2] / "bench" / "scale.py"


def loaded() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bench_scale", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["bench_scale"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


scale = loaded()
COSTS = scale.Costs(
    place_ms=1,
    pop_ms=1,
    submit_ms=2,
    check_ms=0.5,
    status_ms=1,
    empty_pop_ms=0.1,
    tidings_ms=0.1,
    place_database_ms=0.5,
    pop_database_ms=0.5,
    submit_database_ms=1,
    check_database_ms=0.25,
    status_database_ms=0,
)
LOAD = scale.Load(pictures_per_s=100, polls=4, workers=1_000, empty_pops=0.5)


def test_a_process_does_its_share_of_the_calls_and_hears_of_all_others():
    size = scale.Size(processes=2, database_cores=1)
    own_ms = 50 * (1 + 1 + 2 + 4 * 0.5 + 1)
    empty_ms = 250 * 0.1
    heard_ms = 50 * 0.1
    assert scale.process_use(LOAD, size, COSTS) == pytest.approx(
        (own_ms + empty_ms + heard_ms) / 1e3
    )


def test_the_cores_of_a_database_share_its_work():
    one = scale.database_use(LOAD, scale.Size(database_cores=1), COSTS)
    assert one == pytest.approx(100 * (0.5 + 0.5 + 1 + 4 * 0.25) / 1e3)
    assert scale.database_use(LOAD, scale.Size(database_cores=4), COSTS) == pytest.approx(one / 4)


def test_shards_share_everything_but_pops_that_have_to_ask_several():
    one = scale.Size(processes=2, shards=1)
    four = scale.Size(processes=2, shards=4)
    asking = scale.Size(processes=2, shards=4, reach=4)
    assert scale.process_use(LOAD, four, COSTS) == pytest.approx(
        scale.process_use(LOAD, one, COSTS) / 4
    )
    empty_pops_s = LOAD.workers * LOAD.empty_pops / 4 / 2
    assert scale.process_use(LOAD, asking, COSTS) == pytest.approx(
        scale.process_use(LOAD, four, COSTS) + 3 * empty_pops_s * 0.1 / 1e3
    )


def test_a_part_is_full_where_its_use_would_be_whole():
    part = scale.Part("a part", 0.25)
    assert part.full_at(100) == 400


def test_what_is_most_in_use_is_full_first():
    few = scale.Size(processes=1, database_cores=64)
    quick = replace(COSTS, removed_per_s=1e6)
    assert scale.first_full(LOAD, few, quick).name == "a server process"
    assert scale.first_full(LOAD, scale.Size(processes=64, database_cores=1), quick).name == (
        "PostgreSQL's cores"
    )
    slow = replace(COSTS, removed_per_s=10)
    assert scale.first_full(LOAD, few, slow).name == "the keeper, removing requests"


@pytest.mark.parametrize(
    ("cores", "use", "times"),
    [
        pytest.param(1, 0.5, 1.0, id="one core: use / (1 - use)"),
        pytest.param(1, 0.9, 9.0, id="one core that is nearly full"),
        pytest.param(2, 0.5, 1 / 3, id="two cores: use² / (1 - use²)"),
        pytest.param(4, 1.0, math.inf, id="full"),
        pytest.param(4, 0.0, 0.0, id="idle"),
    ],
)
def test_waiting_before_several_cores(cores, use, times):
    assert scale.waiting_times(cores, use) == pytest.approx(times)


def test_a_call_takes_longer_the_busier_its_process_is_and_for_ever_when_it_is_full():
    size = scale.Size(processes=2, database_cores=8)
    little, much, too_much = (
        scale.latency_ms(replace(LOAD, pictures_per_s=rate), size, COSTS, "submit")
        for rate in (10, 200, 1_000)
    )
    assert COSTS.submit_ms < little < much < too_much == math.inf


def test_one_process_is_never_late():
    alone = scale.Size(processes=1)
    assert scale.late_ms(LOAD, alone, COSTS) == 0
    assert scale.misses(scale.taken_elsewhere(LOAD, alone, 0.0)) == (0, 0)


def test_tries_miss_as_often_as_others_have_taken_something():
    load = scale.Load(pictures_per_s=1_000, heads=5)
    mean = scale.taken_elsewhere(load, scale.Size(processes=2), late=10)
    assert mean == pytest.approx(1_000 * 0.5 * 0.010 / 5)
    first, every = scale.misses(mean)
    assert first == pytest.approx(1 - math.exp(-1))
    assert every == pytest.approx(1 - sum(math.exp(-1) / math.factorial(n) for n in range(8)))


@pytest.mark.parametrize("heads", [1, 10, 100])
def test_what_is_lived_through_is_not_worse_than_the_formula(heads):
    load = scale.Load(pictures_per_s=500, heads=heads)
    size = scale.Size(processes=4)
    most, _ = scale.misses(scale.taken_elsewhere(load, size, 8.0))
    missed, in_vain = scale.lived(load, size, 8.0, pops=20_000)
    assert 0 < missed <= most + 0.01
    assert in_vain <= missed
    if heads == 100:  # where misses are rare a process learns nothing from its own
        assert missed == pytest.approx(most, rel=0.2)
