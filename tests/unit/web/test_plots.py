"""Plots: axes from zero, gaps where nothing is known, and a line that ends where it ends."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordu.web import plots
from ordu.web.plots import Value, plot

HOUR = {"since_s": 0, "until_s": 3600, "step_s": 60}


def drawn(values, earlier=(), **more):
    return plot(
        [Value(*each) for each in values], [Value(*each) for each in earlier], **HOUR | more
    )


@pytest.mark.parametrize(
    ("highest", "is_whole", "levels"),
    [
        pytest.param(0, True, [0, 1, 2], id="nothing"),
        pytest.param(1, True, [0, 1, 2], id="one"),
        pytest.param(7, True, [0, 3, 6, 9], id="no halves of pictures"),
        pytest.param(87, True, [0, 50, 100], id="tens"),
        pytest.param(125, True, [0, 50, 100, 150], id="hundreds"),
        pytest.param(42, False, [0, 20, 40, 60], id="fast"),
        pytest.param(0.18, False, [0, 0.1, 0.2], id="slow"),
        pytest.param(99_999, True, [0, 50_000, 100_000], id="very many"),
    ],
)
def test_levels(highest, is_whole, levels):
    frame = drawn([(0, highest)], is_whole=is_whole).frame
    assert [value for value, _ in frame.levels] == pytest.approx(levels)
    assert frame.levels[0][1] == plots.BOTTOM
    assert frame.levels[-1][1] == plots.TOP


@given(st.floats(0, 1e9), st.booleans())
def test_a_value_is_never_above_the_paper(highest, is_whole):
    frame = drawn([(0, highest)], is_whole=is_whole).frame
    assert plots.TOP <= frame.y(highest) <= plots.BOTTOM
    assert 3 <= len(frame.levels) <= 5


def test_a_line_and_its_area():
    found = drawn([(0, 0), (60, 2), (120, 1)], is_whole=True)
    assert found.line == "M48 172 55.3 10 62.6 91"
    assert found.area == "M48 172 55.3 10 62.6 91V172H48z"
    assert found.end == (62.6, 91)


def test_what_is_not_known_is_a_gap():
    found = drawn([(0, 1), (60, 1), (600, 2), (1200, 1), (1260, 1)])
    assert found.line.count("M") == 3
    assert re.search(r"M\d+ 10h0M", found.line), "one value alone is a dot"
    assert found.area.count("M") == 2


def test_what_is_compared_has_a_step_of_its_own_and_counts_for_the_height():
    earlier = [(0, 90), (300, 80), (600, 85)]
    found = drawn([(0, 1), (60, 1)], earlier, earlier_step_s=300)
    assert found.earlier.count("M") == 1
    assert found.frame.top == 100
    assert drawn([(0, 1)], earlier).earlier.count("M") == 3


def test_a_plot_of_nothing():
    found = drawn([])
    assert (found.line, found.area, found.earlier, found.end) == ("", "", "", None)
    assert len(found.frame.moments) == 5


def test_what_is_outside_of_the_span_stays_on_the_paper():
    found = drawn([(-90, 1), (-30, 1), (30, 1)])
    assert found.line.startswith(f"M{plots.LEFT:g} ")


def test_moments_go_from_end_to_end():
    moments = drawn([]).frame.moments
    assert moments[0] == (0, plots.LEFT)
    assert moments[-1] == (3600, plots.RIGHT)
    assert [at_s for at_s, _ in moments] == [0, 900, 1800, 2700, 3600]
