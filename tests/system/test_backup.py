"""Backups with real processes: under load, killed in the middle, on a disk that is full.

What a horde has acknowledged before a backup begins is in it: each settled job with its picture.
"""

import base64
import itertools
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
from tests.builders import a_picture
from tests.postgres import PostgresServer
from tests.system.processes import Processes, Running, Server, until
from tests.system.test_story import POP, SMALL

from ordu.backups.drafts import DRAFT, LOCK
from ordu.client import Horde
from ordu.client.wire import known
from ordu.server.run import UNFINISHED

LOOKED_AT_MAX = 60  # settled jobs of each backup whose pictures are fetched again
BALLAST_ROWS = 30_000  # of a kilobyte, so that a backup takes a while


@dataclass(frozen=True)
class Settled:
    """A picture that was paid for, as its requester gets it."""

    request_id: str
    picture: bytes


@dataclass
class Crowd:
    """People who ask for pictures, each with a worker of their own, until told to stop."""

    server: Server
    keys: tuple[str, ...]
    settled: list[Settled] = field(default_factory=list)  # each is added once it is acknowledged
    wrong: list[str] = field(default_factory=list)
    is_over: threading.Event = field(default_factory=threading.Event)
    colours: "itertools.count[int]" = field(default_factory=itertools.count)
    threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> "Crowd":
        for number, key in enumerate(self.keys):
            thread = threading.Thread(target=self.live, args=(number, key))
            self.threads.append(thread)
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.is_over.set()
        for thread in self.threads:
            thread.join()

    def live(self, number: int, key: str) -> None:
        """Ask, draw, deliver, look at it: again and again."""
        try:
            with self.server.horde(key) as horde:
                while not self.is_over.is_set():
                    self.settled.append(self.draw(horde, f"model {number}"))
        except Exception as error:  # noqa: BLE001 - whatever it is, the test has to say it
            self.wrong.append(repr(error))

    def draw(self, horde: Horde, model: str) -> Settled:
        """One whole lifecycle; the picture is like no other."""
        colour = next(self.colours)
        picture = a_picture(64, 64, f"#{colour % 0x1000000:06x}")
        request_id = known(horde.post_async_generate(SMALL | {"models": [model]}).id, "")
        job = horde.post_job_pop(POP | {"name": f"worker of {model}", "models": [model]})
        if colour % 2:
            horde.upload(known(job.r2_upload, ""), picture)
        horde.post_job_submit(
            {
                "id": known(job.id, ""),
                "generation": "R2" if colour % 2 else base64.b64encode(picture).decode(),
                "seed": 1,
                "state": "ok",
            }
        )
        assert picture_of(horde, request_id) == picture
        return Settled(request_id, picture)

    def more(self, many: int) -> None:
        """Wait until so many more are settled."""
        wanted = len(self.settled) + many
        until(lambda: self.wrong or len(self.settled) >= wanted, "more pictures", within_s=50)
        assert self.wrong == []


def picture_of(horde: Horde, request_id: str) -> bytes:
    status = horde.get_async_status(request_id)
    assert (status.done, status.finished) == (True, 1)
    return horde.fetch(known(known(status.generations, [])[0].img, ""))


def where(server: Server, url: str) -> list[str]:
    return ["--data", str(server.data), *(["--database", url] if url else [])]


def done(ordu: Processes, *words: str) -> str:
    """What a command says that succeeds."""
    result = ordu.run(*words)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.mark.timeout(180)
def test_backups_under_load_have_all_that_was_acknowledged(
    ordu: Processes, database_url: str, postgres: PostgresServer
):
    """On SQLite, and on PostgreSQL with two processes; one is brought into the other kind."""
    live_through(ordu, database_url, postgres, people=3, backups=("first", "second.tar"))


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_many_backups_under_load_have_all_that_was_acknowledged(
    ordu: Processes, database_url: str, postgres: PostgresServer
):
    names = [f"number-{number}{'.tar' if number % 2 else ''}" for number in range(12)]
    live_through(ordu, database_url, postgres, people=8, backups=names)


def live_through(
    ordu: Processes,
    url: str,
    postgres: PostgresServer,
    *,
    people: int,
    backups: Sequence[str],
) -> None:
    """Back up a horde that is busy, again and again; then bring each of them back."""
    more = ["--database", url, "--processes", "2"] if url else []
    server = ordu.server("--anonymous", "off", "--concurrency", "1000", *more)
    keys = tuple(server.register(f"person {number}") for number in range(people))
    before: dict[str, list[Settled]] = {}
    with Crowd(server, keys) as crowd:
        for name in backups:
            crowd.more(12)
            before[name] = list(crowd.settled)
            said = done(ordu, "backup", name, *where(server, url))
            assert "of requests that ended meanwhile" not in said
        crowd.more(4)  # the horde goes on
    assert crowd.wrong == []
    server.send(signal.SIGTERM)
    assert server.end() == 0
    print({name: len(settled) for name, settled in before.items()}, len(crowd.settled))
    for number, name in enumerate(backups):
        assert "can be brought back" in done(ordu, "restore", "--check", name)
        there = postgres.empty() if number % 2 else ""
        brought_back_whole(ordu, name, there, before[name], keys[0])


def brought_back_whole(
    ordu: Processes, name: str, url: str, settled: list[Settled], key: str
) -> None:
    """A horde of a backup has what was acknowledged before, its books are in order, it goes on."""
    data = f"from-{name}"
    database = ["--database", url] if url else []
    done(ordu, "restore", name, "--to", data, *database)
    assert "The books are in order" in done(ordu, "audit", "--data", data, *database)
    if not url:
        with closing(sqlite3.connect(ordu.folder / data / "horde.sqlite3")) as connection:
            done_ones = connection.execute("SELECT request_id FROM jobs WHERE state = 'done'")
            assert {each.request_id for each in settled} <= {row[0] for row in done_ones}
    server = ordu.server(*database, data=data)
    with server.horde(key) as horde:
        for each in settled[-LOOKED_AT_MAX:]:
            assert picture_of(horde, each.request_id) == each.picture
        assert Crowd(server, ()).draw(horde, "another model").picture
    server.send(signal.SIGTERM)
    assert server.end() == 0


@pytest.fixture
def large(ordu: Processes) -> Server:
    """A horde whose backup takes a while; its server runs."""
    server = ordu.server()
    key = server.register("artist")
    with server.horde(key) as horde:
        for _ in range(3):
            Crowd(server, ()).draw(horde, "a model")
    with closing(sqlite3.connect(server.data / "horde.sqlite3", timeout=20)) as connection:
        connection.executescript(
            "BEGIN IMMEDIATE; CREATE TABLE ballast (id INTEGER PRIMARY KEY, bytes BLOB);"
            f"WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
            f" WHERE i < {BALLAST_ROWS})"
            " INSERT INTO ballast SELECT i, randomblob(1000) FROM n; COMMIT"
        )
    return server


def backups(ordu: Processes) -> Path:
    """The folder they go into."""
    folder = ordu.folder / "backups"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.mark.timeout(180)
@pytest.mark.parametrize("kills", [2, pytest.param(20, marks=pytest.mark.slow)])
def test_a_backup_that_is_killed_is_never_taken_for_one(ordu: Processes, large: Server, kills: int):
    """Killed at moments that come later and later, maybe until it was too late to kill it."""
    folder, killed = backups(ordu), 0
    for number in range(kills):
        running = ordu.start("backup", "backup", f"backups/{number}", "--data", str(large.data))
        until(partial(has_begun, folder, running), "the backup to begin")
        time.sleep(number * 0.06)
        running.kill()
        if (folder / str(number)).exists():
            assert "can be brought back" in done(ordu, "restore", "--check", f"backups/{number}")
        else:
            killed += 1
            (draft,) = folder.glob(f"{DRAFT}*")
            refused = ordu.run("restore", "--check", str(draft))
            assert refused.returncode == 1
            assert "is no whole backup" in refused.stderr
    assert killed > 0
    done(ordu, "backup", "backups/last", "--data", str(large.data))
    assert not list(folder.glob(f"{DRAFT}*"))
    assert "can be brought back" in done(ordu, "restore", "--check", "backups/last")
    with large.horde() as horde:
        assert horde.get_users()


def has_begun(folder: Path, running: Running) -> bool:
    """Whether a backup writes already, or is through."""
    return bool(list(folder.glob(f"{DRAFT}*"))) or running.process.poll() == 0


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)]
)
def test_a_backup_that_is_told_to_stop_leaves_nothing(
    ordu: Processes, large: Server, number: signal.Signals
):
    folder = backups(ordu)
    running = ordu.start("backup", "backup", "backups/one", "--data", str(large.data))
    until(partial(has_begun, folder, running), "the backup to begin")
    running.send(number)
    code = running.end()
    left = {path.name for path in folder.iterdir()}
    if code == 0:  # it was quicker
        assert left == {LOCK, "one"}
    else:
        assert (code, left) == (128 + number, {LOCK}), running.said()


def with_files_up_to(ordu: Processes, kilobytes: int, *words: str) -> str:
    """The line of a command that may write no larger file, as on a disk that is full."""
    command = [sys.executable, "-m", "ordu.cli", *words]
    result = subprocess.run(
        ["bash", "-c", f'ulimit -f {kilobytes}; exec "$@"', "bash", *command],
        cwd=ordu.folder, env=ordu.environment(), capture_output=True, text=True, check=False,
        timeout=60,
    )  # fmt: skip
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith("ordu: ")
    assert result.stderr.count("\n") == 1
    return result.stderr


@pytest.mark.parametrize(
    "kilobytes", [1000, *(pytest.param(each, marks=pytest.mark.slow) for each in (4, 30_000))]
)
def test_a_disk_that_is_full_is_said_and_nothing_is_left(
    ordu: Processes, large: Server, kilobytes: int
):
    folder, place = backups(ordu), ("--data", str(large.data))
    said = with_files_up_to(ordu, kilobytes, "backup", "backups/one", *place)
    assert "The books of " in said
    assert [path.name for path in folder.iterdir()] == [LOCK]
    done(ordu, "backup", "backups/one", *place)


def test_a_disk_that_is_full_of_pictures(ordu: Processes, large: Server):
    """The first segment takes four megabytes, and the books have less."""
    with closing(sqlite3.connect(large.data / "horde.sqlite3", timeout=20)) as connection:
        connection.executescript("DROP TABLE ballast")
    folder = backups(ordu)
    said = with_files_up_to(ordu, 2000, "backup", "backups/one", "--data", str(large.data))
    assert said == "ordu: The backup cannot be written: File too large.\n"
    assert [path.name for path in folder.iterdir()] == [LOCK]


def test_a_disk_that_is_full_while_it_is_brought_back(ordu: Processes, large: Server):
    done(ordu, "backup", "backup", "--data", str(large.data))
    said = with_files_up_to(ordu, 1000, "restore", "backup", "--to", "back")
    assert said.startswith("ordu: The backup cannot be brought back: ")
    assert not (ordu.folder / "back").exists()


@pytest.mark.timeout(180)
@pytest.mark.parametrize("kills", [1, pytest.param(12, marks=pytest.mark.slow)])
def test_a_restore_that_is_killed_is_no_horde(ordu: Processes, large: Server, kills: int):
    done(ordu, "backup", "backup", "--data", str(large.data))
    back = ordu.folder / "back"
    for number in range(kills):
        running = ordu.start("restore", "restore", "backup", "--to", "back")
        until(back.exists, "the restore to begin")
        time.sleep(number * 0.05)
        running.kill()
        if (back / UNFINISHED).exists():
            refused = ordu.run("serve", "--data", "back", "--port", "0")
            assert refused.returncode == 2
            assert "did not get to its end" in refused.stderr
        shutil.rmtree(back)
    done(ordu, "restore", "backup", "--to", "back")
    assert (back / "horde.sqlite3").exists()
