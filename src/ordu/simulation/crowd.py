"""The crowd: workers, honest ones and others."""

from dataclasses import dataclass
from functools import partial

from ordu.engine import checkin, claim, end, settle
from ordu.engine.claim import Claimed, Nothing
from ordu.engine.horde import Horde
from ordu.engine.settle import Result
from ordu.kinds.image import IMAGE
from ordu.protocol.errors import Refused
from ordu.rules.matching import Capability, Feature, Offer, WorkerId
from ordu.rules.money import UserId
from ordu.simulation.faults import Fault
from ordu.simulation.network import Network
from ordu.simulation.people import caller
from ordu.simulation.server import Gone
from ordu.simulation.stage import Stage
from ordu.store.users import User

IDLE_MS_MAX = 8_000
DRAWING_MS_MAX = 9_000  # within the shortest time that a job gets
SLOW_TIMES = 20
TRIES = 6


@dataclass(frozen=True)
class Delivery:
    """What a worker says of a job."""

    job_id: str
    is_fault: bool = False
    is_censored: bool = False


@dataclass(frozen=True)
class Reward:
    """What a worker is told that it earned."""

    amount: int

    def __str__(self) -> str:
        return f"{self.amount} hundredths of kudos earned"


class Worker:
    """A program that pulls jobs and sends pictures back."""

    def __init__(self, name: str, owner_id: UserId, stage: Stage, network: Network) -> None:
        self.name = name
        self.owner_id = owner_id
        self.network = network
        self.agenda = stage.agenda
        self.chance = stage.chance
        self.faults = stage.faults
        self.history = stage.history
        self.story = stage.story
        self.models = self.chance.choice((frozenset({"old"}), frozenset({"old", "new"})))
        self.pixels_max = self.chance.choice((512 * 512, 1024 * 1024))
        self.amount = self.chance.choice((1, 1, 3))
        self.requires_kudos = self.chance.random() < 0.1
        self.heard_of: list[str] = []  # jobs, for lies
        self.idle_ms_max = IDLE_MS_MAX * stage.pace
        self.drawn = 0
        self.has_left = False
        self.next()

    def next(self) -> None:
        """Ask for a job in a while."""
        self.agenda.after(self.chance.randrange(1, self.idle_ms_max), self.pop)

    def offer(self, worker_id: WorkerId, owner: User) -> Offer:
        """What it offers."""
        capability = Capability(
            kind="image",
            worker_id=worker_id,
            models=self.models,
            pixels_max=self.pixels_max,
            features=frozenset(Feature),
            is_trusted=owner.is_trusted,
        )
        return Offer(
            capability=capability,
            agent="Simulated:1:ordu",
            amount=self.amount,
            requires_kudos=self.requires_kudos,
            priority_user_ids=(UserId(3),),
        )

    # Asking for a job

    def pop(self) -> None:
        """Ask for a job."""
        if not self.has_left:
            self.network.call(self.name, "asks for a job", self.popped, self.start)

    async def popped(self, horde: Horde) -> object:
        """What the handler of a pop does."""
        owner = await caller(horde, self.owner_id)
        worker = await checkin.check_in(
            horde, owner, self.name, IMAGE.name, lambda worker_id: self.offer(worker_id, owner)
        )
        outcome = await claim.pop(horde, worker, IMAGE.has_word, IMAGE.batch)
        if isinstance(outcome, Nothing):
            return Gone("no job")
        for job in outcome.jobs:
            self.story.name(job.id, "job")
        if self.faults.strikes(Fault.HUNG_UP):
            for job in outcome.jobs:
                await end.give_back(horde, job)
            return Gone("nothing: it hung up")
        return Batch(outcome)

    def start(self, outcome: object) -> None:
        """Begin the jobs that were handed out; ask again when they are done."""
        jobs = outcome.claimed.jobs if isinstance(outcome, Batch) else ()
        for job in jobs:
            self.heard_of.append(job.id)
            if self.faults.strikes(Fault.VANISHED):
                continue
            times = SLOW_TIMES if self.faults.strikes(Fault.SLOW) else 1
            delivery = Delivery(
                job.id,
                is_fault=self.faults.strikes(Fault.GAVE_UP),
                is_censored=self.chance.random() < 0.1,
            )
            delay_ms = self.chance.randrange(1, DRAWING_MS_MAX) * times
            self.agenda.after(delay_ms, partial(self.deliver, delivery, TRIES))
        self.next()

    # Bringing a picture

    def deliver(self, delivery: Delivery, tries: int) -> None:
        """Bring a picture, or the word that there will be none, until an answer comes."""
        if self.faults.strikes(Fault.LIED):
            self.lie()

        def answered(outcome: object) -> None:
            if isinstance(outcome, Reward) and not delivery.is_fault:
                self.history.settled[delivery.job_id] = outcome.amount
            is_to_try = isinstance(outcome, Gone) or (
                isinstance(outcome, Refused) and outcome.rc == "Unavailable"
            )
            if is_to_try and tries > 1:
                delay_ms = self.chance.randrange(1, IDLE_MS_MAX)
                self.agenda.after(delay_ms, partial(self.deliver, delivery, tries - 1))

        does = "gives up" if delivery.is_fault else "brings"
        self.network.call(
            self.name,
            f"{does} {delivery.job_id}",
            lambda horde: self.delivered(horde, delivery),
            answered,
        )

    def lie(self) -> None:
        """Bring something once more, or what somebody else is to make."""
        job_id = self.chance.choice(self.heard_of)
        lie = Delivery(job_id, is_fault=self.chance.random() < 0.3)
        self.network.call(
            self.name, f"lies about {job_id}", lambda horde: self.delivered(horde, lie), ignored
        )

    async def delivered(self, horde: Horde, delivery: Delivery) -> Reward:
        """What the handler of a submit does."""
        owner = await caller(horde, self.owner_id)
        async with horde.one_hand(delivery.job_id):
            job = await settle.find_running(horde, delivery.job_id, owner)
            if delivery.is_fault:
                await end.fault(horde, job.id)
                return Reward(0)
            self.drawn += 1  # no two pictures are the same
            picture = f"{self.name} {self.drawn}".encode()
            name = horde.picture_name(job.id)
            await horde.pictures.put(name or end.upload_name(job.id), picture, is_durable=False)
            result = Result(job.id, seed=str(job.seed), censored=delivery.is_censored, picture=name)
            settled = await settle.deliver(horde, job, result)
        return Reward(settled.reward)


@dataclass(frozen=True)
class Batch:
    """Jobs that were handed out."""

    claimed: Claimed

    def __str__(self) -> str:
        return ", ".join(job.id for job in self.claimed.jobs)


def ignored(outcome: object) -> None:
    """Nobody listens."""
    del outcome
