"""Faults: what goes wrong in a simulation, how often, and how often it did.

Each seed draws which kinds of faults there are at all and how frequent each is. A run without
delays finds other things than one in which everything is late.
"""

import random
from collections import Counter
from collections.abc import Callable, Collection
from enum import StrEnum

from ordu.simulation.story import Story


class Fault(StrEnum):
    """A kind of fault, in words that fit a story."""

    CALL_LOST = "a call is lost"
    CALL_TWICE = "a call comes twice"
    CALL_LATE = "a call is late"
    ANSWER_LOST = "an answer is lost"
    ANSWER_LATE = "an answer is late"
    HUNG_UP = "a caller hangs up"
    CANCELLED = "a call is cancelled"
    KILLED_IDLE = "the server is killed between calls"
    KILLED_BEFORE_COMMIT = "the server is killed before a commit"
    KILLED_AFTER_COMMIT = "the server is killed after a commit"
    KILLED_BEFORE_PUBLISHING = "the server is killed before it publishes"
    KILLED_BEFORE_STORING = "the server is killed before it stores a picture"
    KILLED_AFTER_STORING = "the server is killed after it stored a picture"
    KILLED_DELETING = "the server is killed while it deletes pictures"
    DISK_FULL = "the disk is full"
    CLOCK_FORWARD = "the clock is set forward"
    CLOCK_BACK = "the clock is set back"
    STALLED = "the writer stalls"
    LIED = "a worker lies"
    SLOW = "a worker is slow"
    VANISHED = "a worker vanishes"
    GAVE_UP = "a worker gives up"
    # Of several servers with one database:
    STATEMENT_LOST = "the connection to the database is lost before a commit"
    COMMIT_LOST = "the connection to the database is lost during a commit"
    IN_THE_WAY = "a transaction is in the way of another"
    UNREACHABLE = "the database cannot be reached"
    CHANNEL_LOST = "a server loses its channel to the others"
    TIDINGS_LOST = "tidings are lost"
    TIDINGS_LATE = "tidings are late"


RATES = (0.0, 0.0, 0.01, 0.05, 0.15)  # how often a kind strikes in one run, where it can
RARE = frozenset(
    fault for fault in Fault if fault.name.startswith(("KILLED", "DISK", "UNREACHABLE", "CHANNEL"))
)
OF_MANY = frozenset(list(Fault)[list(Fault).index(Fault.STATEMENT_LOST) :])
ALONE = frozenset(Fault) - OF_MANY  # what can strike one server that has its database to itself
TOGETHER = frozenset(Fault) - {Fault.DISK_FULL}  # what can strike several that share one


class Killed(BaseException):
    """The server is killed here; like the process, nothing of it may go on."""


class Switch:
    """Whether the server runs. Whoever kills it turns this off and raises `Killed`."""

    def __init__(self, woken: Callable[[], None]) -> None:
        self.is_on = True
        self.woken = woken  # tells the server that something is ready to run

    def kill(self) -> None:
        """End the server's life here."""
        self.is_on = False
        raise Killed


class Faults:
    """What goes wrong in one run."""

    def __init__(
        self,
        chance: random.Random,
        story: Story,
        kinds: frozenset[Fault] = ALONE,
        *,
        none: bool = False,
    ) -> None:
        self.chance = chance
        self.story = story
        self.fired: Counter[Fault] = Counter()
        self.rates = {fault: self.rate_of(fault) for fault in Fault if fault in kinds}
        if none:
            self.stop()

    def rate_of(self, fault: Fault) -> float:
        """How often a kind of fault strikes in this run."""
        return self.chance.choice(RATES) / (5 if fault in RARE else 1)

    def strikes(self, fault: Fault) -> bool:
        """Whether this goes wrong now."""
        rate = self.rates.get(fault, 0.0)
        if not rate or self.chance.random() >= rate:
            return False
        self.fired[fault] += 1
        self.story.tell(f"-- {fault}")
        return True

    def stop(self, but: Collection[Fault] = ()) -> None:
        """Let nothing go wrong any more, but these."""
        self.rates = {fault: rate for fault, rate in self.rates.items() if fault in but}
