"""`ordu users list`, `show`, `edit`, `delete`: what is asked, and what is shown of the answer."""

import json

import pytest

from ordu.cli.users import CHANGEABLE, number_of
from ordu.protocol.users import PutUserSingleRequest

FERRIS = {
    "username": "ferris\x1b[2J#17",
    "id": 17,
    "kudos": 1234567.5,
    "trusted": True,
    "flagged": None,
    "account_age": 60,
    "worker_ids": ["a", "b"],
    "kudos_details": {"gifted": -3.0, "received": 0.25},
    "monthly_kudos": {},
}


def test_list_is_a_table(call, horde):
    horde.to("GET /users?page=2&sort=age", [FERRIS])
    result = call("users", "list", "--page", "2", "--sort", "age")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.split()[-6:] == ["ferris", "[2J#17", "1234567.5", "yes", "0", "0"]
    assert "\x1b" not in result.stdout


def test_list_of_an_empty_page(call, horde):
    horde.to("GET /users?page=9", [])
    assert call("users", "list", "--page", "9").stdout == "No users are on this page.\n"


@pytest.mark.parametrize("name", ["17", "#17", "ferris#17", "fer#3#17"])
def test_show_by_name_or_number(call, horde, name):
    horde.to("GET /users/17", FERRIS)
    assert call("users", "show", name).stdout == (
        "  username       ferris [2J#17\n"
        "  id             17\n"
        "  kudos          1234567.5\n"
        "  kudos details\n"
        "    gifted       -3\n"
        "    received     0.25\n"
        "  worker ids     a, b\n"
        "  trusted        yes\n"
        "  account age    60 s\n"
    )


def test_show_without_a_name_is_the_owner_of_the_key(call, horde):
    horde.to("GET /find_user", FERRIS)
    result = call("users", "show", "--api-key", "k" * 22, "--json")
    assert json.loads(result.stdout)["kudos"] == 1234567.5
    assert horde.asked[0].headers["apikey"] == "k" * 22


@pytest.mark.parametrize("name", ["ferris", "", "17#", "-1", "1e3", "९"])
def test_what_names_no_user(call, horde, name):
    result = call("users", "edit", "--trusted", "--", name)
    assert result.exit_code == 2
    assert "A user is named as name#17 or 17" in result.stderr
    assert horde.asked == []


def test_number_of_a_name_with_a_line_break():
    assert number_of("a\nb#5") == 5


def test_edit_sends_what_was_given_and_nothing_else(call, horde):
    horde.to("PUT /users/17", {"new_kudos": 5.5, "trusted": False})
    result = call("users", "edit", "x#17", "--kudos", "-5.5", "--no-trusted", "--reset-suspicion")
    assert result.exit_code == 0, result.stderr
    assert horde.asked[0].body == {"kudos": -5.5, "trusted": False, "reset_suspicion": True}
    assert result.stdout == "  new kudos  5.5\n  trusted    no\n"


def test_edit_has_an_option_for_each_field(call, horde):
    horde.to("PUT /users/17", {})
    values = {
        "kudos": "5",
        "username": "corro",
        "contact": "at home",
        "admin_comment": "good one",
        "reason": "he asked",
    }
    arguments: list[str] = []
    for name in set(PutUserSingleRequest.__struct_fields__) - CHANGEABLE.without:
        flag = "--" + name.replace("_", "-")
        is_number = name in {"concurrency", "worker_invited", "usage_multiplier", "monthly_kudos"}
        value = values.get(name) or ("7" if is_number else None)
        arguments += [flag] if value is None else [flag, value]
    result = call("users", "edit", "17", *arguments)
    assert result.exit_code == 0, result.stderr
    assert len(horde.asked[0].body) == 20


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param([], "Say what to change: --kudos, --monthly-kudos, ", id="nothing"),
        pytest.param(["--contact", "me"], "--contact: ", id="too short"),
        pytest.param(["--concurrency", "-1"], "--concurrency: -1 is too small", id="negative"),
        pytest.param(["--kudos", "nan"], "Error: ", id="no number"),
        pytest.param(["--kudos", "much"], "'--kudos': 'much' is not", id="a word"),
    ],
)
def test_edit_called_wrongly(call, horde, arguments, words):
    result = call("users", "edit", "17", *arguments)
    assert result.exit_code == 2
    assert words in result.stderr
    assert horde.asked == []


def test_edit_refused(call, horde):
    horde.to("PUT /users/17", {"message": "Not you.", "rc": "NotAdmin"}, status=403)
    result = call("users", "edit", "17", "--moderator")
    assert (result.exit_code, result.stderr) == (1, "ordu: Not you. (rc NotAdmin)\n")


@pytest.mark.parametrize(("said", "code", "calls"), [("y\n", 0, 2), ("n\n", 1, 1)])
def test_delete_asks_at_a_terminal(call, horde, monkeypatch, said, code, calls):
    monkeypatch.setattr("ordu.cli.sure.has_terminal", lambda: True)
    horde.to("GET /users/17", FERRIS)
    horde.to("DELETE /users/17", {"message": "OK"})
    result = call("users", "delete", "ferris#17", stdin=said)
    assert (result.exit_code, len(horde.asked)) == (code, calls)
    asked = "Delete the account ferris [2J#17, which has 1234567.5 kudos? [y/N]: "
    assert result.stderr.startswith(asked)
    assert ("ordu users edit 17 --undelete" in result.stdout) == (code == 0)


def test_delete_without_a_terminal_wants_yes(call, horde):
    assert call("users", "delete", "17").exit_code == 2
    horde.to("DELETE /users/17", {"message": "OK"})
    result = call("users", "delete", "17", "--yes", "--json")
    assert json.loads(result.stdout) == {"message": "OK"}


def test_undelete_is_a_switch(call, horde):
    horde.to("PUT /users/17", {"undeleted": True})
    assert call("users", "edit", "17", "--undelete").stdout.split() == ["undeleted", "yes"]
