"""Tally: what this process has done since its start, for `/metrics`."""

from dataclasses import dataclass


@dataclass
class Tally:
    """Counts that only go up."""

    delivered: int = 0  # messages to webhooks that their receivers have
    failed: int = 0  # attempts at that which failed
    given_up: int = 0  # messages that are not tried any more
