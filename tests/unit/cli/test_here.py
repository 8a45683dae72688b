"""`ordu users`, `ordu audit` and `ordu news`: the horde on this machine, without its server."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from tests.postgres import PostgresServer, sync

from ordu.store.migrations import bring_up_to_date

Sql = Callable[[str], list[Any]]

DATA = Path("horde")
DATABASE = DATA / "horde.sqlite3"
COMMANDS = [["audit"], ["users", "create", "ferris"], ["news", "add", "x"], ["news", "remove", "1"]]


@pytest.fixture
def horde_here(call, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Sql:
    """A horde that nobody has served yet, where commands look for it; to be asked in SQL."""
    if not database_url:
        DATA.mkdir()
        bring_up_to_date(DATABASE)
        return sql_in_file
    monkeypatch.setenv("ORDU_DATABASE", database_url)
    return lambda sql: sql_in_server(database_url, sql)


def sql_in_file(sql: str) -> list[Any]:
    connection = sqlite3.connect(DATABASE)
    try:
        found = connection.execute(sql).fetchall()
        connection.commit()
    finally:
        connection.close()
    return found


def sql_in_server(url: str, sql: str) -> list[Any]:
    async def asked() -> Any:
        connection = await asyncpg.connect(url)
        try:
            return await connection.fetch(sql)
        finally:
            await connection.close()

    return list(sync(asked()))


@pytest.fixture
def empty(postgres: PostgresServer) -> Iterator[str]:
    """A PostgreSQL database in which there is nothing."""
    url = postgres.empty()
    yield url
    postgres.drop(url)


@pytest.mark.parametrize("command", COMMANDS)
def test_no_horde_is_made_by_asking(call, command):
    result = call(*command)
    assert result.exit_code == 2
    assert result.stderr.startswith("ordu: There is no horde here: horde/horde.sqlite3 does not")
    assert not DATA.exists()


@pytest.mark.parametrize("command", COMMANDS)
def test_no_horde_is_made_by_asking_postgresql(call, empty, command):
    result = call(*command, "--database", empty.replace("postgres@", "postgres:hunter2@"))
    assert result.exit_code == 2
    assert result.stderr.startswith("ordu: There is no horde here: postgresql://postgres:…@/empty")
    assert "hunter2" not in result.stderr
    assert sql_in_server(empty, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'") == []
    assert not DATA.exists()


@pytest.mark.parametrize("command", COMMANDS)
def test_postgresql_that_is_not_there(call, tmp_path, command):
    url = f"postgresql://ordu:hunter2@/horde?host={tmp_path}"
    result = call(*command, "--database", url)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == (
        f"ordu: The database postgresql://ordu:…@/horde?host={tmp_path} cannot be used: nothing"
        " listens there; is it running, and are host and port right?\n"
    )


@pytest.mark.parametrize("command", [["audit"], ["move", "--to", "sqlite:///x"]])
def test_postgresql_without_its_package(call, command):
    option = "--from" if command[0] == "move" else "--database"
    words = [*command, option, "postgresql://ordu@db/horde"]
    code = "import sys; sys.modules['asyncpg'] = None; from ordu.cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "this needs pip install 'ordu[server,postgres]' (asyncpg is missing)" in done.stderr


@pytest.mark.parametrize("command", [["audit"], ["users", "create", "ferris"]])
def test_file_that_is_no_database(call, command):
    Path("x.sqlite3").write_text("a diary, not a database" * 100, encoding="utf-8")
    result = call(*command, "--database", "sqlite:///x.sqlite3")
    assert result.exit_code == 2
    assert "ordu: x.sqlite3 cannot be used as a database" in result.stderr


def test_older_schema_is_left_alone(call):
    DATA.mkdir()
    sqlite3.connect(DATABASE).close()
    DATABASE.write_bytes(b"")
    result = call("audit")
    assert result.exit_code == 2
    assert "has schema none and this Ordu needs" in result.stderr


@pytest.mark.parametrize(
    ("version", "words"),
    [("0001", "`ordu serve` brings an older one up"), ("9999", "it was made by a newer one")],
)
@pytest.mark.parametrize("command", COMMANDS)
def test_another_schema_is_left_alone(call, horde_here, command, version, words):
    horde_here(f"UPDATE alembic_version SET version_num = '{version}'")
    result = call(*command)
    assert result.exit_code == 2
    assert f" has schema {version} and this Ordu needs" in result.stderr
    assert words in result.stderr


def test_create_shows_the_key_once(call, horde_here):
    result = call("users", "create", "ferris", "--json")
    assert result.exit_code == 0, result.stderr
    user = json.loads(result.stdout)
    assert (user["username"], user["id"]) == ("ferris#2", 2)
    assert len(user["api_key"]) == 22
    shown = call("users", "create", "[bold]x[/bold]").stdout
    assert shown.startswith("[bold]x[/bold]#3 has the key\n\n    ")


def test_create_refuses_a_name_with_the_horde_s_own_words(call, horde_here):
    result = call("users", "create", "x" * 200)
    assert result.exit_code == 1
    assert result.stderr.startswith("ordu: ")
    assert "(rc TooLongUserName)" in result.stderr


def test_create_leaves_the_administrator_s_key(call, horde_here):
    call("users", "create", "ferris")
    before = horde_here("SELECT key_hash FROM users WHERE id = 1")
    assert before
    call("users", "create", "corro", ORDU_ADMIN_KEY="another-key-0000000022")
    assert horde_here("SELECT key_hash FROM users WHERE id = 1") == before


def test_audit_of_books_in_order(call, horde_here):
    call("users", "create", "ferris")
    result = call("audit")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith("The books are in order: 0 entries")


def test_audit_lists_what_is_wrong(call, horde_here):
    call("users", "create", "ferris")
    horde_here("UPDATE users SET kudos = 500 WHERE id = 2")
    result = call("audit")
    assert result.exit_code == 1
    assert "user of user 2 is 500 and its lines sum to 0" in result.stdout
    assert result.stderr.startswith("ordu: The books are not in order: 1 ")


def test_news_are_published_and_taken_back(call, horde_here):
    assert call("news", "add", "We move.", "--tag", "moving").stdout == "Published as number 1.\n"
    (piece,) = json.loads(call("news", "list", "--data", "horde", "--json").stdout)
    assert (piece["id"], piece["newspiece"], piece["tags"]) == (1, "We move.", ["moving"])
    assert call("news", "remove", "1").stdout == "Number 1 is taken back.\n"
    assert "no news with the number 1" in call("news", "remove", "1").stderr


def test_news_of_a_database_by_its_address(call, postgres):
    url = postgres.new()
    call("news", "add", "We move.", "--database", url)
    assert call("news", "list", "--database", url).stdout.startswith("1.  ")
    postgres.drop(url)
