"""`ordu worker service`: the unit, where it goes, and what systemd is told."""

import shlex
import stat
import sys
from pathlib import Path

import pytest

KEY = "a-key-that-nobody-sees"


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    programs = tmp_path / "bin"
    programs.mkdir()
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    file = tmp_path / "ordu-worker.toml"
    file.write_text(f'[worker]\napi_key = "{KEY}"\n')
    file.chmod(0o600)
    return tmp_path


def systemctl(home, script="exit 0"):
    """A systemctl that writes down what it is told."""
    program = home / "bin" / "systemctl"
    program.write_text(f'#!/bin/sh\necho "$*" >> "{home}/told"\n{script}\n')
    program.chmod(0o755)


def told(home):
    path = home / "told"
    return path.read_text().splitlines() if path.exists() else []


def values(text):
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line and line[0] != "#")


def test_it_prints_a_unit_with_absolute_paths_and_without_the_key(call, home):
    done = call("worker", "service")
    assert done.exit_code == 0, done.stderr
    unit = values(done.stdout)
    assert shlex.split(unit["ExecStart"]) == [
        sys.executable, "-P", "-m", "ordu.cli", "worker", "--config",
        str(home / "ordu-worker.toml"),
    ]  # fmt: skip
    assert unit["WorkingDirectory"] == str(home)
    assert unit["Restart"] == "on-failure"
    assert KEY not in done.stdout
    assert not (home / "config").exists()


def test_install_writes_it_and_says_what_starts_it(call, home):
    systemctl(home)
    done = call("worker", "service", "--install")
    assert done.exit_code == 0, done.stderr
    path = home / "config" / "systemd" / "user" / "ordu-worker.service"
    assert path.read_text() == call("worker", "service").stdout
    assert "systemctl --user daemon-reload" in done.stdout
    assert "systemctl --user enable --now ordu-worker.service" in done.stdout
    assert (done.stderr, told(home)) == ("", [])


def test_start_starts_it_now(call, home):
    systemctl(home)
    done = call("worker", "service", "attic", "--start")
    assert done.exit_code == 0, done.stderr
    assert (home / "config/systemd/user/ordu-worker@attic.service").exists()
    assert told(home) == ["--user daemon-reload", "--user enable --now ordu-worker@attic.service"]


def test_remove_stops_it_and_takes_the_unit_away(call, home):
    systemctl(home)
    call("worker", "service", "--install")
    done = call("worker", "service", "--remove")
    assert done.exit_code == 0, done.stderr
    assert not list((home / "config/systemd/user").iterdir())
    assert told(home) == ["--user disable --now ordu-worker.service", "--user daemon-reload"]
    done = call("worker", "service", "--remove")
    assert done.exit_code == 1
    assert "There is no " in done.stderr


def test_what_systemctl_cannot_do_is_said_in_a_line(call, home):
    systemctl(home, "echo 'Failed to connect to bus:\nNo medium found' >&2; exit 1")
    done = call("worker", "service", "--start")
    assert (done.exit_code, done.stderr) == (
        1, "ordu: systemctl --user daemon-reload: Failed to connect to bus: No medium found\n",
    )  # fmt: skip


def test_where_there_is_no_systemd_it_says_so(call, home, monkeypatch):
    monkeypatch.setenv("PATH", str(home / "bin"))
    done = call("worker", "service", "--start")
    assert (done.exit_code, done.stderr) == (
        1, "ordu: systemctl is not here: this needs systemd.\n",
    )  # fmt: skip


@pytest.mark.parametrize("name", ["", "a b", "../x", "-x", "a/b", "x" * 70, "ä"])
def test_a_name_that_systemd_does_not_take_is_refused(call, home, name):
    done = call("worker", "service", "--install", "--", name)
    assert done.exit_code == 2
    assert "cannot name a service" in done.stderr


def test_without_settings_it_says_how_to_get_some(call, home):
    (home / "ordu-worker.toml").unlink()
    done = call("worker", "service")
    assert done.exit_code == 2
    assert "`ordu worker join URL` writes ordu-worker.toml" in done.stderr


def test_another_file_is_named_by_option_or_environment(call, home):
    other = home / "other.toml"
    other.write_text("")
    for done in (
        call("worker", "service", "--config", "other.toml"),
        call("worker", "service", ORDU_CONFIG="other.toml"),
    ):
        assert str(other) in values(done.stdout)["ExecStart"]


def test_a_wrong_setting_is_said_before_anything_is_written(call, home):
    (home / "ordu-worker.toml").write_text("[worker]\nhours = ['now']\n")
    done = call("worker", "service", "--install")
    assert done.exit_code == 2
    assert "hours" in done.stderr
    assert not (home / "config").exists()


def test_what_would_keep_it_from_working_is_said(call, home):
    (home / "ordu-worker.toml").chmod(0o644)
    assert "chmod 600" in call("worker", "service", "--install").stderr
    (home / "ordu-worker.toml").write_text("")
    done = call("worker", "service", "--install", ORDU_API_KEY=KEY)
    assert "There is no api_key in" in done.stderr


def test_folders_with_any_name_are_quoted(call, home):
    folder = home / "my %n $HOME \"x\" \\ 'y'"
    folder.mkdir()
    (folder / "w.toml").write_text("")
    unit = values(call("worker", "service", "--config", str(folder / "w.toml")).stdout)
    assert unit["WorkingDirectory"] == str(folder).replace("%", "%%")
    last = unit["ExecStart"].partition('--config "')[2].removesuffix('"')
    undone = last.replace("%%", "%").replace("$$", "$").replace('\\"', '"').replace("\\\\", "\\")
    assert undone == str(folder / "w.toml")
    done = call("worker", "service", "--config", str(Path("a\nb.toml")))
    assert done.exit_code == 2


def test_install_and_remove_exclude_each_other(call, home):
    assert call("worker", "service", "--remove", "--start").exit_code == 2


def test_the_unit_is_a_file_that_others_may_read_but_not_change(call, home):
    call("worker", "service", "--install")
    mode = (home / "config/systemd/user/ordu-worker.service").stat().st_mode
    assert not stat.S_IMODE(mode) & 0o022
