"""`ordu modes`: shown without being told to, switched only as said."""

import json

import pytest

MODES = {"maintenance_mode": False, "invite_only_mode": True}
SHOWN = "  maintenance mode  no\n  invite only mode  yes\n"


@pytest.mark.parametrize("arguments", [[], ["show"]])
def test_shown(call, horde, arguments):
    horde.to("GET /status/modes", MODES)
    assert call("modes", *arguments).stdout == SHOWN
    assert json.loads(call("modes", *arguments, "--json").stdout) == MODES


def test_options_without_a_command_are_those_of_show(call, horde):
    horde.to("GET /status/modes", MODES)
    assert call("modes", "--url", horde.url, ORDU_URL="http://127.0.0.1:9").stdout == SHOWN


def test_set(call, horde):
    horde.to("PUT /status/modes", {"maintenance_mode": True})
    result = call("modes", "set", "--maintenance", "--no-invite-only", "--raid")
    assert result.stdout == "  maintenance mode  yes\n"
    assert horde.asked[0].body == {"maintenance": True, "invite_only": False, "raid": True}


def test_set_nothing(call, horde):
    result = call("modes", "set")
    assert result.exit_code == 2
    assert "Say what to change: --maintenance, --invite-only, --raid." in result.stderr


def test_unknown_command_is_wrong_usage(call, horde):
    assert call("modes", "sett").exit_code == 2
    assert "Commands:" in call("modes", "--help").output
