"""A horde that is moved to another database, and goes on there."""

import asyncio
import base64
import re
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from click.testing import CliRunner, Result
from tests.builders import HandClock, a_picture
from tests.conftest import ADMIN_KEY
from tests.postgres import PostgresServer, sync

from ordu.cli.main import ordu
from ordu.server.app import make_app
from ordu.server.run import open_horde
from ordu.settings import ServerSettings
from ordu.store import ledger
from ordu.store.migrations import NEWEST, bring_up_to_date
from ordu.store.moving.catalog import tables_of_the_schema
from ordu.store.moving.postgres import flaw_of

ADMIN = {"apikey": ADMIN_KEY}
POP = {
    "name": "attic",
    "models": ["stable_diffusion"],
    "max_pixels": 2**20,
    "bridge_agent": "O:1:x",
}
# What no call of `fill` writes.
BY_HAND = (
    "INSERT INTO suspicions VALUES ('user:2', 'prompt', 3, 1760000000000)",
    "INSERT INTO totals VALUES ('img', 'ps', 9007199254740993)",
    "INSERT INTO news VALUES (41, 5, 'Ärger\n\u2028\U0001f98a', 'Crisis', NULL, '[\"a\"]', '[]')",
    'INSERT INTO learnt VALUES (77, \'[["img","ps",1]]\')',
    "INSERT INTO deliveries VALUES ('d', 2, '', 'x', 'u', 'h', '', 'p', 1, 'y', 8, 9, 5, 6, 0, 7)",
    "INSERT INTO attempts VALUES ('d', 9, 5, 1, NULL, 'did not answer')",
    "INSERT INTO lanes VALUES (x'00ff0027', '{}')",
    "INSERT INTO acts VALUES ('a', 5, 1, 'put_user_single', 'user', '2', 'x#2', '{}', 'grüße')",
    "INSERT INTO samples VALUES (60, 1760000000000, 1, 9, 9, 2, 3, 4, 1, 70, 5, 9007199254740993)",
    "INSERT INTO identities VALUES ('https://id.test', 'sub', 'i', 2, 5)",
    "INSERT INTO sign_ins VALUES ('h1:0', 2, 5, 9)",
    "UPDATE users SET usage_multiplier = 0.1, admin_comment = '' WHERE id = 2",
)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def source(tmp_path: Path, clock: HandClock) -> ServerSettings:
    """A horde on SQLite in which something of everything has happened."""
    settings = ServerSettings(
        data=str(tmp_path / "horde"), admin_key=ADMIN_KEY, rate_limits=False, upfront="all"
    )
    sync(with_calls(settings, clock, fill))
    with closing(sqlite3.connect(settings.database_path())) as connection:
        for statement in BY_HAND:
            connection.execute(statement)
        connection.commit()
    return settings


@pytest.fixture
def target(postgres: PostgresServer) -> Any:
    url = postgres.empty()
    yield url
    postgres.drop(url)


async def with_calls(settings: ServerSettings, clock: HandClock, act: Any) -> Any:
    """Open a horde, do something with it by calls, and close it."""
    async with open_horde(settings, "http://horde.test", clock=clock) as opened:
        transport = httpx.ASGITransport(make_app(opened.horde, opened.secret))
        async with httpx.AsyncClient(transport=transport, base_url="http://horde.test") as api:
            return await act(api, opened.horde)


async def say(
    api: httpx.AsyncClient, path: str, body: Any, method: str = "POST", **more: Any
) -> Any:
    reply = await api.request(method, f"/api/v2{path}", json=body, headers=ADMIN | more)
    assert reply.status_code < 300, reply.text
    return reply.json()


async def fill(api: httpx.AsyncClient, horde: Any) -> None:
    """Users with kudos, one deleted; requests done, begun and waiting; an answer that is kept."""
    for name in ("ferris", "corro", "leaver"):
        assert (await api.post("/register", json={"username": name})).status_code == 200
    await say(api, "/users/2", {"kudos": 500}, "PUT")
    await say(api, "/users/1", {"kudos": 90_000}, "PUT")
    await say(api, "/users/4", None, "DELETE")
    once = {"Idempotency-Key": "once-and-no-more"}
    await say(api, "/kudos/transfer", {"username": "corro#3", "amount": 70}, **once)
    for prompt in ("done", "begun", "waits"):
        await say(api, "/generate/async", {"prompt": prompt})
        horde.clock.forward(s=1)
    await finish(api, await say(api, "/generate/pop", POP))
    assert (await say(api, "/generate/pop", POP))["id"]


async def finish(api: httpx.AsyncClient, job: Any) -> Any:
    picture = base64.b64encode(a_picture()).decode()
    return await say(api, "/generate/submit", {"id": job["id"], "generation": picture, "seed": 1})


async def go_on(api: httpx.AsyncClient, horde: Any) -> list[str]:
    """Draw what waits, be paid for it, use an old key and an old answer; then audit the books."""
    job = await say(api, "/generate/pop", POP)
    assert job["payload"]["prompt"] == "waits"
    before = (await say(api, "/find_user", None, "GET"))["kudos"]
    assert (await finish(api, job))["reward"] > 0
    once = {"Idempotency-Key": "once-and-no-more"}
    await say(api, "/kudos/transfer", {"username": "corro#3", "amount": 70}, **once)
    assert abs((await say(api, "/find_user", None, "GET"))["kudos"] - before) < 70
    return await horde.database.read(ledger.audit)


def move(source: object, target: object, *more: str) -> Result:
    command = ["move", "--from", str(source), "--to", str(target), *more]
    return CliRunner().invoke(ordu, command, prog_name="ordu")


def file_url(settings: ServerSettings) -> str:
    return f"sqlite:///{settings.database_path()}"


def rows_of_file(path: Path) -> dict[str, set[tuple[Any, ...]]]:
    """Everything in a file, by table, without what is tested."""
    with closing(sqlite3.connect(path)) as connection:
        names = [
            row[0]
            for row in connection.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
            )
        ]
        return {name: set(connection.execute(f"SELECT * FROM {name}")) for name in names}


def run_in(url: str, work: str, *values: Any) -> list[Any]:
    async def asked() -> Any:
        connection = await asyncpg.connect(url)
        try:
            return await connection.fetch(work, *values)
        finally:
            await connection.close()

    return list(sync(asked()))


def rows_of_server(url: str) -> dict[str, set[tuple[Any, ...]]]:
    names = run_in(url, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    return {name: {tuple(row) for row in run_in(url, f"SELECT * FROM {name}")} for (name,) in names}


def test_everything_is_moved_and_the_horde_goes_on(source, target, clock):
    before = rows_of_file(source.database_path())
    assert [name for name, rows in before.items() if not rows] == []
    result = move(file_url(source), target)
    assert result.exit_code == 0, result.output
    assert rows_of_server(target) == before == rows_of_file(source.database_path())
    told = dict(re.findall(r"^  ([a-z_]+) +(\d+)$", result.stdout, re.MULTILINE))
    assert told == {
        name: str(len(rows)) for name, rows in before.items() if name != "alembic_version"
    }
    there = ServerSettings(
        data=source.data, rate_limits=False, upfront="all", database=target, database_connections=3
    )
    assert sync(with_calls(there, clock, go_on)) == []


def test_numbers_go_on_after_the_highest(source, target):
    move(file_url(source), target)
    for table, values in {"news": "(published_at, newspiece, importance) VALUES (1, 'x', 'y')",
                          "learnt": "(deltas) VALUES ('[]')"}.items():  # fmt: skip
        highest = run_in(target, f"SELECT MAX(id) FROM {table}")[0][0]
        assert run_in(target, f"INSERT INTO {table} {values} RETURNING id")[0][0] == highest + 1


def test_there_and_back(source, target, tmp_path, clock):
    assert move(file_url(source), target).exit_code == 0
    back = tmp_path / "new" / "back.sqlite3"
    result = move(target, f"sqlite:///{back}")
    assert result.exit_code == 0, result.output
    assert rows_of_file(back) == rows_of_file(source.database_path())
    copied = tmp_path / "copied.sqlite3"
    assert move(f"sqlite:///{back}", f"sqlite:///{copied}").exit_code == 0
    assert rows_of_file(copied) == rows_of_file(back)
    there = ServerSettings(
        data=source.data, rate_limits=False, upfront="all", database=f"sqlite:///{back}"
    )
    assert sync(with_calls(there, clock, go_on)) == []


def test_tables_larger_than_a_page(source, target):
    with closing(sqlite3.connect(source.database_path())) as connection:
        connection.executescript(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)"
            " INSERT INTO entries (id, event, created_at) SELECT 'e' || i, 'event ' || i, i FROM n;"
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)"
            " INSERT INTO lines (entry_id, number, account, user_id, amount, action)"
            " SELECT 'e' || i, p, 'issuance', NULL, p * 10 - 5, 'x' FROM n,"
            " (SELECT 0 AS p UNION SELECT 1);"
        )
    before = rows_of_file(source.database_path())
    assert move(file_url(source), target).exit_code == 0
    assert rows_of_server(target) == before


def test_a_schema_that_is_there_and_empty_is_filled(source, postgres):
    url = postgres.new()
    assert move(file_url(source), url).exit_code == 0
    assert rows_of_server(url) == rows_of_file(source.database_path())
    postgres.drop(url)


def test_a_second_move_is_refused(source, target):
    move(file_url(source), target)
    moved = rows_of_server(target)
    result = move(file_url(source), target)
    assert result.exit_code == 1
    assert (
        "is not empty: it has rows in acts, answers, attempts, deliveries, entries, …."
        in result.stderr
    )
    assert rows_of_server(target) == moved


def test_tables_of_others_are_named(source, target):
    run_in(target, "CREATE TABLE recipes (name TEXT)")
    result = move(file_url(source), target)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "is not empty: it has other tables recipes." in result.stderr
    assert set(rows_of_server(target)) == {"recipes"}


def test_tables_of_others_in_the_source_are_left_behind_and_said(source, target):
    with closing(sqlite3.connect(source.database_path())) as connection:
        connection.execute("CREATE TABLE recipes (name TEXT)")
    assert "Not a horde's, and left behind: recipes\n" in move(file_url(source), target).stdout


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        pytest.param(
            "UPDATE users SET username = 'fer' || char(0) || 'ris' WHERE id = 2",
            "The row of users with id 2 cannot be moved: its username has a NUL in it",
            id="a NUL",
        ),
        pytest.param(
            "UPDATE users SET concurrency = 3000000000 WHERE id = 3",
            "with id 3 cannot be moved: its concurrency is beyond what fits in integer",
            id="a large number",
        ),
        pytest.param(
            "UPDATE lines SET action = x'00' WHERE number = 1",
            "and number 1 cannot be moved: its action is bytes where text belongs",
            id="another type",
        ),
        pytest.param(
            "UPDATE users SET contact = CAST(x'ff' AS TEXT)",
            "Could not decode to UTF-8 column 'contact'",
            id="no text",
        ),
        pytest.param(
            "UPDATE users SET kudos = kudos + 1 WHERE id = 2",
            "2 things are wrong, the first is: user of user 2 is ",
            id="books that are wrong",
        ),
        pytest.param(
            "UPDATE alembic_version SET version_num = '0004'",
            f"has schema 0004 and this Ordu moves {NEWEST}. Start `ordu serve` on it once",
            id="an older schema",
        ),
        pytest.param(
            "UPDATE alembic_version SET version_num = '9999'", "made by a newer Ordu", id="a newer"
        ),
        pytest.param(
            "ALTER TABLE news ADD COLUMN mood TEXT",
            "The table news of ",
            id="a schema that somebody changed",
        ),
    ],
)
def test_a_source_that_cannot_be_moved(source, target, statement, words):
    with closing(sqlite3.connect(source.database_path())) as connection:
        connection.execute(statement)
        connection.commit()
    result = move(file_url(source), target)
    assert (result.exit_code, result.stdout) == (1, "")
    assert words in result.stderr
    assert rows_of_server(target) == {}


def test_a_source_that_is_not_there(target, tmp_path, postgres):
    assert "does not exist" in move(f"sqlite:///{tmp_path}/none.sqlite3", target).stderr
    assert not (tmp_path / "none.sqlite3").exists()
    (tmp_path / "diary").write_text("dear diary, " * 1000, encoding="utf-8")
    assert "file is not a database" in move(f"sqlite:///{tmp_path}/diary", target).stderr
    (tmp_path / "empty").write_bytes(b"")
    assert "has no horde in it" in move(f"sqlite:///{tmp_path}/empty", target).stderr
    empty = postgres.empty()
    assert "has no horde in it" in move(empty, target).stderr
    assert "are the same" in move(target, target).stderr
    result = move("mysql://me:hunter2@db/horde", target)
    assert result.exit_code == 2
    assert "mysql://me:…@db/horde is neither sqlite:///PATH nor" in result.stderr


def test_pictures_are_copied_when_that_is_asked_for(source, target, tmp_path, clock):
    old, new = ((tmp_path / name).as_uri() for name in ("horde/pictures", "shared"))
    result = move(file_url(source), target, "--images-from", old, "--images-to", new)
    assert result.exit_code == 0, result.output
    assert "Pictures copied: 1.\n" in result.stdout
    there = ServerSettings(data=source.data, database=target, database_connections=2, images=new)

    async def look(api: httpx.AsyncClient, horde: Any) -> str:
        (job,) = await horde.database.read(done_jobs)
        found = await say(api, f"/generate/status/{job['request_id']}", None, "GET")
        return found["generations"][0]["img"]

    assert base64.b64decode(sync(with_calls(there, clock, look))) == a_picture()


def done_jobs(tx: Any) -> list[Any]:
    return tx.all("SELECT id, request_id FROM jobs WHERE state = 'done'")


def test_pictures_that_cannot_be_copied_stop_the_move(source, target, tmp_path):
    both = ("--images-from", "http://here", "--images-to", (tmp_path / "new").as_uri())
    result = move(file_url(source), target, *both)
    assert result.exit_code == 2
    assert "Pictures can be kept at file:///FOLDER or s3://BUCKET/PREFIX only" in result.stderr
    assert "Give both of --images-from and" in move(file_url(source), target, *both[:2]).stderr
    assert rows_of_server(target) == {}


def test_a_failed_move_leaves_no_file(source, target, tmp_path):
    assert move(target, f"sqlite:///{tmp_path}/new.sqlite3").exit_code == 1
    assert not (tmp_path / "new.sqlite3").exists()


@pytest.mark.parametrize("is_postgres", [False, True], ids=["sqlite", "postgres"])
def test_a_source_whose_server_runs(source, target, tmp_path, clock, is_postgres):
    settings = source
    if is_postgres:
        assert move(file_url(source), target).exit_code == 0
        settings = ServerSettings(data=source.data, database=target, database_connections=2)
    url = settings.database or file_url(settings)

    async def beside(api: Any, horde: Any) -> Result:
        if is_postgres:  # the first beat of its channel makes it the keeper
            while not horde.tidings.channel.is_keeper:
                await asyncio.sleep(0)
        return await asyncio.to_thread(move, url, f"sqlite:///{tmp_path}/new.sqlite3")

    result = sync(with_calls(settings, clock, beside))
    assert result.exit_code == 1
    assert "is in use by a" in result.stderr
    assert move(url, f"sqlite:///{tmp_path}/new.sqlite3").exit_code == 0


DIES = """
import os, signal, sys
from ordu.cli import move
from ordu.cli.main import ordu

class Dying(move.Board):
    def begin(self, step, table, rows):
        if (step, table) == ("{step}", "lines"):
            os.kill(os.getpid(), signal.SIGKILL)

move.Board = Dying
ordu.main(["move", "--from", sys.argv[1], "--to", sys.argv[2]])
"""


@pytest.mark.parametrize("step", ["copying", "comparing"])
def test_a_killed_move_has_not_happened(source, target, step):
    before = rows_of_file(source.database_path())
    command = [sys.executable, "-c", DIES.format(step=step), file_url(source), target]
    died = subprocess.run(command, check=False, capture_output=True)
    assert died.returncode == -signal.SIGKILL
    assert rows_of_server(target) == {}
    assert rows_of_file(source.database_path()) == before
    assert move(file_url(source), target).exit_code == 0


def test_a_killed_move_back_has_not_happened(source, target, tmp_path):
    move(file_url(source), target)
    back = f"sqlite:///{tmp_path}/back.sqlite3"
    command = [sys.executable, "-c", DIES.format(step="comparing"), target, back]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    assert rows_of_file(tmp_path / "back.sqlite3") == {}
    assert move(target, back).exit_code == 0


def test_what_arrives_differently_is_noticed(source, target, monkeypatch):
    from ordu.store.moving.postgres import PostgresEnd

    put = PostgresEnd.put

    def put_wrong(end: Any, table: Any, rows: Any) -> None:
        if table.name == "news":
            rows = [tuple("?" if value == "Crisis" else value for value in row) for row in rows]
        put(end, table, rows)

    monkeypatch.setattr(PostgresEnd, "put", put_wrong)
    assert "The table news did not arrive as it was" in move(file_url(source), target).stderr
    assert rows_of_server(target) == {}


def test_the_tables_of_the_schema(tmp_path):
    bring_up_to_date(tmp_path / "new.sqlite3")
    tables = {table.name: table for table in tables_of_the_schema()}
    assert set(tables) == set(rows_of_file(tmp_path / "new.sqlite3")) - {"alembic_version"}
    assert all(table.key for table in tables.values())
    assert tables["lines"].key == ("entry_id", "number")
    order = list(tables)
    for table, earlier in {"workers": "users", "jobs": "requests", "lines": "entries"}.items():
        assert order.index(earlier) < order.index(table)


@pytest.mark.parametrize(
    ("value", "type_", "flaw"),
    [
        (None, "bigint", None),
        ("é", "text", None),
        (2**31 - 1, "integer", None),
        (-(2**31), "integer", None),
        (2**31, "integer", "is beyond what fits in integer"),
        (2**63 - 1, "bigint", None),
        (b"\0", "bytea", None),
        (1.5, "double precision", None),
        (1.5, "bigint", "is float where bigint belongs"),
        ("x", "bytea", "is str where bytea belongs"),
    ],
)
def test_what_postgresql_cannot_keep(value, type_, flaw):
    assert flaw_of(value, type_) == flaw
