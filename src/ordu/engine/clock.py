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
    """The machine's clock, held still while it is set back."""

    def __init__(self, time_ns: Callable[[], int] = time.time_ns) -> None:
        self.time_ns = time_ns
        self.latest = Millis(0)

    def now(self) -> Millis:
        """The present moment, or the latest one told when the machine's clock was set back."""
        self.latest = max(self.latest, Millis(self.time_ns() // 1_000_000))
        return self.latest
