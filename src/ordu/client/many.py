"""Many requests at once, with a bound, yielded as they come.

The async client has a task for each. The sync one has no threads: each request is a generator that
says when to look again, and one loop looks at whichever is due.
"""

import asyncio
import heapq
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, TypeAlias

from ordu.client._async_request import AsyncRequest
from ordu.client._sync_request import SyncRequest
from ordu.client.errors import HordeError, RequestFaulted
from ordu.client.pictures import Picture
from ordu.client.waiting import AsyncSleep, Clock, Pace, SyncSleep
from ordu.client.wishes import Asked

AT_ONCE_MAX = 100  # each may hold a connection; a client has 250

# What is wrong with one request (also with its source image) is no reason to lose the others.
OF_ONE = (HordeError, OSError, ValueError)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one of many requests: its pictures, or the error it ended with.

    `number` is its place among what was asked for, from 0; `asked` is what that was. A request that
    failed half-way has both an error and the pictures that were finished.

    Example:
        for outcome in horde.generate_many(["a fox", "an owl"], width=512):
            print(outcome.number, outcome.asked, len(outcome.result()))
    """

    number: int
    asked: Asked
    pictures: list[Picture] = field(default_factory=list)
    error: Exception | None = None

    def result(self) -> list[Picture]:
        """The pictures; raises the error when there is one."""
        if self.error is not None:
            raise self.error
        return self.pictures


AsyncOutcomes: TypeAlias = AsyncGenerator[Outcome, None]
SyncOutcomes: TypeAlias = Generator[Outcome, None, None]
Step: TypeAlias = Generator[float, None, Outcome]  # yields how long to wait before the next


def check_bound(at_once: int) -> None:
    """Raise `ValueError` when so many at once make no sense."""
    if not 1 <= at_once <= AT_ONCE_MAX:
        raise ValueError(f"at_once is from 1 to {AT_ONCE_MAX}, not {at_once}.")


# -- with tasks --------------------------------------------------------------------------------


class AsyncUnderway:
    """The tasks of one client in which many requests are made."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Outcome]] = set()

    def begin(self, work: Coroutine[Any, Any, Outcome]) -> asyncio.Task[Outcome]:
        """A task that does this."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def end(self, tasks: Iterable[asyncio.Task[Outcome]] | None = None) -> None:
        """Cancel these tasks, or all, and wait until each has cancelled its request."""
        ending = set(self._tasks if tasks is None else tasks)
        for task in ending:
            if not task.cancelling():  # a second time would disturb the first
                task.cancel()
        if ending:
            await asyncio.wait(ending)


async def async_many(
    begin: Callable[[Asked], AsyncRequest],
    asked: Iterable[Asked],
    at_once: int,
    underway: AsyncUnderway,
    clock: Clock,
    sleep: AsyncSleep,
) -> AsyncOutcomes:
    """What becomes of each; who leaves early cancels those that are underway."""
    del clock, sleep  # the tasks wait by themselves
    rest = enumerate(asked)
    running: set[asyncio.Task[Outcome]] = set()
    finished: deque[asyncio.Task[Outcome]] = deque()
    try:
        while True:
            for number, each in islice(rest, at_once - len(running)):
                running.add(underway.begin(_made(number, each, begin)))
            if not finished and running:
                done, running = await asyncio.wait(running, return_when="FIRST_COMPLETED")
                finished.extend(done)
                continue  # who waits in line begins before anybody looks at what is finished
            if not finished:
                return
            yield finished.popleft().result()
    finally:
        await underway.end(running)


async def _made(number: int, asked: Asked, begin: Callable[[Asked], AsyncRequest]) -> Outcome:
    try:
        async with begin(asked) as request:
            return Outcome(number, asked, await request.pictures())
    except OF_ONE as error:
        return _failed(number, asked, error)


def _failed(number: int, asked: Asked, error: Exception) -> Outcome:
    pictures = error.pictures if isinstance(error, RequestFaulted) else []
    return Outcome(number, asked, pictures, error)


# -- without threads ---------------------------------------------------------------------------


class SyncUnderway:
    """The requests of one client that are made beside each other, as generators."""

    def __init__(self) -> None:
        self._steps: set[Step] = set()

    def begin(self, step: Step) -> Step:
        """Remember this one."""
        self._steps.add(step)
        return step

    def end(self, steps: Iterable[Step] | None = None) -> None:
        """Cancel these requests, or all."""
        ending = set(self._steps if steps is None else steps)
        self._steps -= ending
        with ExitStack() as stack:  # whatever one ends with, the others are ended too
            for step in ending:
                stack.callback(step.close)


def sync_many(
    begin: Callable[[Asked], SyncRequest],
    asked: Iterable[Asked],
    at_once: int,
    underway: SyncUnderway,
    clock: Clock,
    sleep: SyncSleep,
) -> SyncOutcomes:
    """What becomes of each; who leaves early cancels those that are underway."""
    rest: Iterator[tuple[int, Asked]] = enumerate(asked)
    due: list[tuple[float, int, Step]] = []  # a heap: whom to look at, and when
    try:
        while True:
            for number, each in islice(rest, at_once - len(due)):
                step = underway.begin(_stepped(number, each, begin))
                heapq.heappush(due, (clock(), number, step))
            if not due:
                return
            if (pause_s := due[0][0] - clock()) > 0:
                sleep(pause_s)
            _, number, step = heapq.heappop(due)
            try:
                heapq.heappush(due, (clock() + next(step), number, step))
            except StopIteration as end:
                underway.end([step])
                yield end.value
    finally:
        underway.end([step for _, _, step in due])


def _stepped(number: int, asked: Asked, begin: Callable[[Asked], SyncRequest]) -> Step:
    try:
        with begin(asked) as request:
            pace = Pace()
            while not (progress := request.look()).is_over:
                request.check_time()
                yield pace.next_pause_s(progress)
            return Outcome(number, asked, request.pictures())
    except OF_ONE as error:
        return _failed(number, asked, error)
