"""`ordu config`: values and where they came from."""

import json
from pathlib import Path

import pytest


def test_origins(call):
    Path("ordu.toml").write_text('[server]\nhost = "::1"\nport = 7002\n', encoding="utf-8")
    server = json.loads(call("config", "--json", ORDU_PORT="7003").stdout)["server"]
    assert server["host"] == {"value": "::1", "from": "ordu.toml [server] host"}
    assert server["port"] == {"value": 7003, "from": "environment ORDU_PORT"}
    assert server["anonymous"] == {"value": True, "from": "default"}


def test_shows_all_three_or_one(call):
    assert list(json.loads(call("config", "--json").stdout)) == ["server", "worker", "client"]
    assert list(json.loads(call("config", "worker", "--json").stdout)) == ["worker"]
    assert "poll_interval_s" in call("config").stdout


def test_the_backend_of_a_worker_is_shown_too(call):
    Path("ordu-worker.toml").write_text(
        "[worker]\nbackend = 'tests.foreign_backend:ForeignBackend'\n"
        "[backends.ForeignBackend]\nspeed = 3\n"
    )
    shown = json.loads(call("config", "worker", "--json", ORDU_FOREIGNBACKEND_KEY="x").stdout)
    assert shown["backends.ForeignBackend"] == {
        "speed": {"value": 3, "from": "ordu-worker.toml [backends.ForeignBackend] speed"},
        "key": {"value": "(set)", "from": "environment ORDU_FOREIGNBACKEND_KEY"},
        "names": {"value": {}, "from": "default"},
    }


def test_secrets_are_not_shown(call):
    secret = "s3cret-of-22-characters"
    settings = {"ORDU_SECRET": secret, "ORDU_API_KEY": secret, "ORDU_ADMIN_KEY": secret[:22]}
    for arguments in ([], ["--json"]):
        result = call("config", *arguments, **settings)
        assert result.exit_code == 0
        assert "(set)" in result.stdout
        assert secret[:22] not in result.stdout


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://ordu:hunter2@db/horde",
        "postgresql://ordu:hunter2@x/hunter2@db/horde",
        "postgresql://ordu:a/hunter2?#@db/horde?sslmode=require",
        "postgresql://ordu@db/horde?sslmode=require&password=hunter2",
    ],
)
@pytest.mark.parametrize("name", ["ORDU_DATABASE", "ORDU_DATABASE_DIRECT"])
def test_passwords_in_addresses_are_not_shown(call, name, url):
    for arguments in ([], ["--json"]):
        shown = call("config", "server", *arguments, **{name: url}).stdout.replace("\n", "")
        assert "postgresql://ordu" in shown
        assert "hunter2" not in shown


def test_wrong_value_is_one_line(call):
    result = call("config", ORDU_PORT="x")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("ordu: Setting port (environment ORDU_PORT): x is not allowed")
