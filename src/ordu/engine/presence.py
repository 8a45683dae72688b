"""Presence: the workers that are here, in the event loop's memory.

Each pop is a sign of life and tells what the worker offers now; both act at once here and are
written to SQL in batches by a chore. A worker not heard of for five minutes is away.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from ordu.rules.lifecycle import Millis
from ordu.rules.matching import Capability, Offer, WorkerId
from ordu.rules.money import UserId

SPEED_SAMPLES = 20
SPEED_BEFORE_SAMPLES = 1_000_000.0  # things per second, until a worker has shown its own
MADE_MAX = 32  # pictures with which the next are compared; half a kilobyte each


class Made(NamedTuple):
    """A picture that a worker made, as it is remembered to know it again (`images.looks`)."""

    seed: int
    miniature: bytes


@dataclass(eq=False)
class Worker:
    """A worker that is known to this process."""

    id: WorkerId
    user_id: UserId
    name: str
    kind: str
    offer: Offer
    created_at: Millis
    seen_at: Millis
    uptime_s: int = 0
    uptime_ms: int = 0  # not yet a whole second
    uptime_rewarded_s: int = 0  # how long it had been here when that was last rewarded
    is_paused: bool = False
    maintenance_text: str | None = None
    info: str | None = None
    suspicion: int = 0
    address: str = ""  # where its last pop came from
    offer_text: str = ""  # the offer as it was last read from SQL
    said: object = None  # what its offer was made from; the same again makes the same offer
    is_unwritten: bool = False  # seen since the last batch was written
    aborted: deque[Millis] = field(default_factory=deque)  # when it gave up jobs, of late
    speeds: deque[float] = field(default_factory=lambda: deque(maxlen=SPEED_SAMPLES))
    mean_speed: float | None = None  # of these; None when it is to be computed
    made: deque[Made] = field(default_factory=lambda: deque(maxlen=MADE_MAX))  # the newest

    @property
    def capability(self) -> Capability:
        """What it offers now."""
        return self.offer.capability

    @property
    def speed(self) -> float:
        """Things per second (pixelsteps for images): the mean of its last deliveries."""
        if self.mean_speed is None:
            speeds = self.speeds
            self.mean_speed = sum(speeds) / len(speeds) if speeds else SPEED_BEFORE_SAMPLES
        return self.mean_speed

    def note_speed(self, speed: float) -> None:
        """Note how quick a delivery was."""
        self.speeds.append(speed)
        self.mean_speed = None

    @property
    def takes_from_all(self) -> bool:
        """Whether it serves others than its owner."""
        return not self.is_paused and self.maintenance_text is None

    def seen(self, offer: Offer, now: Millis, stale_ms: int) -> None:
        """Note a sign of life and what is offered now."""
        gap = max(0, now - self.seen_at)  # after a start with the clock set back it is less
        if gap < stale_ms and self.takes_from_all:
            self.uptime_ms += gap
            self.uptime_s += self.uptime_ms // 1000
            self.uptime_ms %= 1000
        else:  # who went away, or took from its owner only, begins anew
            self.uptime_rewarded_s = self.uptime_s
        self.seen_at = now
        self.offer = offer
        self.is_unwritten = True


class Presence:
    """The workers this process has heard of, by id and by name."""

    def __init__(self, stale_s: int) -> None:
        self.stale_ms = stale_s * 1000
        self.by_id: dict[WorkerId, Worker] = {}
        self.by_name: dict[str, Worker] = {}
        self.version = 0  # goes up with every change but signs of life and paces
        self.paces = 0  # goes up with every change of how fast a worker is

    def changed(self) -> None:
        """Something of a worker was changed: its offer, whom it serves."""
        self.version += 1

    def note_speed(self, worker: Worker, speed: float) -> None:
        """Note how quick a delivery was."""
        self.paces += 1
        worker.note_speed(speed)

    def add(self, worker: Worker) -> Worker:
        """Know a worker; one that is known already is kept as it is."""
        self.changed()
        worker = self.by_id.setdefault(worker.id, worker)
        self.by_name[worker.name] = worker
        return worker

    def rename(self, worker: Worker, name: str) -> None:
        """Know a worker by another name."""
        self.forget_name(worker)
        worker.name = name
        self.by_name[name] = worker

    def remove(self, worker_id: WorkerId) -> None:
        """Forget a worker."""
        self.changed()
        worker = self.by_id.pop(worker_id, None)
        if worker is not None:
            self.forget_name(worker)

    def forget_name(self, worker: Worker) -> None:
        """Forget a worker's name, unless it is another's by now.

        Where several processes write, the new owner of a name may be heard of before the old one
        has lost it.
        """
        if self.by_name.get(worker.name) is worker:
            del self.by_name[worker.name]

    def end_pauses(self, user_id: UserId) -> list[WorkerId]:
        """Let a user's paused workers work again; says which these are."""
        self.changed()
        paused = [each for each in self.of_user(user_id) if each.is_paused]
        for worker in paused:
            worker.is_paused = False
        return [worker.id for worker in paused]

    def clear_suspicion(self, user_id: UserId) -> list[WorkerId]:
        """Forget the suspicion against a user's workers; says which these are."""
        theirs = self.of_user(user_id)
        for worker in theirs:
            worker.suspicion = 0
        return [worker.id for worker in theirs]

    def of_user(self, user_id: UserId) -> list[Worker]:
        """Those of a user that this process has heard of."""
        return [worker for worker in self.by_id.values() if worker.user_id == user_id]

    def is_here(self, worker: Worker, now: Millis) -> bool:
        """Whether a worker was heard of lately."""
        return now - worker.seen_at < self.stale_ms

    def here(self, now: Millis) -> Iterator[Worker]:
        """All workers that are here."""
        return (worker for worker in self.by_id.values() if self.is_here(worker, now))

    def forget_stale(self, now: Millis) -> None:
        """Drop those that are away and written; a later pop reads them from SQL again."""
        for worker in list(self.by_id.values()):
            if not self.is_here(worker, now) and not worker.is_unwritten:
                self.remove(worker.id)

    def wrote(self, beats: Iterable[Mapping[str, object]]) -> None:
        """Note which signs of life are written; one seen again meanwhile stays unwritten."""
        for beat in beats:
            worker = self.by_id.get(WorkerId(str(beat["id"])))
            if worker is not None and worker.seen_at == beat["seen_at"]:
                worker.is_unwritten = False

    def unwritten(self) -> list[Worker]:
        """Those seen since the last batch was written."""
        return [worker for worker in self.by_id.values() if worker.is_unwritten]
