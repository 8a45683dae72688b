"""The life of a request and of its jobs: their states, their counts, and what follows from them.

A **wish** is what a request asks for, in the same values for every kind of work. A **request** is a
placed wish; it is served by `n` pictures, and at any moment each of them is waiting, processing,
finished, lost or cancelled: the five counts always sum to `n`. A **job** is one assignment of one
of them to one worker; when it fails, the picture waits again for another job.

States only move forward:

    request  open → faulted | cancelled   (and gone, when it expires)
    job      running → done | faulted
"""

from enum import StrEnum
from typing import NewType

import msgspec

from ordu.rules.matching import Requirement
from ordu.rules.money import Kudos

RequestId = NewType("RequestId", str)
JobId = NewType("JobId", str)
Millis = NewType("Millis", int)  # milliseconds since 1970, UTC

SEED_LIMIT = 2**32


class RequestState(StrEnum):
    """Where a request is in its life."""

    OPEN = "open"
    FAULTED = "faulted"  # nothing more will be tried
    CANCELLED = "cancelled"  # its owner wants no more of it


class JobState(StrEnum):
    """Where a job is in its life."""

    RUNNING = "running"
    DONE = "done"
    FAULTED = "faulted"


class Webhook(msgspec.Struct, frozen=True):
    """Whom a request tells of its pictures, and whether also of its end."""

    url: str
    tells_end: bool = False


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What a request asks for.

    `work` is the size of one job in the things of its kind (pixelsteps for images), `body` the
    kind's own description of it, from which the payload for a worker is made.
    """

    kind: str
    requirement: Requirement
    n: int
    work: int
    price: Kudos  # of one job, before the user's multiplier
    ttl_ms: int  # how long a worker may take for one job
    seed: int | None  # None: a new one for each job
    seed_step: int  # added for each further job of the request
    wants_links: bool  # results as links instead of base64
    body: bytes
    is_heavy: bool = False  # so much work that its price may be asked for up front
    webhook: Webhook | None = None


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """How many of a request's pictures are where. They sum to its `n`."""

    waiting: int
    processing: int
    finished: int
    lost: int  # given up after faults
    cancelled: int

    def __post_init__(self) -> None:
        """Hold the promise that no count is below zero."""
        # One is below zero just when all of their bits together are; `min` takes twice as long.
        assert (self.waiting | self.processing | self.finished | self.lost | self.cancelled) >= 0, (
            self
        )

    @property
    def n(self) -> int:
        """How many pictures were asked for."""
        return self.waiting + self.processing + self.finished + self.lost + self.cancelled


def is_done(state: RequestState, counts: Counts) -> bool:
    """Whether nothing more will come of a request, or it was given up."""
    return state is RequestState.FAULTED or (counts.waiting == 0 and counts.processing == 0)


def after_fault(state: RequestState, faults: int, faults_max: int) -> RequestState:
    """The state of a request after one more of its jobs failed, `faults` in all."""
    if state is RequestState.OPEN and faults >= faults_max:
        return RequestState.FAULTED
    return state


def seed_of_job(wish_seed: int, step: int, ordinal: int) -> int:
    """The seed of the request's picture number `ordinal` (from 0)."""
    return fold_seed(wish_seed + step * ordinal)


def seed_from_text(text: str) -> int:
    """The number that a text seed stands for (protocol sheet 10 §1.3).

    Digits are that number; any other text is its UTF-8 bytes read as a little-endian number. Both
    are shifted right by 32 bits until they fit.
    """
    is_number = text.isascii() and text.isdigit()
    return fold_seed(int(text) if is_number else int.from_bytes(text.encode(), "little"))


def fold_seed(seed: int) -> int:
    """The seed shifted right by 32 bits until it is below 2**32."""
    while seed >= SEED_LIMIT:
        seed >>= 32
    return seed
