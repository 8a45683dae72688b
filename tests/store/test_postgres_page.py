"""What the page about PostgreSQL tells operators to run does run."""

import asyncio
import re
from pathlib import Path

import asyncpg
import pytest

from ordu.store.channel import PostgresChannel

pytestmark = pytest.mark.anyio

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "postgresql.md"
ANSWER_S_MAX = 30.0


@pytest.fixture
def url(postgres):
    url = postgres.new()
    yield url
    postgres.drop(url)


def statements():
    blocks = re.findall(r"^ *```sql\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S | re.M)
    return [each.strip() for block in blocks for each in block.split(";") if each.strip()]


@pytest.fixture
async def connection(url):
    connection = await asyncpg.connect(url)
    yield connection
    await connection.close()


async def test_every_statement_runs(connection):
    assert len(statements()) > 10
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute("CREATE ROLE ordu")
    for statement in statements():
        await connection.fetch(statement)
    await transaction.rollback()


async def test_the_keeper_is_found_by_its_lock(url, connection):
    (who,) = [each for each in statements() if "pg_locks" in each]
    assert await connection.fetch(who) == []
    channels = [PostgresChannel(url, lambda text: None, lambda: None) for _ in range(2)]
    for channel in channels:
        await channel.start()
    async with asyncio.timeout(ANSWER_S_MAX):
        while not any(channel.is_keeper for channel in channels):
            await asyncio.sleep(0)
    (keeper,) = [channel for channel in channels if channel.is_keeper]
    (row,) = await connection.fetch(who)
    assert row["pid"] == keeper.connection.get_server_pid()
    for channel in channels:
        await channel.stop()
