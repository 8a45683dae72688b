"""Every schema that closed an issue is kept as a dump with data, and still opens today."""

import sqlite3
from collections import Counter
from datetime import date
from pathlib import Path

import asyncpg
import pytest

from ordu.engine.progress import progress_of
from ordu.server.run import open_horde
from ordu.settings import ServerSettings
from ordu.store import days, history, ledger, users
from ordu.store.migrations import NEWEST, bring_up_to_date, version_of

pytestmark = pytest.mark.anyio

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
    await goes_on(ServerSettings(data=str(tmp_path)))


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
    await goes_on(ServerSettings(data=str(tmp_path), database=empty_url))


async def goes_on(settings):
    """An old horde opens, and what it has is what it had."""
    async with open_horde(settings, "http://horde.test") as opened:
        horde = opened.horde
        assert await horde.read(ledger.audit) == []
        assert (await horde.read(lambda tx: users.by_id(tx, 2))).username == "ferris"
        (waiting,) = horde.lanes.requests.values()
        progress = await progress_of(horde, waiting.request_id)
        assert progress.request.counts.n == 3
        assert (progress.request.counts.finished, len(progress.jobs)) == (1, 2)
        await horde.read(has_a_history)


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
