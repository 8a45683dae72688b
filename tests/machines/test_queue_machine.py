"""The queue against a dictionary: who gets what, and what becomes of it, whatever happens.

The dictionary keeps a plain list of requests and looks at all of them for each pop; it knows
nothing of lanes, reservations, verdicts or ranks.
"""

from dataclasses import dataclass, field
from typing import ClassVar

import msgspec
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, initialize, invariant, multiple, rule
from tests.builders import a_requirement, a_wish, an_act, an_offer
from tests.machines.harness import (
    LONG,
    LONG_ON_POSTGRES,
    QUICK_ON_POSTGRES,
    SABOTAGED,
    HordeMachine,
    finds_nothing,
)

from ordu.engine import (
    accounts,
    checkin,
    claim,
    editing,
    end,
    keepers,
    lanes,
    place,
    settle,
    sweeper,
)
from ordu.engine.claim import Claimed, Nothing
from ordu.engine.editing import UserChange
from ordu.engine.keepers import WorkerChange
from ordu.engine.settle import Result
from ordu.kinds.image import IMAGE
from ordu.store import jobs, requests

LIFETIME_MS = 600_000
STALE_MS = 300_000
FAULTS_MAX = 2
GROWTH = 5  # kudos a second
SMALL, LARGE = 64 * 64, 512 * 512
MODELS = ("dunes", "crabs")
PROMPTS = ("a fox", "a cat")
BODY = (
    '{"prompt":"%s","width":64,"height":64,"steps":1,"sampler_name":"k_euler_a","cfg_scale":5.0,'
    '"karras":true}'
)


@dataclass
class Asked:
    """What the dictionary knows of a request."""

    id: str
    user: int
    kudos: int  # of its owner when it was placed, in hundredths
    placed_at: int
    expires_at: int
    ttl_ms: int
    models: frozenset[str]
    pixels: int
    nsfw: bool
    prompt: str
    waiting: int
    state: str = "open"
    processing: int = 0
    finished: int = 0
    lost: int = 0
    cancelled: int = 0
    faults: int = 0
    failed_by: set[str] = field(default_factory=set)

    def merit(self):
        """Who has more goes first; it grows for all alike, and so the later placed have less."""
        before = -5_000 if self.user == 0 else self.kudos
        return (-(before * 10 - GROWTH * self.placed_at), self.id)

    def row(self):
        return (
            self.state, self.waiting, self.processing, self.finished, self.lost, self.cancelled,
            self.faults, self.expires_at,
        )  # fmt: skip


@dataclass
class Machine:
    """What it knows of a worker."""

    owner: int
    models: frozenset[str] = frozenset()
    pixels_max: int = 0
    nsfw: bool = False
    blacklist: tuple[str, ...] = ()
    friends: tuple[int, ...] = ()
    seen_at: int = 0
    is_paused: bool = False
    is_resting: bool = False

    def can(self, asked):
        return (
            asked.pixels <= self.pixels_max
            and (self.nsfw or not asked.nsfw)
            and (not asked.models or bool(asked.models & self.models))
        )

    @property
    def takes_from_all(self):
        return not self.is_paused and not self.is_resting


@dataclass
class Drawn:
    """What it knows of a job."""

    asked: Asked
    worker: str
    due_at: int
    state: str = "running"


class QueueMachine(HordeMachine):
    """Everything that happens to requests and jobs."""

    terms: ClassVar = {
        "request_lifetime_s": LIFETIME_MS // 1000,
        "worker_stale_s": STALE_MS // 1000,
        "faults_max": FAULTS_MAX,
        "priority_growth_per_s": GROWTH,
        "upfront": "none",
        "concurrency": 1000,
        "concurrency_anonymous": 1000,
        "trust_threshold": 1_000_000,
    }
    requests = Bundle("requests")
    jobs = Bundle("jobs")
    people = st.sampled_from([0, 2, 3, 4])
    names = st.sampled_from(["attic", "loft", "cellar"])

    @initialize()
    def begin(self):
        self.asked: dict[str, Asked] = {}
        self.drawn: dict[str, Drawn] = {}
        self.balances = {0: 0, 2: 0, 3: 3_000, 4: 20_000}
        for user, kudos in self.balances.items():
            if user:
                self.run(accounts.register(self.horde, "x", "k", f"h:{user}"))
            if kudos:
                self.run(
                    editing.edit(self.horde, user, UserChange({"kudos": kudos}), an_act(self.horde))
                )
        self.machines = {"attic": Machine(2), "loft": Machine(3), "cellar": Machine(3)}

    # Requests

    @rule(
        target=requests,
        user=people,
        models=st.frozensets(st.sampled_from(MODELS)),
        pixels=st.sampled_from([SMALL, LARGE]),
        nsfw=st.booleans(),
        prompt=st.sampled_from(PROMPTS),
        n=st.integers(1, 3),
        ttl_ms=st.sampled_from([30_000, 900_000]),
    )
    def ask(self, user, models, pixels, nsfw, prompt, n, ttl_ms):
        if len(self.asked) >= 15:  # a pop looks at the best twenty
            return multiple()
        self.clock.forward(ms=10)
        wish = a_wish(
            requirement=a_requirement(models=models, pixels=pixels, nsfw=nsfw),
            n=n,
            price=1,
            ttl_ms=ttl_ms,
            body=(BODY % prompt).encode(),
        )
        caller = self.user(user)
        request = self.run(place.accept(self.horde, caller, wish))
        now = self.clock.now()
        self.asked[request.id] = Asked(
            request.id, user, caller.kudos, now, now + LIFETIME_MS, ttl_ms, models, pixels, nsfw,
            prompt, n,
        )  # fmt: skip
        return request.id

    @rule(request=requests)
    def cancel(self, request):
        rc = self.refusal(end.cancel(self.horde, request))
        asked = self.asked.get(request)
        self.note("cancel", rc)
        assert rc == (None if asked else "RequestNotFound")
        if asked and asked.state == "open" and asked.waiting + asked.processing:
            asked.state = "cancelled"
            asked.cancelled += asked.waiting
            asked.waiting = 0

    # Workers

    @rule(
        target=jobs,
        name=names,
        models=st.frozensets(st.sampled_from(MODELS), min_size=1),
        pixels_max=st.sampled_from([SMALL, LARGE, LARGE]),
        nsfw=st.booleans(),
        blacklist=st.sampled_from([(), (), ("cat",)]),
        friends=st.sampled_from([(), (4,), (0, 4), (2, 3)]),
        amount=st.sampled_from([1, 1, 3]),
    )
    def pop(self, name, models, pixels_max, nsfw, blacklist, friends, amount):
        machine = self.machines[name]
        machine.models, machine.pixels_max, machine.nsfw = models, pixels_max, nsfw
        machine.blacklist, machine.friends = blacklist, friends
        worker = self.run(
            checkin.check_in(
                self.horde,
                self.user(machine.owner),
                name,
                "image",
                lambda worker_id: self.offer(machine, worker_id, amount),
            )
        )
        now = machine.seen_at = self.clock.now()
        expected = self.best_for(name)

        async def pop():
            return await claim.pop(
                self.horde, worker, IMAGE.has_word, lambda body, pixels, most: most
            )

        if expected is None and machine.is_resting:
            assert self.refusal(pop()) == "WorkerMaintenance"
            self.note("pop", "WorkerMaintenance")
            return multiple()
        outcome = self.run(pop())
        if expected is None:
            assert isinstance(outcome, Nothing)
            self.note("pop", "nothing")
            return multiple()
        assert isinstance(outcome, Claimed)
        assert outcome.request.id == expected.id
        many = min(amount, expected.waiting)
        assert len(outcome.jobs) == many
        self.note("pop", "several" if many > 1 else "one")
        expected.waiting -= many
        expected.processing += many
        later = now + max(LIFETIME_MS, expected.ttl_ms)
        expected.expires_at = max(expected.expires_at, later)
        for job in outcome.jobs:
            self.drawn[job.id] = Drawn(expected, name, now + expected.ttl_ms)
        return multiple(*(job.id for job in outcome.jobs))

    def offer(self, machine, worker_id, amount):
        usual = an_offer()
        capability = msgspec.structs.replace(
            usual.capability,
            worker_id=worker_id,
            models=machine.models,
            pixels_max=machine.pixels_max,
            nsfw=machine.nsfw,
        )
        return msgspec.structs.replace(
            usual,
            capability=capability,
            amount=amount,
            blacklist=machine.blacklist,
            priority_user_ids=machine.friends,
        )

    def best_for(self, name):
        """The request that this worker should be given."""
        machine = self.machines[name]
        could = [each for each in self.asked.values() if each.waiting and machine.can(each)]
        fit = [
            each
            for each in sorted(could, key=Asked.merit)
            if not any(word in each.prompt for word in machine.blacklist)
            and not (name in each.failed_by and self.is_another(each))
        ]
        circles = [[machine.owner]]
        if machine.takes_from_all:
            circles += [[friend] for friend in machine.friends] + [self.balances.keys()]
        for circle in circles:
            for each in fit:
                if each.user in circle:
                    return each
        return None

    def is_another(self, asked):
        """Whether another worker is here that could make it and has not failed it."""
        return any(
            name not in asked.failed_by
            and machine.takes_from_all
            and machine.seen_at
            and self.clock.now() - machine.seen_at < STALE_MS
            and machine.can(asked)
            for name, machine in self.machines.items()
        )

    @rule(name=names, is_on=st.booleans(), what=st.sampled_from(["paused", "maintenance"]))
    def change_worker(self, name, is_on, what):
        machine = self.machines[name]
        if not machine.seen_at:
            return
        worker = self.run(keepers.find_by_name(self.horde, name))
        self.run(
            keepers.edit_worker(
                self.horde, worker, WorkerChange(**{what: is_on}), an_act(self.horde)
            )
        )
        if what == "paused":
            machine.is_paused = is_on
        else:
            machine.is_resting = is_on

    # Jobs

    @rule(job=jobs)
    def deliver(self, job):
        drawn = self.drawn[job]

        async def submit(user):
            running = await settle.find_running(self.horde, job, user)
            await settle.deliver(self.horde, running, Result(running.id, "1"))

        rc = self.refusal(submit(self.user(self.machines[drawn.worker].owner)))
        self.note("deliver", rc)
        if drawn.asked.id not in self.asked or drawn.state == "returned":
            assert rc == "InvalidJobID"
            return
        ended = {"running": None, "done": "DuplicateGen", "faulted": "AbortedGen"}
        assert rc == ended[drawn.state]
        if rc is None:
            drawn.state = "done"
            drawn.asked.processing -= 1
            drawn.asked.finished += 1
            later = self.clock.now() + LIFETIME_MS
            drawn.asked.expires_at = max(drawn.asked.expires_at, later)

    @rule(job=jobs)
    def fail(self, job):
        drawn = self.drawn[job]
        is_running = drawn.state == "running" and drawn.asked.id in self.asked
        assert self.run(end.fault(self.horde, job)) is is_running
        if is_running:
            self.failed(drawn)

    def failed(self, drawn):
        """A job of this request failed."""
        drawn.state, asked = "faulted", drawn.asked
        asked.failed_by.add(drawn.worker)
        asked.processing -= 1
        asked.faults += 1
        if asked.state == "open" and asked.faults < FAULTS_MAX:
            asked.waiting += 1
            return
        if asked.state == "open":
            asked.state = "faulted"
            self.note("given up", None)
        asked.lost += asked.waiting + 1
        asked.waiting = 0

    @rule(name=names)
    def fail_all(self, name):
        """All that a worker is at fails, and its program tries to bring it all the same."""
        theirs = [
            job
            for job, drawn in self.drawn.items()
            if drawn.worker == name and drawn.state == "running" and drawn.asked.id in self.asked
        ]
        for job in theirs:
            self.fail(job)
            self.deliver(job)

    @rule(name=names)
    def wear_out(self, name):
        """A worker that takes everything and fails it, twice."""
        for _ in range(2):
            self.pop(name, frozenset(MODELS), LARGE, True, (), (), 3)
            self.fail_all(name)

    @rule(job=jobs)
    def give_back(self, job):
        drawn = self.drawn[job]
        row = self.look(lambda tx: jobs.by_id(tx, job))
        if row is None:
            return
        self.run(end.give_back(self.horde, row))
        if drawn.state == "running":
            drawn.state = "returned"
            drawn.asked.processing -= 1
            self.note("give back", drawn.asked.state)
            if drawn.asked.state == "open":
                drawn.asked.waiting += 1
            else:
                drawn.asked.cancelled += 1
        self.deliver(job)  # it is nobody's any more, or has ended

    # Time

    @rule(s=st.sampled_from([1, 20, 40, 40, 310, 1000]))
    def wait(self, s):
        self.clock.forward(s=s)
        now = self.clock.now()
        self.run(sweeper.fail_overdue(self.horde))
        self.run(sweeper.expire_requests(self.horde))
        for drawn in self.drawn.values():
            if drawn.state == "running" and drawn.asked.id in self.asked and drawn.due_at <= now:
                self.failed(drawn)
                self.note("overdue", None)
        for asked in list(self.asked.values()):
            if asked.expires_at <= now:
                del self.asked[asked.id]
                self.note("expired", asked.state)

    @rule(name=names)
    def work(self, name):
        """A worker that brings all that it gets, and brings it twice."""
        known = set(self.drawn)
        self.pop(name, frozenset(MODELS), LARGE, True, (), (), 3)
        for job in self.drawn.keys() - known:
            self.deliver(job)
            self.deliver(job)

    @rule(user=people)
    def lose_interest(self, user):
        """Somebody who asks, thinks better of it, and thinks so again much later."""
        request = self.ask(user, frozenset(), SMALL, False, PROMPTS[0], 1, 30_000)
        if request in self.asked:
            self.cancel(request)
            self.wait(1000)
            self.cancel(request)

    @rule(name=names)
    def hang_up(self, name):
        """A worker that is not there any more when its job comes."""
        known = set(self.drawn)
        self.pop(name, frozenset(MODELS), LARGE, True, (), (), 1)
        for job in self.drawn.keys() - known:
            self.give_back(job)

    @rule(name=names)
    def fall_asleep(self, name):
        """A worker that takes something and is not heard of again in time."""
        self.pop(name, frozenset(MODELS), LARGE, True, (), (), 1)
        self.wait(40)

    @rule()
    def start_again(self):
        self.run(sweeper.write_presence(self.horde))
        self.close()
        self.horde = self.open()
        for asked in self.asked.values():
            asked.failed_by.clear()

    @invariant()
    def both_agree(self):
        if not hasattr(self, "asked"):
            return
        rows = self.look(lambda tx: tx.all("SELECT * FROM requests"))
        there = {
            row["id"]: (
                row["state"], row["waiting"], row["processing"], row["finished"], row["lost"],
                row["cancelled"], row["faults"], row["expires_at"],
            )
            for row in rows
        }  # fmt: skip
        assert there == {each.id: each.row() for each in self.asked.values()}
        self.demand_order()


REACHED = {
    "cancel": {None, "RequestNotFound"},
    "pop": {"WorkerMaintenance", "nothing", "several", "one"},
    "deliver": {None, "InvalidJobID", "DuplicateGen", "AbortedGen"},
    "give back": {"open"},
    "given up": {None},
    "overdue": {None},
    "expired": {"open", "cancelled"},
}


@pytest.mark.timeout(900)  # an order that fails is made shorter first
def test_no_order_of_events_breaks_the_queue():
    QueueMachine.reached.clear()
    finds_nothing(QueueMachine)
    reached = {(what, outcome) for what, outcomes in REACHED.items() for outcome in outcomes}
    assert reached <= QueueMachine.reached.keys()


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_no_long_order_of_events_breaks_the_queue():
    finds_nothing(QueueMachine, LONG)


@pytest.mark.timeout(900)
def test_no_order_of_events_breaks_the_queue_on_postgresql(postgres):
    finds_nothing(QueueMachine, QUICK_ON_POSTGRES, postgres)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_no_long_order_of_events_breaks_the_queue_on_postgresql(postgres):
    QueueMachine.reached.clear()
    finds_nothing(QueueMachine, LONG_ON_POSTGRES, postgres)
    reached = {(what, outcome) for what, outcomes in REACHED.items() for outcome in outcomes}
    assert reached <= QueueMachine.reached.keys()


def test_a_line_that_begins_at_its_end_is_found(monkeypatch):
    monkeypatch.setattr(lanes, "place_in_line", lambda rank, request_id: (rank, request_id))
    with pytest.raises(AssertionError):
        finds_nothing(QueueMachine, SABOTAGED)


def test_a_picture_that_is_finished_and_not_counted_is_found(monkeypatch):
    monkeypatch.setattr(
        requests, "finish_one", lambda tx, request_id, *_: requests.by_id(tx, request_id)
    )
    with pytest.raises(AssertionError):
        finds_nothing(QueueMachine, SABOTAGED)
