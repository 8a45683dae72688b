import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordu.rules import limits, ranking
from ordu.rules.lifecycle import (
    Counts,
    RequestState,
    after_fault,
    is_done,
    seed_from_text,
    seed_of_job,
)
from ordu.rules.money import ANONYMOUS, Kudos, UserId


def counts(**change):
    return Counts(
        **{"waiting": 0, "processing": 0, "finished": 0, "lost": 0, "cancelled": 0} | change
    )


@pytest.mark.parametrize(
    ("state", "change", "done"),
    [
        pytest.param(RequestState.OPEN, {"waiting": 1}, False, id="something waits"),
        pytest.param(RequestState.OPEN, {"processing": 1}, False, id="something runs"),
        pytest.param(RequestState.OPEN, {"finished": 2}, True, id="all finished"),
        pytest.param(RequestState.FAULTED, {"processing": 1, "lost": 1}, True, id="given up"),
        pytest.param(RequestState.CANCELLED, {"processing": 1}, False, id="cancelled, one runs"),
        pytest.param(RequestState.CANCELLED, {"cancelled": 3}, True, id="cancelled whole"),
    ],
)
def test_is_done(state, change, done):
    assert is_done(state, counts(**change)) is done


def test_the_third_fault_ends_a_request():
    assert after_fault(RequestState.OPEN, 2, 3) is RequestState.OPEN
    assert after_fault(RequestState.OPEN, 3, 3) is RequestState.FAULTED
    assert after_fault(RequestState.CANCELLED, 3, 3) is RequestState.CANCELLED


@pytest.mark.parametrize(
    ("text", "seed"),
    [  # protocol sheet 10 §1.3
        ("cat", 7627107),
        ("abcd", 1684234849),
        ("abcde", 101),
        ("hello world", 6581362),
        ("4294967296", 1),
        ("-5", 13613),
        ("42", 42),
        ("²", int.from_bytes("²".encode(), "little")),
    ],
)
def test_a_text_seed_is_a_number(text, seed):
    assert seed_from_text(text) == seed


@given(st.text(min_size=1, max_size=1000))
def test_every_seed_fits(text):
    assert 0 <= seed_from_text(text) < 2**32


def test_the_first_picture_has_the_given_seed():
    assert [seed_of_job(100, 1, ordinal) for ordinal in range(3)] == [100, 101, 102]


def test_time_on_a_job():
    assert limits.job_ttl_s(512 * 512 * 30, 150) == 150
    assert limits.job_ttl_s(1024 * 1024 * 30, 150) == 270


@given(
    st.integers(0, 10**6),
    st.integers(0, 10**6),
    st.integers(0, 10**9),
    st.integers(0, 10**9),
)
def test_the_order_never_changes_while_waiting(one, other, placed, later):
    """Who is ahead by priority plus growth at any moment is who has the better rank."""
    growth = 5
    ranks = ranking.rank(Kudos(one), placed, growth), ranking.rank(Kudos(other), later, growth)
    now = 2 * 10**9
    grown = [one + growth * (now - placed) / 10, other + growth * (now - later) / 10]
    if abs(grown[0] - grown[1]) >= 1:
        assert (ranks[0] > ranks[1]) == (grown[0] > grown[1])


def test_anonymous_requests_come_after_all_others():
    assert ranking.priority(ANONYMOUS, Kudos(10**9)) < ranking.priority(UserId(3), Kudos(0))
