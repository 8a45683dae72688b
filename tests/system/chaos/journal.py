"""What clients and workers remember of a run: what they asked, what was acknowledged, what came.

Only what was acknowledged binds the horde. A call without an answer may have had its effect or not,
and the checks at the end allow both.
"""

import time
from collections import Counter
from dataclasses import dataclass, field

WRONG_MAX = 200  # lines that are kept


@dataclass
class Placed:
    """A request that was acknowledged with this id."""

    id: str
    payer: int
    n: int
    is_cancel_asked: bool = False
    is_cancelled: bool = False  # and that was acknowledged
    is_seen_done: bool = False


@dataclass
class Handed:
    """A job that a worker was told it has."""

    id: str
    owner: int
    at: float
    ttl_s: float
    sent: set[str] = field(default_factory=set)  # fingerprints of pictures that were submitted
    rewards: list[float] = field(default_factory=list)  # one for each time it was accepted
    accepted: str | None = None  # the fingerprint of the picture that was accepted
    is_known_done: bool = False  # the horde said so, whether or not it told the reward
    is_held: bool = True  # by its worker, which works on it

    @property
    def is_late(self) -> bool:
        """Whether its time may be over."""
        return time.monotonic() - self.at > self.ttl_s - 2


@dataclass
class Gift:
    """A transfer with an idempotency key; its amount is used for no other."""

    giver: int
    taker: int
    amount: int
    is_acknowledged: bool = False


@dataclass
class Journal:
    """Everything that was noted in a run."""

    began: float = field(default_factory=time.monotonic)
    calls: Counter[tuple[str, str]] = field(default_factory=Counter)  # operation, outcome
    faults: Counter[str] = field(default_factory=Counter)
    asked: Counter[str] = field(default_factory=Counter)  # what was meant, however many tries
    requests: dict[str, Placed] = field(default_factory=dict)
    jobs: dict[str, Handed] = field(default_factory=dict)
    gifts: dict[int, Gift] = field(default_factory=dict)  # by amount
    wrong: list[str] = field(default_factory=list)
    story: list[str] = field(default_factory=list)  # of the faults

    def is_wrong(self, what: str) -> None:
        """Note something that must not happen."""
        if len(self.wrong) < WRONG_MAX:
            self.wrong.append(f"{self.moment()} {what}")

    def fault(self, kind: str, what: str = "") -> None:
        """Note a fault that was made."""
        self.faults[kind] += 1
        self.story.append(f"{self.moment()} {kind} {what}".rstrip())

    def moment(self) -> str:
        """How far the run is."""
        return f"{time.monotonic() - self.began:7.2f} s"
