"""How much waits for which model: as adding up all lanes would say, whatever came and went."""

import hypothesis.strategies as st
from hypothesis import example, given, settings
from tests.builders import a_capability, a_requirement

from ordu.engine.demand import Demand, waiting_by_model
from ordu.engine.lanes import LaneMap
from ordu.rules.matching import lane_key, why_not

REQUIREMENTS = [
    a_requirement(models=frozenset(models), pixels=pixels)
    for models in (["a"], ["b"], ["a", "b"], [])
    for pixels in (512 * 512, 2048 * 2048)
]
CAPABILITY = a_capability(models=frozenset({"a"}), pixels_max=512 * 512)

steps = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3), st.integers(0, 7)), max_size=25)


@settings(deadline=None)
@given(steps)
@example([(0, 1, 1), (0, 0, 0), (0, 1, 0), (1, 1, 1)])  # a lane that was empty fills again
def test_it_agrees_with_adding_up_all_lanes(story):
    lanes, demand, first = LaneMap(), Demand(), {}
    for moment, (number, left, which) in enumerate(story):
        if number not in first or f"r{number}" not in lanes.requests:
            first[number] = REQUIREMENTS[which]
        lanes.update(
            request_id=f"r{number}",
            user_id=1,
            rank=0,
            work=10,
            left=left,
            lane_key=lane_key(first[number]),
            requirement=first[number],
        )
        found = demand.of(lanes, CAPABILITY, moment)
        assert {each.name: (each.jobs, each.work) for each in found} == waiting_by_model(lanes)
        assert [each.work for each in found] == sorted((each.work for each in found), reverse=True)
        for each in found:
            offering = a_capability(models=frozenset({each.name}), pixels_max=512 * 512)
            assert each.reach == sum(
                lane.work
                for lane in lanes.lanes.values()
                if each.name in lane.requirement.models
                and why_not(lane.requirement, offering) is None
            )
