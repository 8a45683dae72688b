"""Time: milliseconds since 1970, never going back within a process."""

import time
from collections.abc import Callable
from typing import Protocol

from ordu.rules.lifecycle import Millis


class Clock(Protocol):
    """What tells the time; tests move their own by hand."""

    def now(self) -> Millis:
        """The present moment."""
        ...


class SystemClock:
    """The machine's clock; while that is set back, time goes on as if it had not been.

    Held still instead, nothing would expire until the machine's clock has caught up: for ten
    minutes, or for years where it was wrong by years. So what is told is the time since the machine
    started, plus the most that the clock was ever seen to be ahead of that.
    """

    def __init__(
        self,
        time_ns: Callable[[], int] = time.time_ns,
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.time_ns = time_ns
        self.monotonic_ns = monotonic_ns
        self.ahead_ns = 0

    def now(self) -> Millis:
        """The present moment; never before one that was told."""
        running_ns = self.monotonic_ns()
        self.ahead_ns = max(self.ahead_ns, self.time_ns() - running_ns)
        return Millis((running_ns + self.ahead_ns) // 1_000_000)
