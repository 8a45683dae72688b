"""Wake-ups: those who wait for something to happen to a request, and are told when it does."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from ordu.rules.lifecycle import RequestId


class Wakeups:
    """Who waits for which request; belongs to one event loop."""

    def __init__(self) -> None:
        self.waiters: dict[RequestId, set[asyncio.Event]] = {}

    @property
    def many(self) -> int:
        """How many wait."""
        return sum(len(events) for events in self.waiters.values())

    @contextmanager
    def on(self, request_id: RequestId) -> Iterator[asyncio.Event]:
        """An event that is set when something happens to the request; clear it before looking."""
        event = asyncio.Event()
        self.waiters.setdefault(request_id, set()).add(event)
        try:
            yield event
        finally:
            events = self.waiters[request_id]
            events.discard(event)
            if not events:
                del self.waiters[request_id]

    def tell(self, request_id: RequestId) -> None:
        """Something happened to this request."""
        for event in self.waiters.get(request_id, ()):
            event.set()
