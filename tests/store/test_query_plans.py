"""Every query of the hot path uses an index: none reads a table from end to end."""

import inspect
import sqlite3

import pytest
from tests.builders import NOON, a_requirement, a_wish

from ordu.rules.lifecycle import Counts, JobState, Millis, RequestState
from ordu.rules.trust import SuspicionReason
from ordu.store import (
    answers,
    facts,
    jobs,
    lanes,
    ledger,
    made,
    requests,
    stats,
    suspicions,
    transfers,
    users,
    workers,
)
from ordu.store.migrations import bring_up_to_date
from ordu.store.sqlite import SqliteTransaction, connect

# Queries that read a whole small table on purpose, each with the reason.
WHOLE_TABLE = {
    "forget_empty": "a chore, once a minute, over distinct requirements",
    "audit": "proves the books by reading all of them",
    "fold": "reads the oldest deltas in the order of their key",
    "has_deltas": "stops at the first row",
    "next_id": "reads one end of the primary key",
    "newest": "news are few",
}


class Watching(SqliteTransaction):
    """Asks SQLite for the plan of every statement before running it."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__(connection)
        self.scans: list[tuple[str, str]] = []

    def look(self, sql, values):
        caller = inspect.stack()[2].function
        is_plain_insert = sql.lstrip().startswith("INSERT INTO") and "SELECT" not in sql
        if caller in WHOLE_TABLE or is_plain_insert:
            return
        for row in self.connection.execute(f"EXPLAIN QUERY PLAN {sql}", values).fetchall():
            detail = row["detail"]
            if detail.startswith("SCAN") and "INDEX" not in detail and "CONSTANT" not in detail:
                self.scans.append((caller, detail))

    def run(self, sql, **values):
        self.look(sql, values)
        return super().run(sql, **values)

    def one(self, sql, **values):
        self.look(sql, values)
        return super().one(sql, **values)

    def all(self, sql, **values):
        self.look(sql, values)
        return super().all(sql, **values)


@pytest.fixture
def tx(tmp_path):
    path = tmp_path / "plans.sqlite3"
    bring_up_to_date(path)
    connection = connect(path)
    yield Watching(connection)
    connection.close()


def exercise(tx):
    """Call every store function that a verb or a view uses."""
    wish = a_wish()
    users.add(tx, user_id=3, username="x", key_hash="h1:x", concurrency=30, now=NOON)
    users.by_id(tx, 3)
    users.by_key_hash(tx, "h1:x")
    users.page(tx, 1, oldest_first=True)
    users.page(tx, 1, oldest_first=False)
    users.change(tx, 3, {"contact": "here"})
    users.next_id(tx)
    users.with_monthly_kudos(tx, 0, 10)
    users.known(tx, 3)
    users.deleted_before(tx, NOON, 10)
    suspicions.count(tx, "user:3", SuspicionReason.CORRUPT_PROMPT, NOON)
    suspicions.times(tx, "user:3")
    suspicions.forget(tx, 3)
    suspicions.forget_worker(tx, "w1")
    lanes.remember(tx, b"key", a_requirement())
    requests.add(
        tx,
        requests.Request(
            id="r1",
            user_id=3,
            kind=wish.kind,
            state=RequestState.OPEN,
            lane_key=b"key",
            rank=1,
            created_at=NOON,
            expires_at=NOON,
            counts=Counts(waiting=1, processing=0, finished=0, lost=0, cancelled=0),
            faults=0,
            work=wish.work,
            price=wish.price,
            bill=600,
            charged=0,
            ttl_ms=wish.ttl_ms,
            seed=None,
            seed_step=0,
            wants_links=False,
            is_upfront=True,
            body=wish.body,
        ),
    )
    requests.by_id(tx, "r1")
    requests.waiting_of_user(tx, 3)
    requests.held_of(tx, 3)
    requests.open_of_user(tx, 3, 10)
    requests.expired(tx, NOON, 10)
    requests.take_one(tx, "r1", NOON, 1, 1)
    jobs.add(
        tx,
        jobs.Job(
            id="j1",
            request_id="r1",
            worker_id="w1",
            worker_name="w",
            owner_id=3,
            ordinal=0,
            state=JobState.RUNNING,
            model="m",
            seed=1,
            started_at=NOON,
            due_at=NOON,
            has_agent=True,
        ),
    )
    jobs.by_id(tx, "j1")
    jobs.of_request(tx, "r1")
    jobs.free_ordinal(tx, "r1")
    jobs.overdue(tx, NOON, 10)
    jobs.running_load(tx)
    jobs.running(tx)
    jobs.finish(tx, "j1", NOON, seed="1", censored=False, metadata=None, picture=None)
    jobs.fault(tx, "j1", NOON)
    jobs.remove_running(tx, "j1")
    requests.finish_one(tx, "r1", 600, NOON)
    lanes.requirement(tx, b"key")
    lanes.with_waiting(tx)
    lanes.waiting(tx)
    workers.by_id(tx, "w1")
    workers.by_name(tx, "w")
    workers.seen_since(tx, NOON)
    workers.of_user(tx, 3)
    workers.change(tx, "w1", {"info": "x"})
    workers.note_uptime_reward(tx, "w1", 0, 700)
    workers.end_pauses(tx, 3)
    workers.clear_suspicion(tx, 3)
    workers.remove(tx, "w1")
    stats.append(tx, [("user:3", "used", 5)])
    stats.has_deltas(tx)
    stats.fold(tx)
    stats.of(tx, "user:3")
    stats.append(tx, made.delivered(NOON, "m", 5))
    stats.fold(tx)
    made.totals(tx, NOON)
    made.by_model(tx, NOON)
    made.move_old(tx, Millis(NOON + 40 * 86_400_000))
    facts.modes(tx)
    transfers.add(tx, transfer_id="t1", source=3, target=3, amount=100, now=NOON)
    transfers.newest(tx, 3, 3)
    answers.keep(tx, "scope", "key", answers.Kept("print", b"1"), NOON)
    answers.kept(tx, "scope", "key")
    answers.forget_before(tx, NOON)
    ledger.change_balance(tx, ledger.Account.USER, 3, 5)
    requests.remove(tx, "r1")


def test_no_hot_query_reads_a_whole_table(tx):
    exercise(tx)
    assert tx.scans == []


def test_the_watcher_sees_a_whole_table_being_read(tx):
    def careless():
        tx.all("SELECT * FROM jobs WHERE model = :model", model="x")

    careless()
    assert tx.scans == [("careless", "SCAN jobs")]
