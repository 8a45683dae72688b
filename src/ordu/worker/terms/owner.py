"""The owner's gate: all reasons to take no job, put together.

Asked in this order: a pause, the hours, use by a person, the battery. The first that holds is the
answer, in the words that the owner sees.
"""

import asyncio
import logging
import math
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from ordu.settings import WorkerSettings
from ordu.worker.gate import Closed
from ordu.worker.terms.hours import Hours
from ordu.worker.terms.machine import Machine
from ordu.worker.terms.pause import Pause, PauseFile
from ordu.worker.terms.running import PAUSE, RESUME

CHANGE_S_MAX = 30.0  # after which what nobody announces is looked at again: use, battery, clock
CHANGE_S_MIN = 0.1
NOTHING_TELLS = (
    "nothing here can tell for how long this machine is idle: install xprintidle (X11) or let the"
    " desktop tell logind, or set idle_minutes to 0"
)

log = logging.getLogger(__name__)


class OwnersGate:
    """A `Gate` that keeps to the settings `hours`, `idle_minutes`, `on_battery`, and to pauses.

    `now` gives seconds since 1970, `hours` and `machine` are for tests.
    """

    def __init__(
        self,
        settings: WorkerSettings,
        pause_file: PauseFile | None = None,
        *,
        now: Callable[[], float] = time.time,
        hours: Hours | None = None,
        machine: Machine | None = None,
    ) -> None:
        self._settings = settings
        self._pause_file = pause_file
        self._now = now
        self._hours = hours or Hours(settings.hours)
        self._machine = machine or Machine()
        self._changed = asyncio.Event()
        self._answer: Closed | None = None
        self._pause = pause_file.read(now()) if pause_file else None

    async def closed(self) -> Closed | None:
        """Why no job may be taken now; None when one may."""
        self._answer = self._paused() or self._outside_hours() or await self._busy()
        return self._answer

    async def changed(self) -> None:
        """Return when the answer may be another one, after half a minute at the latest."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds_to_change(self._answer, self._hours, self._now())):
                await self._changed.wait()
        self._changed.clear()

    def listen(self) -> None:
        """Pause and resume on signals, from now on, in the running event loop."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(PAUSE, self.pause)
        loop.add_signal_handler(RESUME, self.resume)
        # What was said before anybody listened.
        self._pause = self._pause_file.read(self._now()) if self._pause_file else self._pause

    def pause(self) -> None:
        """Take no jobs for as long as the pause file says, without one until `resume`."""
        now = self._now()
        self._pause = self._pause_file.read(now) if self._pause_file else None
        if self._pause is None:
            self._pause = Pause(since=now)
            self._keep(self._pause)
        self._changed.set()

    def resume(self) -> None:
        """Take jobs again."""
        self._pause = None
        self._keep(None)
        self._changed.set()

    def _keep(self, pause: Pause | None) -> None:
        if self._pause_file is None:
            return
        try:
            if pause is None:
                self._pause_file.remove()
            else:
                self._pause_file.write(pause)
        except OSError as error:
            log.warning("The pause does not outlast this worker: %s", error)

    def _paused(self) -> Closed | None:
        now = self._now()
        if self._pause is None or self._pause.is_over(now):
            self._pause = None
            return None
        return Closed(paused_in_words(self._pause, now), self._pause.seconds_left(now))

    def _outside_hours(self) -> Closed | None:
        now = _moment(self._now())
        if self._hours.is_open(now):
            return None
        opens_at = self._hours.opens_at(now)
        if opens_at is None:
            return Closed("outside its hours", math.inf)
        until = in_words(opens_at, now)
        return Closed(f"outside its hours until {until}", (opens_at - now).total_seconds())

    async def _busy(self) -> Closed | None:
        wanted_s = self._settings.idle_minutes * 60
        if wanted_s:
            idle_s = await self._machine.idle_s()
            if idle_s is None:
                return Closed(NOTHING_TELLS, CHANGE_S_MAX)
            if idle_s < wanted_s:
                many = "minute" if wanted_s == 60 else "minutes"
                minutes = f"{self._settings.idle_minutes:g} {many}"
                reason = f"this machine is in use (idle only: {minutes})"
                return Closed(reason, wanted_s - idle_s)
        if not self._settings.on_battery and await self._machine.is_on_battery():
            return Closed("on battery", CHANGE_S_MAX)
        return None


def seconds_to_change(answer: Closed | None, hours: Hours, now: float) -> float:
    """For how long this answer stands, unless somebody says otherwise; at most half a minute."""
    if answer is not None:
        return min(max(answer.seconds, CHANGE_S_MIN), CHANGE_S_MAX)
    if hours.is_open(_moment(now + CHANGE_S_MAX)):
        return CHANGE_S_MAX
    return min(max(60 - now % 60, CHANGE_S_MIN), CHANGE_S_MAX)  # hours end with a minute


def paused_in_words(pause: Pause, now: float) -> str:
    """`paused by its owner until 18:30`."""
    if pause.until is None:
        return "paused by its owner"
    return f"paused by its owner until {in_words(_moment(pause.until).astimezone(), _moment(now))}"


def in_words(moment: datetime, now: datetime) -> str:
    """A moment to come as the clock of its zone shows it, with the day where it is days away."""
    shown = moment
    if shown.second or shown.microsecond:
        shown = shown.replace(second=0, microsecond=0) + timedelta(minutes=1)  # rather later
    away = moment - now
    if away < timedelta(days=1):
        return f"{shown:%H:%M}"
    return f"{shown:%a %H:%M}" if away < timedelta(days=6) else f"{shown:%Y-%m-%d %H:%M}"


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
