"""`ordu users` and `ordu audit`: the horde on this machine, without its server."""

import json
import sqlite3
from pathlib import Path

import pytest

from ordu.store.migrations import bring_up_to_date

DATA = Path("horde")
DATABASE = DATA / "horde.sqlite3"


@pytest.fixture
def horde_here(call) -> Path:
    """A horde that nobody has served yet, in the folder where commands look for it."""
    DATA.mkdir()
    bring_up_to_date(DATABASE)
    return DATABASE


@pytest.mark.parametrize("command", [["audit"], ["users", "create", "ferris"]])
def test_no_horde_is_made_by_asking(call, command):
    result = call(*command)
    assert result.exit_code == 2
    assert result.stderr.startswith("ordu: There is no horde here: horde/horde.sqlite3 does not")
    assert not DATA.exists()


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
    before = administrator_hash()
    call("users", "create", "corro", ORDU_ADMIN_KEY="another-key-0000000022")
    assert administrator_hash() == before


def administrator_hash() -> str:
    connection = sqlite3.connect(DATABASE)
    try:
        return str(connection.execute("SELECT key_hash FROM users WHERE id = 1").fetchone()[0])
    finally:
        connection.close()


def test_audit_of_books_in_order(call, horde_here):
    call("users", "create", "ferris")
    result = call("audit")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith("The books are in order: 0 entries")


def test_audit_lists_what_is_wrong(call, horde_here):
    call("users", "create", "ferris")
    connection = sqlite3.connect(DATABASE)
    connection.execute("UPDATE users SET kudos = 500 WHERE id = 2")
    connection.commit()
    connection.close()
    result = call("audit")
    assert result.exit_code == 1
    assert "user of user 2 is 500 and its lines sum to 0" in result.stdout
    assert result.stderr.startswith("ordu: The books are not in order: 1 ")
