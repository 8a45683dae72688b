"""Tally: what this process has done since its start, for `/metrics`."""

from collections import deque
from dataclasses import dataclass, field

HANDED_OUT_MAX = 1_000  # so many of the newest jobs are remembered


@dataclass
class Tally:
    """Counts that only go up, and how long it took to hand out jobs."""

    delivered: int = 0  # messages to webhooks that their receivers have
    failed: int = 0  # attempts at that which failed
    given_up: int = 0  # messages that are not tried any more
    handed_out_s: deque[float] = field(default_factory=lambda: deque(maxlen=HANDED_OUT_MAX))

    def handing_out_ms(self) -> float | None:
        """Within how many milliseconds 95 in 100 of the newest jobs were handed out."""
        if not self.handed_out_s:
            return None
        in_order = sorted(self.handed_out_s)
        return in_order[-(-len(in_order) * 95 // 100) - 1] * 1000
