"""`ordu doctor`: each thing that can be wrong with a horde is found, told, and how it is mended.

A healthy horde is made once and copied for each case, which then breaks one thing.
"""

import asyncio
import json
import shutil
import sqlite3
import stat
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from tests.builders import a_wish
from tests.conftest import ADMIN_KEY

from ordu.cli.doctor import address, folder, kept
from ordu.engine import place
from ordu.server.run import open_horde
from ordu.settings import ServerSettings
from ordu.store import facts, users


@pytest.fixture(scope="module")
def healthy(tmp_path_factory) -> Path:
    """The folder of a horde in which somebody asked for something, and a backup was made."""
    path = tmp_path_factory.mktemp("healthy") / "horde"
    make(ServerSettings(data=str(path), admin_key=ADMIN_KEY))
    return path


def make(settings: ServerSettings) -> None:
    async def live() -> None:
        async with open_horde(settings, "http://x") as opened:
            horde = opened.horde
            admin = await horde.read(lambda tx: users.by_id(tx, 1))
            await place.accept(horde, admin, a_wish())
            now = str(horde.now())
            await horde.write(lambda tx: facts.put(tx, facts.BACKUP, now))

    asyncio.run(live())


@pytest.fixture
def data(healthy: Path, tmp_path: Path) -> Path:
    copied = tmp_path / "horde"
    shutil.copytree(healthy, copied)
    copied.chmod(0o700)
    return copied


@pytest.fixture
def examine(call, data: Path):
    """What is found: (grade, about) → (what, mend); and the exit code."""

    def look(*arguments: str, **environment: str) -> tuple[dict, int]:
        told = call("doctor", "--json", "--data", str(data), "--port", "1", *arguments,
                    **environment)  # fmt: skip
        found = json.loads(told.stdout)
        secret = data / "secret"
        if secret.is_file():
            assert secret.read_text().strip() not in told.output.split()
        assert ADMIN_KEY not in told.output
        return {(each["grade"], each["about"]): each for each in found}, told.exit_code

    return look


def test_of_a_healthy_horde_nothing_is_wrong(examine, call, data):
    found, code = examine()
    assert code == 0
    assert not [key for key in found if key[0] in {"wrong", "better"}], found
    assert len([key for key in found if key[0] == "fine"]) >= 10
    told = call("doctor", "--data", str(data), "--port", "1")
    assert told.exit_code == 0
    assert "ok    database: " in told.output
    assert "is whole, and its schema is the newest." in told.output


def sql(data: Path, *statements: str) -> None:
    connection = sqlite3.connect(data / "horde.sqlite3")
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def damage(data: Path) -> None:
    """Write over pages in the middle, as a broken disk does."""
    sql(data, "PRAGMA wal_checkpoint(TRUNCATE)")
    with (data / "horde.sqlite3").open("r+b") as file:
        file.seek(4096 * 3)
        file.write(b"\xff" * 4096 * 20)


def future(data: Path) -> None:
    sql(data, f"UPDATE requests SET created_at = {int((time.time() + 9000) * 1000)}")


BROKEN = {
    "no folder": (shutil.rmtree, "wrong", "data folder", "ordu serve"),
    "a folder for everybody": (lambda data: data.chmod(0o755), "wrong", "data folder", "chmod"),
    "a file instead": (
        lambda data: (shutil.rmtree(data), data.write_text("")), "wrong", "data folder", "Move",
    ),
    "a restore that was broken off": (
        lambda data: (data / ".restoring").touch(), "wrong", "data folder", "ordu restore",
    ),
    "no secret": (lambda data: (data / "secret").unlink(), "wrong", "secret", "backup"),
    "an empty secret": (
        lambda data: (data / "secret").write_text("\n"), "wrong", "secret", "backup",
    ),
    "a secret that others read": (
        lambda data: (data / "secret").chmod(0o644), "wrong", "secret", "chmod 600",
    ),
    "another horde's secret": (
        lambda data: (data / "secret").write_text("x" * 43), "wrong", "secret's database", "same",
    ),
    "no database": (lambda data: (data / "horde.sqlite3").unlink(), "wrong", "database", "Mend"),
    "no database but a file": (
        lambda data: (data / "horde.sqlite3").write_bytes(b"no database" * 999), "wrong",
        "database", "Mend",
    ),
    "a damaged database": (damage, "wrong", "database", ""),
    "an older schema": (
        lambda data: sql(data, "UPDATE alembic_version SET version_num = '0001'"), "wrong",
        "database", "",
    ),
    "a newer schema": (
        lambda data: sql(data, "UPDATE alembic_version SET version_num = '9999'"), "wrong",
        "database", "",
    ),
    "a clock that is behind": (future, "wrong", "clock", "Set it"),
    "requests that nobody removes": (
        lambda data: sql(data, "UPDATE requests SET expires_at = 1"), "wrong", "chores", "Start",
    ),
    "books that do not add up": (
        lambda data: sql(data, "UPDATE users SET kudos = kudos + 1 WHERE id = 1"), "wrong",
        "books", "ordu audit",
    ),
    "no backup": (
        lambda data: sql(data, "DELETE FROM facts WHERE name = 'backup made'"), "better",
        "backups", "ordu backup",
    ),
    "an old backup": (
        lambda data: sql(data, "UPDATE facts SET value = '1' WHERE name = 'backup made'"),
        "better", "backups", "ordu backup",
    ),
    "pictures for everybody": (
        lambda data: (data / "pictures").chmod(0o755), "better", "pictures", "chmod",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_broken_is_found_and_how_it_is_mended(examine, data, case):
    breaks, grade, about, mend = BROKEN[case]
    breaks(data)
    found, code = examine()
    assert (grade, about) in found, found
    assert mend in found[grade, about]["mend"]
    assert code == (1 if grade == "wrong" else 0)


@pytest.mark.parametrize(
    ("arguments", "about"),
    [
        (("--picture-bytes-max", "1"), "settings"),
        (("--config", "nowhere.toml"), "settings"),
        (("--trusted-proxies", "0.0.0.0/0"), "proxies"),
        (("--public-url", "http://no.such.host.invalid"), "public address"),
        (("--public-url", "https://127.0.0.1:1"), "public address"),
        (("--public-url", "https://127.0.0.1:1"), "proxies"),
        (("--host", "0.0.0.0"), "public address"),
        (("--images", "s3://bucket/x?endpoint=http://127.0.0.1:1&region=x"), "pictures"),
        (("--database", "postgresql://u:hidden-word@127.0.0.1:1/x"), "database"),
    ],
)
def test_settings_that_lead_nowhere(examine, call, data, arguments, about):
    told = call("doctor", "--json", "--data", str(data), "--port", "1", *arguments)
    found = {each["about"]: each for each in json.loads(told.stdout) if each["grade"] != "fine"}
    assert about in found, found
    assert found[about]["grade"] in {"wrong", "better"}
    assert found[about]["mend"]
    assert "hidden-word" not in told.output


def test_a_settings_file_with_secrets_that_everybody_reads(examine, data, tmp_path):
    file = tmp_path / "mine.toml"
    secret = (data / "secret").read_text().strip()
    file.write_text(f'[server]\nsecret = "{secret}"\n')
    file.chmod(0o644)
    found, code = examine("--config", str(file))
    assert (found["wrong", "settings file"]["mend"], code) == (f"chmod 600 {file}", 1)
    file.chmod(0o600)
    assert examine("--config", str(file))[1] == 0


def test_quick_leaves_out_what_reads_everything(examine, data):
    damage(data)
    found, _ = examine("--quick")
    assert ("note", "database") in found or ("wrong", "database") in found
    shutil.rmtree(data)


def test_a_disk_that_is_full(examine, monkeypatch):
    usage = shutil._ntuple_diskusage(10 * 2**30, 10 * 2**30, 2**20)
    monkeypatch.setattr(folder.shutil, "disk_usage", lambda _: usage)
    found, code = examine()
    assert "Make room" in found["wrong", "disk"]["mend"]
    assert code == 1


def test_a_picture_folder_that_cannot_be_written(examine, monkeypatch):
    def full(**_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(kept.tempfile, "TemporaryFile", full)
    found, _ = examine()
    assert "No space left" in found["wrong", "pictures"]["what"]


# The server, and the address that others see


class Answers(BaseHTTPRequestHandler):
    """Answers as a test wants, with `status` and `headers` of its server."""

    def do_GET(self) -> None:
        status, headers = self.server.answers.get(self.path, (404, {}))
        self.send_response_only(status)
        for name, text in {"Content-Length": "0", **headers}.items():
            self.send_header(name, text)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def listening() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.answers = {}
    thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


OURS = {"X-Request-Id": "1"}


@pytest.mark.parametrize(
    ("answers", "grade"),
    [
        ({"/readyz": (200, OURS)}, "fine"),
        ({"/readyz": (503, OURS)}, "wrong"),
        ({"/readyz": (200, {})}, "wrong"),
        ({}, "wrong"),
    ],
    ids=["ready", "not ready", "another program", "a program without such a path"],
)
def test_the_server_that_runs(examine, listening, answers, grade):
    listening.answers = answers
    found, _ = examine("--port", str(listening.server_port))
    assert (grade, "server") in found


@pytest.mark.parametrize(
    ("answers", "grade", "about"),
    [
        ({"/livez": (200, OURS)}, "fine", "public address"),
        ({"/livez": (200, {})}, "wrong", "public address"),
        ({"/livez": (502, OURS)}, "wrong", "public address"),
        (
            {"/livez": (200, OURS | {"Date": "Thu, 01 Jan 2015 00:00:00 GMT"})},
            "better", "public address",
        ),
        ({"/livez": (200, OURS), "/metrics": (200, OURS)}, "better", "proxies"),
        ({"/livez": (200, OURS), "/metrics": (403, OURS)}, "fine", "proxies"),
    ],
    ids=["a horde", "something else", "a proxy alone", "another time", "metrics", "no metrics"],
)  # fmt: skip
def test_the_public_address(examine, listening, answers, grade, about):
    listening.answers = answers
    url = f"http://127.0.0.1:{listening.server_port}"
    found, _ = examine("--public-url", url, "--trusted-proxies", "127.0.0.1")
    assert (grade, about) in found, found


def test_a_public_address_without_tls(examine, monkeypatch):
    at = [(2, 1, 6, "", ("93.184.216.34", 80))]
    monkeypatch.setattr(address.socket, "getaddrinfo", lambda *_, **__: at)
    monkeypatch.setattr(address.httpx, "get", no_answer)
    found, code = examine("--public-url", "http://horde.test")
    assert code == 1
    assert ("wrong", "public address") in found


def no_answer(*_: object, **__: object) -> None:
    raise address.httpx.ConnectTimeout("no")


# PostgreSQL


def test_a_horde_on_postgresql(call, postgres, tmp_path):
    url = postgres.new()
    try:
        data = tmp_path / "horde"
        make(ServerSettings(data=str(data), admin_key=ADMIN_KEY, database=url))
        told = call("doctor", "--json", "--data", str(data), "--database", url, "--port", "1")
        found = json.loads(told.stdout)
        assert told.exit_code == 0, found
        (fine,) = [each for each in found if each["about"] == "database"]
        assert "PostgreSQL" in fine["what"]
        told = call("doctor", "--json", "--data", str(data), "--database", url, "--port", "1",
                    "--database-connections", "1000")  # fmt: skip
        assert "max_connections" in told.stdout
    finally:
        postgres.drop(url)


def test_it_changes_nothing(examine, data):
    before = {
        path: (stat.S_IMODE(path.stat().st_mode), path.read_bytes())
        for path in data.rglob("*")
        if path.is_file() and not path.name.endswith(("-shm", "-wal"))
    }
    examine()
    after = {
        path: (stat.S_IMODE(path.stat().st_mode), path.read_bytes())
        for path in data.rglob("*")
        if path.is_file() and not path.name.endswith(("-shm", "-wal"))
    }
    assert after == before


@pytest.mark.parametrize("name", ["SECRET", "ADMIN_KEY", "METRICS_TOKEN"])
def test_a_secret_that_will_not_do_is_not_shown(call, data, name):
    told = call("doctor", "--data", str(data), **{f"ORDU_{name}": "canary word"})
    assert told.exit_code == 1
    assert "WRONG settings" in told.output
    assert "canary" not in told.output
