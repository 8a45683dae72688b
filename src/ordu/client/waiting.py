"""How the client waits: between two looks at a request, and while a horde is away for a moment."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeAlias, TypeVar

from ordu.client.errors import HordeError, TookTooLong, TooMuch

PAUSE_S_MIN = 0.2  # sketches are done in less than a second
PAUSE_S_MAX = 3.0
PAUSE_GROWTH = 1.5
RETRY_S_MIN = 0.5
RETRY_S_MAX = 5.0
RETRY_AFTER_S_MAX = 60.0
LOST_S_MAX = 60.0  # a horde that is restarted is back long before

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


class Pace:
    """The pauses between looks at a request: short at first, then longer."""

    def __init__(self) -> None:
        self._pause_s = PAUSE_S_MIN

    def next_pause_s(self, wait_s: float) -> float:
        """The next pause; not longer than the horde says it takes, if it says so."""
        pause_s = self._pause_s
        self._pause_s = min(pause_s * PAUSE_GROWTH, PAUSE_S_MAX)
        return min(pause_s, max(wait_s, PAUSE_S_MIN)) if wait_s > 0 else pause_s


class Patience:
    """How long calls that fail are repeated: until the deadline, or a minute without any answer."""

    def __init__(self, clock: Clock, deadline: float) -> None:
        self._clock = clock
        self._deadline = deadline
        self._lost_since: float | None = None
        self._pause_s = RETRY_S_MIN

    def check_time(self) -> None:
        """Raise `TookTooLong` when the deadline has passed."""
        if self._clock() >= self._deadline:
            raise TookTooLong("The pictures were not ready in time.")

    def pause_s_after(self, error: HordeError) -> float:
        """How long to wait before the same call is made again; raises when that is no use."""
        if not error.may_pass:
            raise error
        self.check_time()
        if isinstance(error, TooMuch):
            return min(error.retry_after_s or 1.0, RETRY_AFTER_S_MAX)
        now = self._clock()
        self._lost_since = now if self._lost_since is None else self._lost_since
        if now - self._lost_since >= LOST_S_MAX:
            raise error
        pause_s = self._pause_s
        self._pause_s = min(pause_s * 2, RETRY_S_MAX)
        return pause_s
