"""Group commit: what is answered is durable, and one operation's failure is nobody else's."""

import asyncio
import sqlite3
import threading
from pathlib import Path

import pytest

from ordu.protocol.errors import Refused
from ordu.store import facts
from ordu.store.groups import GROUP_OPERATIONS_MAX, GroupedDatabase
from ordu.store.migrations import bring_up_to_date
from ordu.store.sqlite import Sqlite, SqliteWriter, connect

pytestmark = pytest.mark.anyio


class CountingWriter(SqliteWriter):
    """A real writer that counts commits and can be told to fail them, as a full disk does."""

    commits = 0
    is_full = False

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__(connection)
        self.entered = threading.Event()
        self.opened = threading.Event()
        self.opened.set()

    def commit(self) -> None:
        self.entered.set()
        assert self.opened.wait(10)
        if self.is_full:
            raise sqlite3.OperationalError("database or disk is full")
        self.commits += 1
        super().commit()

    def probe(self) -> None:
        if self.is_full:
            raise sqlite3.OperationalError("database or disk is full")
        super().probe()


class CountingSqlite(Sqlite):
    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.made: CountingWriter | None = None

    def writer(self) -> CountingWriter:
        self.made = CountingWriter(super().writer().connection)
        return self.made


@pytest.fixture
async def database(tmp_path):
    path = tmp_path / "test.sqlite3"
    bring_up_to_date(path)
    database = GroupedDatabase(CountingSqlite(path))
    await database.start()
    yield database
    await database.stop()


def put(name, value="1"):
    return lambda tx: facts.put(tx, name, value)


def get(name):
    return lambda tx: facts.get(tx, name)


async def a_held_write(database, publish=None):
    """A write whose commit does not end until `opened` is set, so that others gather behind it."""
    writer = database.backend.made
    writer.entered.clear()
    writer.opened.clear()
    held = asyncio.create_task(database.write(put("held"), publish))
    await asyncio.to_thread(writer.entered.wait)
    return held, writer.opened


async def test_a_write_is_read_back_once_it_is_answered(database):
    await database.write(put("colour", "red"))
    assert await database.read(get("colour")) == "red"


async def test_operations_that_gather_share_commits(database):
    held, opened = await a_held_write(database)
    before = database.backend.made.commits
    writes = [asyncio.create_task(database.write(put(f"n{i}"))) for i in range(100)]
    await asyncio.sleep(0)
    opened.set()
    await asyncio.gather(held, *writes)
    assert await database.read(get("n99")) == "1"
    commits = database.backend.made.commits - before - 1  # that of the one that was held
    assert commits == -(-100 // GROUP_OPERATIONS_MAX)


async def test_a_refused_operation_undoes_itself_and_nobody_else(database):
    def refused(tx):
        facts.put(tx, "half", "done")
        raise Refused("BadRequest", "no")

    results = await asyncio.gather(
        database.write(put("before")),
        database.write(refused),
        database.write(put("after")),
        return_exceptions=True,
    )
    assert isinstance(results[1], Refused)
    assert await database.read(get("half")) is None
    assert await database.read(get("before")) == await database.read(get("after")) == "1"


async def test_a_broken_operation_is_its_callers_and_the_writer_goes_on(database):
    def broken(tx):
        facts.put(tx, "half", "done")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await database.write(broken)
    await database.write(put("next"))
    assert await database.read(get("half")) is None


async def test_results_are_published_in_commit_order_before_they_are_answered(database):
    published = []
    answered = []

    async def write(number):
        await database.write(lambda tx: number, published.append)
        assert number in published
        answered.append(number)

    await asyncio.gather(*(write(number) for number in range(20)))
    assert published == list(range(20))


async def test_a_failed_commit_refuses_the_whole_group_and_publishes_nothing(database):
    published, abandoned = [], []
    await database.write(put("first"))
    database.backend.made.is_full = True
    for _ in range(3):
        with pytest.raises(Refused) as refused:
            await database.write(
                put("lost"), lambda _: published.append(1), lambda: abandoned.append(1)
            )
        assert (refused.value.rc, refused.value.status) == ("Unavailable", 503)
        assert refused.value.retry_after_s
    assert not published
    assert len(abandoned) == 3
    assert await database.read(get("lost")) is None


async def test_writing_begins_again_when_a_probe_passes(database, monkeypatch):
    monkeypatch.setattr("ordu.store.groups.PROBE_INTERVAL_S", 0)
    await database.write(put("first"))
    database.backend.made.is_full = True
    with pytest.raises(Refused):
        await database.write(put("lost"))
    database.backend.made.is_full = False
    await database.write(put("found"))
    assert await database.read(get("found")) == "1"
    assert await database.read(get("lost")) is None


async def test_an_operation_whose_caller_left_before_it_began_is_dropped(database):
    abandoned = []
    held, opened = await a_held_write(database)
    left = asyncio.create_task(database.write(put("unwanted"), None, lambda: abandoned.append(1)))
    await asyncio.sleep(0)
    left.cancel()
    await asyncio.sleep(0)
    opened.set()
    await held
    await database.write(put("later"))
    assert await database.read(get("unwanted")) is None
    assert abandoned == [1]


async def test_an_operation_that_began_completes_although_its_caller_left(database):
    published = []
    held, opened = await a_held_write(database, lambda _: published.append(1))
    held.cancel()
    await asyncio.sleep(0)
    opened.set()
    await database.write(put("later"))
    assert published == [1]


async def test_what_is_only_refused_is_not_committed(database):
    def refused(tx):
        raise Refused("BadRequest", "no")

    before = database.backend.made.commits
    with pytest.raises(Refused):
        await database.write(refused)
    assert database.backend.made.commits == before
    await database.write(put("next"))


@pytest.fixture
def other_program(database):
    """Another connection to the same file, as the command line's."""
    connection = connect(database.backend.path)
    yield connection
    connection.close()


async def test_another_program_that_writes_is_waited_for(database, other_program):
    other_program.execute("BEGIN IMMEDIATE")
    write = asyncio.create_task(database.write(put("patient")))
    await asyncio.sleep(0.05)
    assert not write.done()
    assert await database.read(get("patient")) is None
    other_program.execute("COMMIT")
    await write
    assert await database.read(get("patient")) == "1"


async def test_another_program_that_never_stops_is_given_up_on(
    database, other_program, monkeypatch
):
    monkeypatch.setattr("ordu.store.groups.BUSY_MAX_S", 0.05)
    monkeypatch.setattr("ordu.store.groups.PROBE_INTERVAL_S", 0)
    other_program.execute("BEGIN IMMEDIATE")
    with pytest.raises(Refused) as refused:
        await database.write(put("lost"))
    assert refused.value.rc == "Unavailable"
    other_program.execute("COMMIT")
    await database.write(put("found"))
    assert await database.read(get("lost")) is None


async def test_too_many_pending_writes_are_refused(database, monkeypatch):
    monkeypatch.setattr("ordu.store.groups.PENDING_MAX", 0)
    abandoned = []
    with pytest.raises(Refused) as refused:
        await database.write(put("x"), None, lambda: abandoned.append(1))
    assert refused.value.rc == "Unavailable"
    assert abandoned == [1]


async def test_readers_do_not_wait_for_the_writer(database):
    await database.write(put("seen"))
    held, opened = await a_held_write(database)
    assert await database.read(get("seen")) == "1"
    opened.set()
    await held


async def test_a_stop_finishes_what_is_pending(tmp_path):
    path = tmp_path / "stop.sqlite3"
    bring_up_to_date(path)
    database = GroupedDatabase(Sqlite(path))
    await database.start()
    writes = [asyncio.create_task(database.write(put(f"n{i}"))) for i in range(30)]
    await asyncio.sleep(0)
    await database.stop()
    await asyncio.gather(*writes)
    reopened = Sqlite(path)
    assert reopened.read(get("n29")) == "1"
    reopened.close()


async def test_a_stop_does_not_wait_for_ever(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr("ordu.store.groups.STOP_MAX_S", 0.05)
    path = tmp_path / "stuck.sqlite3"
    bring_up_to_date(path)
    backend = CountingSqlite(path)
    database = GroupedDatabase(backend)
    await database.start()
    backend.made.opened.clear()  # the disk hangs
    write = asyncio.create_task(database.write(put("late")))
    await asyncio.to_thread(backend.made.entered.wait, 10)
    beside = database.round.beside
    await database.stop()
    assert "given up" in caplog.text
    backend.made.opened.set()
    await write  # the disk came back after all
    await asyncio.to_thread(beside.join, 10)
