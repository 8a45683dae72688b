"""What an operator is told whose PostgreSQL database cannot be used."""

import socket
from collections.abc import Iterator

import asyncpg
import pytest
from tests.postgres import PostgresServer, sync

from ordu.server.run import SettingError, open_database
from ordu.settings import ServerSettings
from ordu.store.migrations.postgres import OLDEST, TooOldError, check_age
from ordu.store.reaching import why_not

URL = "postgresql://ordu:hunter2@db.example/horde"


def said_of(url: str) -> str:
    """What `ordu serve` says of this database."""

    async def refused() -> str:
        with pytest.raises(SettingError) as caught:
            await open_database(ServerSettings(database=url), lambda: None, None)
        return str(caught.value)

    line = sync(refused())
    assert "\n" not in line
    assert "hunter2" not in line
    return line


@pytest.fixture
def locked(postgres: PostgresServer) -> Iterator[str]:
    """A database with a user who has a password and owns nothing."""
    rules = postgres.folder / "data" / "pg_hba.conf"
    before = rules.read_text(encoding="utf-8")
    rules.write_text("local all locked scram-sha-256\n" + before, encoding="utf-8")
    postgres.command("CREATE ROLE locked LOGIN PASSWORD 'hunter2/right'")
    postgres.command("SELECT pg_reload_conf()")
    url = postgres.empty()
    yield url.replace("postgres@", "locked:hunter2%2Fright@")
    postgres.drop(url)
    postgres.command("DROP ROLE locked")
    rules.write_text(before, encoding="utf-8")
    postgres.command("SELECT pg_reload_conf()")


def test_no_rights_to_make_tables(locked):
    line = said_of(locked)
    assert "//locked:…@/empty" in line
    assert "permission denied for schema public. Let the user own the database" in line


def test_a_wrong_password(locked):
    line = said_of(locked.replace("%2Fright", "%2Fwrong"))
    assert 'password authentication failed for user "locked". Are user and password right' in line


def test_a_user_who_is_not_there(postgres):
    assert 'role "nobody" does not exist. Are user and' in said_of(
        postgres.url("postgres").replace("postgres@", "nobody:hunter2@")
    )


def test_a_database_that_is_not_there(postgres):
    line = said_of(postgres.url("nowhere"))
    assert 'database "nowhere" does not exist. Make it first: `createdb NAME`' in line


def test_nothing_listens(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        line = said_of(f"postgresql://ordu:hunter2@127.0.0.1:{port}/horde")
    assert f"The database postgresql://ordu:…@127.0.0.1:{port}/horde cannot be used: " in line
    assert "nothing listens there" in line
    assert "nothing listens there" in said_of(f"postgresql://ordu@/horde?host={tmp_path}")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://ordu:hunter2/x@127.0.0.1/horde",
        "postgresql://ordu:x/hunter2@127.0.0.1/horde",
        "postgresql://ordu:hunter2#@127.0.0.1:9/horde",
        "postgresql://ordu:hunter2@127.0.0.1:port/horde",
        "postgresql://[hunter2]:x@/horde?password=hunter2",
    ],
)
def test_an_address_that_is_none(url):
    assert " and in a password @ is written %40" in said_of(url.replace("[hunter2]", "["))


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (socket.gaierror(-2, "Name or service not known"), "its host db.example is not known here"),
        (TimeoutError(), "it does not answer"),
        (asyncpg.TooManyConnectionsError("sorry, too many clients"), "Raise its max_connections"),
        (asyncpg.CannotConnectNowError("it is starting"), "it is starting. Try again in a moment."),
        (TooOldError("12.3"), f"it is PostgreSQL 12.3, and a horde needs {OLDEST} or newer."),
        (asyncpg.PostgresError("a\nb"), "cannot be used: a."),
        (OSError("out of sockets"), "cannot be used: out of sockets."),
        (asyncpg.InterfaceError(""), "cannot be used: InterfaceError."),
    ],
)
def test_why_not(error, words):
    line = why_not(URL, error)
    assert line.startswith("The database postgresql://ordu:…@db.example/horde cannot be used: ")
    assert words in line


class Server:
    """A connection to a server that says it is this old."""

    def __init__(self, major: int) -> None:
        self.major = major

    def get_server_version(self) -> asyncpg.ServerVersion:
        return asyncpg.ServerVersion(self.major, 4, 0, "final", 0)


def test_a_server_that_is_too_old():
    check_age(Server(OLDEST))
    with pytest.raises(TooOldError, match=r"12\.4"):
        check_age(Server(OLDEST - 1))
