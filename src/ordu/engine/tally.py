"""Tally: what this process has done since its start, for `/metrics`.

Counting happens on the way of every call, so it costs next to nothing: an addition, or a place in a
short list of bounds. What a count is called outside stands in `server/handlers/metrics.py`.
"""

from bisect import bisect_left
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

HANDED_OUT_MAX = 1_000  # so many of the newest jobs are remembered
# The upper ends of buckets; seconds. A check takes 0.3 ms, a picture on a slow machine a minute.
CALL_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0)
COMMIT_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
GROUP_SIZES = (1, 2, 4, 8, 16, 32, 64)
LAG_S = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)


class Histogram:
    """How many of some values were within which bounds, and their sum."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)  # the last is for what is above all of them
        self.total = 0.0

    def observe(self, value: float) -> None:
        """Count a value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value


@dataclass
class Tally:
    """Counts that only go up, and how long things took."""

    placed: int = 0  # requests
    pictures_placed: int = 0
    handed_out: int = 0  # jobs
    settled: int = 0
    work_settled: int = 0  # pixelsteps
    faulted: int = 0  # jobs
    expired: int = 0  # requests whose time was over
    delivered: int = 0  # messages to webhooks that their receivers have
    failed: int = 0  # attempts at that which failed
    given_up: int = 0  # messages that are not tried any more
    handed_out_s: deque[float] = field(default_factory=lambda: deque(maxlen=HANDED_OUT_MAX))
    committed: dict[str, int] = field(default_factory=dict)  # what transactions counted
    answered: dict[tuple[str, int], int] = field(default_factory=dict)  # by operation and status
    refused: dict[str, int] = field(default_factory=dict)  # by rc
    call_s: dict[str, Histogram] = field(default_factory=dict)  # by operation
    commit_s: Histogram = field(default_factory=lambda: Histogram(COMMIT_S))
    group_sizes: Histogram = field(default_factory=lambda: Histogram(GROUP_SIZES))
    lag_s: Histogram = field(default_factory=lambda: Histogram(LAG_S))

    def note_answer(self, operation: str, status: int, took_s: float) -> None:
        """A call was answered; operations and statuses are few."""
        key = (operation, status)
        self.answered[key] = self.answered.get(key, 0) + 1
        histogram = self.call_s.get(operation)
        if histogram is None:
            histogram = self.call_s[operation] = Histogram(CALL_S)
        histogram.observe(took_s)

    def note_refusal(self, rc: str) -> None:
        """A call was refused."""
        self.refused[rc] = self.refused.get(rc, 0) + 1

    def note_commit(self, operations: int, took_s: float) -> None:
        """So many operations were made durable by one commit."""
        self.commit_s.observe(took_s)
        self.group_sizes.observe(operations)

    def note_committed(self, counts: Mapping[str, int]) -> None:
        """What a transaction counted has happened."""
        for name, amount in counts.items():
            self.committed[name] = self.committed.get(name, 0) + amount

    def handing_out_ms(self) -> float | None:
        """Within how many milliseconds 95 in 100 of the newest jobs were handed out."""
        if not self.handed_out_s:
            return None
        in_order = sorted(self.handed_out_s)
        return in_order[-(-len(in_order) * 95 // 100) - 1] * 1000
