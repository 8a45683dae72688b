"""`ordu kudos`: balances, and kudos that never move twice."""

import json

import pytest
from tests.unit.cli.answering import Breaks

from ordu.cli import kudos

GIVE, AWARD = "POST /kudos/transfer", "POST /kudos/award"


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    monkeypatch.setattr(kudos, "PAUSES_S", (0, 0, 0))


def test_show_has_kudos_only(call, horde):
    horde.to(
        "GET /find_user",
        {"username": "f#2", "id": 2, "kudos": 12.34, "kudos_details": {"awarded": 12.34}},
    )
    assert call("kudos", "show").stdout == (
        "  username       f#2\n  kudos          12.34\n  kudos details\n    awarded      12.34\n"
    )
    assert json.loads(call("kudos", "show", "--json").stdout) == {
        "username": "f#2",
        "kudos": 12.34,
        "kudos_details": {"awarded": 12.34},
    }


def test_each_gift_has_a_key_of_its_own(call, horde):
    horde.to(GIVE, {"transferred": 5})
    for _ in range(2):
        assert call("kudos", "give", "f#2", "5").stdout == "f#2 was given 5 kudos.\n"
    first, second = (each.headers["Idempotency-Key"] for each in horde.asked)
    assert first != second
    assert horde.asked[0].body == {"username": "f#2", "amount": 5}


def test_award_may_take_away(call, horde):
    horde.to(AWARD, {"awarded": -5})
    result = call("kudos", "award", "--", "17", "-5")
    assert result.stdout == "17 was awarded -5 kudos.\n"
    assert horde.asked[0].body == {"username": "17", "amount": -5}


@pytest.mark.parametrize(("command", "path"), [("give", GIVE), ("award", AWARD)])
def test_lost_answer_is_asked_for_again_with_the_same_key(call, horde, command, path):
    horde.to(path, Breaks(), Breaks(), Breaks(), {"transferred": 5, "awarded": 5})
    result = call("kudos", command, "f#2", "5")
    assert result.exit_code == 0, result.stderr
    assert len(horde.asked) == 4
    assert len({each.headers["Idempotency-Key"] for each in horde.asked}) == 1


def test_after_four_calls_the_key_is_told(call, horde):
    horde.to(GIVE, Breaks())
    result = call("kudos", "give", "f#2", "5")
    assert result.exit_code == 3
    assert len(horde.asked) == 4
    key = horde.asked[0].headers["Idempotency-Key"]
    assert f"with --idempotency-key {key} moves them once" in result.stderr
    horde.to(GIVE, {"transferred": 5})
    assert call("kudos", "give", "f#2", "5", "--idempotency-key", key).exit_code == 0
    assert horde.asked[-1].headers["Idempotency-Key"] == key


def test_broken_horde_is_asked_again(call, horde):
    horde.to(GIVE, {"message": "Oh."}, status=500)
    assert call("kudos", "give", "f#2", "5").exit_code == 1
    assert len(horde.asked) == 4


def test_refusal_is_not_asked_again(call, horde):
    horde.to(GIVE, {"message": "Too few.", "rc": "KudosTransferNotEnough"}, status=400)
    result = call("kudos", "give", "f#2", "5")
    assert (result.exit_code, result.stderr) == (
        1,
        "ordu: Too few. (rc KudosTransferNotEnough)\n",
    )
    assert len(horde.asked) == 1


@pytest.mark.parametrize("amount", ["0", "-5", "1.5", "much"])
def test_amounts_that_cannot_be_given(call, horde, amount):
    assert call("kudos", "give", "--", "f#2", amount).exit_code == 2
    assert horde.asked == []


def test_history_is_a_table(call, horde):
    movement = {
        "id": "e.7",
        "date": "2026-11-26T21:14:05.000+00:00",
        "kind": "spent",
        "action": "picture",
        "amount": -1044.5,
        "balance": 12480.0,
        "evaluating": 0.0,
        "worker_name": "attic",
        "about": {"model": "sketch", "width": 768, "height": 512, "pictures": 1},
    }
    gift = movement | {"kind": "given", "action": "transfer", "about": {"user": "f#2"}}
    horde.to("GET /kudos/history?limit=2&kind=spent", {"entries": [movement, gift], "next": None})
    lines = call("kudos", "history", "--kind", "spent", "--limit", "2").stdout.splitlines()
    assert horde.asked[0].path == "/kudos/history?limit=2&kind=spent"
    row = next(line for line in lines if "sketch" in line)
    assert "2026-11-26 21:14" in row
    assert "spent, picture, sketch" in row
    assert "-1,044.50" in row
    assert "12,480.00" in row
    assert any("attic" in line for line in lines)  # a narrow terminal breaks what is long
    assert any("given, transfer, f#2" in line for line in lines)


def test_history_of_nothing(call, horde):
    horde.to("GET /kudos/history", {"entries": [], "next": None})
    assert call("kudos", "history").stdout == "Nothing of that kind has moved.\n"
