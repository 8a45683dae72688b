"""Kudos against a dictionary: whatever happens in whatever order, both have the same balances."""

import calendar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import ClassVar

import msgspec
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, initialize, invariant, multiple, rule
from tests.builders import a_wish, an_act, an_offer
from tests.machines.harness import (
    LONG,
    LONG_ON_POSTGRES,
    MORE,
    QUICK_ON_POSTGRES,
    SABOTAGED,
    HordeMachine,
    finds_nothing,
)

from ordu.engine import accounts, checkin, claim, editing, end, place, rewards, settle, transfer
from ordu.engine.claim import Claimed
from ordu.engine.editing import UserChange
from ordu.engine.once import Once
from ordu.engine.settle import Result
from ordu.rules import money
from ordu.store import ledger

DAY_MS = 86_400_000
TAX = Decimal("0.25")
THRESHOLD = 2_000  # hundredths of evaluating kudos that make trusted
UPTIME = 5_200  # hundredths for ten minutes with one model


def half_up(amount):
    """The nearest whole number, halves up."""
    return int(Decimal(amount).quantize(Decimal(1), ROUND_HALF_UP))


def a_month_after(moment):
    """The same day of the next month, or its last."""
    date = datetime.fromtimestamp(moment / 1000, UTC)
    year, month = date.year + date.month // 12, date.month % 12 + 1
    day = min(date.day, calendar.monthrange(year, month)[1])
    return int(date.replace(year=year, month=month, day=day).timestamp() * 1000)


@dataclass
class Account:
    """What the dictionary knows of a user."""

    created_at: int
    kudos: int = 0
    escrow: int = 0
    is_trusted: bool = False
    multiplier: str = "1.0"
    monthly: int = 0
    paid_until: int | None = None


@dataclass
class Asked:
    """What it knows of a request."""

    user: int
    price: int
    bill: int
    is_held: bool
    waiting: int
    jobs: set[str] = field(default_factory=set)  # running

    @property
    def held(self):
        return self.bill * (self.waiting + len(self.jobs)) if self.is_held else 0


class LedgerMachine(HordeMachine):
    """Everything that moves kudos."""

    terms: ClassVar = {
        "tax": float(TAX),
        "trust_threshold": THRESHOLD // 100,
        "upfront": "heavy",
        "concurrency": 1000,
        "faults_max": 2,
        "request_lifetime_s": 86_400,
    }
    people = Bundle("people")
    requests = Bundle("requests")
    jobs = Bundle("jobs")

    @initialize(target=people)
    def begin(self):
        self.accounts = {0: Account(self.clock.now()), 1: Account(self.clock.now())}
        self.accounts[1].is_trusted = True
        self.asked: dict[str, Asked] = {}
        self.owners: dict[str, int] = {}  # of workers, by job
        self.answers: dict[tuple[int, str], tuple[int, int]] = {}
        rich = [self.register() for _ in range(2)]
        for user in rich:
            self.adjust(user, 10_000)
        return multiple(0, 1, *rich)

    def held(self, user):
        return sum(each.held for each in self.asked.values() if each.user == user)

    def earn(self, user, amount, escrowed):
        """Add a reward, and trust whoever has earned it now."""
        account = self.accounts[user]
        if account.is_trusted:
            account.kudos += amount
            return
        account.kudos += amount - escrowed
        account.escrow += escrowed
        is_old = self.clock.now() - account.created_at >= 7 * DAY_MS
        if is_old and account.escrow >= THRESHOLD:
            self.trust(account)

    def trust(self, account):
        self.note("trust", "with escrow" if account.escrow else None)
        account.is_trusted = True
        account.kudos += account.escrow
        account.escrow = 0

    # People

    @rule(target=people)
    def register(self):
        newcomer = self.run(accounts.register(self.horde, "x", "k", f"h:{len(self.accounts)}"))
        self.accounts[newcomer.user.id] = Account(self.clock.now())
        return newcomer.user.id

    @rule(user=people, kudos=st.integers(-9_000, 9_000))
    def adjust(self, user, kudos):
        if user == 0:
            return
        rc = self.refusal(
            editing.edit(self.horde, user, UserChange({"kudos": kudos}), an_act(self.horde))
        )
        self.note("adjust", rc)
        account = self.accounts[user]
        if -kudos > account.kudos:
            assert rc == "KudosTransferNotEnough"
        else:
            assert rc is None
            account.kudos += kudos

    @rule(
        user=people, trusted=st.booleans(), multiplier=st.sampled_from(["0.0", "0.5", "1.0", "2.5"])
    )
    def change(self, user, trusted, multiplier):
        if user == 0:
            return
        fields = {"trusted": trusted, "usage_multiplier": float(multiplier)}
        self.run(editing.edit(self.horde, user, UserChange(fields), an_act(self.horde)))
        account = self.accounts[user]
        account.multiplier = multiplier
        if trusted and not account.is_trusted:
            self.trust(account)
        account.is_trusted = trusted

    @rule(user=people, delta=st.integers(-500, 900))
    def allow(self, user, delta):
        if user == 0 or delta == 0:
            return
        self.run(
            editing.edit(self.horde, user, UserChange({"monthly_kudos": delta}), an_act(self.horde))
        )
        account = self.accounts[user]
        account.monthly = max(0, account.monthly + delta)
        if delta > 0:
            account.kudos += delta
            account.paid_until = account.paid_until or self.clock.now()

    @rule(days=st.integers(0, 40))
    def pay_monthly(self, days):
        self.clock.forward(ms=days * DAY_MS)
        self.run(rewards.pay_monthly(self.horde))
        for account in self.accounts.values():
            due = (
                account.paid_until is None or a_month_after(account.paid_until) <= self.clock.now()
            )
            if account.monthly and due:
                account.kudos += account.monthly
                self.note("month", None)
                account.paid_until = (
                    a_month_after(account.paid_until) if account.paid_until else self.clock.now()
                )

    @rule(
        source=people,
        taker=people,
        amount=st.just(0) | st.integers(1, 60),
        key=st.none() | st.sampled_from("ab"),
    )
    def give(self, source, taker, amount, key):
        call = Once(f"t:{source}", key, f"{taker} {amount}") if key else None
        giver = self.user(source)
        rc = self.refusal(transfer.transfer(self.horde, giver, f"x#{taker}", amount, call))
        self.note("again" if (source, key) in self.answers else "give", rc)
        if (source, key) in self.answers:
            is_same = self.answers[source, key] == (taker, amount)
            assert rc == (None if is_same else "IdempotencyKeyConflict")
            return
        available = self.accounts[source].kudos - self.held(source)
        if source == 0:
            assert rc == "KudosTransferFromAnon"
        elif taker == 0:
            assert rc == "KudosTransferToAnon"
        elif taker == source:
            assert rc == "KudosTransferToSelf"
        elif amount == 0:
            assert rc == "InvalidKudosTransferAmount"
        elif amount * 100 > available:
            assert rc == "KudosTransferNotEnough"
        else:
            assert rc is None
            self.accounts[source].kudos -= amount * 100
            self.accounts[taker].kudos += amount * 100
            if key:
                self.answers[source, key] = (taker, amount)

    @rule(which=st.integers(0, 100), is_same=st.booleans())
    def give_again(self, which, is_same):
        if self.answers:
            source, key = sorted(self.answers)[which % len(self.answers)]
            taker, amount = self.answers[source, key]
            self.give(source, taker, amount if is_same else amount + 1, key)

    @rule(source=people, taker=people, key=st.sampled_from("ab"))
    def give_with_a_key(self, source, taker, key):
        """A gift that is called for three times, the last time with another amount."""
        self.give(source, taker, 0, None)
        self.give(source, taker, 10**6, None)
        self.adjust(source, 2_000)
        for amount in (5, 5, 6):
            self.give(source, taker, amount, key)

    @rule(user=people)
    def take_too_much(self, user):
        self.award(user, -(self.accounts[user].kudos // 100) - 1)

    @rule(target_user=people, amount=st.just(0) | st.integers(-40, 40))
    def award(self, target_user, amount):
        admin = self.user(1)
        rc = self.refusal(
            transfer.award(self.horde, admin, str(target_user), amount, an_act(self.horde))
        )
        self.note("award", rc)
        if target_user == 0:
            assert rc == "KudosAwardToAnon"
        elif amount == 0:
            assert rc == "InvalidKudosTransferAmount"
        elif -amount * 100 > self.accounts[target_user].kudos:
            assert rc == "KudosTransferNotEnough"
        else:
            assert rc is None
            self.accounts[target_user].kudos += amount * 100

    # Work

    @rule(
        target=requests,
        user=people,
        n=st.integers(1, 3),
        price=st.integers(1, 4_000),
        is_heavy=st.booleans(),
    )
    def ask(self, user, n, price, is_heavy):
        wish = a_wish(n=n, price=price, is_heavy=is_heavy)
        account = self.accounts[user]
        bill = half_up(price * Decimal(account.multiplier))
        available = max(0, account.kudos - self.held(user))
        caller = self.user(user)
        if is_heavy and bill * n > available:
            rc = self.refusal(place.accept(self.horde, caller, wish))
            assert rc == "KudosUpfront"
            self.note("ask", rc)
            return multiple()
        self.note("ask heavy" if is_heavy else "ask", None)
        request = self.run(place.accept(self.horde, caller, wish))
        self.asked[request.id] = Asked(user, price, bill, is_heavy, n)
        return request.id

    @rule(target=jobs, owner=people, asker=people, price=st.integers(1, 4_000))
    def pop(self, owner, asker, price):
        job = self.take(owner, asker, price)
        return multiple() if job is None else job

    def take(self, owner, asker, price):
        """A job for a worker of this owner; the other one asks for it when nothing waits.

        None for the anonymous user, and where what waits is for workers that have not failed it.
        """
        if owner == 0:
            return None
        if not any(each.waiting for each in self.asked.values()):
            self.ask(asker, 2, price, is_heavy=False)
        worker = self.worker(owner)
        outcome = self.run(claim.pop(self.horde, worker, lambda body, words: False, lambda *_: 1))
        if not isinstance(outcome, Claimed):
            return None
        asked = self.asked[outcome.request.id]
        asked.waiting -= 1
        asked.jobs.add(outcome.job.id)
        self.owners[outcome.job.id] = owner
        return outcome.job.id

    def worker(self, owner):
        """A worker of this user, who has just called."""
        offer = an_offer()

        def offer_for(worker_id):
            capability = msgspec.structs.replace(offer.capability, worker_id=worker_id)
            return msgspec.structs.replace(offer, capability=capability)

        user = self.user(owner)
        return self.run(checkin.check_in(self.horde, user, f"of-{owner}", "image", offer_for))

    def of_job(self, job):
        """The request of a running job; None when it runs no more."""
        return next((each for each in self.asked.values() if job in each.jobs), None)

    @rule(job=jobs, is_censored=st.booleans())
    def deliver(self, job, is_censored):
        owner, asked = self.owners[job], self.of_job(job)

        async def submit():
            running = await settle.find_running(self.horde, job, self.user_later)
            await settle.deliver(self.horde, running, Result(running.id, "1", is_censored))

        self.user_later = self.user(owner)
        rc = self.refusal(submit())
        self.note("deliver", rc)
        if asked is None:
            assert rc in {"DuplicateGen", "AbortedGen"}
            return
        assert rc is None
        payer = self.accounts[asked.user]
        others = self.held(asked.user) - (asked.bill if asked.is_held else 0)
        is_free = is_censored or asked.user == 0
        paid = 0 if is_free else max(0, min(asked.bill, payer.kudos - others))
        payer.kudos -= paid
        self.note("pay", "in full" if paid == asked.bill else "free" if is_free else "in part")
        asked.jobs.remove(job)
        reward = half_up(asked.price * (1 - TAX))
        self.earn(owner, reward, reward // 2)

    @rule(
        owner=people,
        asker=people,
        price=st.integers(1, 4_000),
        is_censored=st.sampled_from([False, False, True]),
    )
    def draw(self, owner, asker, price, is_censored):
        job = self.take(owner, asker, price)
        if job is not None:
            self.deliver(job, is_censored)
            self.deliver(job, is_censored)  # and again

    @rule(owner=people, asker=people, price=st.integers(1, 4_000))
    def draw_in_vain(self, owner, asker, price):
        job = self.take(owner, asker, price)
        if job is not None:
            self.fail(job)

    @rule(job=jobs)
    def fail(self, job):
        asked = self.of_job(job)
        assert self.run(end.fault(self.horde, job)) is (asked is not None)
        if asked is not None:
            asked.jobs.remove(job)
            self.read_waiting()
            self.deliver(job, is_censored=False)  # too late

    @rule(request=requests)
    def cancel(self, request):
        self.run(end.cancel(self.horde, request))
        self.asked[request].waiting = 0

    def read_waiting(self):
        """What waits after a fault is the queue's matter, not that of the books."""
        rows = self.look(lambda tx: tx.all("SELECT id, waiting FROM requests"))
        for row in rows:
            self.asked[row["id"]].waiting = row["waiting"]

    @rule(owner=people)
    def be_there(self, owner):
        if owner == 0:
            return
        worker = self.worker(owner)
        self.note("be there", None)
        worker.uptime_s = worker.uptime_rewarded_s + 601
        self.run(rewards.reward_uptime(self.horde, worker))
        self.earn(owner, UPTIME, UPTIME)

    @rule()
    def start_again(self):
        self.close()
        self.horde = self.open()

    @invariant()
    def both_agree(self):
        rows = self.look(lambda tx: tx.all("SELECT id, kudos, evaluating_kudos FROM users"))
        there = {row["id"]: (row["kudos"], row["evaluating_kudos"]) for row in rows}
        if hasattr(self, "accounts"):
            here = {user: (each.kudos, each.escrow) for user, each in self.accounts.items()}
            assert there == here
        self.demand_order()


REACHED = {
    "adjust": {None, "KudosTransferNotEnough"},
    "again": {None, "IdempotencyKeyConflict"},
    "give": {
        None,
        "KudosTransferFromAnon",
        "KudosTransferToAnon",
        "KudosTransferToSelf",
        "InvalidKudosTransferAmount",
        "KudosTransferNotEnough",
    },
    "award": {None, "KudosAwardToAnon", "InvalidKudosTransferAmount", "KudosTransferNotEnough"},
    "ask": {None, "KudosUpfront"},
    "ask heavy": {None},
    "deliver": {None, "DuplicateGen", "AbortedGen"},
    "pay": {"in full", "in part", "free"},
    "trust": {None, "with escrow"},
    "be there": {None},
    "month": {None},
}


@pytest.mark.timeout(900)  # an order that fails is made shorter first
def test_no_order_of_events_breaks_the_books():
    LedgerMachine.reached.clear()
    finds_nothing(LedgerMachine)
    reached = {(what, outcome) for what, outcomes in REACHED.items() for outcome in outcomes}
    if not reached <= LedgerMachine.reached.keys():
        # What Hypothesis draws depends on which modules others have loaded into this process.
        finds_nothing(LedgerMachine, MORE)
    assert reached <= LedgerMachine.reached.keys()


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_no_long_order_of_events_breaks_the_books():
    finds_nothing(LedgerMachine, LONG)


@pytest.mark.timeout(900)
def test_no_order_of_events_breaks_the_books_on_postgresql(postgres):
    finds_nothing(LedgerMachine, QUICK_ON_POSTGRES, postgres)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_no_long_order_of_events_breaks_the_books_on_postgresql(postgres):
    LedgerMachine.reached.clear()
    finds_nothing(LedgerMachine, LONG_ON_POSTGRES, postgres)
    reached = {(what, outcome) for what, outcomes in REACHED.items() for outcome in outcomes}
    assert reached <= LedgerMachine.reached.keys()


def test_a_transfer_that_books_a_hundredth_too_little_is_found(monkeypatch):
    honest = money.transfer

    def careless(event, source, target, amount, action=money.Action.GIFTED):
        return honest(event, source, target, max(0, amount - 1), action)

    monkeypatch.setattr(money, "transfer", careless)
    with pytest.raises(AssertionError):
        finds_nothing(LedgerMachine, SABOTAGED)


def test_an_entry_that_is_written_twice_is_found(monkeypatch):
    post = ledger.post

    def twice(tx, entry, entry_id, now):
        parts = post(tx, entry, entry_id, now)
        if entry.event.startswith("uptime:"):
            post(tx, money.Entry(f"{entry.event}+", entry.lines), f"{entry_id}+", now)
        return parts

    monkeypatch.setattr(ledger, "post", twice)
    with pytest.raises(AssertionError):
        finds_nothing(LedgerMachine, SABOTAGED)
