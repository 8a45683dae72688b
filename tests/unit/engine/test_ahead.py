"""What stands before a place in the order, lane by lane: as a plain sum over all would say."""

import hypothesis.strategies as st
import numpy as np
from hypothesis import given, settings
from tests.builders import a_requirement

from ordu.engine import ahead, positions
from ordu.engine.lanes import LaneMap
from ordu.rules.matching import lane_key

REQUIREMENTS = [a_requirement(pixels=64 * 64 * number) for number in range(1, 5)]


def put(lanes, number, *, rank, left=1, which=0):
    lanes.update(
        request_id=f"r{number:04}",
        user_id=1,
        rank=rank,
        work=10 + number,
        left=left,
        lane_key=lane_key(REQUIREMENTS[which]),
        requirement=REQUIREMENTS[which],
    )


requests = st.lists(
    st.tuples(st.integers(-5, 5), st.integers(1, 3), st.integers(0, 3)), max_size=30
)


@settings(deadline=None)
@given(requests, st.integers(-6, 6), st.integers(1, 5))
def test_it_agrees_with_a_plain_sum(all_of_them, rank, marks):
    lanes = LaneMap()
    before, ahead.MARKS = ahead.MARKS, marks
    try:
        for number, (its_rank, left, which) in enumerate(all_of_them):
            put(lanes, number, rank=its_rank, left=left, which=which)
        found = lanes.ahead_by_lane(rank, now=0)
        total = lanes.waiting_by_lane(now=0)
    finally:
        ahead.MARKS = before
    for lane in lanes.lanes.values():
        mine = [each for each in lane.line if each.rank >= rank]
        assert found.jobs[lane.slot] == sum(each.left for each in mine)
        assert found.work[lane.slot] == sum(each.left * each.work for each in mine)
        assert (total.jobs[lane.slot], total.work[lane.slot]) == (lane.jobs, lane.work)


def test_it_lags_a_second_where_many_wait_and_no_longer(monkeypatch):
    monkeypatch.setattr(positions, "EXACT_MAX", 0)
    lanes = LaneMap()
    everybody = np.ones(64, dtype=np.bool_)

    def waiting(now):
        return lanes.ahead_by_lane(rank=0, now=now).within(everybody)[0]

    put(lanes, 1, rank=5)
    assert waiting(0) == 1
    put(lanes, 2, rank=5, which=1)  # a new lane, of which the marks know nothing
    assert waiting(999) == 1
    assert waiting(1000) == 2
