"""One scene in which the verbs touch the same rows, and the verbs as transactions.

Two users: the payer, whose request has one job at the owner's worker and three pictures to give
out, and the owner, whose request has a job at the payer's worker. So whoever settles, pays, moves
kudos or suspects locks the same two users, and each order of locks can go wrong.
"""

import random
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

from tests.builders import NOON, a_capability, a_requirement, a_user, a_wish, an_offer
from tests.store.stepping import Operation

from ordu.engine import (
    checkin,
    claim,
    editing,
    end,
    keepers,
    leaving,
    place,
    rewards,
    settle,
    suspicion,
    transfer,
)
from ordu.engine.acts import By
from ordu.engine.editing import UserChange
from ordu.engine.fresh import Fresh
from ordu.engine.once import Once, Telling, once
from ordu.engine.presence import Worker
from ordu.rules import money
from ordu.rules.lifecycle import Counts, JobState, Millis, RequestState
from ordu.rules.matching import lane_key
from ordu.rules.money import ADMINISTRATOR, Kudos
from ordu.rules.pricing import Upfront
from ordu.rules.trust import DAY_MS
from ordu.settings import ServerSettings
from ordu.store import jobs, lanes, ledger, made, requests, stats, users, workers
from ordu.store.database import Transaction

PAYER, OWNER, GONE = 5, 6, 8
THEIRS, FIRST, SECOND, OF_THE_GONE = "w-payer", "w-owner-1", "w-owner-2", "w-gone"
ASKED, OTHER = "request-1", "request-2"
RUNNING, OTHER_JOB = "job-1", "job-2"
NOW = Millis(NOON + 2_000)
LATER = Millis(NOON + 1_200_000)  # the first request's time is over
REQUIREMENT = a_requirement()
FORGOTTEN = a_requirement(models=frozenset({"nobody asked for it"}))
NEW = a_requirement(models=frozenset({"a new one"}))
SETTINGS = ServerSettings()


# The scene


def set_scene(tx: Transaction) -> None:
    """Everything there is before two transactions begin."""
    for user_id, name in ((PAYER, "payer"), (OWNER, "owner"), (GONE, "gone")):
        old = Millis(NOON - 60 * DAY_MS)
        users.add(tx, user_id=user_id, username=name, key_hash=name, concurrency=30, now=old)
    users.change(tx, PAYER, {"is_trusted": True, "monthly_kudos": 700})
    users.change(tx, GONE, {"deleted_at": NOON - 31 * DAY_MS})
    earn(tx, PAYER, money.Account.USER, 10_000)
    earn(tx, OWNER, money.Account.USER, 3_000)
    earn(tx, OWNER, money.Account.ESCROW, 5_000)
    pairs = ((THEIRS, PAYER), (FIRST, OWNER), (SECOND, OWNER), (OF_THE_GONE, GONE))
    for worker_id, user_id in pairs:
        workers.add(tx, a_row(worker_id, user_id))
    workers.change(tx, FIRST, {"is_paused": True})
    for requirement in (REQUIREMENT, FORGOTTEN):
        lanes.remember(tx, lane_key(requirement), requirement)
    requests.add(tx, a_request(ASKED, PAYER, 4, is_upfront=True))
    requests.add(tx, a_request(OTHER, OWNER, 1, is_upfront=False))
    for request_id, job in ((ASKED, job_of_owner()), (OTHER, job_of_payer())):
        assert requests.take_one(tx, request_id, NOON, 1, 1) is not None
        jobs.add(tx, job)
    stats.append(tx, made.delivered(Millis(NOON - DAY_MS), "m", 5))
    stats.fold(tx)
    stats.append(tx, [(f"worker:{SECOND}", "fulfilled", 1), *made.delivered(NOON, "m", 7)])
    stats.append(tx, made.delivered(Millis(NOON - DAY_MS), "m", 11))  # told late


def earn(tx: Transaction, user_id: int, account: money.Account, amount: int) -> None:
    event = f"scene:{user_id}:{account}"
    line = money.Line(account, user_id, Kudos(amount))
    ledger.post(tx, money.entry(event, (line,)), f"e-{event}", NOON)


def a_row(worker_id: str, user_id: int) -> workers.WorkerRow:
    return workers.WorkerRow(
        id=worker_id, user_id=user_id, name=worker_id, kind="image", created_at=NOON, seen_at=NOON,
        offer="{}", uptime_s=0, uptime_rewarded_s=0, is_paused=False, maintenance_text=None,
        info=None, suspicion=0,
    )  # fmt: skip


def a_request(request_id: str, user_id: int, n: int, *, is_upfront: bool) -> requests.Request:
    wish = a_wish(n=n)
    return requests.Request(
        id=request_id, user_id=user_id, kind=wish.kind, state=RequestState.OPEN,
        lane_key=lane_key(REQUIREMENT), rank=1, created_at=NOON, expires_at=LATER,
        counts=Counts(waiting=n, processing=0, finished=0, lost=0, cancelled=0), faults=0,
        work=wish.work, price=wish.price, bill=wish.price, charged=Kudos(0), ttl_ms=wish.ttl_ms,
        seed=None, seed_step=0, wants_links=False, is_upfront=is_upfront, body=wish.body,
    )  # fmt: skip


def a_job(job_id: str, request_id: str, worker_id: str, owner_id: int) -> jobs.Job:
    return jobs.Job(
        id=job_id, request_id=request_id, worker_id=worker_id, worker_name=worker_id,
        owner_id=owner_id, ordinal=0, state=JobState.RUNNING, model="m", seed=1, started_at=NOON,
        due_at=Millis(NOON + 150_000), has_agent=True,
    )  # fmt: skip


def job_of_owner() -> jobs.Job:
    return a_job(RUNNING, ASKED, SECOND, OWNER)


def job_of_payer() -> jobs.Job:
    return a_job(OTHER_JOB, OTHER, THEIRS, PAYER)


# The verbs


class Taken(Exception):  # noqa: N818 - a fact, not an error
    """The operation of a verb, taken from it instead of run."""


class Taking(SimpleNamespace):
    """What a verb takes for the horde, until it hands over its operation."""

    def now(self) -> Millis:
        return NOW

    async def write(self, operation: Operation, *_: Any) -> None:
        raise Taken(operation)


def taken(verb: Callable[..., Any], fresh: Fresh, *arguments: Any, **more: Any) -> Operation:
    """The transaction that this verb would run."""
    horde = Taking(**({"fresh": fresh, "settings": SETTINGS} | more))
    try:
        verb(horde, *arguments).send(None)
    except Taken as found:
        operation: Operation = found.args[0]
        return operation
    raise AssertionError("this verb writes nothing")


def place_with(requirement: Any, rule: Upfront) -> Callable[[Fresh], Operation]:
    wish = a_wish(requirement=requirement, n=2)
    terms = place.Terms(600_000, 1, rule)
    return lambda fresh: lambda tx: place.place(tx, wish, PAYER, fresh.id(NOW), terms, NOW)


def place_once(fresh: Fresh) -> Operation:
    wish = a_wish(requirement=REQUIREMENT, n=2)
    terms = place.Terms(600_000, 1, Upfront.ALL)
    telling: Telling[requests.Request, str] = Telling(lambda request: request.id, str)
    call = Once("place:5", "key", "body")

    def placed(tx: Transaction) -> requests.Request:
        return place.place(tx, wish, PAYER, fresh.id(NOW), terms, NOW)

    return lambda tx: once(tx, call, NOW, placed, telling)


def claim_by(worker_id: str, owner_id: int, many: int) -> Callable[[Fresh], Operation]:
    waiting = SimpleNamespace(request_id=ASKED, lane=SimpleNamespace(requirement=REQUIREMENT))
    offer = an_offer(capability=a_capability(worker_id=worker_id), amount=many)
    taker = claim.Taker(worker_id, worker_id, owner_id, offer)

    def room(*_: object) -> int:
        return many

    return lambda fresh: lambda tx: claim.claim(tx, waiting, taker, room, fresh, NOW, 600_000)


def settle_one(
    job: Callable[[], jobs.Job], *, threshold: int = 10**9, is_fast: bool = False
) -> Callable[[Fresh], Operation]:
    running = job()
    result = settle.Result(job_id=running.id, seed="1")
    terms = settle.Terms(0.1, Kudos(threshold), 600_000, lambda *_: is_fast)
    return lambda fresh: lambda tx: settle.settle(tx, running, result, terms, fresh.id(NOW), NOW)


def give(source: int, target: int, name: str) -> Callable[[Fresh], Operation]:
    giver = SimpleNamespace(id=source)
    return lambda fresh: taken(transfer.transfer, fresh, giver, f"{name}#{target}", 20)


def a_worker(worker_id: str) -> Worker:
    offer = an_offer(capability=a_capability(worker_id=worker_id))
    return Worker(worker_id, OWNER, worker_id, "image", offer, NOON, NOON, uptime_s=700)


def reward(fresh: Fresh) -> Operation:
    settings = ServerSettings(trust_threshold=10)  # so that it makes its owner trusted
    return taken(rewards.reward_uptime, fresh, a_worker(SECOND), settings=settings)


def abort(fresh: Fresh) -> Operation:
    worker = a_worker(SECOND)
    worker.aborted.extend([NOW] * suspicion.ABORTED_MAX)
    presence = SimpleNamespace(by_id={SECOND: worker})
    return taken(suspicion.count_aborted, fresh, SECOND, presence=presence, modes={})


def prompt(fresh: Fresh) -> Operation:
    timeouts = SimpleNamespace(offence=lambda *_: None)
    more = {"timeouts": timeouts, "tell": lambda _: None}
    return taken(suspicion.count_prompt, fresh, a_user(id=OWNER), "10.0.0.1", **more)


def add_worker(fresh: Fresh) -> Operation:
    row = a_row(fresh.id(NOW), OWNER)
    return lambda tx: checkin.add_worker(tx, row, a_user(id=OWNER), invite_only=False)


def an_act_of(fresh: Fresh) -> By:
    """What the administrator does."""
    return By(ADMINISTRATOR, "test", fresh.id(NOW), NOW)


def edit(user_id: int, **fields: object) -> Callable[[Fresh], Operation]:
    return lambda fresh: taken(editing.edit, fresh, user_id, UserChange(fields), an_act_of(fresh))


def beat(fresh: Fresh) -> Operation:
    seen: list[dict[str, object]] = [
        {"id": each, "seen_at": NOW, "offer": "{}", "uptime_s": 90} for each in (FIRST, SECOND)
    ]
    return lambda tx: workers.note_heartbeats(tx, seen)


VERBS: Mapping[str, Callable[[Fresh], Operation]] = {
    "place": place_with(REQUIREMENT, Upfront.NONE),
    "place_upfront": place_with(REQUIREMENT, Upfront.ALL),
    "place_once": place_once,
    "place_in_a_new_lane": place_with(NEW, Upfront.NONE),
    "place_in_an_empty_lane": place_with(FORGOTTEN, Upfront.NONE),
    "claim": claim_by(SECOND, OWNER, 1),
    "claim_three": claim_by(THEIRS, PAYER, 3),
    "settle": settle_one(job_of_owner),
    "settle_and_promote": settle_one(job_of_owner, threshold=1),
    "settle_and_suspect": settle_one(job_of_owner, is_fast=True),
    "settle_the_other_way": settle_one(job_of_payer),
    "cancel": lambda _: lambda tx: end.cancel_waiting(tx, ASKED, NOW),
    "expire": lambda _: lambda tx: end.expire_request(tx, ASKED, LATER),
    "fault": lambda _: lambda tx: end.fault_job(tx, RUNNING, 2, NOW),
    "fault_for_good": lambda _: lambda tx: end.fault_job(tx, RUNNING, 1, NOW),
    "return_job": lambda _: lambda tx: end.return_job(tx, job_of_owner(), NOW),
    "transfer": give(PAYER, OWNER, "owner"),
    "transfer_back": give(OWNER, PAYER, "payer"),
    "reward_uptime": reward,
    "suspect": abort,
    "edit_and_promote": edit(OWNER, trusted=True, reset_suspicion=True, kudos=Kudos(-2_000)),
    "edit_payer": edit(PAYER, kudos=Kudos(-9_000), monthly_kudos=Kudos(500)),
    "pay_month": lambda fresh: taken(rewards.pay_one, fresh, PAYER),
    "count_prompt": prompt,
    "delete_user": lambda fresh: taken(
        leaving.delete_user, fresh, a_user(id=OWNER), OWNER, an_act_of(fresh)
    ),
    "add_worker": add_worker,
    "heartbeats": beat,
    "remove_worker": lambda fresh: taken(
        keepers.remove_worker, fresh, a_worker(SECOND), an_act_of(fresh)
    ),
    "forget_empty": lambda _: lanes.forget_empty,
    "fold": lambda _: stats.fold,
    "move_old": lambda _: lambda tx: made.move_old(tx, NOW),
    "wipe_deleted": lambda fresh: taken(leaving.wipe_deleted, fresh),
    "undelete": edit(GONE, undelete=True),
}


def operation_of(name: str, side: int) -> Operation:
    """A verb as one side's transaction; the ids and the chance of each side are its own."""
    return VERBS[name](Fresh(random.Random(side)))
