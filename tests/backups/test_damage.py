"""A backup that is not what it was is told in a line, and nothing is made of it."""

import shutil
import tempfile

import pytest
from tests.backups.hordes import (
    back_up,
    change_books,
    change_manifest,
    cut,
    done,
    everything_in,
    fill,
    flip,
    live,
    packed,
    refused,
    sum_again,
)
from tests.builders import HandClock
from tests.conftest import ADMIN_KEY

from ordu.settings import ServerSettings

SEGMENT = "pictures/00000001.segment"


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """A backup; each test has a copy."""
    folder = tmp_path_factory.mktemp("good")
    settings = ServerSettings(data=str(folder / "horde"), admin_key=ADMIN_KEY, rate_limits=False)
    live(settings, HandClock(), fill)
    back_up(settings, folder / "backup")
    return folder / "backup"


@pytest.fixture
def backup(good, tmp_path, monkeypatch):
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    shutil.copytree(good, tmp_path / "backup")
    return tmp_path / "backup"


def name_outside(backup):
    """A checksum of a file that is not in the folder."""
    with (backup / "SHA256SUMS").open("a") as file:
        file.write(f"{'0' * 64}  ../evil\n")


DAMAGES = [
    pytest.param(lambda it: flip(it / "horde.sqlite3"), "horde.sqlite3 is damaged: it was changed.",
                 id="a bit of the books"),
    pytest.param(lambda it: flip(it / SEGMENT), f"{SEGMENT} is damaged: it was changed.",
                 id="a bit of a picture"),
    pytest.param(lambda it: flip(it / "secret"), "secret is damaged: it was changed.",
                 id="a bit of the secret"),
    pytest.param(lambda it: flip(it / "manifest.json"), "its manifest.json is damaged",
                 id="a bit of the manifest"),
    pytest.param(lambda it: flip(it / "SHA256SUMS", 0.01), "is damaged",
                 id="a bit of the checksums"),
    pytest.param(lambda it: (it / SEGMENT).unlink(), f"{SEGMENT} is missing.",
                 id="a picture that is missing"),
    pytest.param(lambda it: (it / "horde.sqlite3").unlink(), "horde.sqlite3 is missing.",
                 id="books that are missing"),
    pytest.param(lambda it: cut(it / "horde.sqlite3"), "horde.sqlite3 is cut short: ",
                 id="books that are cut short"),
    pytest.param(lambda it: cut(it / "SHA256SUMS"), "its SHA256SUMS is damaged.",
                 id="checksums that are cut short"),
    pytest.param(lambda it: (it / "SHA256SUMS").unlink(), "whole backup: SHA256SUMS is missing",
                 id="interrupted"),
    pytest.param(lambda it: (it / "manifest.json").unlink(), "manifest.json is missing",
                 id="a manifest that is missing"),
    pytest.param(lambda it: change_manifest(it, format=2), "has format 2, made by a newer Ordu",
                 id="a newer format"),
    pytest.param(lambda it: change_manifest(it, schema="9999", ordu="9.1"),
                 "has schema 9999, made by Ordu 9.1", id="a newer schema"),
    pytest.param(lambda it: change_manifest(it, files={}), "manifest.json cannot be read: 'horde",
                 id="a manifest without books"),
    pytest.param(lambda it: change_manifest(it, rows=7), "its manifest.json cannot be read",
                 id="a manifest that is none"),
    pytest.param(lambda it: change_books(it, "UPDATE lines SET amount = 1 WHERE number = 0"),
                 "The books are not in order: ", id="books that do not sum to zero"),
    pytest.param(lambda it: change_books(it, "UPDATE users SET kudos = kudos + 1"),
                 "The books are not in order: ", id="a balance that is too high"),
    pytest.param(lambda it: change_books(it, "DELETE FROM jobs"), "rows they had in jobs",
                 id="rows that are missing"),
    pytest.param(lambda it: ((it / "horde.sqlite3").write_bytes(b"x" * 400_000), sum_again(it)),
                 "The books cannot be read", id="books that are none"),
    pytest.param(name_outside,
                 "its SHA256SUMS is damaged.", id="a name that leads out of it"),
]  # fmt: skip


@pytest.mark.parametrize(("damage", "words"), DAMAGES)
def test_damage_is_told_and_nothing_is_made_of_it(backup, tmp_path, damage, words):
    damage(backup)
    before = everything_in(backup)
    for more in (("--check",), ("--to", str(tmp_path / "back"))):
        said = refused(1, "restore", str(backup), *more)
        assert words in said
    assert everything_in(backup) == before
    assert not (tmp_path / "back").exists()
    assert list((tmp_path / "temporary").iterdir()) == []


def test_more_than_one_damage_is_told_with_a_line_each(backup):
    flip(backup / "horde.sqlite3")
    (backup / SEGMENT).unlink()
    from tests.backups.hordes import command

    result = command("restore", "--check", backup)
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 2


def test_what_is_not_of_a_backup_is_left_alone(backup, tmp_path):
    (backup / "notes.txt").write_text("copied on Monday")
    done("restore", backup, "--to", tmp_path / "back")
    assert not (tmp_path / "back" / "notes.txt").exists()


@pytest.mark.parametrize("share", [0.999, 0.5, 0.1, 0.001])
def test_a_tar_that_is_cut_short(backup, tmp_path, share):
    path = packed(backup)
    assert "can be brought back" in done("restore", "--check", path)
    content = path.read_bytes().rstrip(b"\0")
    path.write_bytes(content[: int(len(content) * share)])
    for more in (("--check",), ("--to", str(tmp_path / "back"))):
        said = refused(1, "restore", path, *more)
        assert "is no whole backup: " in said or "damaged" in said or "cut short" in said


@pytest.mark.parametrize("share", [0.0001, 0.02, 0.3, 0.9])
def test_a_bit_of_a_tar(backup, share):
    path = packed(backup)
    flip(path, share)
    assert str(path) in refused(1, "restore", "--check", path)


def test_a_tar_with_names_that_lead_out_of_it_or_links_is_not_followed(backup, tmp_path):
    def to_link(entry):
        if entry.name == "secret":
            entry.type, entry.linkname, entry.size = b"2", "/etc/hostname", 0

    assert "secret is missing." in refused(1, "restore", "--check", packed(backup, to_link))

    def to_outside(entry):
        if entry.name == "secret":
            entry.name = "../../secret"

    path = packed(backup, to_outside)
    assert "secret is missing." in refused(1, "restore", path, "--to", tmp_path / "back")


def test_something_else_than_a_backup(tmp_path):
    (tmp_path / "file").write_bytes(b"no backup")
    (tmp_path / "folder").mkdir()
    for name in ("file", "folder"):
        assert "is no whole backup: " in refused(1, "restore", "--check", tmp_path / name)
