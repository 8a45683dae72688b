"""PostgreSQL itself: what happens to writes whose connection is lost."""

import asyncpg
import pytest

from ordu.store.postgres import PostgresDatabase, undo

pytestmark = pytest.mark.anyio


@pytest.fixture
def url(postgres):
    url = postgres.new()
    yield url
    postgres.drop(url)


@pytest.fixture
async def database(url):
    database = PostgresDatabase(url, connections_max=2)
    await database.start()
    yield database
    await database.stop()


def note(tx, name):
    tx.run("INSERT INTO facts (name, value) VALUES (:name, :name)", name=name)


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.InternalClientError("cannot switch to state 12; another operation is in progress"),
        asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation"),
    ],
    ids=["the driver is confused", "the driver knows it"],
)
async def test_a_write_whose_connection_is_lost_before_its_commit_is_made_again(database, error):
    tries = []

    def operation(tx):
        note(tx, f"try {len(tries)}")
        tries.append(1)
        if len(tries) == 1:
            raise error

    await database.write(operation)
    rows = await database.read(lambda tx: tx.all("SELECT name FROM facts WHERE name LIKE 'try%'"))
    assert [row["name"] for row in rows] == ["try 1"]


async def test_a_write_whose_connection_is_ended_by_the_server_is_made_again(database):
    tries = []

    def operation(tx):
        tries.append(1)
        if len(tries) == 1:
            tx.one("SELECT pg_terminate_backend(pg_backend_pid())")
        note(tx, "kept")

    await database.write(operation)
    assert len(tries) == 2


class Stuck:
    """A connection on which nothing is answered any more."""

    is_terminated = False

    def is_closed(self):
        return False

    async def execute(self, sql):
        raise TimeoutError

    def terminate(self):
        self.is_terminated = True


async def test_a_connection_that_cannot_be_rolled_back_is_not_used_again():
    connection = Stuck()
    await undo(connection)
    assert connection.is_terminated
