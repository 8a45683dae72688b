"""Every schema that closed an issue is kept as a dump with data, and still opens today.

Not only that: it then goes through whole lifecycles of many people at once, is backed up meanwhile,
and the backup can be brought back.
"""

import asyncio
import base64
import sqlite3
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from tests.builders import a_picture

from ordu.backups import checking, reading
from ordu.backups.making import Plan, make
from ordu.engine.belonging import promised
from ordu.engine.progress import progress_of
from ordu.server.app import make_app
from ordu.server.run import open_horde
from ordu.settings import ServerSettings
from ordu.store import days, history, ledger, users
from ordu.store.migrations import NEWEST, bring_up_to_date, version_of

pytestmark = pytest.mark.anyio

PEOPLE, EACH = 5, 4  # who ask at once, and how many pictures each asks for
ADMIN_KEY = "administrator-key-0022"
SCHEMAS = Path(__file__).parent / "schemas"
DUMPS = sorted(SCHEMAS.glob("*.sql"))
POSTGRES_DUMPS = sorted((SCHEMAS / "postgres").glob("*.sql"))  # from the first there was


def restored(dump: Path, folder: Path) -> Path:
    """The database of a dump, without the secret it was made with."""
    path = folder / "horde.sqlite3"
    connection = sqlite3.connect(path)
    connection.executescript(dump.read_text(encoding="utf-8"))
    connection.execute("DELETE FROM facts WHERE name = 'secret fingerprint'")
    connection.commit()
    connection.close()
    return path


def test_the_newest_schema_that_closed_an_issue_is_kept():
    assert DUMPS
    assert DUMPS[-1].stem <= NEWEST
    assert POSTGRES_DUMPS[-1].stem == DUMPS[-1].stem


@pytest.mark.parametrize("dump", DUMPS, ids=lambda dump: dump.stem)
async def test_an_old_horde_opens_and_its_books_are_in_order(dump, tmp_path):
    path = restored(dump, tmp_path)
    assert version_of(path) == dump.stem
    assert bring_up_to_date(path) is (dump.stem != NEWEST)
    await goes_on(settings_of(tmp_path))


@pytest.fixture
def empty_url(postgres):
    url = postgres.empty()
    yield url
    postgres.drop(url)


@pytest.mark.parametrize("dump", POSTGRES_DUMPS, ids=lambda dump: dump.stem)
async def test_an_old_horde_on_postgresql_opens_and_its_books_are_in_order(
    dump, tmp_path, empty_url
):
    connection = await asyncpg.connect(empty_url)
    await connection.execute(dump.read_text(encoding="utf-8"))
    await connection.execute("DELETE FROM facts WHERE name = 'secret fingerprint'")
    await connection.close()
    await goes_on(settings_of(tmp_path, empty_url))


def settings_of(data: Path, url: str = "") -> ServerSettings:
    return ServerSettings(data=str(data), database=url, rate_limits=False, admin_key=ADMIN_KEY)


async def goes_on(settings):
    """An old horde opens, what it has is what it had, and it serves as any other does."""
    backup = Path(settings.data) / "backup"
    async with open_horde(settings, "http://horde.test") as opened:
        horde = opened.horde
        assert await horde.read(ledger.audit) == []
        assert (await horde.read(lambda tx: users.by_id(tx, 2))).username == "ferris"
        (waiting,) = horde.lanes.requests.values()
        progress = await progress_of(horde, waiting.request_id)
        assert progress.request.counts.n == 3
        assert (progress.request.counts.finished, len(progress.jobs)) == (1, 2)
        await horde.read(has_a_history)
        for name in await horde.read(lambda tx: list(promised(tx))):
            await horde.pictures.put(name, a_picture())  # of a dump there are only the books
        transport = httpx.ASGITransport(make_app(horde, opened.secret))
        async with httpx.AsyncClient(transport=transport, base_url="http://horde.test") as api:
            busy = asyncio.gather(*(live(api, number) for number in range(PEOPLE)))
            plan = Plan(settings, backup, (await secret_of(settings)), with_pictures=True)
            made = await make(plan, Quiet())
            await busy
        assert await horde.read(ledger.audit) == []
    assert made.missing == []
    with reading.opened(backup) as opened_backup:
        checked = await checking.check(opened_backup, "", Quiet())
    assert checked.restored.manifest.schema == NEWEST


async def secret_of(settings: ServerSettings) -> str:
    return (await asyncio.to_thread((Path(settings.data) / "secret").read_text)).strip()


async def live(api: httpx.AsyncClient, number: int) -> None:
    """Register, then ask, draw, deliver and look, a few times; each has a model of its own."""

    async def say(path: str, body: object, method: str = "POST") -> Any:
        reply = await api.request(method, f"/api/v2{path}", json=body, headers=key)
        assert reply.status_code < 300, reply.text
        return reply.json()

    registered = await api.post("/register", json={"username": f"person {number}"})
    key = {"apikey": registered.json()["api_key"]}
    picture, model = a_picture(), f"model {number}"
    worker = {"name": model, "models": [model], "max_pixels": 2**20, "bridge_agent": "O:1:x"}
    for _ in range(EACH):
        request = await say("/generate/async", {"prompt": "x", "models": [model], "r2": True})
        job = await say("/generate/pop", worker)
        result = {"id": job["id"], "generation": base64.b64encode(picture).decode(), "seed": 1}
        assert (await say("/generate/submit", result))["reward"] > 0
        status = await say(f"/generate/status/{request['id']}", None, "GET")
        assert (await api.get(status["generations"][0]["img"])).content == picture


class Quiet:
    """Nobody is told how far a backup is."""

    def begin(self, step: str, table: str, rows: int) -> None:
        """Nothing."""

    def advance(self, rows: int) -> None:
        """Nothing."""


def has_a_history(tx):
    """Whatever moved is in the histories, each balance follows from the one before."""
    moved = tx.all("SELECT DISTINCT user_id FROM lines WHERE user_id IS NOT NULL")
    assert moved
    for row in moved:
        user = users.by_id(tx, row["user_id"])
        movements = history.between(tx, user.id, 1, history.newest(tx, user.id) + 1)
        balance = 0
        for movement in reversed(movements):
            balance += movement.amount
            assert movement.balance == balance
        assert balance == user.kudos
        assert sum(each.evaluating for each in movements) == user.evaluating_kudos
        by_day = days.of_user(tx, user.id, None, date(2020, 1, 1), date(2099, 1, 1))
        sums = Counter()
        for day in by_day.values():
            sums.update(day)
        assert sums.pop(days.EVALUATING, 0) == user.evaluating_kudos
        assert sum(sums.values()) == user.kudos
