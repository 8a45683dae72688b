"""Idle workers: pops that wait for a job, and are woken when there is one for them.

One picture that begins to wait wakes one worker: of those that may serve it the one that has waited
longest. Whoever is woken pops again; who then leaves without a job passes the call on, so that no
picture lies there while somebody waits for it.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from ordu.engine.lanes import Lane, LaneMap
from ordu.engine.presence import Worker
from ordu.rules.money import UserId


@dataclass(eq=False)
class Waiter:
    """A pop that waits."""

    worker: Worker
    event: asyncio.Event = field(default_factory=asyncio.Event)


class IdleWorkers:
    """The pops that wait, those that came first in front; belongs to one event loop."""

    def __init__(self, lanes: LaneMap) -> None:
        self.lanes = lanes
        self.waiters: dict[Waiter, None] = {}

    @contextmanager
    def waiting(self, worker: Worker) -> Iterator[Waiter]:
        """A pop that waits; what it was woken for and did not take goes to the next."""
        waiter = Waiter(worker)
        self.waiters[waiter] = None
        try:
            yield waiter
        finally:
            del self.waiters[waiter]
            if waiter.event.is_set():
                self.pass_on()

    def tell(self, lane: Lane, user_id: UserId, pictures: int) -> None:
        """So many pictures of a request of this user begin to wait in this lane."""
        for waiter in self.waiters:
            if pictures <= 0:
                return
            worker = waiter.worker
            if waiter.event.is_set() or not (worker.takes_from_all or worker.user_id == user_id):
                continue
            if self.lanes.verdict(lane, worker.capability) is None:
                waiter.event.set()
                pictures -= 1

    def pass_on(self) -> None:
        """Somebody was woken and did not take it: the next one looks."""
        for waiter in self.waiters:
            if not waiter.event.is_set():
                waiter.event.set()
                return
