"""When a device will be free: whether the next job is fetched already."""

import pytest

from ordu.worker.backends import Drawing
from ordu.worker.underway import AHEAD_S, Underway

ONE_MEGAPIXELSTEP = Drawing(prompt="", width=100, height=100, steps=100)
FOUR = Drawing(prompt="", width=200, height=200, steps=100)


class Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.mark.parametrize(
    ("after_s", "share", "free_soon", "next_s"),
    [
        pytest.param(10, 0.5, 0, 10 - AHEAD_S, id="half done after 10 s: 10 s more"),
        pytest.param(10, 0.9, 1, None, id="nearly done"),
        pytest.param(10, 0.01, 0, None, id="too little done to say"),
        pytest.param(10, 0.0, 0, None, id="no progress, and nothing made before"),
        pytest.param(10, 1.5, 1, None, id="more than all of it"),
    ],
)
def test_progress_says_how_long_a_picture_still_takes(clock, after_s, share, free_soon, next_s):
    underway = Underway(clock)
    underway.begin("a", ONE_MEGAPIXELSTEP)
    clock.now_s += after_s
    underway.progress("a", share)
    assert underway.free_soon() == free_soon
    assert underway.next_free_s() == pytest.approx(next_s)


def test_without_progress_the_speed_so_far_says_it(clock):
    underway = Underway(clock)
    underway.begin("a", ONE_MEGAPIXELSTEP)
    clock.now_s += 5
    assert underway.end("a", is_made=True) == 5
    underway.begin("b", FOUR)
    assert underway.next_free_s() == 20 - AHEAD_S
    clock.now_s += 18
    assert (underway.free_soon(), underway.next_free_s()) == (1, None)
    clock.now_s += 60
    assert underway.free_soon() == 1, "late is soon"


def test_a_failure_says_nothing_about_the_speed(clock):
    underway = Underway(clock)
    underway.begin("a", ONE_MEGAPIXELSTEP)
    underway.end("a", is_made=False)
    underway.begin("b", FOUR)
    assert (underway.free_soon(), underway.next_free_s()) == (0, None)


def test_of_several_the_first_to_be_done_counts(clock):
    underway = Underway(clock)
    for name in ("a", "b", "c"):
        underway.begin(name, ONE_MEGAPIXELSTEP)
    clock.now_s += 10
    underway.progress("a", 0.5)
    underway.progress("b", 0.25)
    underway.progress("c", 0.95)
    underway.progress("gone", 0.5)
    assert underway.free_soon() == 1
    assert underway.next_free_s() == 10 - AHEAD_S
