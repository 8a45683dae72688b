"""Followed requests: those whose progress is told as it happens, to any number who follow them.

What was found out about a request is kept until something happens to it, so however many follow it,
it is looked at once.
"""

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from ordu.engine.wakeups import Wakeups
from ordu.rules.lifecycle import RequestId


@dataclass(eq=False)
class Followed:
    """A request that is followed."""

    request_id: RequestId
    events: set[asyncio.Event] = field(default_factory=set)  # one for each who follows it
    progress: Any = None  # of `engine.progress`; None when somebody has to look
    changes: int = 0  # how often something happened to it
    rounds: int = 0  # how often a chore found it at another place in line

    def set(self) -> None:
        """Something happened to it."""
        self.progress = None
        self.changes += 1
        self.wake()

    def wake(self) -> None:
        """All who follow it are to look."""
        for event in self.events:
            event.set()


class FollowedRequests:
    """Who follows which request; belongs to one event loop."""

    def __init__(self, wakeups: Wakeups) -> None:
        self.wakeups = wakeups
        self.requests: dict[RequestId, Followed] = {}
        self.many = 0  # how many follow something
        self.due: deque[Followed] = deque()  # whose place in line is to be looked at
        self.moment: tuple[int, int] = (0, 0)  # what the horde was like when these were made due

    @contextmanager
    def following(self, request_id: RequestId) -> Iterator[tuple[Followed, asyncio.Event]]:
        """Follow a request: what is known of it, and an event that is set when that changes."""
        followed = self.requests.get(request_id)
        if followed is None:
            followed = self.requests[request_id] = Followed(request_id)
            self.wakeups.add(request_id, followed)
        event = asyncio.Event()
        followed.events.add(event)
        self.many += 1
        try:
            yield followed, event
        finally:
            self.many -= 1
            followed.events.discard(event)
            if not followed.events:
                del self.requests[request_id]
                self.wakeups.remove(request_id, followed)
