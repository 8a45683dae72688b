"""How the client waits: between two looks at a request, and while a horde is away for a moment."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeAlias, TypeVar

from ordu.client.errors import HordeError, TookTooLong, TooMuch
from ordu.client.pictures import Progress
from ordu.client.retrying import (
    LATER_S,
    PAUSE_S_MAX,
    PAUSE_S_MIN,
    RETRY_AFTER_S_MAX,
    Chance,
    jittered,
)

LOOK_S_MIN = 0.2  # sketches are done in less than a second
LOOK_S_MAX = 3.0
LOOK_GROWTH = 1.5
LOST_S_MAX = 60.0  # a horde that is restarted is back long before
FOR_EVER = float("inf")

T = TypeVar("T")
AsyncSleep: TypeAlias = Callable[[float], Awaitable[None]]
SyncSleep: TypeAlias = Callable[[float], None]
Clock: TypeAlias = Callable[[], float]

async_sleep: AsyncSleep = asyncio.sleep
sync_sleep: SyncSleep = time.sleep


async def async_shielded(work: Coroutine[Any, Any, T]) -> T:
    """Do this to its end, also in a task that is being cancelled."""
    return await asyncio.shield(asyncio.ensure_future(work))


def sync_shielded(work: T) -> T:
    """What `async_shielded` is where nothing is cancelled: the work has been done."""
    return work


async def async_aside(work: Callable[..., T], *arguments: Any) -> T:
    """Do what takes its time in a thread, so that the loop goes on."""
    return await asyncio.to_thread(work, *arguments)


def sync_aside(work: Callable[..., T], *arguments: Any) -> T:
    """What `async_aside` is where there is no loop."""
    return work(*arguments)


class Pace:
    """The pauses between looks at a request: short when something happened, then longer."""

    def __init__(self) -> None:
        self._pause_s = LOOK_S_MIN
        self._counts: tuple[int, int, int] | None = None

    def next_pause_s(self, progress: Progress | None) -> float:
        """The pause after a look that found this, or nothing new.

        It is not longer than the horde says it takes, if it says so.
        """
        if progress is not None and progress.counts != self._counts:
            self._pause_s, self._counts = LOOK_S_MIN, progress.counts
        pause_s = self._pause_s
        self._pause_s = min(pause_s * LOOK_GROWTH, LOOK_S_MAX)
        wait_s = 0 if progress is None else progress.wait_s
        return min(pause_s, max(wait_s, LOOK_S_MIN)) if wait_s > 0 else pause_s


class Patience:
    """How long calls that fail are repeated: until the deadline, or a minute without any answer."""

    def __init__(self, clock: Clock, deadline: float, chance: Chance) -> None:
        self._clock = clock
        self._deadline = deadline
        self._chance = chance
        self._lost_since: float | None = None
        self._pause_s = PAUSE_S_MIN

    def check_time(self) -> None:
        """Raise `TookTooLong` when the deadline has passed."""
        if self._clock() >= self._deadline:
            raise TookTooLong("The pictures were not ready in time.")

    def pause_s_after(self, error: HordeError) -> float:
        """How long to wait before the same call is made again; raises when that is no use."""
        if not error.may_pass:
            raise error
        self.check_time()
        return min(self._pause_s_after(error), self._deadline - self._clock())

    def _pause_s_after(self, error: HordeError) -> float:
        said_s = error.retry_after_s
        if isinstance(error, TooMuch):
            return min(LATER_S if said_s is None else said_s, RETRY_AFTER_S_MAX)
        now = self._clock()
        self._lost_since = now if self._lost_since is None else self._lost_since
        if now - self._lost_since >= LOST_S_MAX:
            raise error
        if said_s is not None:
            return min(said_s, RETRY_AFTER_S_MAX)
        pause_s = self._pause_s
        self._pause_s = min(pause_s * 2, PAUSE_S_MAX)
        return jittered(pause_s, self._chance)
