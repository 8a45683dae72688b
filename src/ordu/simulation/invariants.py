"""The invariants: what must be true of a horde at every moment, whatever happened before.

The functions here look at one moment and return what is wrong, a line for each thing. Tests of all
kinds may use them, on SQLite and on PostgreSQL: `wrong_in` is all that the database alone tells, of
any horde, also of one that runs. What takes remembering (what was there before, what was promised
to whom) is in `history.py`.
"""

from collections.abc import Collection, Iterable
from enum import StrEnum
from functools import cache

from ordu.engine.end import upload_name
from ordu.engine.horde import Horde
from ordu.engine.lanes import LaneMap
from ordu.engine.progress import find
from ordu.rules import pricing
from ordu.rules.lifecycle import RequestState
from ordu.rules.matching import why_not
from ordu.rules.money import Kudos
from ordu.store import facts, jobs, lanes, ledger, workers
from ordu.store.database import Row, Transaction


class Invariant(StrEnum):
    """A promise, in words."""

    ANSWERS = "every call is answered or refused, and no chore fails"
    BOOKS = "every entry sums to zero, and so do all accounts"
    SETTLED_ONCE = "a job is settled at most once, at its price"
    COUNTS = "waiting, processing, finished, lost and cancelled sum to n"
    ONE_ASSIGNMENT = "a picture has at most one live job"
    FORWARD = "states only move forward"
    FLOOR = "no balance is below its floor"
    DURABLE = "nothing acknowledged is lost"
    ENDS = "every request ends by its lifetime and a minute"
    IDEMPOTENT = "the same idempotency key has the same answer and one effect"
    RESULTS = "a result exists exactly while it should"
    MAP = "the map equals what SQL says when all is quiet"


class Broken(Exception):  # noqa: N818 - a promise, not an error
    """An invariant does not hold."""

    def __init__(self, invariant: Invariant, wrong: Collection[str]) -> None:
        super().__init__(f"{invariant}: {'; '.join(wrong)}")
        self.invariant = invariant
        self.wrong = tuple(wrong)


def demand(invariant: Invariant, wrong: Collection[str]) -> None:
    """Raise `Broken` when something is wrong."""
    if wrong:
        raise Broken(invariant, wrong)


def lines(rows: Iterable[Row], form: str) -> list[str]:
    """A line for each row, in this form."""
    return [form.format(**dict(row)) for row in rows]


def wrong_in(tx: Transaction, tax: float) -> list[str]:
    """Everything that is wrong in a database at this moment; `tax` is the setting of the horde.

    To be called with `Database.read`, which shows one moment, whoever writes meanwhile.
    """
    return [
        *books(tx),
        *floors(tx),
        *settlements(tx, tax),
        *counts(tx),
        *assignments(tx),
        *cut_short(tx),
    ]


# Money


def books(tx: Transaction) -> list[str]:
    """Entries that do not sum to zero, balances that are not the sum of their lines."""
    return ledger.audit(tx)


def floors(tx: Transaction) -> list[str]:
    """Balances below zero, or below what is held where the horde itself took nothing."""
    return lines(
        tx.all(OVERHELD), "user {id} has {kudos} hundredths of kudos and {held} held"
    ) + lines(
        tx.all(
            "SELECT id, kudos, evaluating_kudos FROM users WHERE kudos < 0 OR evaluating_kudos < 0"
        ),
        "user {id} has {kudos} hundredths of kudos and {evaluating_kudos} in escrow",
    )


def settlements(tx: Transaction, tax: float) -> list[str]:
    """Finished jobs that were not paid for once, in full and within the bill; others that were."""
    wrong = lines(
        tx.all(
            "SELECT jobs.id, jobs.state, COUNT(entries.id) AS many FROM jobs"
            " LEFT JOIN entries ON entries.event = 'settle:' || jobs.id"
            " GROUP BY jobs.id"
            " HAVING COUNT(entries.id) <> CASE WHEN jobs.state = 'done' THEN 1 ELSE 0 END"
        ),
        "job {id} is {state} and was settled {many} times",
    )
    for row in tx.all(SETTLED):
        reward = reward_for(row["price"], tax)
        if row["earned"] != reward:
            wrong.append(f"job {row['id']} earned {row['earned']}, and its reward is {reward}")
        if not 0 <= row["paid"] <= row["bill"]:
            wrong.append(f"job {row['id']} cost {row['paid']}, and its bill is {row['bill']}")
    wrong += lines(
        tx.all(
            "SELECT substr(event, 8, 36) AS id, COUNT(*) AS many FROM entries"
            " WHERE event >= 'settle:' AND event < 'settle;' GROUP BY 1 HAVING COUNT(*) > 1"
        ),
        "job {id} was settled {many} times",
    )
    return wrong + lines(tx.all(CHARGED), "request {id} was charged {charged}, and paid {paid}")


OVERHELD = (
    "SELECT users.id, kudos, SUM(bill * (waiting + processing)) AS held FROM users"
    " JOIN requests ON requests.user_id = users.id AND is_upfront = 1"
    " WHERE users.id NOT IN (SELECT user_id FROM lines"
    " WHERE amount < 0 AND action IN ('admin', 'awarded') AND user_id IS NOT NULL)"
    " GROUP BY users.id HAVING SUM(bill * (waiting + processing)) > kudos"
)


@cache
def reward_for(price: Kudos, tax: float) -> Kudos:
    """The reward for a price, remembered: it is asked for at every moment."""
    return pricing.reward(price, tax)


SETTLED = (
    "SELECT jobs.id, requests.price, requests.bill,"
    " COALESCE(SUM(CASE WHEN lines.user_id = jobs.owner_id AND lines.amount > 0"
    " THEN lines.amount END), 0) AS earned,"
    " COALESCE(-SUM(CASE WHEN lines.user_id = requests.user_id AND lines.amount < 0"
    " THEN lines.amount END), 0) AS paid"
    " FROM jobs JOIN requests ON requests.id = jobs.request_id"
    " JOIN entries ON entries.event = 'settle:' || jobs.id"
    " LEFT JOIN lines ON lines.entry_id = entries.id"
    " GROUP BY jobs.id, requests.price, requests.bill"
)
CHARGED = (
    "SELECT id, charged, paid FROM (SELECT requests.id, requests.charged,"
    " COALESCE(-SUM(CASE WHEN lines.amount < 0 AND lines.user_id = requests.user_id"
    " THEN lines.amount END), 0) AS paid"
    " FROM requests LEFT JOIN jobs ON jobs.request_id = requests.id"
    " LEFT JOIN entries ON entries.event = 'settle:' || jobs.id"
    " LEFT JOIN lines ON lines.entry_id = entries.id GROUP BY requests.id) AS payments"
    " WHERE paid <> charged"
)


# Requests and jobs


def counts(tx: Transaction) -> list[str]:
    """Requests whose counts are not those of their jobs, or below zero."""
    return lines(
        tx.all(
            "SELECT * FROM (SELECT requests.*,"
            " SUM(CASE WHEN jobs.state = 'running' THEN 1 ELSE 0 END) AS running,"
            " SUM(CASE WHEN jobs.state = 'done' THEN 1 ELSE 0 END) AS done FROM requests"
            " LEFT JOIN jobs ON jobs.request_id = requests.id GROUP BY requests.id) AS counted"
            " WHERE running <> processing OR done <> finished"
            " OR waiting < 0 OR processing < 0 OR finished < 0 OR lost < 0 OR cancelled < 0"
        ),
        "request {id} counts {waiting} waiting, {processing} processing, {finished} finished,"
        " {lost} lost, {cancelled} cancelled, and has {running} running and {done} finished jobs",
    )


def assignments(tx: Transaction) -> list[str]:
    """Pictures that two live jobs make or made, and ordinals that no picture has."""
    return lines(
        tx.all(
            "SELECT request_id, ordinal, COUNT(*) AS many FROM jobs WHERE state <> 'faulted'"
            " GROUP BY request_id, ordinal HAVING COUNT(*) > 1"
        ),
        "picture {ordinal} of request {request_id} is in {many} live jobs",
    ) + lines(
        tx.all(
            "SELECT jobs.id, ordinal FROM jobs JOIN requests ON requests.id = jobs.request_id"
            " WHERE ordinal < 0"
            " OR ordinal >= waiting + processing + finished + lost + cancelled"
        ),
        "job {id} makes picture {ordinal}, which was not asked for",
    )


def results(tx: Transaction, pictures: Collection[str]) -> list[str]:
    """Finished jobs without a picture; `pictures` are the names of those there are."""
    rows = tx.all("SELECT id, picture FROM jobs WHERE state = 'done'")
    return [
        f"job {row['id']} is finished and its picture is gone"
        for row in rows
        if (row["picture"] or upload_name(row["id"])) not in pictures
    ]


def cut_short(tx: Transaction) -> list[str]:
    """Running jobs whose request ends before their own time is over."""
    return lines(
        tx.all(
            "SELECT jobs.id, request_id, due_at - expires_at AS early FROM jobs"
            " JOIN requests ON requests.id = jobs.request_id"
            " WHERE jobs.state = 'running' AND due_at > expires_at"
        ),
        "request {request_id} ends {early} ms before job {id} is due",
    )


def overdue(tx: Transaction, now: int, grace_ms: int) -> list[str]:
    """Requests and jobs that live although their time was over so long ago."""
    return lines(
        tx.all(
            "SELECT id, :now - expires_at AS late FROM requests WHERE expires_at + :grace < :now",
            now=now,
            grace=grace_ms,
        ),
        "the time of request {id} was over {late} ms ago",
    ) + lines(
        tx.all(
            "SELECT id, :now - due_at AS late FROM jobs"
            " WHERE state = 'running' AND due_at + :grace < :now",
            now=now,
            grace=grace_ms,
        ),
        "the time of job {id} was over {late} ms ago",
    )


# Memory


def the_map(horde: Horde, tx: Transaction) -> list[str]:
    """Where lanes, running jobs, presence and modes differ from SQL; nothing may be on its way."""
    return [
        *lanes_differ(horde, tx),
        *lanes_are_mixed_up(horde),
        *running_differs(horde, tx),
        *presence_differs(horde, tx),
        *memories_too_long(horde, tx),
        *standings_differ(horde, tx),
    ]


def lanes_differ(horde: Horde, tx: Transaction) -> list[str]:
    """Requests that wait in SQL and not in the map, or otherwise there."""
    rows = lanes.waiting(tx)
    in_sql = {
        row["id"]: (row["waiting"], row["rank"], row["work"], row["user_id"], row["lane_key"])
        for row in rows
    }
    in_map = {
        each.request_id: (each.left, each.rank, each.work, each.user_id, each.lane.key)
        for each in horde.lanes.requests.values()
    }
    return [
        f"request {each} is {in_map.get(each)} in the map and {in_sql.get(each)} in SQL"
        for each in sorted(in_sql.keys() | in_map.keys())
        if in_sql.get(each) != in_map.get(each)
    ]


def running_differs(horde: Horde, tx: Transaction) -> list[str]:
    """Jobs that run in SQL and not in memory, or otherwise there."""
    in_sql = {(job.worker_id, job.id): (job, work) for job, work in jobs.running(tx)}
    in_memory = {
        (worker_id, job_id): (running.job, running.work)
        for worker_id, theirs in horde.running.by_worker.items()
        for job_id, running in theirs.items()
    }
    wrong = [
        f"job {each[1]} of worker {each[0]} is {in_memory.get(each)} in memory and"
        f" {in_sql.get(each)} in SQL"
        for each in sorted(in_sql.keys() | in_memory.keys())
        if in_sql.get(each) != in_memory.get(each)
    ]
    if {job_id for _, job_id in in_memory} != horde.running.by_id.keys():
        wrong.append("the running jobs are others by their ids than by their workers")
    return wrong


def lanes_are_mixed_up(horde: Horde) -> list[str]:
    """What contradicts itself in the map: order, reservations, remembered verdicts."""
    the_lanes = horde.lanes
    wrong = [
        f"{each.reserved} pictures of request {each.request_id} are still reserved"
        for each in the_lanes.requests.values()
        if each.reserved
    ]
    by_user = [line for lines in the_lanes.by_user.values() for line in lines.values()]
    for name, groups in (
        ("lanes", [list(lane.line) for lane in the_lanes.lanes.values()]),
        ("users", by_user),
    ):
        if any(not line or line != sorted(line, key=lambda each: each.order) for line in groups):
            wrong.append(f"one of the {name} is empty or not in order")
        if sum(map(len, groups)) != len(the_lanes.requests):
            wrong.append(f"the {name} do not hold every request once")
    return wrong + columns_are_mixed_up(the_lanes)


def columns_are_mixed_up(the_lanes: LaneMap) -> list[str]:
    """What columns, views and sums say otherwise than the lanes they are of."""
    wrong = []
    columns = the_lanes.columns
    if the_lanes.jobs != sum(each.left for each in the_lanes.requests.values()):
        wrong.append("the pictures that wait are counted wrongly")
    for lane in the_lanes.lanes.values():
        noted = (columns.lanes[lane.slot], columns.ranks[lane.slot], columns.counts[lane.slot])
        if noted != (lane, lane.line[0].rank, len(lane.line)):
            wrong.append(f"the columns say something else of lane {lane.key.hex()}")
        if lane.jobs != sum(each.left for each in lane.line):
            wrong.append(f"the pictures that wait in lane {lane.key.hex()} are counted wrongly")
        wrong += [
            f"a verdict on lane {lane.key.hex()} is remembered that does not hold"
            for capability in list(the_lanes.views)
            if the_lanes.verdict(lane, capability) is not why_not(lane.requirement, capability)
        ]
    return wrong


def presence_differs(horde: Horde, tx: Transaction) -> list[str]:
    """Workers and modes that are otherwise in memory than in SQL."""
    wrong = []
    for worker in horde.presence.by_id.values():
        row = workers.by_id(tx, worker.id)
        if row is None:
            wrong.append(f"worker {worker.name} is here and not in SQL")
            continue
        here = (worker.name, worker.is_paused, worker.maintenance_text, worker.suspicion)
        there = (row.name, row.is_paused, row.maintenance_text, row.suspicion)
        if here != there:
            wrong.append(f"worker {worker.name} is {here} in memory and {there} in SQL")
    names = {worker.name: worker for worker in horde.presence.by_id.values()}
    if names != horde.presence.by_name:
        wrong.append("the workers are known by other names than they have")
    if horde.modes != facts.modes(tx):
        wrong.append(f"the modes are {horde.modes} in memory and {facts.modes(tx)} in SQL")
    return wrong


def memories_too_long(horde: Horde, tx: Transaction) -> list[str]:
    """What is remembered of requests that are gone: it would never be forgotten."""
    kept = {row["id"] for row in tx.all("SELECT id FROM requests")}
    return [
        f"who failed request {each} is remembered, and it is gone"
        for each in sorted(horde.failures.keys() - kept)
    ]


def standings_differ(horde: Horde, tx: Transaction) -> list[str]:
    """What is remembered of how far requests are, is still believed, and is not so."""
    known, now = horde.known.requests, horde.now()
    return [
        f"request {request_id} is remembered otherwise than it is in SQL"
        for request_id in known.values
        if known.get(request_id, now) not in (None, find(tx, request_id))
    ]


def not_done(tx: Transaction) -> list[str]:
    """Requests of which something still may come."""
    rows = tx.all(
        "SELECT id, state, waiting, processing FROM requests"
        " WHERE state <> :faulted AND waiting + processing > 0",
        faulted=RequestState.FAULTED,
    )
    return lines(rows, "request {id} is {state}: {waiting} waiting, {processing} processing")
