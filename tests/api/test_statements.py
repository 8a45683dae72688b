"""How much SQL a call takes: not a statement more than it needs, and none where memory knows.

These numbers may fall. Where one has to rise, say why in the commit.
"""

import base64
from collections import Counter

import pytest
from tests.api.conftest import ADMIN
from tests.builders import an_ordinary_picture

from ordu.store.postgres import PostgresDatabase, PostgresTransaction
from ordu.store.sqlite import Sqlite, SqliteTransaction, SqliteWriter

pytestmark = pytest.mark.anyio

# What is odd about a picture takes two more, for it is counted at once.
ORDINARY = base64.b64encode(an_ordinary_picture()).decode()


@pytest.fixture
def counted(monkeypatch):
    """What SQL has been run since this was last cleared: writes, reads and their statements."""
    counts = Counter()

    def count(owner, method, what):
        real = getattr(owner, method)

        def counting(self, *arguments, **values):
            counts[what] += 1
            return real(self, *arguments, **values)

        monkeypatch.setattr(owner, method, counting)

    for method in ("run", "run_many", "one", "all"):
        count(SqliteTransaction, method, "statements")
        count(PostgresTransaction, method, "statements")
    count(SqliteWriter, "savepoint", "writes")
    count(PostgresDatabase, "attempt", "writes")
    count(Sqlite, "read", "reads")
    count(PostgresDatabase, "read", "reads")

    def since():
        seen = (counts["writes"], counts["reads"], counts["statements"])
        counts.clear()
        return seen

    return since


async def test_a_picture_takes_three_writes_and_little_more(api, ask, pop, submit, counted):
    await ask(ADMIN)  # who calls and who works is known from here on
    job = await pop()
    await submit(job["id"])
    await pop()
    counted()
    sql = {}
    placed = await ask(ADMIN)
    sql["post_async_generate"] = counted()
    job = await pop()
    sql["post_job_pop"] = counted()
    await submit(job["id"], generation=ORDINARY)
    sql["post_job_submit"] = counted()
    await api.get(f"/api/v2/generate/check/{placed['id']}")
    sql["get_async_check"] = counted()
    await api.get(f"/api/v2/generate/status/{placed['id']}")
    sql["get_async_status"] = counted()
    assert sql == {  # writes, reads, statements
        "post_async_generate": (1, 0, 5),
        "post_job_pop": (1, 0, 2),
        "post_job_submit": (1, 0, 9),
        "get_async_check": (0, 0, 0),
        "get_async_status": (0, 0, 0),
    }


async def test_only_a_request_with_a_webhook_takes_more(ask, pop, submit, counted):
    await ask(ADMIN)
    await submit((await pop())["id"])
    await ask(ADMIN, webhook="https://example.org/", webhook_end=True)
    job = await pop()
    counted()
    await submit(job["id"], generation=ORDINARY)
    assert counted() == (1, 0, 11)  # two more: the picture and the end


async def test_explaining_what_is_known_takes_no_sql(api, ask, pop, counted):
    placed = await ask(ADMIN, models=["nobody has this"])
    await pop(blacklist=["otter"])
    await api.get(f"/api/v2/generate/check/{placed['id']}")
    attic = (await api.get("/api/v2/workers/name/attic")).json()["id"]
    counted()
    await api.get(f"/api/v2/generate/explain/{placed['id']}")
    await api.get(f"/api/v2/workers/{attic}/explain")
    assert counted() == (0, 0, 0)


async def test_polls_take_no_sql(api, ask, pop, counted):
    placed = await ask(ADMIN, models=["nobody has this"])
    await pop()
    await api.get(f"/api/v2/generate/check/{placed['id']}")
    counted()
    for _ in range(3):
        await pop()
        await api.get(f"/api/v2/generate/check/{placed['id']}")
    assert counted() == (0, 0, 0)
