"""The page of bounds says what the code does, and names tests that are there."""

import importlib
import re
from pathlib import Path

import pytest

from ordu.engine.known import USERS_MAX, Known
from ordu.kinds.catalogue import FILE_BYTES_MAX, read_catalogue
from ordu.rules.lifecycle import Millis
from ordu.settings import ServerSettings, SettingError

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reference" / "bounds.md"
UNITS = {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30}

ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.read_text(encoding="utf-8").splitlines()
    if line.startswith("|") and not line.startswith(("|---", "| what |"))
]


def number_in(text: str) -> float:
    """The number at the beginning of a cell, in its smallest unit."""
    number, _, rest = text.partition(" ")
    return float(number.replace(",", "")) * UNITS.get(rest.partition(" ")[0], 1)


def value_of(name: str) -> float:
    """What a setting is by default, or a constant is."""
    if "." not in name:
        return float(getattr(ServerSettings(), name))
    module, _, constant = name.rpartition(".")
    return float(getattr(importlib.import_module(f"ordu.{module}"), constant))


def test_there_are_many():
    assert len(ROWS) > 50


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_bound_is_what_the_code_says(row):
    _, bound, where, _ = row
    name = where.strip("`")
    if name.endswith(".md"):
        assert (ROOT / name).exists()
    else:
        assert number_in(bound) == value_of(name)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_what_proves_it_is_there(row):
    path, _, test = row[3].strip("`").partition("::")
    text = (ROOT / path).read_text(encoding="utf-8")
    assert re.search(rf"def {test}\(", text)


def test_every_setting_that_bounds_something_is_there():
    named = {row[2].strip("`") for row in ROWS}
    bounding = {
        field
        for field in ServerSettings.__struct_fields__
        if re.search(
            r"_(max|timeout_s|lifetime_s)\Z|\A(sync_waiters|concurrency|registration)", field
        )
    }
    elsewhere = {"concurrency_anonymous", "sign_in_lifetime_s", "faults_max"}
    assert bounding - named - elsewhere == set()


def test_what_is_remembered_of_callers_is_bounded():
    users = Known().users
    for number in range(USERS_MAX + 10):
        users.put(number.to_bytes(4, "big"), None, Millis(0))
    assert len(users.values) == users.most == USERS_MAX


def test_a_models_file_that_is_too_large_stops_the_start(tmp_path):
    path = tmp_path / "models.toml"
    path.write_bytes(b"#" * (FILE_BYTES_MAX + 1))
    with pytest.raises(SettingError, match="larger"):
        read_catalogue(path)
