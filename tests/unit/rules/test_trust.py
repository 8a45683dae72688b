from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordu.rules import trust
from ordu.rules.lifecycle import Millis
from ordu.rules.money import ANONYMOUS, Account, Kudos, UserId, promotion, uptime
from ordu.rules.trust import DAY_MS, earns_trust


def millis(text: str) -> Millis:
    return Millis(round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000))


@pytest.mark.parametrize(
    ("change", "trusted"),
    [
        pytest.param({}, True, id="enough and old enough"),
        pytest.param({"evaluating": Kudos(4_999_999)}, False, id="a hundredth short"),
        pytest.param({"age_ms": Millis(7 * DAY_MS - 1)}, False, id="a moment too young"),
        pytest.param({"suspicion": 5}, False, id="suspicious"),
        pytest.param({"suspicion": 4}, True, id="nearly suspicious"),
        pytest.param({"user_id": ANONYMOUS}, False, id="anonymous"),
    ],
)
def test_who_becomes_trusted(change, trusted):
    values = {
        "user_id": UserId(7),
        "evaluating": Kudos(5_000_000),
        "threshold": Kudos(5_000_000),
        "age_ms": Millis(7 * DAY_MS),
        "suspicion": 0,
    } | change
    assert earns_trust(values.pop("user_id"), **values) is trusted


@pytest.mark.parametrize(
    ("received", "following"),
    [
        ("2026-01-15 10:00:00", "2026-02-15 10:00:00"),
        ("2026-01-31 10:00:00", "2026-02-28 10:00:00"),
        ("2028-01-31 10:00:00", "2028-02-29 10:00:00"),
        ("2026-12-31 23:59:59.999", "2027-01-31 23:59:59.999"),
    ],
)
def test_a_month_after(received, following):
    assert trust.month_after(millis(received)) == millis(following)
    assert not trust.is_month_over(millis(received), Millis(millis(following) - 1))
    assert trust.is_month_over(millis(received), millis(following))


def test_a_late_payment_makes_no_later_one_late():
    received, now = millis("2026-01-15 10:00:00"), millis("2026-02-20 00:00:00")
    assert trust.next_payment(received, now) == millis("2026-02-15 10:00:00")
    assert trust.next_payment(None, now) == now


@given(st.integers(0, 4_000_000_000_000))
def test_a_month_is_28_to_31_days(moment):
    gap = trust.month_after(Millis(moment)) - moment
    assert 28 * DAY_MS <= gap <= 31 * DAY_MS


@pytest.mark.parametrize(("models", "kudos"), [(0, 5000), (1, 5200), (10, 7000)])
def test_uptime_is_worth_more_with_more_models(models, kudos):
    assert trust.uptime_reward(models) == kudos


def test_uptime_of_an_untrusted_owner_goes_to_escrow():
    lines = uptime("uptime:w:601", UserId(9), Kudos(5200), trusted=False).lines
    assert [(line.account, line.amount) for line in lines] == [
        (Account.ESCROW, 5200),
        (Account.MINT, -5200),
    ]
    lines = uptime("uptime:w:601", UserId(9), Kudos(5200), trusted=True).lines
    assert [line.account for line in lines] == [Account.USER, Account.MINT]


def test_a_promotion_moves_all_of_escrow():
    lines = promotion("trust:e", UserId(9), Kudos(77)).lines
    assert [(line.account, line.amount) for line in lines] == [
        (Account.ESCROW, -77),
        (Account.USER, 77),
    ]
