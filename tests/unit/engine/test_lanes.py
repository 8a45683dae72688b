"""The map of lanes answers exactly as a plain list of all requests would."""

import hypothesis.strategies as st
from hypothesis import given, settings
from tests.builders import a_capability, a_requirement

from ordu.engine.lanes import LaneMap
from ordu.rules.matching import Reason, lane_key, why_not

REQUIREMENTS = [
    a_requirement(),
    a_requirement(models=frozenset({"sdxl"})),
    a_requirement(pixels=2**24),
    a_requirement(nsfw=True),
    a_requirement(workers_allowed=frozenset({"w2"})),
]
CAPABILITIES = [
    a_capability(),
    a_capability(worker_id="w2", nsfw=False),
    a_capability(models=frozenset({"sdxl", "stable_diffusion"}), pixels_max=2**24),
    a_capability(models=frozenset({"other"})),
]


def put(lanes, number, *, user=1, rank=0, left=1, requirement=REQUIREMENTS[0]):
    lanes.update(
        request_id=f"r{number:04}",
        user_id=user,
        rank=rank,
        work=10,
        left=left,
        lane_key=lane_key(requirement),
        requirement=requirement,
    )


def ids(candidates):
    return [waiting.request_id for waiting in candidates]


steps = st.lists(
    st.tuples(
        st.integers(0, 15),  # request
        st.integers(0, 3),  # pictures that wait now
        st.integers(-3, 3),  # rank
        st.integers(0, len(REQUIREMENTS) - 1),
        st.integers(1, 3),  # user
    ),
    max_size=40,
)


@settings(deadline=None)
@given(steps, st.sampled_from(CAPABILITIES))
def test_the_map_agrees_with_a_plain_list(story, capability):
    lanes, plain = LaneMap(), {}
    for number, left, *first in story:
        rank, which, user = plain[number][1:] if number in plain else first
        put(lanes, number, user=user, rank=rank, left=left, requirement=REQUIREMENTS[which])
        if left:
            plain[number] = (left, rank, which, user)
        else:
            plain.pop(number, None)

    may_serve = {
        number: values
        for number, values in plain.items()
        if why_not(REQUIREMENTS[values[2]], capability) is None
    }
    in_order = sorted(may_serve, key=lambda number: (-plain[number][1], number))
    assert ids(lanes.candidates(capability)) == [f"r{number:04}" for number in in_order]

    skipped: dict[Reason, int] = {}
    for _, _, which, _ in plain.values():
        if reason := why_not(REQUIREMENTS[which], capability):
            skipped[reason] = skipped.get(reason, 0) + 1
    assert lanes.skipped(capability) == skipped

    for number in in_order:
        before = in_order[: in_order.index(number)]
        waiting = lanes.requests[f"r{number:04}"]
        pictures = sum(plain[other][0] for other in before)
        assert lanes.ahead_of(waiting, frozenset({capability})) == (pictures, pictures * 10)

    for user in (1, 2, 3):
        own = [number for number in in_order if plain[number][3] == user]
        assert ids(lanes.candidates_of([user], capability)) == [f"r{n:04}" for n in own]


def test_what_is_reserved_is_not_offered_again():
    lanes = LaneMap()
    put(lanes, 1, left=2)
    put(lanes, 2)
    first = next(lanes.candidates(CAPABILITIES[0]))
    lanes.reserve(first)
    lanes.reserve(first)
    assert ids(lanes.candidates(CAPABILITIES[0])) == ["r0002"]
    lanes.release(first)
    assert ids(lanes.candidates(CAPABILITIES[0])) == ["r0001", "r0002"]


def test_what_is_reserved_is_no_head():
    lanes = LaneMap()
    put(lanes, 1)
    put(lanes, 2, requirement=REQUIREMENTS[2])
    wide = CAPABILITIES[2]
    first = next(lanes.candidates(wide))
    lanes.reserve(first)
    assert ids(lanes.candidates(wide)) == ["r0002"]
    put(lanes, 1, left=0)  # it was given
    lanes.release(first)
    assert ids(lanes.candidates(wide)) == ["r0002"]
    put(lanes, 1)  # and came back
    assert ids(lanes.candidates(wide)) == ["r0001", "r0002"]


def test_an_empty_lane_leaves_nothing_behind():
    lanes = LaneMap()
    put(lanes, 1)
    assert ids(lanes.candidates(CAPABILITIES[0])) == ["r0001"]
    put(lanes, 1, left=0)
    assert (lanes.lanes, lanes.requests, lanes.by_user) == ({}, {}, {})
    assert (lanes.jobs, lanes.work, lanes.positions.many) == (0, 0, 0)
    assert lanes.skipped(CAPABILITIES[3]) == {}


def test_a_lane_that_is_empty_for_a_while_is_not_judged_again(monkeypatch):
    lanes = LaneMap()
    put(lanes, 1)
    assert ids(lanes.candidates(CAPABILITIES[0])) == ["r0001"]
    put(lanes, 1, left=0)
    monkeypatch.setattr("ordu.engine.views.why_not", None)  # nobody asks
    assert ids(lanes.candidates(CAPABILITIES[0])) == []
    put(lanes, 2)
    assert ids(lanes.candidates(CAPABILITIES[0])) == ["r0002"]
    assert lanes.columns.size == 1


def test_lanes_that_are_kept_empty_are_bounded(monkeypatch):
    monkeypatch.setattr("ordu.engine.lanes.VACANT_MAX", 3)
    lanes = LaneMap()
    for number in range(20):
        put(lanes, number, requirement=a_requirement(pixels=number))
        put(lanes, number, requirement=a_requirement(pixels=number), left=0)
    assert len(lanes.vacant) == 3
    assert lanes.columns.size == 4


def test_the_slot_of_a_lane_is_used_again_and_judged_anew(monkeypatch):
    monkeypatch.setattr("ordu.engine.lanes.VACANT_MAX", 0)
    lanes = LaneMap()
    put(lanes, 1)
    assert ids(lanes.candidates(CAPABILITIES[0])) == ["r0001"]
    put(lanes, 1, left=0)
    put(lanes, 2, requirement=REQUIREMENTS[2])
    assert lanes.columns.size == 1
    assert ids(lanes.candidates(CAPABILITIES[0])) == []
    assert lanes.skipped(CAPABILITIES[0]) == {Reason.MAX_PIXELS: 1}


def test_a_view_that_was_away_for_long_looks_at_all(monkeypatch):
    monkeypatch.setattr("ordu.engine.lanes.VACANT_MAX", 0)
    lanes = LaneMap()
    put(lanes, 1)
    lanes.skipped(CAPABILITIES[0])
    for number in range(2, 400):
        put(lanes, number, requirement=a_requirement(pixels=number))
        put(lanes, number, requirement=a_requirement(pixels=number), left=0)
    assert lanes.columns.log_start > 1
    put(lanes, 500, requirement=REQUIREMENTS[3])
    assert ids(lanes.candidates(CAPABILITIES[0])) == ["r0001", "r0500"]
    assert len(lanes.columns.log) <= 2 * lanes.columns.size + 64


def test_remembered_verdicts_are_bounded(monkeypatch):
    monkeypatch.setattr("ordu.engine.lanes.VIEWS_MAX", 3)
    lanes = LaneMap()
    put(lanes, 1)
    for number in range(10):
        lanes.skipped(a_capability(worker_id=f"w{number}"))
    assert len(lanes.views) == 3


@given(steps)
def test_a_map_that_is_loaded_is_as_one_that_grew(story):
    grown, loaded, rows = LaneMap(), LaneMap(), {}
    for number, left, rank, which, user in story:
        if left and number not in rows:
            requirement = REQUIREMENTS[which]
            put(grown, number, user=user, rank=rank, left=left, requirement=requirement)
            rows[number] = {
                "id": f"r{number:04}",
                "user_id": user,
                "rank": rank,
                "work": 10,
                "waiting": left,
                "changes": 0,
                "lane_key": lane_key(requirement),
            }
    loaded.load(rows.values(), {lane_key(each): each for each in REQUIREMENTS})
    for capability in CAPABILITIES:
        assert ids(loaded.candidates(capability)) == ids(grown.candidates(capability))
        assert loaded.skipped(capability) == grown.skipped(capability)
        own = [ids(each.candidates_of([1, 2, 3], capability)) for each in (loaded, grown)]
        assert own[0] == own[1]
    assert (loaded.jobs, loaded.work) == (grown.jobs, grown.work)
