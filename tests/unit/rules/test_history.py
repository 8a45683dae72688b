"""History by values: what of an entry is a movement of whom, and what it is called."""

import pytest

from ordu.rules import money
from ordu.rules.history import Cause, Kind, Part, cause_of, kind_of, parts_of
from ordu.rules.money import Kudos, UserId

PAYER, OWNER = UserId(2), UserId(3)


def settled(payer=PAYER, owner=OWNER, **terms):
    usual = {"bill": 600, "reward": 500, "available": 9_999, "trusted": True}
    return money.settlement("settle:j", payer=payer, owner=owner, **usual | terms)


@pytest.mark.parametrize(
    ("entry", "parts"),
    [
        pytest.param(
            settled(), {PAYER: [Part((0,), -600, 0)], OWNER: [Part((1,), 500, 0)]}, id="a picture"
        ),
        pytest.param(
            settled(trusted=False),
            {PAYER: [Part((0,), -600, 0)], OWNER: [Part((1, 2), 250, 250)]},
            id="by an owner who is not trusted",
        ),
        pytest.param(
            settled(owner=PAYER, trusted=False),
            {PAYER: [Part((0,), -600, 0), Part((1, 2), 250, 250)]},
            id="of one's own machine",
        ),
        pytest.param(
            money.promotion("trust:t", OWNER, Kudos(700)),
            {OWNER: [Part((1, 0), 700, -700)]},
            id="a promotion",
        ),
        pytest.param(
            money.uptime("uptime:w:600", OWNER, Kudos(50), trusted=False),
            {OWNER: [Part((0,), 0, 50)]},
            id="uptime of who is not trusted",
        ),
        pytest.param(
            money.transfer("transfer:t", PAYER, OWNER, Kudos(5)),
            {PAYER: [Part((0,), -5, 0)], OWNER: [Part((1,), 5, 0)]},
            id="a gift",
        ),
        pytest.param(settled(payer=UserId(0), reward=0), {}, id="nothing for nobody"),
    ],
)
def test_parts_of(entry, parts):
    assert parts_of(entry) == parts


@pytest.mark.parametrize(
    ("event", "amount", "cause", "kind"),
    [
        ("settle:j", -1, Cause.PICTURE, Kind.SPENT),
        ("settle:j", 1, Cause.PICTURE, Kind.EARNED),
        ("uptime:w:600", 0, Cause.UPTIME, Kind.EARNED),
        ("transfer:t", -1, Cause.TRANSFER, Kind.GIVEN),
        ("transfer:t", 1, Cause.TRANSFER, Kind.RECEIVED),
        ("trust:e", 1, Cause.TRUST, Kind.OTHER),
        ("recurring:e", 1, Cause.RECURRING, Kind.OTHER),
        ("awarded:e", -1, Cause.AWARDED, Kind.OTHER),
        ("admin:e", -1, Cause.ADMIN, Kind.OTHER),
        ("of another version:e", 1, Cause.ADMIN, Kind.OTHER),
    ],
)
def test_what_a_movement_is_called(event, amount, cause, kind):
    assert (cause_of(event), kind_of(cause_of(event), amount)) == (cause, kind)
