"""From options, environment and file to a backend with its settings."""

from pathlib import Path

import pytest
from tests.foreign_backend import ForeignBackend, ForeignSettings

from ordu.cli.failures import Failure
from ordu.cli.worker.opening import open_settings
from ordu.settings import SettingError
from ordu.worker.backends import installed, load

NAME = "tests.foreign_backend:ForeignBackend"


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def opened(*sets: str) -> ForeignSettings:
    found = open_settings({"backend": NAME}, sets)
    assert found.backend is ForeignBackend
    assert isinstance(found.backend_settings, ForeignSettings)
    return found.backend_settings


def test_a_backend_has_settings_of_its_own_from_the_usual_places(monkeypatch):
    Path("ordu.toml").write_text("[backends.ForeignBackend]\nspeed = 2\nnames = {a = 'b'}\n")
    assert (opened().speed, opened().names) == (2, {"a": "b"})
    monkeypatch.setenv("ORDU_FOREIGNBACKEND_SPEED", "3")
    assert opened().speed == 3
    assert opened("speed=4", "names=x=y, z=w") == ForeignSettings(
        speed=4, names={"x": "y", "z": "w"}
    )


def test_a_workers_own_file_comes_before_the_common_one():
    Path("ordu.toml").write_text("[backends.ForeignBackend]\nspeed = 2\n")
    Path("ordu-worker.toml").write_text("[backends.ForeignBackend]\nspeed = 3\n")
    assert opened().speed == 3


@pytest.mark.parametrize(
    ("sets", "words"),
    [
        (["speed"], "--set speed: write NAME=VALUE; .* ForeignBackend has speed, key, names."),
        (["spede=1"], "--set spede=1: write NAME=VALUE"),
    ],
)  # fmt: skip
def test_what_is_no_setting_is_said(sets, words):
    with pytest.raises(Failure, match=words):
        opened(*sets)


@pytest.mark.parametrize(
    ("sets", "content", "words"),
    [
        (["speed=10"], "", r"Setting speed \(flag --set speed=\): 10 is not allowed"),
        ([], "[backends.ForeignBackend]\nspeed = 0", r"\[backends.ForeignBackend\] speed\): 0 is"),
        ([], "[backends.ForeignBackend]\nspede = 1", "did you mean speed?"),
        ([], "[backends]\nForeignBackend = 1", r"write its settings below \[backends.ForeignB"),
        ([], "backends = 1", r"write its settings below \[backends\]"),
    ],
)
def test_a_wrong_value_is_said_with_its_place(sets, content, words):
    Path("ordu.toml").write_text(content)
    with pytest.raises(SettingError, match=words):
        opened(*sets)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("dream", "There is no backend 'dream'. Installed: .*sketch"),
        ("tests.foreign_backend:Missing", "is not there"),
        ("tests.foreign_backend:ForeignSettings", "has to be a class of type Backend"),
        ("no_such_module:X", "cannot be loaded: No module named"),
    ],
)
def test_what_is_no_backend_is_said(name, words):
    with pytest.raises(Failure, match=words):
        open_settings({"backend": name})


def test_all_installed_backends_have_one_contract():
    for name in installed():
        assert load(name).__doc__
