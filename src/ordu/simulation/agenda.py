"""The agenda: what happens when, in simulated time; and the wall clock that faults may turn."""

import heapq
import itertools
from collections.abc import Callable

from ordu.rules.lifecycle import Millis

START_MS = 1_760_000_000_000  # what wall clocks show when a simulation begins


class Agenda:
    """Events in the order of their time; of two at one time, the one entered first."""

    def __init__(self) -> None:
        self.now_ms = 0
        self.entries: list[tuple[int, int, Callable[[], None]]] = []
        self.numbers = itertools.count()
        self.happened = 0

    def after(self, delay_ms: int, action: Callable[[], None]) -> None:
        """Have something happen so much later."""
        heapq.heappush(self.entries, (self.now_ms + delay_ms, next(self.numbers), action))

    def step(self) -> None:
        """Let the next thing happen."""
        moment, _, action = heapq.heappop(self.entries)
        self.now_ms = max(self.now_ms, moment)
        self.happened += 1
        action()

    def seconds(self) -> float:
        """Seconds since the beginning: what a monotonic clock shows."""
        return self.now_ms / 1000


class WallClock:
    """What the machine believes the time to be; faults set it forward and back."""

    def __init__(self, agenda: Agenda) -> None:
        self.agenda = agenda
        self.off_by_ms = 0
        self.latest = Millis(0)  # that anybody ever took the time to be

    def now(self) -> Millis:
        """The present moment."""
        moment = Millis(START_MS + self.agenda.now_ms + self.off_by_ms)
        self.latest = max(self.latest, moment)
        return moment

    def time_ns(self) -> int:
        """The present moment, as `time.time_ns` tells it."""
        return self.now() * 1_000_000

    def monotonic_ns(self) -> int:
        """How long the simulation lasts, as `time.monotonic_ns` tells it."""
        return self.agenda.now_ms * 1_000_000
