"""What stands before a request, for any set of workers: as a plain sum over all would say."""

import random

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from tests.builders import a_capability, a_requirement

from ordu.engine import lanes as lanes_module
from ordu.engine import positions, served
from ordu.engine.lanes import LaneMap
from ordu.rules.matching import lane_key, why_not

REQUIREMENTS = [
    a_requirement(),
    a_requirement(models=frozenset({"sdxl"})),
    a_requirement(pixels=2**24),
    a_requirement(workers_allowed=frozenset({"w2"})),
    *(a_requirement(pixels=64 * number) for number in range(1, 6)),
]
CAPABILITIES = [
    a_capability(),
    a_capability(worker_id="w2"),
    a_capability(models=frozenset({"sdxl", "stable_diffusion"}), pixels_max=2**24),
    a_capability(pixels_max=64 * 3),
]


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Blocks of four, room for few rows, one slot at first and for each lane: all of it happens."""
    monkeypatch.setattr(positions, "BLOCK_ENTRIES", 4)
    monkeypatch.setattr(positions, "ROW_NUMBERS_MAX", 64)
    monkeypatch.setattr(positions, "FIRST_SLOTS", 1)
    monkeypatch.setattr(positions, "FIRST_ROWS", 2)
    monkeypatch.setattr(served, "MASKS_MAX", 2)
    monkeypatch.setattr(lanes_module, "VACANT_MAX", 1)


def put(lanes, number, *, rank=0, left=1, which=0):
    lanes.update(
        request_id=f"r{number:04}",
        user_id=1,
        rank=rank,
        work=10 + number,
        left=left,
        lane_key=lane_key(REQUIREMENTS[which]),
        requirement=REQUIREMENTS[which],
    )


def told(lanes, step):
    """Go one step of a story: it comes, it changes, or it goes; its rank and lane do not change."""
    number, left, rank, which = step
    known = lanes.requests.get(f"r{number:04}")
    if known is not None:
        rank, which = known.rank, REQUIREMENTS.index(known.lane.requirement)
    put(lanes, number, rank=rank, left=left, which=which)


def plainly(lanes, order, capabilities):
    """Pictures and work before this, counted one by one."""
    before = [
        each
        for each in lanes.requests.values()
        if each.order < order
        and any(why_not(each.lane.requirement, can) is None for can in capabilities)
    ]
    return sum(each.left for each in before), sum(each.left * each.work for each in before)


def check_sums(lanes):
    """The blocks hold all, in order and not too loosely, and the rows are what goes before each."""
    where = lanes.positions
    assert where.many == len(lanes.requests) == sum(map(len, where.blocks))
    assert where.lows == sorted(where.lows)
    assert len(where.rows.jobs) * where.slots <= max(2 * where.slots, positions.ROW_NUMBERS_MAX)
    sums = np.zeros((2, where.slots))
    rows = [block.row for block in where.blocks]
    assert rows == where.order.tolist()
    assert sorted(rows + where.free) == list(range(len(where.rows.jobs)))
    for block, following in zip(where.blocks, [*where.blocks[1:], None], strict=True):
        orders = list(zip(block.ranks.tolist(), block.ids, strict=False))
        assert all(block.low <= each for each in orders)
        assert following is None or all(each < following.low for each in orders)
        assert len(block.ranks) == where.room
        assert (np.array(where.sums_before(block)) == sums).all()
        sums += np.array(block.by_lane(where.slots))
    assert (np.array(where.total) == sums).all()


steps = st.lists(
    st.tuples(
        st.integers(0, 40),  # request
        st.integers(0, 3),  # pictures that wait now
        st.integers(-3, 3),  # rank
        st.integers(0, len(REQUIREMENTS) - 1),
    ),
    max_size=150,
)
sets = st.lists(st.frozensets(st.sampled_from(CAPABILITIES)), min_size=1, max_size=3)


@settings(deadline=None)
@given(steps, sets, st.integers(1, 20))
def test_it_agrees_with_a_plain_count_after_any_history(story, able, pause):
    lanes = LaneMap()
    for moment, step in enumerate(story, start=1):
        told(lanes, step)
        if moment % pause and moment < len(story):
            continue
        check_sums(lanes)
        for waiting in lanes.requests.values():
            for capabilities in able:
                found = lanes.ahead_of(waiting, capabilities)
                assert found == plainly(lanes, waiting.order, capabilities)


@pytest.mark.parametrize("seed", range(3))
def test_it_agrees_where_hundreds_come_and_go(seed):
    chance, lanes = random.Random(seed), LaneMap()
    for phase, more in enumerate((0.8, 0.2, 0.8, 0.05)):
        for number in range(phase * 1000, phase * 1000 + 400):
            if chance.random() < more or not lanes.requests:
                rank = chance.choice((-number, -number, chance.randint(-4000, 0)))
                which = chance.randrange(len(REQUIREMENTS))
                put(lanes, number, rank=rank, left=chance.randint(1, 3), which=which)
            else:
                gone = chance.choice(list(lanes.requests.values()))
                lanes.remove(gone)
        check_sums(lanes)
        for waiting in lanes.requests.values():
            for able in (frozenset(CAPABILITIES[:1]), frozenset(CAPABILITIES[1:3])):
                assert lanes.ahead_of(waiting, able) == plainly(lanes, waiting.order, able)


@settings(deadline=None)
@given(steps, st.integers(-4, 4))
def test_by_lane_agrees_with_a_plain_count(story, rank):
    lanes = LaneMap()
    for step in story:
        told(lanes, step)
    found, total = lanes.ahead_by_lane(rank), lanes.waiting_by_lane()
    for lane in lanes.lanes.values():
        mine = [each for each in lane.line if each.rank >= rank]
        assert found.jobs[lane.slot] == sum(each.left for each in mine)
        assert found.work[lane.slot] == sum(each.left * each.work for each in mine)
        assert (total.jobs[lane.slot], total.work[lane.slot]) == (lane.jobs, lane.work)
    everybody = np.ones(lanes.columns.room, dtype=np.bool_)
    assert total.within(everybody) == (lanes.jobs, lanes.work)


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(-3, 3), st.integers(0, len(REQUIREMENTS) - 1)), max_size=120),
    steps,
)
def test_a_map_that_is_loaded_goes_on_as_one_that_grew(loaded, story):
    lanes = LaneMap()
    rows = [
        {
            "id": f"r{number:04}",
            "user_id": 1,
            "rank": rank,
            "work": 10 + number,
            "waiting": 2,
            "changes": 0,
            "lane_key": lane_key(REQUIREMENTS[which]),
        }
        for number, (rank, which) in enumerate(loaded)
    ]
    lanes.load(rows, {lane_key(each): each for each in REQUIREMENTS})
    check_sums(lanes)
    for step in story:
        told(lanes, step)
    check_sums(lanes)
    able = frozenset(CAPABILITIES[:2])
    for waiting in lanes.requests.values():
        assert lanes.ahead_of(waiting, able) == plainly(lanes, waiting.order, able)


def test_rows_are_made_as_they_are_needed():
    """All at once they were 40 MB for each map: too much where there are many maps."""
    lanes = LaneMap()
    assert len(lanes.positions.rows.jobs) == 2
    for number in range(16):
        put(lanes, number, rank=-number)
    assert len(lanes.positions.rows.jobs) == 4


def test_blocks_that_empty_are_joined():
    lanes = LaneMap()
    for number in range(64):
        put(lanes, number, rank=-number)
    assert len(lanes.positions.blocks) > 8
    for number in range(62):
        put(lanes, number, left=0)
    assert len(lanes.positions.blocks) <= 2
    check_sums(lanes)


def test_those_that_come_last_of_all_fill_blocks():
    lanes = LaneMap()
    for number in range(64):
        put(lanes, number, rank=-number)
    assert [len(block) for block in lanes.positions.blocks] == [4] * 16


def test_where_there_is_no_room_for_rows_blocks_are_larger(monkeypatch):
    monkeypatch.setattr(positions, "ROW_NUMBERS_MAX", 4)
    lanes = LaneMap()
    for number in range(64):
        put(lanes, number, rank=number % 7, which=number % 8)
    assert lanes.positions.room >= 32
    check_sums(lanes)


def test_a_new_lane_is_seen_at_once_by_who_was_asked_before():
    lanes, able = LaneMap(), frozenset(CAPABILITIES[:1])
    put(lanes, 5)
    mine = lanes.requests["r0005"]
    assert lanes.ahead_of(mine, able) == (0, 0)
    put(lanes, 1, rank=1, which=4)
    put(lanes, 2, rank=1, which=1)  # which nobody of these serves
    assert lanes.ahead_of(mine, able) == (1, 11)


def test_sets_that_are_remembered_are_bounded():
    lanes = LaneMap()
    put(lanes, 1)
    for number in range(10):
        able = frozenset({a_capability(worker_id=f"w{number}")})
        lanes.ahead_of(lanes.requests["r0001"], able)
    assert len(lanes.masks.kept) == 2
