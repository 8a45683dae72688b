"""Idle workers: pops that wait for a job, and are woken when there is one for them.

One picture that begins to wait wakes one worker: of those that may serve it the one that has waited
longest. Whoever is woken pops again; who does not take what it was woken for, because it left or
because of what a requirement cannot say, passes the call on to the next who has not looked since,
so that no picture lies there while somebody waits who could take it.

Nobody looks by itself but now and then (`LOOK_AGAIN_S` of `server.waiting`), and a chore of the
sweeper notes that those who wait are here.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from ordu.engine.lanes import Lane, LaneMap
from ordu.engine.presence import Worker
from ordu.rules.money import UserId


@dataclass(frozen=True, slots=True, eq=False)
class News:
    """Something begins to wait: in which lane, and whose it is."""

    number: int  # of all news there were
    lane: Lane
    user_id: UserId


@dataclass(eq=False)
class Waiter:
    """A pop that waits. `looked_at` is the number of the last news it has seen."""

    worker: Worker
    looked_at: int
    event: asyncio.Event = field(default_factory=asyncio.Event)
    news: News | None = None  # what it was woken for


class IdleWorkers:
    """The pops that wait, those that came first in front; belongs to one event loop."""

    def __init__(self, lanes: LaneMap) -> None:
        self.lanes = lanes
        self.waiters: dict[Waiter, None] = {}
        self.number = 0  # of the latest news

    @contextmanager
    def waiting(self, worker: Worker) -> Iterator[Waiter]:
        """A pop that waits; what it was woken for and did not take goes to the next."""
        waiter = Waiter(worker, self.number)
        self.waiters[waiter] = None
        try:
            yield waiter
        finally:
            del self.waiters[waiter]
            self.pass_on(waiter)

    def tell(self, lane: Lane, user_id: UserId, pictures: int) -> None:
        """So many pictures of a request of this user begin to wait in this lane."""
        self.number += 1
        self.wake(News(self.number, lane, user_id), pictures)

    def wake(self, news: News, pictures: int) -> None:
        """Have as many look as there are pictures, of those who may and have not looked since."""
        for waiter in self.waiters:
            if pictures <= 0:
                return
            worker = waiter.worker
            if waiter.event.is_set() or waiter.looked_at >= news.number:
                continue
            if not (worker.takes_from_all or worker.user_id == news.user_id):
                continue
            if self.lanes.verdict(news.lane, worker.capability) is None:
                waiter.news = news
                waiter.event.set()
                pictures -= 1

    def looks(self, waiter: Waiter) -> None:
        """This one looks for a job now; to be said before it does."""
        waiter.event.clear()
        waiter.looked_at = self.number

    def pass_on(self, waiter: Waiter) -> None:
        """It did not take what it was woken for, if that is there still: the next one looks."""
        news, waiter.news = waiter.news, None
        if news is not None and next(news.lane.free(), None) is not None:
            self.wake(news, 1)

    def tell_all(self) -> None:
        """Everybody is to look."""
        for waiter in self.waiters:
            waiter.event.set()

    def workers(self) -> set[Worker]:
        """The workers that wait."""
        return {waiter.worker for waiter in self.waiters}
