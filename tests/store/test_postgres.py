"""The database on a real PostgreSQL server: its promises in good times and in bad."""

import asyncio
from contextlib import asynccontextmanager, suppress
from types import SimpleNamespace

import asyncpg
import pytest
from tests.builders import NOON
from tests.postgres import PostgresServer

from ordu.engine.once import Once, Telling, once
from ordu.protocol.errors import Refused
from ordu.rules.trust import SuspicionReason
from ordu.server.secret import Secret, check_fingerprint
from ordu.settings import SettingError
from ordu.store import facts, jobs, requests, suspicions, users, workers
from ordu.store import postgres as store
from ordu.store.bridge import wait
from ordu.store.database import TOO_MUCH
from ordu.store.postgres import (
    CANNOT_REACH,
    TRIES_MAX,
    PlainConnection,
    PostgresDatabase,
    translated,
)

pytestmark = pytest.mark.anyio

CONNECTIONS_MAX = 3
ANSWER_S_MAX = 30.0


@pytest.fixture
def url(postgres):
    url = postgres.new()
    yield url
    postgres.drop(url)


@pytest.fixture
async def database(url):
    database = PostgresDatabase(url, connections_max=CONNECTIONS_MAX)
    await database.start()
    yield database
    await database.stop()


@pytest.fixture
async def other(url):
    """A connection of somebody else."""
    connection = await asyncpg.connect(url)
    yield connection
    await connection.close()


@pytest.fixture
def soon(monkeypatch):
    """No test waits long for the next try."""
    monkeypatch.setattr(store, "PAUSE_S", 0.0001)


def put(name, value="1"):
    return lambda tx: facts.put(tx, name, value)


def get(name):
    return lambda tx: facts.get(tx, name)


class Told:
    """Counts how often a write was published and abandoned."""

    def __init__(self):
        self.published = []
        self.abandoned = 0

    def publish(self, result):
        self.published.append(result)

    def abandon(self):
        self.abandoned += 1

    @property
    def how_often(self):
        return len(self.published), self.abandoned


def backend(tx):
    """The number of the server's process for this connection."""
    return tx.one("SELECT pg_backend_pid() AS pid")["pid"]


async def terminate(other, pid):
    """End a connection from the server's side, as an administrator or a crash would."""
    assert await other.fetchval("SELECT pg_terminate_backend($1, 5000)", pid)


async def ours(other, where="true"):
    """How many connections of the pool the server has in this database."""
    return await other.fetchval(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'ordu'"
        f" AND datname = current_database() AND {where}"
    )


# What is promised


async def test_a_write_is_durable_once_it_is_answered(database, other):
    await database.write(put("colour", "red"))
    assert await database.read(get("colour")) == "red"
    assert await other.fetchval("SELECT value FROM facts WHERE name = 'colour'") == "red"


async def test_a_read_is_of_one_moment_also_while_others_write(database):
    def twice(tx):
        before = facts.get(tx, "colour")
        wait(database.write(put("colour", "red")))
        return before, facts.get(tx, "colour")

    assert await database.read(twice) == (None, None)
    assert await database.read(get("colour")) == "red"


async def test_a_read_cannot_write(database):
    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        await database.read(put("colour"))


async def test_a_refused_operation_undoes_itself(database):
    def refused(tx):
        facts.put(tx, "half", "done")
        raise Refused("BadRequest", "no")

    told = Told()
    with pytest.raises(Refused, match="no"):
        await database.write(refused, told.publish, told.abandon)
    assert await database.read(get("half")) is None
    assert told.how_often == (0, 1)


async def test_an_exception_is_its_callers_and_nobody_elses(database):
    def broken(tx):
        facts.put(tx, "half", "done")
        return 1 // 0

    told = Told()
    results = await asyncio.gather(
        database.write(put("before")),
        database.write(broken, told.publish, told.abandon),
        database.write(put("after")),
        return_exceptions=True,
    )
    assert isinstance(results[1], ZeroDivisionError)
    assert told.how_often == (0, 1)
    assert await database.read(get("half")) is None
    assert await database.read(get("before")) == await database.read(get("after")) == "1"


async def test_an_operation_that_hides_a_failed_statement_is_not_taken_for_written(database):
    def hides(tx):
        facts.put(tx, "half", "done")
        with suppress(asyncpg.DivisionByZeroError):
            tx.one("SELECT 1 / 0")

    told = Told()
    with pytest.raises(AssertionError, match="hid that one of its statements failed"):
        await database.write(hides, told.publish, told.abandon)
    assert await database.read(get("half")) is None
    assert told.how_often == (0, 1)


async def test_what_is_published_is_what_the_operation_gave(database):
    told = Told()
    assert await database.write(lambda tx: 17, told.publish, told.abandon) == 17
    assert (told.published, told.abandoned) == ([17], 0)
    assert database.waiting == 0


async def test_who_was_changed_is_told_after_the_commit(database):
    changed = []
    database.on_users_changed = changed.append
    await database.write(a_user(5))
    await database.write(lambda tx: users.change(tx, 5, {"contact": "here"}))

    def refused(tx):
        users.change(tx, 5, {"contact": "there"})
        raise Refused("BadRequest", "no")

    with pytest.raises(Refused):
        await database.write(refused)
    assert changed == [frozenset({5})]


def a_user(user_id):
    return lambda tx: users.add(
        tx, user_id=user_id, username="x", key_hash=f"h{user_id}", concurrency=30, now=NOON
    )


# Others in the way


async def test_a_transaction_that_is_not_serializable_is_run_again(database, other, soon):
    tries = []

    def operation(tx):
        tx.all("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        tries.append(facts.get(tx, "colour"))
        if len(tries) == 1:
            wait(other.execute("INSERT INTO facts VALUES ('colour', 'red')"))
            wait(other.execute("UPDATE facts SET value = 'blue' WHERE name = 'colour'"))
        facts.put(tx, "colour", "green")

    await database.write(operation)
    assert tries == [None, "blue"]
    assert await database.read(get("colour")) == "green"


async def test_who_loses_in_a_circle_of_waiters_is_run_again(database, other, soon):
    await database.write(put("a"))
    await database.write(put("b"))
    tries = []
    lock = "UPDATE facts SET value = value || '!' WHERE name = :name"

    def operation(tx):
        tx.all("SET LOCAL deadlock_timeout = '10ms'")
        tries.append(backend(tx))
        tx.run(lock, name="a")
        if len(tries) == 1:
            task = asyncio.ensure_future(other.execute(translated(lock).text, "a"))
            tasks.append(task)
            wait(until_it_waits(database, other_pid))
        tx.run(lock, name="b")

    tasks = []
    other_pid = other.get_server_pid()
    await other.execute("SET deadlock_timeout = '10s'")
    async with other.transaction():
        await other.execute(translated(lock).text, "b")
        written = asyncio.create_task(database.write(operation))
        await until(lambda: bool(tasks))
        await tasks[0]
    await written
    assert len(tries) == 2
    assert await database.read(get("a")) == await database.read(get("b")) == "1!!"


async def until(look):
    """Wait until something is so; others run meanwhile."""
    async with asyncio.timeout(ANSWER_S_MAX):
        while not look():
            await asyncio.sleep(0)


async def until_it_waits(database, pid):
    """Wait until this process of the server waits for a lock."""
    async with asyncio.timeout(ANSWER_S_MAX), database.connection() as monitor:
        while not await monitor.fetchval("SELECT cardinality(pg_blocking_pids($1)) > 0", pid):
            pass


async def test_a_second_row_of_one_name_makes_the_operation_look_again(database, other, soon):
    seen = []

    def operation(tx):
        seen.append(facts.get(tx, "colour"))
        if seen[-1] is None:
            wait(other.execute("INSERT INTO facts VALUES ('colour', 'red')"))
            tx.run("INSERT INTO facts (name, value) VALUES ('colour', 'blue')")
        return seen[-1]

    assert await database.write(operation) == "red"
    assert seen == [None, "red"]


async def test_newcomers_at_one_moment_get_numbers_of_their_own(database, soon):
    def add(tx):
        user_id = users.next_id(tx)
        a_user(user_id)(tx)
        return user_id

    numbers = await asyncio.gather(*(database.write(add) for _ in range(12)))
    assert sorted(numbers) == list(range(1, 13))


async def test_a_lock_that_is_let_go_in_time_is_waited_for(database, other, soon):
    await database.write(put("colour", "red"))
    tries = []

    def operation(tx):
        tries.append(1)
        if len(tries) == 3:
            wait(other.execute("COMMIT"))
        tx.all("SET LOCAL lock_timeout = '5ms'")
        facts.put(tx, "colour", "green")

    await other.execute("BEGIN; SELECT 1 FROM facts FOR UPDATE")
    await database.write(operation)
    assert len(tries) == 3


async def test_a_conflict_that_does_not_end_is_given_up_and_told_as_such(database, other, soon):
    await database.write(put("colour", "red"))
    tries = []

    def operation(tx):
        tries.append(1)
        tx.all("SET LOCAL lock_timeout = '2ms'")
        facts.put(tx, "colour", "green")

    told = Told()
    async with other.transaction():
        await other.execute("SELECT 1 FROM facts FOR UPDATE")
        with pytest.raises(Refused) as refused:
            await database.write(operation, told.publish, told.abandon)
    assert (refused.value.rc, refused.value.message) == ("Unavailable", TOO_MUCH)
    assert len(tries) == TRIES_MAX
    assert told.how_often == (0, 1)
    assert await database.read(get("colour")) == "red"


async def test_a_row_that_can_never_be_written_is_a_mistake_and_told_as_such(database, soon):
    await database.write(put("colour", "red"))
    tries = []

    def operation(tx):
        tries.append(1)
        tx.run("INSERT INTO facts (name, value) VALUES ('colour', 'blue')")

    with pytest.raises(asyncpg.UniqueViolationError):
        await database.write(operation)
    assert len(tries) == TRIES_MAX


async def test_calls_with_one_key_at_one_moment_have_one_effect(database, soon):
    effects = "INSERT INTO news (published_at, newspiece, importance) VALUES (0, 'x', 'y')"
    call = Once("scope", "key", "print")
    telling = Telling(lambda number: number, int)

    def operation(tx):
        return once(tx, call, NOON, lambda tx: tx.run(effects) + 40, telling)

    answers = await asyncio.gather(*(database.write(operation) for _ in range(6)))
    assert [done.reply for done in answers] == [41] * 6
    assert sorted(done.is_again for done in answers) == [False] + [True] * 5
    assert (await database.read(lambda tx: tx.one("SELECT count(*) AS n FROM news")))["n"] == 1


async def test_of_several_secrets_at_the_first_start_one_stays(database, soon):
    secrets = [Secret(f"secret number {number}") for number in range(6)]
    starts = [database.write(lambda tx, each=each: check_fingerprint(tx, each)) for each in secrets]
    answers = await asyncio.gather(*starts, return_exceptions=True)
    assert [answer for answer in answers if not isinstance(answer, SettingError)] == [None]
    first = secrets[answers.index(None)]
    kept = await database.read(lambda tx: facts.get(tx, "secret fingerprint"))
    assert kept == first.fingerprint()


# Callers that leave


@asynccontextmanager
async def held(database, many=CONNECTIONS_MAX):
    """Writes that take every connection and go on when this is left."""
    go, begun = asyncio.Event(), []

    def operation(tx):
        begun.append(backend(tx))
        wait(go.wait())

    tasks = [asyncio.create_task(database.write(operation)) for _ in range(many)]
    try:
        await until(lambda: len(begun) == many)
        yield begun
    finally:
        go.set()
        await asyncio.gather(*tasks)


async def test_a_caller_that_leaves_before_the_operation_began_drops_it(database):
    ran, told = [], Told()
    async with held(database):
        write = database.write(lambda tx: ran.append(1), told.publish, told.abandon)
        task = asyncio.create_task(write)
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    await until(lambda: database.waiting == 0)
    assert ran == []
    assert told.how_often == (0, 1)


async def test_a_caller_that_leaves_after_the_operation_began_leaves_it_to_complete(database):
    go, begun, told = asyncio.Event(), asyncio.Event(), Told()

    def operation(tx):
        begun.set()
        wait(go.wait())
        facts.put(tx, "colour", "red")
        return "done"

    task = asyncio.create_task(database.write(operation, told.publish, told.abandon))
    await begun.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert told.how_often == (0, 0)
    go.set()
    await until(lambda: database.waiting == 0)
    assert (told.published, told.abandoned) == (["done"], 0)
    assert await database.read(get("colour")) == "red"


async def test_a_reader_that_leaves_gives_its_connection_back(database, other):
    begun = asyncio.Event()

    def operation(tx):
        tx.one("SELECT 1")
        begun.set()
        wait(asyncio.Event().wait())

    for _ in range(CONNECTIONS_MAX + 1):
        begun.clear()
        task = asyncio.create_task(database.read(operation))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert await database.read(get("colour")) is None
    assert await ours(other, "state LIKE 'idle in transaction%'") == 0


async def test_a_stop_finishes_what_is_pending(url, other):
    database = PostgresDatabase(url, connections_max=2)
    await database.start()
    writes = [asyncio.create_task(database.write(put(f"n{number}"))) for number in range(20)]
    await asyncio.sleep(0)
    await database.stop()
    await asyncio.gather(*writes)
    assert await other.fetchval("SELECT count(*) FROM facts WHERE name LIKE 'n%'") == 20
    assert await ours(other) == 0


async def test_nothing_is_written_after_a_stop(url):
    database = PostgresDatabase(url)
    await database.start()
    await database.stop()
    told = Told()
    with pytest.raises(Refused, match="more to write"):
        await database.write(put("late"), told.publish, told.abandon)
    assert told.how_often == (0, 1)
    with pytest.raises(Refused, match="cannot reach its database"):
        await database.read(get("late"))


# Connections that are lost


async def test_a_write_whose_connection_is_lost_before_the_commit_is_run_again(
    database, other, soon
):
    pids, told = [], Told()

    def operation(tx):
        pids.append(backend(tx))
        facts.put(tx, "colour", f"try {len(pids)}")
        if len(pids) == 1:
            wait(terminate(other, pids[0]))
        return facts.get(tx, "colour")

    assert await database.write(operation, told.publish, told.abandon) == "try 2"
    assert pids[0] != pids[1]
    assert (told.published, told.abandoned) == (["try 2"], 0)
    assert await database.read(get("colour")) == "try 2"


async def test_a_read_whose_connection_is_lost_is_run_again(database, other, soon):
    await database.write(put("colour", "red"))
    pids = []

    def operation(tx):
        pids.append(backend(tx))
        if len(pids) == 1:
            wait(terminate(other, pids[0]))
        return facts.get(tx, "colour")

    assert await database.read(operation) == "red"
    assert len(pids) == 2


async def test_connections_that_were_lost_while_idle_are_made_again(database, other, soon):
    async with held(database) as pids:
        pass
    for pid in pids:
        await terminate(other, pid)
    await asyncio.gather(*(database.write(put(f"n{number}")) for number in range(6)))
    assert await database.read(get("n5")) == "1"


async def test_a_server_that_may_only_be_read_is_left_for_the_one_that_may_be_written(
    database, other, soon
):
    name = await other.fetchval("SELECT current_database()")
    async with held(database) as pids:
        await other.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    for pid in pids:
        await terminate(other, pid)
    tries = []

    def operation(tx):
        tries.append(backend(tx))
        if len(tries) == 3:
            wait(other.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only"))
        facts.put(tx, "colour", "red")

    await database.write(operation)
    assert len(set(tries)) == len(tries) > 3  # never twice on one connection
    assert await database.read(get("colour")) == "red"


async def test_a_write_whose_connection_is_always_lost_is_given_up_as_503(
    database, other, soon, monkeypatch
):
    monkeypatch.setattr(store, "LOST_S_MAX", 0.5)
    pids, told = [], Told()

    def operation(tx):
        pids.append(backend(tx))
        wait(terminate(other, pids[-1]))
        facts.put(tx, "colour", "red")

    with pytest.raises(Refused) as refused:
        await database.write(operation, told.publish, told.abandon)
    assert (refused.value.rc, refused.value.message) == ("Unavailable", CANNOT_REACH)
    assert len(pids) > 1
    assert told.how_often == (0, 1)


@pytest.mark.parametrize("happened", [False, True], ids=["it had not happened", "it had happened"])
async def test_a_commit_whose_connection_is_lost_is_in_doubt(
    database, other, monkeypatch, happened
):
    execute = PlainConnection.execute

    async def cut(self, query, *arguments, **more):
        if query != "COMMIT":
            return await execute(self, query, *arguments, **more)
        if happened:
            await execute(self, query)
        await terminate(other, self.get_server_pid())
        return await execute(self, "SELECT 1" if happened else query)

    doubts, tries, told = [], [], Told()
    database.on_doubt = lambda: doubts.append(1)

    def operation(tx):
        tries.append(1)
        facts.put(tx, "colour", "red")

    with monkeypatch.context() as cutting:
        cutting.setattr(PlainConnection, "execute", cut)
        with pytest.raises(Refused) as refused:
            await database.write(operation, told.publish, told.abandon)
    assert (refused.value.rc, refused.value.message) == ("Unavailable", CANNOT_REACH)
    assert told.how_often == (0, 1)
    assert (len(doubts), len(tries)) == (1, 1)
    assert await database.read(get("colour")) == ("red" if happened else None)


@pytest.fixture
def server():
    """A server of the test's own, which it may stop."""
    server = PostgresServer()
    yield server
    server.stop()


def test_a_server_that_restarts_loses_nothing_that_was_acknowledged(server):
    """All writes are answered while the server goes and comes back: done, or 503."""

    async def story(url):
        database = PostgresDatabase(url, connections_max=4)
        await database.start()
        answers, is_over = {}, asyncio.Event()

        async def write_on(writer):
            number = 0
            while not is_over.is_set() or number == 0:
                number += 1
                name = f"{writer}-{number}"
                try:
                    await database.write(put(name))
                    answers[name] = "done"
                except Refused as refused:
                    answers[name] = refused.rc

        writers = [asyncio.create_task(write_on(writer)) for writer in range(8)]
        await until(lambda: len(answers) > 50)
        await asyncio.to_thread(server.restart)
        before = len(answers)
        await until(lambda: len(answers) > before + 50)
        is_over.set()
        async with asyncio.timeout(ANSWER_S_MAX):
            await asyncio.gather(*writers)
        kept = await database.read(
            lambda tx: {row["name"] for row in tx.all("SELECT name FROM facts")}
        )
        await database.stop()
        return answers, kept

    answers, kept = asyncio.run(story(server.new()))
    assert set(answers.values()) <= {"done", "Unavailable"}
    done = {name for name, answer in answers.items() if answer == "done"}
    assert done - kept == set()
    assert kept - answers.keys() == set()


# Bounds


async def test_there_are_never_more_connections_than_allowed(database, other):
    most = []

    def operation(tx):
        tx.one("SELECT pg_sleep(0.001)")
        most.append(wait(one_at_a_time()))

    async def one_at_a_time():
        async with lock:
            return await ours(other)

    lock = asyncio.Lock()
    writes = [database.write(operation) for _ in range(20)]
    reads = [database.read(operation) for _ in range(20)]
    await asyncio.gather(*writes, *reads)
    assert max(most) == CONNECTIONS_MAX


async def test_what_cannot_be_written_soon_is_refused_at_once(database, monkeypatch):
    monkeypatch.setattr(store, "PENDING_MAX", CONNECTIONS_MAX)
    told = Told()
    async with held(database):
        with pytest.raises(Refused, match="more to write"):
            await database.write(put("one too many"), told.publish, told.abandon)
    assert told.how_often == (0, 1)


async def test_who_gets_no_connection_for_long_is_refused_and_not_tried_again(
    database, monkeypatch
):
    told = Told()
    async with held(database):
        monkeypatch.setattr(store, "POOL_WAIT_S", 0.01)
        monkeypatch.setattr(store, "LOST_S_MAX", 0.0)
        with pytest.raises(Refused, match="cannot reach its database"):
            await database.write(put("late"), told.publish, told.abandon)
        with pytest.raises(Refused, match="cannot reach its database"):
            await database.read(get("late"))
        monkeypatch.undo()
    assert told.how_often == (0, 1)
    assert await database.read(get("late")) is None


# Values


ASKED = {
    "a fact": get("a\0b"),
    "a key": lambda tx: users.by_key_hash(tx, "a\0b", NOON),
    "a worker": lambda tx: workers.by_name(tx, "a\0b"),
    "a request": lambda tx: requests.by_id(tx, "a\0b"),
    "a job": lambda tx: jobs.by_id(tx, "a\0b"),
    "a lock": lambda tx: requests.locked(tx, "a\0b"),
}


@pytest.mark.parametrize("look", ASKED.values(), ids=ASKED.keys())
async def test_a_text_with_a_nul_finds_nothing(database, look):
    assert await database.read(look) is None
    assert await database.write(look) is None


UNKEEPABLE = {
    "a NUL": put("name", "a\0b"),
    "half of a character": put("name", "a\ud800b"),
    "a number beyond 64 bits": lambda tx: tx.run(
        "UPDATE users SET kudos = :kudos WHERE id = 1", kudos=2**63
    ),
    "a number beyond 32 bits": lambda tx: users.change(tx, 1, {"concurrency": 2**31}),
    "a sum beyond 64 bits": lambda tx: tx.run(
        "UPDATE users SET kudos = kudos + :more", more=2**63 - 1
    ),
    "an id beyond 64 bits": lambda tx: users.by_id(tx, 2**63),
}


@pytest.mark.parametrize("operation", UNKEEPABLE.values(), ids=UNKEEPABLE.keys())
async def test_what_cannot_be_kept_is_a_bad_request(database, operation):
    await database.write(a_user(1))
    await database.write(lambda tx: tx.run("UPDATE users SET kudos = 1"))
    told = Told()
    with pytest.raises(Refused) as refused:
        await database.write(operation, told.publish, told.abandon)
    assert (refused.value.rc, refused.value.status) == ("BadRequest", 400)
    assert told.how_often == (0, 1)


async def test_no_transaction_stays_open_whatever_goes_wrong(database, other, soon):
    await database.write(a_user(1))

    def refused(tx):
        raise Refused("BadRequest", "no")

    failing = [*UNKEEPABLE.values(), refused, lambda tx: 1 // 0, lambda tx: tx.one("SELECT 1 / 0")]
    for run in (database.write, database.read):
        answers = await asyncio.gather(*map(run, failing), return_exceptions=True)
        assert all(isinstance(answer, Exception) for answer in answers[-3:])
    assert await ours(other) > 0
    assert await ours(other, "state <> 'idle'") == 0
    async with held(database):
        assert await ours(other, "state LIKE 'idle in transaction%'") == CONNECTIONS_MAX


async def test_a_statement_for_many_rows_writes_all_of_them_or_none(database):
    rows = [{"name": f"n{number}", "value": "x"} for number in range(5)]
    sql = "INSERT INTO facts (name, value) VALUES (:name, :value)"
    await database.write(lambda tx: tx.run_many(sql, rows))
    await database.write(lambda tx: tx.run_many(sql, []))
    bad = [{"name": "m", "value": "x"}, {"name": "o", "value": "\0"}]
    with pytest.raises(Refused):
        await database.write(lambda tx: tx.run_many(sql, bad))
    found = await database.read(lambda tx: tx.all("SELECT name FROM facts ORDER BY name"))
    assert [row["name"] for row in found] == ["n0", "n1", "n2", "n3", "n4"]


# Statements


@pytest.mark.parametrize(
    ("sql", "text", "names"),
    [
        pytest.param("SELECT 1", "SELECT 1", (), id="nothing"),
        pytest.param(
            "SELECT :b, :a, :b", "SELECT $1, $2, $1", ("b", "a"), id="a name that is repeated"
        ),
        pytest.param(
            "VALUES (:user_id, :user)", "VALUES ($1, $2)", ("user_id", "user"),
            id="a name that begins like another",
        ),
        pytest.param(
            "SELECT 'worker:' || id FROM workers WHERE id = :id",
            "SELECT 'worker:' || id FROM workers WHERE id = $1", ("id",),
            id="a text that ends with a colon",
        ),
        pytest.param(
            "SELECT 'made:m' || 'a :b' || :c", "SELECT 'made:m' || 'a :b' || $1", ("c",),
            id="texts with a name in them",
        ),
        pytest.param("SELECT 'it''s :a'", "SELECT 'it''s :a'", (), id="a quote in a text"),
        pytest.param(
            "SELECT id::text, :a::bigint", "SELECT id::text, $1::bigint", ("a",), id="casts"
        ),
        pytest.param('SELECT "rank" = :rank', 'SELECT "rank" = $1', ("rank",), id="a quoted name"),
    ],
)  # fmt: skip
def test_a_statement_in_the_words_of_the_driver(sql, text, names):
    assert translated(sql) == (text, names)


async def test_the_suspicions_of_a_users_workers_are_found_by_a_text_with_a_colon(database):
    row = SimpleNamespace(
        id="w1", user_id=1, name="w", kind="image", created_at=0, seen_at=0, offer="{}"
    )

    def story(tx):
        a_user(1)(tx)
        workers.add(tx, row)
        suspicions.count(tx, "worker:w1", SuspicionReason.CORRUPT_PROMPT, NOON)
        suspicions.forget(tx, 1)
        return suspicions.times(tx, "worker:w1")

    assert await database.write(story) == {}
