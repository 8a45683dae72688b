"""Pacing: a logger of what strangers cause writes so many lines a second, however many they cause.

So a flood fills no disk. How many were left out stands behind the next line that is written. What
is wrong on our side is always written.
"""

import logging
import time
from collections.abc import Callable

LINES_MAX = 100  # of one logger in a second


class Paced(logging.Filter):
    """Lets `LINES_MAX` records a second through, and all that are more than information."""

    def __init__(self, seconds: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self.seconds = seconds
        self.second = 0  # the one in which a record came last
        self.many = 0  # records of it
        self.left_out = 0  # since the last that was written

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether this one is written."""
        if record.levelno > logging.INFO:
            return True
        second = int(self.seconds())
        if second != self.second:
            self.second, self.many = second, 0
        self.many += 1
        if self.many > LINES_MAX:
            self.left_out += 1
            return False
        if self.left_out:
            record.msg = f"{record.getMessage()} ({self.left_out} lines before this were left out)"
            record.args = None
            self.left_out = 0
        return True
