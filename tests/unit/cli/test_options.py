"""Options made from settings."""

import pytest

from ordu.cli.serve import MAIN, SECRETS, serve
from ordu.cli.worker.command import worker
from ordu.settings import ServerSettings, WorkerSettings, describe

OWN = {
    "with_worker",
    "ready_file",
    "with_parent",
    "plain",
    "inherit",
    "number",
    "config",
    "words",
    "debug",
    "sets",
}


@pytest.mark.parametrize(
    ("command", "kind", "without"),
    [(serve, ServerSettings, set(SECRETS)), (worker, WorkerSettings, set())],
)
def test_every_setting_is_an_option_by_its_flag(command, kind, without):
    options = {each.name: each.opts for each in command.params if each.name not in OWN}
    assert options == {s.name: [s.flag] for s in describe(kind) if s.name not in without}


def test_help_shows_the_main_settings_first(call):
    first, _, further = call("serve", "--help").output.partition("Further settings:")
    flags = {setting.name: setting.flag for setting in describe(ServerSettings)}
    assert all(f"{flags[name]} " in first for name in MAIN)
    assert "--grace-s" in further
    assert "--ready-file" not in first + further


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(["--port", "99999"], "Setting port (flag --port): 99999 ", id="too large"),
        pytest.param(["--rate-limits", "maybe"], "Setting rate_limits (flag", id="no switch word"),
        pytest.param(["--config", "gone.toml"], "Settings file gone.toml: No such", id="no file"),
        pytest.param(["--host", "1.2.3.4"], "Cannot listen on 1.2.3.4 port 7001", id="address"),
    ],
)
def test_wrong_setting_stops_the_start_with_one_line(call, arguments, words):
    result = call("serve", *arguments)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"ordu: {words}")
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""


def test_secrets_of_a_server_are_no_options(call):
    assert call("serve", "--secret", "x").exit_code == 2
    assert call("serve", "--admin-key", "x").exit_code == 2


def test_no_migrate_refuses_a_new_database(call):
    result = call("serve", "--no-migrate", "--port", "0")
    assert result.exit_code == 2
    assert "--no-migrate forbids" in result.stderr
