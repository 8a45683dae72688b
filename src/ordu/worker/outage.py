"""While the horde is away: when to try again, and who is told."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import Any

from ordu.client import HordeError, TooMuch
from ordu.client.waiting import Clock
from ordu.worker.events import Back, Listener, Lost

PAUSE_S_MIN = 0.5
PAUSE_S_MAX = 30.0
RETRY_AFTER_S_MAX = 60.0

Sleep = Callable[[float], Awaitable[None]]

log = logging.getLogger(__name__)


async def pause(sleep: Sleep, seconds: float, *events: asyncio.Event) -> None:
    """Wait for so long, or until one of the events."""
    waits: list[asyncio.Future[Any]] = [asyncio.ensure_future(sleep(seconds))]
    waits += [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()


class Outage:
    """One per worker, told once and logged once, however many of its calls do not get through.

    The longer a call has failed, the longer are its pauses; part of each is chance, so that not all
    workers of a horde that was restarted come back in the same moment. When a call that failed gets
    through, all that wait try at once. `what` names the call: the pop, or a job's delivery.
    """

    def __init__(self, tell: Listener, sleep: Sleep, clock: Clock, chance: random.Random) -> None:
        self._tell = tell
        self._sleep = sleep
        self._clock = clock
        self._chance = chance
        self._since: dict[str, float] = {}  # of each call that fails
        self._is_back = asyncio.Event()

    async def wait_after(self, what: str, error: HordeError, *events: asyncio.Event) -> None:
        """Wait after a call that may succeed later; one of the events ends the wait too."""
        if isinstance(error, TooMuch) and error.retry_after_s is not None:
            await pause(self._sleep, min(error.retry_after_s, RETRY_AFTER_S_MAX), *events)
            return
        if not self._since:
            log.warning("Lost the horde: %s", error)
            self._tell(Lost(str(error)))
        self._is_back.clear()
        lost_s = self._clock() - self._since.setdefault(what, self._clock())
        pause_s = min(lost_s, PAUSE_S_MAX) * self._chance.uniform(0.5, 1.0)
        await pause(self._sleep, max(pause_s, PAUSE_S_MIN), self._is_back, *events)

    def is_over(self, what: str) -> None:
        """This call got through, or is given up: its next failure is a new one."""
        if self._since.pop(what, None) is None:
            return
        self._is_back.set()
        if not self._since:
            log.info("The horde answers again.")
            self._tell(Back())
