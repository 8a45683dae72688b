"""The schema in PostgreSQL: made or brought up to date once, by who comes first, or not at all."""

import asyncio
import sqlite3
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest
from tests.builders import NOON

from ordu.store import history, lanes, ledger, migrations, stats, users, workers
from ordu.store.bridge import bridged
from ordu.store.migrations import NEWEST, SchemaError, runner
from ordu.store.migrations import postgres as schema
from ordu.store.postgres import PostgresTransaction

pytestmark = pytest.mark.anyio


@pytest.fixture
def url(postgres):
    url = postgres.empty()
    yield url
    postgres.drop(url)


@pytest.fixture
def other_url(postgres):
    url = postgres.empty()
    yield url
    postgres.drop(url)


async def asked(url, sql):
    connection = await asyncpg.connect(url)
    try:
        return [tuple(row) for row in await connection.fetch(sql)]
    finally:
        await connection.close()


async def version(url):
    connection = await asyncpg.connect(url)
    try:
        return await schema.version_of(connection)
    finally:
        await connection.close()


COLUMNS = (
    "SELECT table_name, column_name, data_type, character_maximum_length, column_default,"
    " is_nullable, collation_name, is_identity, identity_generation"
    " FROM information_schema.columns WHERE table_schema = 'public'"
)
INDEXES = "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
CONSTRAINTS = (
    "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
    " WHERE connamespace = 'public'::regnamespace"
)


async def catalogue(url):
    """Everything that PostgreSQL knows of the schema, but in which order columns came."""
    return {
        sql: sorted(map(repr, await asked(url, sql))) for sql in (COLUMNS, INDEXES, CONSTRAINTS)
    }


async def test_an_empty_database_gets_the_newest_schema(url):
    assert await version(url) is None
    assert await schema.bring_up_to_date(url) is True
    assert await version(url) == NEWEST
    assert await schema.bring_up_to_date(url) is False


async def test_a_new_database_is_what_the_migration_library_makes(url, other_url):
    await schema.bring_up_to_date(url)
    await runner.upgrade_postgres(other_url)
    assert await version(other_url) == NEWEST
    assert await catalogue(url) == await catalogue(other_url)


async def test_it_has_what_sqlite_has(url, tmp_path):
    await schema.bring_up_to_date(url)
    migrations.bring_up_to_date(tmp_path / "new.sqlite3")
    connection = sqlite3.connect(tmp_path / "new.sqlite3")
    tables = [
        name
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    ]
    here = {
        (table, row[1], bool(row[3]) or bool(row[5]))
        for table in tables
        for row in connection.execute(f"PRAGMA table_info({table})")
    }
    connection.close()
    there = {
        (table, column, is_nullable == "NO")
        for table, column, is_nullable in await asked(
            url,
            "SELECT table_name, column_name, is_nullable FROM information_schema.columns"
            " WHERE table_schema = 'public'",
        )
    }
    assert there == here


async def test_all_texts_are_compared_byte_by_byte(url):
    await schema.bring_up_to_date(url)
    found = await asked(
        url,
        "SELECT table_name, column_name, collation_name FROM information_schema.columns"
        " WHERE table_schema = 'public' AND data_type = 'text'",
    )
    assert len(found) > 30
    assert {collation for _, _, collation in found} == {"C"}


def test_processes_that_start_at_once_make_it_once(url):
    code = (
        "import asyncio, sys; from ordu.store.migrations.postgres import bring_up_to_date;"
        "print('here', flush=True); sys.stdin.readline();"
        "print(asyncio.run(bring_up_to_date(sys.argv[1])))"
    )
    command = [sys.executable, "-c", code, url]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    processes = [subprocess.Popen(command, **pipes) for _ in range(3)]
    assert [process.stdout.readline() for process in processes] == ["here\n"] * 3
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    said = [process.communicate(timeout=50)[0].strip() for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert sorted(said) == ["False", "False", "True"]


async def test_starts_at_one_moment_bring_an_old_one_up_to_date_once(url):
    await runner.upgrade_postgres(url, "0001")
    changed = await asyncio.gather(*(schema.bring_up_to_date(url) for _ in range(3)))
    assert any(changed)
    assert await version(url) == NEWEST


async def test_no_migrate_refuses_and_changes_nothing(url):
    with pytest.raises(SchemaError, match="--no-migrate"):
        await schema.bring_up_to_date(url, may_migrate=False)
    assert await version(url) is None
    await runner.upgrade_postgres(url, "0002")
    with pytest.raises(SchemaError, match="has schema 0002 and this Ordu"):
        await schema.bring_up_to_date(url, may_migrate=False)
    assert await version(url) == "0002"
    await schema.bring_up_to_date(url)
    assert await schema.bring_up_to_date(url, may_migrate=False) is False


async def test_a_newer_schema_is_refused(url):
    await schema.bring_up_to_date(url)
    connection = await asyncpg.connect(url)
    await connection.execute("UPDATE alembic_version SET version_num = '9999'")
    await connection.close()
    with pytest.raises(SchemaError, match="newer Ordu"):
        await schema.bring_up_to_date(url)


async def test_a_new_schema_that_fails_has_not_happened(url, monkeypatch):
    broken = [*list(migrations.statements())[:5], "CREATE NONSENSE"]
    with monkeypatch.context() as failing:
        failing.setattr(schema, "statements", lambda: broken)
        with pytest.raises(asyncpg.PostgresSyntaxError):
            await schema.bring_up_to_date(url)
    assert await asked(url, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'") == []
    await schema.bring_up_to_date(url)
    assert await version(url) == NEWEST


async def test_a_migration_that_fails_has_not_happened(url, monkeypatch):
    from alembic import op

    await runner.upgrade_postgres(url, "0001")
    before, done, execute = await catalogue(url), [], op.execute

    def fail_late(statement):
        done.append(statement)
        if len(done) == 15:
            raise RuntimeError("pulled the plug")
        execute(statement)

    with monkeypatch.context() as failing:
        failing.setattr(op, "execute", fail_late)
        with pytest.raises(RuntimeError, match="pulled the plug"):
            await schema.bring_up_to_date(url)
    assert await version(url) == "0001"
    assert await catalogue(url) == before
    await schema.bring_up_to_date(url)
    assert await version(url) == NEWEST


# Old ones

FIRST = """
INSERT INTO facts VALUES ('mode:raid_mode', 'on');
INSERT INTO users (id, username, key_hash, created_at, kudos, concurrency)
    VALUES (0, 'Anonymous', NULL, 0, 0, 30), (2, 'ferris', 'h', 0, 700, 30);
INSERT INTO workers (id, user_id, name, kind, created_at, seen_at, offer)
    VALUES ('w1', 2, 'attic', 'image', 0, 0, '{}');
INSERT INTO lanes VALUES ('\\x01', '{"kind": "image"}');
INSERT INTO requests (id, user_id, kind, state, lane_key, "rank", created_at, expires_at, waiting,
    processing, work, price, bill, ttl_ms, seed_step, wants_links, body)
    VALUES ('r1', 2, 'image', 'open', '\\x01', 1, 0, 9, 2, 1, 5, 6, 6, 7, 0, 0, '\\x7b7d');
INSERT INTO jobs (id, request_id, worker_id, worker_name, owner_id, ordinal, state, model, seed,
    started_at, due_at, has_agent)
    VALUES ('j1', 'r1', 'w1', 'attic', 2, 0, 'running', 'm', 1, 0, 9, 1);
INSERT INTO entries VALUES ('e1', 'admin:1', 0);
INSERT INTO lines VALUES ('e1', 0, 'user', 2, 700, 'admin'), ('e1', 1, 'mint', NULL, -700, 'admin');
INSERT INTO deltas (subject, name, amount)
    VALUES ('user:2', 'used', 5), ('user:2', 'used', 7), ('worker:w1', 'fulfilled', 1);
INSERT INTO totals VALUES ('user:2', 'used', 100);
INSERT INTO news (published_at, newspiece, importance) VALUES (5, 'Hello', 'info');
"""
VERSIONS = sorted(
    path.stem[:4] for path in Path(migrations.__file__).parent.glob("versions/[0-9]*.py")
)


@pytest.mark.parametrize("step_by_step", [True, False], ids=["each version", "all at once"])
async def test_an_old_horde_is_brought_up_to_date_with_all_it_has(url, step_by_step):
    await runner.upgrade_postgres(url, "0001")
    connection = await asyncpg.connect(url)
    await connection.execute(FIRST)
    if step_by_step:
        for number in VERSIONS:
            await runner.upgrade_postgres(url, number)
            assert await version(url) == number
    else:
        await schema.bring_up_to_date(url)
    assert await version(url) == NEWEST

    def look(tx):
        assert ledger.audit(tx) == []
        assert (users.by_id(tx, 2).kudos, users.by_id(tx, 2).is_wiped) == (700, False)
        (movement,) = history.between(tx, 2, 1, history.newest(tx, 2) + 1)
        assert (movement.amount, movement.balance, movement.cause) == (700, 700, "admin")
        assert workers.by_name(tx, "attic").uptime_rewarded_s == 0
        assert stats.of(tx, "user:2") == {"used": 112}
        assert stats.of(tx, "worker:w1") == {"fulfilled": 1}
        (waiting,) = lanes.waiting(tx)
        assert (waiting["id"], waiting["waiting"], waiting["changes"]) == ("r1", 2, 0)
        stats.append(tx, [("user:2", "used", 1)])
        assert stats.fold(tx) == 1
        users.change(tx, 2, {"contact": "here", "deleted_at": NOON})

    async with connection.transaction():
        await bridged(lambda: look(PostgresTransaction(connection)))
    await connection.close()


async def test_an_old_horde_becomes_what_a_new_one_is(url, other_url):
    for number in VERSIONS:
        await runner.upgrade_postgres(url, number)
    await schema.bring_up_to_date(other_url)
    assert await catalogue(url) == await catalogue(other_url)
