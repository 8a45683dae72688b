"""Hordes in which something of everything has happened, and the commands about their backups."""

import asyncio
import hashlib
import json
import sqlite3
import sys
import tarfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
from click.testing import CliRunner, Result
from tests.builders import HandClock, a_picture
from tests.conftest import ADMIN_KEY
from tests.postgres import sync
from tests.store.test_moving import POP, finish, say

from ordu.cli.main import ordu
from ordu.engine.horde import Horde
from ordu.server.app import make_app
from ordu.server.run import open_horde
from ordu.settings import ServerSettings
from ordu.store import ledger

TERMS = "# Be kind\n"


async def with_calls(settings: ServerSettings, clock: HandClock, act: Any) -> Any:
    """Open a horde, do something with it by calls, and close it."""
    async with open_horde(settings, "http://horde.test", clock=clock) as opened:
        transport = httpx.ASGITransport(make_app(opened.horde, opened.secret))
        async with httpx.AsyncClient(transport=transport, base_url="http://horde.test") as api:
            return await act(api, opened.horde)


def live(settings: ServerSettings, clock: HandClock, act: Any) -> Any:
    return sync(with_calls(settings, clock, act))


async def draw(api: httpx.AsyncClient, prompt: str) -> str:
    """A request that is asked for and drawn; its id."""
    placed = await say(api, "/generate/async", {"prompt": prompt, "r2": True})
    await finish(api, await say(api, "/generate/pop", POP))
    return str(placed["id"])


async def fill(api: httpx.AsyncClient, horde: Any) -> dict[str, str]:
    """Requests that are done, begun and waiting, of people with kudos; their ids by prompt."""
    assert (await api.post("/register", json={"username": "ferris"})).status_code == 200
    await say(api, "/users/1", {"kudos": 90_000}, "PUT")
    await asyncio.to_thread(write_texts, Path(horde.settings.data))
    ids = {"done": await draw(api, "done"), "also done": await draw(api, "also done")}
    for prompt in ("begun", "waits"):
        ids[prompt] = (await say(api, "/generate/async", {"prompt": prompt}))["id"]
        horde.clock.forward(s=1)  # who asked first is served first
    await say(api, "/generate/pop", POP)
    return ids


def write_texts(data: Path) -> None:
    """What an operator writes."""
    (data / "terms.md").write_text(TERMS, encoding="utf-8")
    (data / "models.toml").write_text('["a model"]\nmax_steps = 8\n', encoding="utf-8")


async def goes_on(api: httpx.AsyncClient, horde: Horde, ids: dict[str, str]) -> None:
    """What was done is there with its picture, what waits is drawn, and the books are in order."""
    for prompt in ("done", "also done"):
        reply = await say(api, f"/generate/status/{ids[prompt]}", None, "GET")
        assert (reply["done"], reply["finished"]) == (True, 1)
        assert await picture_of(api, reply) == a_picture()
    assert (await say(api, f"/generate/check/{ids['begun']}", None, "GET"))["processing"] == 1
    job = await say(api, "/generate/pop", POP)
    assert job["payload"]["prompt"] == "waits"
    assert (await finish(api, job))["reward"] > 0
    assert await horde.read(ledger.audit) == []


async def picture_of(api: httpx.AsyncClient, reply: Any) -> bytes:
    (generation,) = reply["generations"]
    return (await api.get(generation["img"])).content


def command(*words: object, **environment: str) -> Result:
    return CliRunner(env=environment).invoke(ordu, [str(each) for each in words], prog_name="ordu")


def done(*words: object, **environment: str) -> str:
    """What a command says that succeeds."""
    result = command(*words, **environment)
    assert result.exit_code == 0, result.output
    return result.stdout


def refused(code: int, *words: object, **environment: str) -> str:
    """The one line of a command that does not succeed."""
    result = command(*words, **environment)
    assert (result.exit_code, result.stdout) == (code, ""), result.output
    assert result.stderr.startswith("ordu: ")
    assert result.stderr.count("\n") == 1, result.stderr
    return result.stderr


def where(settings: ServerSettings) -> list[str]:
    """The options that say where a horde is."""
    database = ["--database", settings.database] if settings.database else []
    return ["--data", settings.data, *database]


def back_up(settings: ServerSettings, to: Path, *more: str) -> str:
    return done("backup", to, *where(settings), *more)


async def back_up_beside(settings: ServerSettings, to: Path) -> None:
    """The same by a process of its own, while this one has the horde open."""
    words = ("-m", "ordu.cli", "backup", str(to), *where(settings))
    process = await asyncio.create_subprocess_exec(sys.executable, *words)
    assert await process.wait() == 0


def at(data: Path, url: str = "") -> ServerSettings:
    """Settings of a horde that was brought back."""
    return ServerSettings(
        data=str(data), database=url, database_connections=3, rate_limits=False, admin_key=ADMIN_KEY
    )


def everything_in(folder: Path) -> dict[str, bytes]:
    """All files below a folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def sum_again(backup: Path) -> None:
    """Make the checksums true again, as somebody who wants to deceive would."""
    names = [line.split()[1] for line in (backup / "SHA256SUMS").read_text().splitlines()]
    sums = {name: hashlib.sha256((backup / name).read_bytes()).hexdigest() for name in names}
    (backup / "SHA256SUMS").write_text("".join(f"{sums[name]}  {name}\n" for name in names))


def change_manifest(backup: Path, **change: Any) -> None:
    manifest = json.loads((backup / "manifest.json").read_text())
    (backup / "manifest.json").write_text(json.dumps(manifest | change))
    sum_again(backup)


def change_books(backup: Path, sql: str) -> None:
    with closing(sqlite3.connect(backup / "horde.sqlite3")) as connection:
        connection.execute(sql)
        connection.commit()
    sum_again(backup)


def flip(path: Path, at: float = 0.5) -> None:
    """Change one bit, in the middle."""
    content = bytearray(path.read_bytes())
    content[int(len(content) * at)] ^= 1
    path.write_bytes(content)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def packed(backup: Path, change: Callable[[tarfile.TarInfo], None] = lambda _: None) -> Path:
    """The files of a backup in a tar, as somebody else would pack it."""
    path = backup.with_name("by-hand.tar")
    with tarfile.open(path, "w") as tar:
        for file in sorted(each for each in backup.rglob("*") if each.is_file()):
            entry = tar.gettarinfo(file, str(file.relative_to(backup)))
            change(entry)
            with file.open("rb") as content:
                tar.addfile(entry, content)
    return path
