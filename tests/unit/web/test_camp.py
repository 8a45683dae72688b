"""The camp: who is a lozenge, who is listed, and how many one stands for."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ordu.web.camp import LOZENGES_MAX, Doing, Machine, camp

DRAWING, WAITING, PAUSED = Doing


def machines(doing, count, first=0):
    return [
        Machine(f"id{number}", f"{doing} {number:05}", doing, ("m",), None)
        for number in range(first, first + count)
    ]


def test_the_busiest_come_first_and_each_has_its_place():
    found = camp([*machines(PAUSED, 1), *machines(WAITING, 2), *machines(DRAWING, 1)])
    assert [each.doing for each in found.lozenges] == [DRAWING, WAITING, WAITING, PAUSED]
    assert [each.machine for each in found.lozenges] == list(found.listed)
    assert (found.total, found.machines_each, found.unlisted) == (4, 1, 0)
    assert found.counts == {DRAWING: 1, WAITING: 2, PAUSED: 1}


def test_an_empty_camp():
    found = camp([])
    assert (found.lozenges, found.listed, found.total, found.machines_each) == ((), (), 0, 1)


@pytest.mark.parametrize(
    ("counts", "each", "lozenges"),
    [
        pytest.param((120, 0, 0), 1, 120, id="as many as there is room for"),
        pytest.param((121, 0, 0), 2, 61, id="one more"),
        pytest.param((33, 109, 8), 2, 76, id="of each kind"),
        pytest.param((1, 999, 1), 9, 113, id="the few are not lost"),
    ],
)
def test_how_many_machines_a_lozenge_stands_for(counts, each, lozenges):
    crowd = [
        machine
        for doing, count in zip(Doing, counts, strict=True)
        for machine in machines(doing, count)
    ]
    found = camp(crowd)
    assert (found.machines_each, len(found.lozenges)) == (each, lozenges)
    assert found.total == sum(counts)
    assert all((each.machine is None) is (found.machines_each > 1) for each in found.lozenges)


@settings(deadline=None)
@given(st.lists(st.integers(0, 3000), min_size=3, max_size=3))
def test_there_are_never_too_many_lozenges_and_nobody_is_left_out(counts):
    crowd = [
        machine
        for doing, count in zip(Doing, counts, strict=True)
        for machine in machines(doing, count)
    ]
    found = camp(crowd)
    assert len(found.lozenges) <= LOZENGES_MAX
    assert len(found.listed) + found.unlisted == sum(counts)
    for doing, count in zip(Doing, counts, strict=True):
        shown = sum(each.doing is doing for each in found.lozenges)
        assert shown * found.machines_each >= count
        assert (shown > 0) is (count > 0)
