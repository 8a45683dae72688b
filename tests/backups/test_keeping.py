"""Old backups go when newer ones are whole, and nothing else does."""

import fcntl
import os
import shutil

import pytest
from tests.backups.hordes import back_up, done, fill, live, refused, where
from tests.builders import HandClock
from tests.conftest import ADMIN_KEY

from ordu.backups import BackupError, drafts
from ordu.settings import ServerSettings


@pytest.fixture
def settings(tmp_path):
    settings = ServerSettings(data=str(tmp_path / "horde"), admin_key=ADMIN_KEY, rate_limits=False)
    live(settings, HandClock(), fill)
    return settings


@pytest.fixture
def place(tmp_path):
    (tmp_path / "backups").mkdir()
    return tmp_path / "backups"


def names(place):
    return sorted(path.name for path in place.iterdir() if path.name != drafts.LOCK)


def test_the_newest_are_kept(settings, place):
    made = []
    for _ in range(4):
        said = back_up(settings, place, "--keep", "2")
        (new,) = {*names(place)} - {*made}
        made.append(new)
    assert names(place) == sorted(made[-2:])
    assert f"removed     {place / made[1]}, which was older" in said
    for name in names(place):
        done("restore", "--check", place / name)


def test_what_is_no_backup_of_this_horde_is_left_alone_and_does_not_count(
    settings, place, tmp_path
):
    other = ServerSettings(data=str(tmp_path / "other"), admin_key=ADMIN_KEY, rate_limits=False)
    live(other, HandClock(), fill)
    back_up(other, place, "--keep", "1")
    (place / "ordu-notes").mkdir()
    (place / "ordu-notes" / "read.me").write_text("mine")
    (place / "ordu.tar").write_bytes(b"mine")
    back_up(settings, place, "--keep", "5")
    broken = place / "ordu-20200101T000000.000Z"
    shutil.copytree(next(place.glob("ordu-2*")), broken)
    (broken / "SHA256SUMS").unlink()
    before = names(place)
    back_up(settings, place, "--keep", "1")
    after = names(place)
    assert len(after) == len(before)  # one came, one went
    assert {"ordu-notes", "ordu.tar", broken.name} <= {*after}


def test_only_one_backup_at_a_time_goes_into_a_folder(settings, place):
    descriptor = os.open(place / drafts.LOCK, os.O_RDWR | os.O_CREAT)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    left = place / f"{drafts.DRAFT}of-the-other"
    left.mkdir()
    said = refused(1, "backup", place / "mine", *where(settings))
    assert "Another backup into" in said
    assert left.exists()
    os.close(descriptor)
    back_up(settings, place / "mine")
    assert names(place) == ["mine"]


def test_too_little_space_is_said_before_anything_is_written(tmp_path):
    with pytest.raises(BackupError, match=r"The backup needs about .* TB in .*, and .* are free\."):
        drafts.check_space(tmp_path, 2**60, "The backup")


@pytest.mark.parametrize(
    ("count", "words"),
    [(0, "0 bytes"), (999, "999 bytes"), (734_000, "734 kB"), (1_234_567_890, "1.2 GB"),
     (2**60, "1152921.5 TB")],
)  # fmt: skip
def test_in_words(count, words):
    assert drafts.in_words(count) == words


def test_of_a_folder_of_backups_the_newest_is_taken(settings, place, tmp_path):
    for _ in range(2):
        back_up(settings, place, "--keep", "5")
    newest = names(place)[-1]
    assert done("restore", "--check", place).startswith(f"{place / newest} can be brought back")
    done("restore", place, "--to", tmp_path / "back")
    other = ServerSettings(data=str(tmp_path / "other"), admin_key=ADMIN_KEY, rate_limits=False)
    live(other, HandClock(), fill)
    back_up(other, place, "--keep", "5")
    assert "has backups of several hordes" in refused(1, "restore", "--check", place)
