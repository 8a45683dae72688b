"""Wake-ups: those who wait for something to happen to a request, and are told when it does."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from ordu.rules.lifecycle import RequestId


class Wakeable(Protocol):
    """What can be told that something happened: an event, or who passes it on."""

    def set(self) -> object:
        """It happened."""
        ...


class Wakeups:
    """Who waits for which request; belongs to one event loop."""

    def __init__(self) -> None:
        self.waiters: dict[RequestId, set[Wakeable]] = {}
        self.many = 0  # how many wait
        self.told = 0  # how often something happened to any request

    @contextmanager
    def on(self, request_id: RequestId) -> Iterator[asyncio.Event]:
        """An event that is set when something happens to the request; clear it before looking."""
        event = asyncio.Event()
        self.add(request_id, event)
        self.many += 1
        try:
            yield event
        finally:
            self.many -= 1
            self.remove(request_id, event)

    def add(self, request_id: RequestId, wakeable: Wakeable) -> None:
        """Tell this one, until it is removed."""
        self.waiters.setdefault(request_id, set()).add(wakeable)

    def remove(self, request_id: RequestId, wakeable: Wakeable) -> None:
        """Tell it no more."""
        wakeables = self.waiters[request_id]
        wakeables.discard(wakeable)
        if not wakeables:
            del self.waiters[request_id]

    def tell(self, request_id: RequestId) -> None:
        """Something happened to this request."""
        self.told += 1
        for wakeable in self.waiters.get(request_id, ()):
            wakeable.set()

    def tell_all(self) -> None:
        """Everybody is to look, whatever they wait for."""
        for wakeables in self.waiters.values():
            for wakeable in wakeables:
                wakeable.set()
