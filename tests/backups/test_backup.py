"""A horde is copied while it is open, brought back elsewhere, and goes on there."""

import asyncio
import json
import stat
import subprocess
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.backups.hordes import (
    TERMS,
    at,
    back_up,
    back_up_beside,
    change_manifest,
    command,
    done,
    draw,
    everything_in,
    fill,
    goes_on,
    live,
    refused,
    where,
)
from tests.builders import only_sqlite
from tests.store.test_old_schemas import DUMPS, restored

from ordu.backups import books
from ordu.engine import end
from ordu.engine.belonging import promised
from ordu.server.run import UNFINISHED, open_horde
from ordu.settings import SettingError
from ordu.store import ledger, users


@pytest.fixture
def ids(settings, clock):
    """A horde in which something has happened, closed again."""
    return live(settings, clock, fill)


@pytest.fixture
def other_url(request, postgres):
    """An empty database of PostgreSQL."""
    url = postgres.empty()
    yield url
    postgres.drop(url)


@only_sqlite
def test_the_horde_goes_first_when_processors_are_few(settings, ids, tmp_path, priorities):
    back_up(settings, tmp_path / "backup")
    done("restore", "--check", tmp_path / "backup")
    assert len(priorities) == 2
    assert min(priorities) >= 10
    done("restore", tmp_path / "backup", "--to", tmp_path / "back")
    assert len(priorities) == 2  # somebody waits for it


@pytest.mark.parametrize("name", ["backup", "backup.tar"])
def test_a_horde_that_is_open_is_copied_and_goes_on_elsewhere(name, settings, clock, tmp_path):
    backup = tmp_path / name

    async def fill_and_back_up(api, horde):
        ids = await fill(api, horde)
        await back_up_beside(settings, backup)
        await draw(api, "drawn later")
        return ids

    ids = live(settings, clock, fill_and_back_up)
    checked = done("restore", "--check", backup)
    assert f"{backup} can be brought back" in checked
    assert "answered 3 calls" in checked
    said = done("restore", backup, "--to", tmp_path / "back")
    assert "pictures    2\n" in said
    assert "lost        everything after " in said
    assert (tmp_path / "back" / "terms.md").read_text() == TERMS
    live(at(tmp_path / "back"), clock, lambda api, horde: goes_on(api, horde, ids))


def test_a_backup_is_brought_back_into_postgresql(settings, ids, clock, tmp_path, other_url):
    back_up(settings, tmp_path / "backup")
    said = done("restore", tmp_path / "backup", "--to", tmp_path / "back", ORDU_DATABASE=other_url)
    assert "in order, " in said
    there = at(tmp_path / "back", other_url)
    live(there, clock, lambda api, horde: goes_on(api, horde, ids))
    # And from there into SQLite again.
    back_up(there, tmp_path / "second")
    done("restore", tmp_path / "second", "--to", tmp_path / "again")
    live(at(tmp_path / "again"), clock, draws)


async def draws(api, horde):
    await draw(api, "once more")


def test_only_its_owner_may_read_a_backup_and_what_is_brought_back(settings, ids, tmp_path):
    back_up(settings, tmp_path / "backup")
    back_up(settings, tmp_path / "backup.tar")
    done("restore", tmp_path / "backup", "--to", tmp_path / "back")
    for folder in (tmp_path / "backup", tmp_path / "back"):
        for path in (folder, *folder.rglob("*")):
            assert path.stat().st_mode & 0o077 == 0, path
    assert stat.S_IMODE((tmp_path / "backup.tar").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "back" / "secret").stat().st_mode) == 0o600


def test_the_checksums_are_those_of_sha256sum(settings, ids, tmp_path):
    back_up(settings, tmp_path / "backup")
    checked = subprocess.run(
        ["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=tmp_path / "backup",
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (checked.returncode, checked.stderr) == (0, "")
    names = {line.partition(":")[0] for line in checked.stdout.splitlines()}
    assert names == {*everything_in(tmp_path / "backup")} - {"SHA256SUMS"}


def test_what_was_deleted_is_not_in_a_backup(settings, clock, tmp_path):
    """Neither in free pages of the file nor in segments: who was forgotten stays so."""

    async def fill_and_forget(api, horde):
        ids = await fill(api, horde)
        secret = await draw(api, "a-prompt-nobody-may-read")
        clock.forward(s=settings.request_lifetime_s + 1)
        await end.expire(horde, secret)
        return ids

    live(settings, clock, fill_and_forget)
    back_up(settings, tmp_path / "backup")
    assert not any(
        b"a-prompt-nobody-may-read" in content
        for content in everything_in(tmp_path / "backup").values()
    )


def test_the_secret_is_never_said_and_can_be_left_out(settings, ids, clock, tmp_path):
    secret = (Path(settings.data) / "secret").read_text().strip()
    assert "whoever reads this backup can act for everybody" in back_up(settings, tmp_path / "with")
    said = back_up(settings, tmp_path / "backup", "--without-secret")
    assert "NOT in it: without it no key is known" in said
    assert not any(secret.encode() in each for each in everything_in(tmp_path / "backup").values())
    assert "can be brought back" in done("restore", "--check", tmp_path / "backup")
    said = done("restore", tmp_path / "backup", "--to", tmp_path / "back")
    assert "secret      MISSING" in said
    assert "Without it no key is known." in said
    (tmp_path / "back" / "secret").write_text(secret)
    live(at(tmp_path / "back"), clock, lambda api, horde: goes_on(api, horde, ids))
    said = done("restore", tmp_path / "backup", "--to", tmp_path / "two", ORDU_SECRET=secret)
    assert "the one of ORDU_SECRET" in said
    assert not (tmp_path / "two" / "secret").exists()
    assert secret not in said


def test_a_secret_that_is_not_the_hordes_is_refused(settings, ids, tmp_path):
    wrong = "a-secret-of-another-horde"
    said = refused(2, "backup", tmp_path / "backup", *where(settings), ORDU_SECRET=wrong)
    assert "ORDU_SECRET is not the secret of the horde in " in said
    assert not (tmp_path / "backup").exists()
    back_up(settings, tmp_path / "backup")
    said = refused(2, "restore", tmp_path / "backup", "--to", tmp_path / "back", ORDU_SECRET=wrong)
    assert "ORDU_SECRET is not the secret that these books were made with" in said
    assert not (tmp_path / "back").exists()
    (Path(settings.data) / "secret").unlink()
    assert "The installation's secret is not here" in refused(
        2, "backup", tmp_path / "other", *where(settings)
    )


def test_pictures_can_be_left_out_and_brought_back_elsewhere(settings, ids, clock, tmp_path):
    said = back_up(settings, tmp_path / "none", "--without-pictures")
    assert "pictures    NOT in it" in said
    assert "were not in the backup" in done(
        "restore", tmp_path / "none", "--to", tmp_path / "without"
    )
    back_up(settings, tmp_path / "backup")
    elsewhere = tmp_path / "elsewhere"
    said = done(
        "restore", tmp_path / "backup", "--to", tmp_path / "back", "--images", elsewhere.as_uri()
    )
    assert "pictures    2\n" in said
    assert not (tmp_path / "back" / "pictures").exists()
    there = replace(at(tmp_path / "back"), images=elsewhere.as_uri())
    live(there, clock, lambda api, horde: goes_on(api, horde, ids))


def test_pictures_on_s3_stay_there_unless_they_are_asked_for(settings, clock, s3, tmp_path):
    settings = replace(settings, images=f"s3://{s3.bucket()}?endpoint={s3.url}")
    ids = live(settings, clock, fill)
    place = [*where(settings), "--images", settings.images]
    said = done("backup", tmp_path / "none", *place)
    assert "pictures    NOT in it; they stay at s3://" in said
    assert "start with the same --images" in done(
        "restore", tmp_path / "none", "--to", tmp_path / "same"
    )
    same = replace(at(tmp_path / "same"), images=settings.images)
    live(same, clock, lambda api, horde: looks(horde, ids))
    assert "pictures    2, " in done("backup", tmp_path / "all", *place, "--pictures")
    done("restore", tmp_path / "all", "--to", tmp_path / "back")
    live(at(tmp_path / "back"), clock, lambda api, horde: goes_on(api, horde, ids))


async def looks(horde, ids):
    names = await horde.read(lambda tx: list(promised(tx)))
    assert len(names) == 2
    assert None not in [await horde.pictures.get(name) for name in names]


def test_a_picture_that_is_nowhere_is_said_and_the_backup_is_kept(settings, clock, tmp_path):
    async def lose_one(api, horde):
        await fill(api, horde)
        await horde.pictures.delete([(await horde.read(lambda tx: list(promised(tx))))[0]])
        await horde.pictures.tidy()

    live(settings, clock, lose_one)
    if not settings.database:  # what was deleted is still in its segment, so it is found again
        for path in Path(settings.data, "pictures").glob("*.segment"):
            path.unlink()
    result = command("backup", tmp_path / "backup", *where(settings))
    assert result.exit_code == 1
    assert "The backup is made, but " in result.stderr
    assert "of settled jobs are nowhere" in result.stderr
    assert "can be brought back" in done("restore", "--check", tmp_path / "backup")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        pytest.param(lambda there: (there / "x").write_text("mine"), "is not empty: it has x",
                     id="a file"),
        pytest.param(lambda there: (there / "secret").write_text("s"), "not empty: it has secret",
                     id="another horde's secret"),
    ],
)  # fmt: skip
@only_sqlite
def test_nothing_that_is_there_is_overwritten(settings, ids, tmp_path, make, words):
    back_up(settings, tmp_path / "backup")
    (tmp_path / "there").mkdir()
    make(tmp_path / "there")
    before = everything_in(tmp_path / "there")
    said = refused(2, "restore", tmp_path / "backup", "--to", tmp_path / "there")
    assert words in said
    assert everything_in(tmp_path / "there") == before
    said = refused(2, "backup", tmp_path / "there", *where(settings))
    assert "is there already" in said


@only_sqlite
def test_a_database_with_something_in_it_is_not_overwritten(
    settings, ids, clock, tmp_path, postgres
):
    back_up(settings, tmp_path / "backup")
    old = tmp_path / "old.sqlite3"
    for each in (old, tmp_path / "new.sqlite3-wal"):
        each.write_bytes(b"mine")
    for name in ("old", "new"):
        url = f"sqlite:///{tmp_path / name}.sqlite3"
        to = ("--to", tmp_path / "back", "--database", url)
        assert "is there already" in refused(2, "restore", tmp_path / "backup", *to)
    assert old.read_bytes() == b"mine"
    url = postgres.new()
    live(
        at(tmp_path / "other", url),
        None or __import__("tests.builders").builders.HandClock(),
        draws,
    )
    to = ("--to", tmp_path / "back", "--database", url)
    assert "is not empty: it has rows in" in refused(2, "restore", tmp_path / "backup", *to)
    assert not (tmp_path / "back").exists()
    postgres.drop(url)


@only_sqlite
def test_a_place_elsewhere_for_the_books(settings, ids, clock, tmp_path):
    back_up(settings, tmp_path / "backup")
    file = tmp_path / "books" / "horde.sqlite3"
    url = f"sqlite:///{file}"
    done("restore", tmp_path / "backup", "--to", tmp_path / "back", "--database", url)
    assert [path.name for path in file.parent.iterdir()] == [file.name]
    live(at(tmp_path / "back", url), clock, lambda api, horde: goes_on(api, horde, ids))


@only_sqlite
def test_a_restore_that_was_killed_is_no_horde_and_is_made_again(settings, ids, tmp_path):
    back_up(settings, tmp_path / "backup")
    half = tmp_path / "back" / UNFINISHED
    half.mkdir(parents=True)
    (half / "horde.sqlite3").write_bytes(b"half")
    said = refused(2, "serve", "--data", tmp_path / "back", "--port", "0")
    assert "A backup is being brought back into" in said
    done("restore", tmp_path / "backup", "--to", tmp_path / "back")
    assert not half.exists()


@only_sqlite
def test_nothing_there_and_wrong_words(settings, ids, tmp_path):
    assert "There is no horde here" in refused(2, "backup", tmp_path / "b", "--data", tmp_path)
    assert "is no folder. Make it, or mount" in refused(
        2, "backup", tmp_path / "not" / "there", *where(settings)
    )
    assert "does not exist" in refused(2, "restore", "--check", tmp_path / "nothing")
    assert "--to DIR, or only --check" in refused(2, "restore", tmp_path)
    back_up(settings, tmp_path / "backup")
    manifest = json.loads((tmp_path / "backup" / "manifest.json").read_text())
    assert (manifest["format"], manifest["database"]) == (1, "sqlite")
    assert manifest["rows"]["requests"] == 4


def test_the_program_refuses_half_a_horde_also_without_a_command(tmp_path):
    async def opens():
        async with open_horde(at(tmp_path), "http://horde.test"):
            raise AssertionError

    (tmp_path / UNFINISHED).mkdir()
    with pytest.raises(SettingError, match="did not get to its end"):
        asyncio.run(opens())


@pytest.mark.parametrize("dump", DUMPS, ids=lambda dump: dump.stem)
@only_sqlite
def test_a_backup_of_an_older_ordu_is_brought_up_to_date(
    settings, ids, clock, tmp_path, dump, postgres
):
    """Its books are those of each schema that closed an issue; it comes back into either."""
    back_up(settings, tmp_path / "backup", "--without-secret", "--without-pictures")
    (tmp_path / "backup" / "horde.sqlite3").unlink()
    path = restored(dump, tmp_path / "backup")
    rows = books.read(path, books.rows_of)
    change_manifest(
        tmp_path / "backup", schema=dump.stem, rows=rows, files={path.name: path.stat().st_size}
    )
    assert "can be brought back" in done("restore", "--check", tmp_path / "backup")
    for number, url in enumerate(["", postgres.empty()]):
        data = tmp_path / f"back-{number}"
        done("restore", tmp_path / "backup", "--to", data, ORDU_DATABASE=url)
        live(at(data, url), clock, is_the_old_one)


async def is_the_old_one(api, horde):
    assert (await horde.read(lambda tx: users.by_id(tx, 2))).username == "ferris"
    assert await horde.read(ledger.audit) == []
