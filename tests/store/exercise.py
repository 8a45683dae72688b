"""Every store function that a verb or a view uses, called once: what the tests of plans look at."""

from datetime import date

from tests.builders import NOON, a_requirement, a_wish

from ordu.rules import money
from ordu.rules.lifecycle import Counts, JobState, Millis, RequestState
from ordu.rules.money import Kudos, UserId
from ordu.rules.trust import SuspicionReason
from ordu.rules.webhooks import Busy, DeliveryState, WebhookEvent
from ordu.store import (
    acts,
    answers,
    days,
    facts,
    givers,
    history,
    identities,
    jobs,
    lanes,
    ledger,
    made,
    requests,
    results,
    samples,
    sign_ins,
    stats,
    suspicions,
    transfers,
    users,
    webhooks,
    workers,
)

# Queries that read a whole small table on purpose, each with the reason.
WHOLE_TABLE = {
    "forget_empty": "a chore, once a minute, over distinct requirements",
    "audit": "proves the books by reading all of them",
    "fold": "reads the oldest deltas in the order of their key",
    "has_deltas": "stops at the first row",
    "newest_id": "reads one end of the primary key",
    "newest": "news are few",
    "forget_beyond": "a chore, once a minute, over a log that is bounded for each user",
}


def exercise(tx):
    """Call every store function that a verb or a view uses."""
    wish = a_wish()
    users.add(tx, user_id=3, username="x", key_hash="h1:x", concurrency=30, now=NOON)
    users.by_id(tx, 3)
    users.by_key_hash(tx, "h1:x", NOON)
    users.by_key_hash(tx, "h1:y", NOON)
    users.has_key(tx, 3)
    users.set_key_hash(tx, 3, "h1:z")
    users.page(tx, 1, oldest_first=True)
    users.page(tx, 1, oldest_first=False)
    users.change(tx, 3, {"contact": "here"})
    users.locked(tx, 3, 1)
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
    requests.locked(tx, "r1")
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
    requests.return_one(tx, "r1")
    requests.take_one(tx, "r1", NOON, 1, 1)
    requests.finish_one(tx, "r1", 600, NOON)
    counts = Counts(waiting=0, processing=0, finished=1, lost=0, cancelled=0)
    requests.set_counts(tx, "r1", RequestState.CANCELLED, counts, 0)
    lanes.requirement(tx, b"key")
    lanes.with_waiting(tx)
    lanes.waiting(tx)
    lanes.waiting_after(tx, "", 10)
    lanes.requirements(tx, [b"key"])
    workers.by_id(tx, "w1")
    workers.by_name(tx, "w")
    workers.seen_since(tx, NOON)
    workers.of_user(tx, 3)
    workers.locked(tx, "w1")
    workers.lock_of_user(tx, 3)
    workers.unknown_ids(tx, ["w1"])
    workers.note_heartbeats(
        tx,
        [
            {"id": "w1", "seen_at": NOON, "offer": "{}", "uptime_s": 1},
            {"id": "w2", "seen_at": NOON, "offer": "{}", "uptime_s": 1},
        ],
    )
    workers.change(tx, "w1", {"info": "x"})
    workers.note_uptime_reward(tx, "w1", 0, 700)
    workers.end_pauses(tx, 3)
    workers.clear_suspicion(tx, 3)
    workers.remove(tx, "w1", NOON)
    stats.append(tx, [("user:3", "used", 5)])
    stats.has_deltas(tx)
    stats.fold(tx)
    stats.of(tx, "user:3")
    stats.append(tx, made.delivered(NOON, "m", 5))
    stats.append(tx, results.delivered(NOON, "w1", looked_at=True, censored=False))
    results.add(tx, "w1", {"blank": 1}, NOON)
    results.in_window(tx, "w1", NOON)
    results.forget_old(tx, NOON)
    stats.fold(tx)
    made.totals(tx, NOON)
    made.by_model(tx, NOON)
    made.in_minute(tx, NOON)
    samples.add(tx, NOON, samples.Gauges(1, 1, 1, 1, 0, 1, 9.0), 1, 5)
    for span in samples.Span:
        samples.within(tx, samples.window(span, NOON))
    samples.forget_old(tx, NOON)
    stats.append(tx, givers.gave(NOON, 3, 500, pictures=1))
    givers.page(tx, 1, NOON)
    givers.forget_old(tx, NOON)
    made.move_old(tx, Millis(NOON + 40 * 86_400_000))
    facts.modes(tx)
    exercise_acts(tx)
    transfers.add(tx, transfer_id="t1", source=3, target=3, amount=100, now=NOON)
    transfers.newest(tx, 3, 3)
    assert answers.begin(tx, "scope", "key", "print", NOON)
    answers.finish(tx, "scope", "key", b"1")
    answers.kept(tx, "scope", "key")
    answers.forget(tx, NOON)
    ledger.change_balances(tx, 3, {ledger.Account.USER: 5, ledger.Account.ESCROW: 0}, 1)
    users.locked(tx, 3, 4)
    exercise_history(tx)
    exercise_webhooks(tx)
    exercise_sign_ins(tx)
    requests.remove(tx, "r1")


def exercise_sign_ins(tx):
    """The same of identities and the keys of browsers."""
    identity = identities.Identity(id="i1", issuer="i", subject="s", user_id=3, created_at=NOON)
    assert identities.add(tx, identity)
    assert not identities.add(tx, identity)
    assert identities.find(tx, "i", "s") == identity
    assert identities.of_user(tx, 3) == [identity]
    assert identities.has_any(tx, 3)
    sign_ins.add(tx, key_hash="h1:b", user_id=3, now=NOON, expires_at=NOON + 1)
    assert users.by_key_hash(tx, "h1:b", NOON).id == 3
    assert users.by_key_hash(tx, "h1:b", NOON + 1) is None
    sign_ins.of_user(tx, 3)
    assert sign_ins.end(tx, 3, "h1:b")
    sign_ins.forget_expired(tx, NOON)
    sign_ins.end_all(tx, 3)
    assert identities.remove(tx, 3, "i1")
    identities.forget_user(tx, 3)


def exercise_acts(tx):
    """The same of acts."""
    act = acts.Act(
        id="a",
        created_at=NOON,
        actor_id=1,
        operation="put_user_single",
        target_kind="user",
        target_id="3",
        target_name="x#3",
        changes=[acts.Change("flagged", False, True)],
        reason=None,
    )
    acts.add(tx, act)
    for wanted in (
        acts.Wanted(),
        acts.Wanted(actor_id=1),
        acts.Wanted(operation="put_user_single"),
        acts.Wanted(target_kind="user", target_id="3"),
        acts.Wanted(since=NOON, until=NOON),
    ):
        acts.page(tx, wanted, None, 50)
        acts.page(tx, wanted, "b", 50)
    acts.forget_words(tx, "user", "3", "(wiped)#3", {"contact"})
    users.named(tx, "fer", 1)
    users.newest_id(tx)


def exercise_history(tx):
    """The same of a user's history."""
    gift = money.transfer("transfer:t9", UserId(3), UserId(1), Kudos(1))
    users.add(tx, user_id=1, username="y", key_hash="h1:y", concurrency=30, now=NOON)
    ledger.post(tx, gift, "e9", NOON)
    assert history.newest(tx, 3) == 2
    assert [each.entry_id for each in history.between(tx, 3, 2, 3)] == ["e9"]
    assert history.first_since(tx, 1, NOON, 2) == 1
    history.others_in(tx, 3, ["e9", "e8"])
    history.workers_named(tx, ["w1", "w2"])
    days.of_user(tx, 3, None, date(2026, 1, 1), date(2026, 1, 31))
    requests.part_of_user(tx, 3, "", 10)


def exercise_webhooks(tx):
    """The same of webhooks."""
    webhooks.add(
        tx,
        delivery_id="d1",
        user_id=3,
        request_id="r1",
        event=WebhookEvent.GENERATION,
        url="https://example.org/",
        host="example.org",
        body="{}",
        picture="j1.webp",
        now=NOON,
    )
    webhooks.due(tx, NOON, Busy((), ()))
    webhooks.due(tx, NOON, Busy(("a", "b"), (1, 2)))
    taken = webhooks.take(tx, "d1", NOON, NOON + 1)
    webhooks.let_go(tx, "d1")
    attempt = webhooks.Attempt(number=1, began_at=NOON, took_ms=1, status=500, error="no")
    webhooks.note(tx, "d1", attempt)
    webhooks.put_off(tx, "d1", NOON)
    webhooks.is_waiting(tx, "d1")
    webhooks.waiting(tx)
    assert webhooks.pictures_waiting(tx, "r1") == {"j1.webp"}
    webhooks.end_waiting_of(tx, "r1", NOON)
    webhooks.end(tx, "d1", DeliveryState.FAILED, NOON)
    webhooks.replay(tx, 3, "d1", NOON)
    webhooks.by_id(tx, 3, "d1")
    webhooks.of_user(tx, 3, None, 10)
    webhooks.of_user(tx, 3, taken, 10)
    assert webhooks.attempts_of(tx, "d1") == [attempt]
    requests.forget_webhook(tx, "r1")
    webhooks.forget_before(tx, NOON)
    webhooks.forget_beyond(tx)
    webhooks.forget_oldest(tx, 3, 1_001)
    webhooks.forget_user(tx, 3)
    webhooks.signing_secret(tx, 3)
    webhooks.rotate_secret(tx, 3, NOON)
