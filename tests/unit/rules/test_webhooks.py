"""What becomes of a delivery, and who is next."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders import NOON

from ordu.rules.lifecycle import Counts, Millis, RequestState
from ordu.rules.money import UserId
from ordu.rules.webhooks import (
    JITTER,
    PAUSES_S,
    SEATS,
    SEATS_OF_HOST,
    SEATS_OF_USER,
    TRIES_MAX,
    Busy,
    DeliveryState,
    Due,
    WebhookEvent,
    busy,
    chosen,
    ended_as,
    outcome,
)


@pytest.mark.parametrize(
    ("status", "tries", "state"),
    [
        pytest.param(200, 1, DeliveryState.DELIVERED, id="200"),
        pytest.param(299, TRIES_MAX, DeliveryState.DELIVERED, id="the last try"),
        pytest.param(410, 1, DeliveryState.GONE, id="gone"),
        pytest.param(302, 1, DeliveryState.WAITING, id="a redirect"),
        pytest.param(199, 1, DeliveryState.WAITING, id="199"),
        pytest.param(404, 1, DeliveryState.WAITING, id="not found"),
        pytest.param(500, TRIES_MAX - 1, DeliveryState.WAITING, id="one try is left"),
        pytest.param(500, TRIES_MAX, DeliveryState.FAILED, id="no try is left"),
        pytest.param(None, 1, DeliveryState.WAITING, id="no answer"),
        pytest.param(None, TRIES_MAX + 1, DeliveryState.FAILED, id="no answer at last"),
    ],
)
def test_outcome(status, tries, state):
    assert outcome(status, tries, 0.5).state is state


def test_pauses_grow_from_seconds_to_hours():
    pauses_s = [outcome(500, tries, 0).pause_ms / 1000 for tries in range(1, TRIES_MAX)]
    assert pauses_s == list(PAUSES_S) == [5, 60, 300, 1800, 7200, 18000, 36000]


@given(st.integers(1, TRIES_MAX - 1), st.floats(0, 1))
def test_a_pause_is_never_shorter_and_little_longer_than_said(tries, chance):
    pause_ms = outcome(500, tries, chance).pause_ms
    least_ms = PAUSES_S[tries - 1] * 1000
    assert least_ms <= pause_ms <= least_ms * (1 + JITTER) + 1


def counts(**change):
    return Counts(
        **{"waiting": 0, "processing": 0, "finished": 0, "lost": 0, "cancelled": 0} | change
    )


OPEN = (RequestState.OPEN, counts(processing=1))


@pytest.mark.parametrize(
    ("before", "state", "after", "event"),
    [
        pytest.param(OPEN, RequestState.OPEN, {"finished": 1}, WebhookEvent.DONE, id="done"),
        pytest.param(OPEN, RequestState.OPEN, {"waiting": 1}, None, id="not over"),
        pytest.param(OPEN, RequestState.FAULTED, {"lost": 1}, WebhookEvent.FAULTED, id="given up"),
        pytest.param(
            OPEN, RequestState.CANCELLED, {"cancelled": 1}, WebhookEvent.CANCELLED, id="cancelled"
        ),
        pytest.param(OPEN, RequestState.CANCELLED, {"processing": 1}, None, id="one is drawn yet"),
        pytest.param(
            (RequestState.FAULTED, counts(processing=1)),
            RequestState.FAULTED,
            {"finished": 1},
            None,
            id="it was told already",
        ),
    ],
)
def test_ended_as(before, state, after, event):
    assert ended_as(before, state, counts(**after)) is event


def a_due(number, host="a", user_id=1):
    return Due(f"d{number:03}", UserId(user_id), host, Millis(NOON + number))


def test_the_longest_due_go_first_and_no_host_has_all_seats():
    waiting = [a_due(number) for number in range(50)] + [a_due(90, "b")]
    taken = chosen(waiting[::-1], [])
    assert [each.id for each in taken] == ["d000", "d001", "d002", "d003", "d090"]


def test_no_user_has_all_seats_however_many_hosts():
    waiting = [a_due(number, f"h{number}") for number in range(50)]
    assert len(chosen(waiting, [])) == SEATS_OF_USER


def test_what_is_under_way_has_its_seats():
    under_way = [a_due(number) for number in range(SEATS_OF_HOST)]
    assert chosen([a_due(80)], under_way) == []
    assert busy(under_way) == Busy(("a",), ())
    assert busy([a_due(number, f"h{number}") for number in range(SEATS_OF_USER)]).users == (1,)


dues = st.builds(a_due, st.integers(0, 999), st.sampled_from("abcdefgh"), st.integers(1, 4))


@given(st.lists(dues, max_size=60), st.lists(dues, max_size=12))
def test_nobody_ever_has_more_than_their_seats(waiting, under_way):
    under_way = chosen(under_way, [])
    taken = chosen(waiting, under_way)
    everything = [*under_way, *taken]
    assert len(everything) <= SEATS
    for each in everything:
        assert sum(other.host == each.host for other in everything) <= SEATS_OF_HOST
        assert sum(other.user_id == each.user_id for other in everything) <= SEATS_OF_USER
