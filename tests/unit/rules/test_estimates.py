"""When something starts, when it is done, what a worker could earn."""

import pytest

from ordu.rules.estimates import Before, Crew, is_sooner, starts_s, takes_s, work_in_an_hour
from ordu.rules.ranking import placed_later, rank

NOBODY = Crew(threads=0, speed=0.0, jobs_busy=0, work_busy=0.0)
IDLE = Crew(threads=2, speed=20.0, jobs_busy=0, work_busy=0.0)
BUSY = Crew(threads=2, speed=20.0, jobs_busy=2, work_busy=40.0)


@pytest.mark.parametrize(
    ("crew", "before", "expected"),
    [
        pytest.param(NOBODY, Before(), None, id="nobody"),
        pytest.param(IDLE, Before(), 0.0, id="one is free"),
        pytest.param(IDLE, Before(1, 100), 0.0, id="another takes what is before"),
        pytest.param(IDLE, Before(2, 100), 5.0, id="all take what is before"),
        pytest.param(BUSY, Before(), 2.0, id="all are at work"),
        pytest.param(BUSY, Before(1, 100), 7.0, id="at work, and something before"),
    ],
)
def test_starts(crew, before, expected):
    assert starts_s(crew, before) == expected


@pytest.mark.parametrize(
    ("crew", "before", "pictures", "expected"),
    [
        pytest.param(NOBODY, Before(), 1, None, id="nobody"),
        pytest.param(IDLE, Before(), 1, 10.0, id="one picture by one of two"),
        pytest.param(IDLE, Before(), 2, 10.0, id="two by both"),
        pytest.param(IDLE, Before(), 4, 20.0, id="four by two"),
        pytest.param(BUSY, Before(), 1, 12.0, id="after what they are at"),
        pytest.param(BUSY, Before(3, 100), 1, 17.0, id="after what is before too"),
    ],
)
def test_takes(crew, before, pictures, expected):
    assert takes_s(crew, before, pictures, 100) == expected


@pytest.mark.parametrize(
    ("then", "now", "expected"),
    [
        (None, None, False),
        (5.0, None, True),
        (5.0, 5.5, False),
        (5.0, 6.0, True),
        (6.0, 5.0, False),
    ],
)
def test_is_sooner(then, now, expected):
    assert is_sooner(then, now) is expected


@pytest.mark.parametrize(
    ("speed", "waiting", "others", "expected"),
    [
        pytest.param(10.0, 10**9, 0.0, 36_000.0, id="more waits than it can do"),
        pytest.param(10.0, 1000, 0.0, 1000.0, id="less waits"),
        pytest.param(10.0, 1000, 30.0, 250.0, id="its share"),
        pytest.param(10.0, 0, 30.0, 0.0, id="nothing waits"),
    ],
)
def test_work_in_an_hour(speed, waiting, others, expected):
    assert work_in_an_hour(speed, waiting, others) == expected


@pytest.mark.parametrize("growth", [0, 1, 50])
def test_the_rank_of_later_is_that_of_a_request_placed_then(growth):
    assert placed_later(rank(700, 10_000, growth), 5_000, growth) == rank(700, 15_000, growth)
