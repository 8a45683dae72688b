"""Shares: how much one caller may have at once of what there is for all.

Whoever waits, and whoever sends a large body, takes something that others need too. What one caller
has is counted by every name it goes by (its address, its key), so that neither many keys nor many
addresses get more.
"""

from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager


class Shares:
    """What is handed out of something, to whom; belongs to one event loop."""

    def __init__(self, each_max: int, all_max: int | None = None) -> None:
        """0 as the share of each means as much as there is; without `all_max` there is no end."""
        self.each_max = each_max
        self.all_max = all_max
        self.taken = 0
        self.by_caller: Counter[str] = Counter()

    def has_room(self, callers: Collection[str], many: int = 1) -> bool:
        """Whether a caller of these names may have so much more."""
        if self.all_max is not None and self.taken + many > self.all_max:
            return False
        if not self.each_max:
            return True
        return all(self.by_caller[caller] + many <= self.each_max for caller in callers)

    def take(self, callers: Collection[str], many: int = 1) -> None:
        """Count this, whether there was room or not."""
        self.taken += many
        for caller in callers:
            self.by_caller[caller] += many

    def give_back(self, callers: Collection[str], many: int = 1) -> None:
        """It is free again."""
        self.taken -= many
        for caller in callers:
            self.by_caller[caller] -= many
            if not self.by_caller[caller]:
                del self.by_caller[caller]

    @contextmanager
    def held(self, callers: Collection[str], many: int = 1) -> Iterator[None]:
        """Have it until the end of the block."""
        self.take(callers, many)
        try:
            yield
        finally:
            self.give_back(callers, many)
