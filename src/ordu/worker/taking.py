"""Asking for jobs: with a pause where there is none, or where the horde or the owner says no."""

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

from ordu.client import AsyncHorde, HordeError
from ordu.client.waiting import Clock
from ordu.client.wire import known
from ordu.protocol.jobs import GenerationPayload
from ordu.settings import WorkerSettings
from ordu.worker.backends import BackendError, Offer
from ordu.worker.bench import Bench, common
from ordu.worker.events import Back, Event, Idle, Listener, Notice, Paused
from ordu.worker.gate import Gate
from ordu.worker.jobs import ask_for, reasons
from ordu.worker.outage import Outage, Sleep, pause

POP = "pop"
WAIT_S = 20  # for how long the server is asked to wait for a job
WAIT_FIRST_S = 1  # the first time, so that the owner soon sees that it works, or why there is none
PAUSE_S = 30.0  # after a no that may be a yes later: maintenance, a backend that does not answer
MAINTENANCE = frozenset({"WorkerMaintenance", "WorkerFlaggedMaintenance"})
NOTICES_MAX = 1000  # so many are remembered, so that none is told twice

log = logging.getLogger(__name__)


@dataclass
class Rest:
    """Failures in a row, after which the worker stops asking for a while."""

    failures: int = 0
    is_due: bool = False

    MAX = 3  # in a row; more are no bad luck
    PAUSE_S_MIN = 30.0
    PAUSE_S_MAX = 300.0

    def failed(self) -> None:
        """A picture could not be made."""
        self.failures += 1
        self.is_due = self.failures >= self.MAX

    def made(self) -> None:
        """One could."""
        self.failures = 0

    @property
    def pause_s(self) -> float:
        """How long to rest: longer each time; then one more job is tried."""
        doublings = min(self.failures - self.MAX, 10)
        return float(min(self.PAUSE_S_MIN * 2**doublings, self.PAUSE_S_MAX))


@dataclass
class Taker:
    """Takes jobs for all benches of a worker. One call at a time asks, however many are idle."""

    horde: AsyncHorde
    benches: Sequence[Bench]
    settings: WorkerSettings
    gate: Gate
    outage: Outage
    tell: Listener
    sleep: Sleep
    clock: Clock
    rest: Rest = field(default_factory=Rest)
    _wait_s: int = WAIT_FIRST_S
    _pause_reason: str | None = None
    _told: set[str] = field(default_factory=set)

    async def take(self, stop: asyncio.Event) -> GenerationPayload | None:
        """The next job there is, waiting for one; None when the worker is to stop.

        Raises:
            HordeError: waiting does not mend it: unknown key, foreign name, …
            LookupError: no backend has any of the models that the owner wants.
        """
        while not stop.is_set():
            if await self._is_held_up(stop):
                continue
            asked_at = self.clock()
            try:
                reply = await self._ask(stop, self._wait_s)
            except (HordeError, BackendError) as error:
                await self._wait_after(error, stop)
                continue
            if reply is None:
                continue
            self._welcome(reply)
            if known(reply.id, ""):
                return reply
            self.tell(Idle(reasons(reply)))
            waited_s, self._wait_s = self._wait_s, WAIT_S
            if self.clock() - asked_at < waited_s:  # a server that lets us wait did so
                await pause(self.sleep, self.settings.poll_interval_s, stop)
        return None

    async def _is_held_up(self, stop: asyncio.Event) -> bool:
        """Wait while failures or the owner forbid to ask; whether that was so."""
        if self.rest.is_due:
            self._tell_pause(f"{self.rest.failures} jobs in a row failed.", self.rest.pause_s)
            await pause(self.sleep, self.rest.pause_s, stop)
            self.rest.is_due = False
            return True
        if (closed := await self.gate.closed()) is None:
            return False
        self._tell_pause(closed.reason, closed.seconds)
        await first_of(self.gate.changed(), stop.wait())
        return True

    async def _ask(self, stop: asyncio.Event, wait_s: int) -> GenerationPayload | None:
        """Pop; waits for a job where the server can. None: it was cut off, for good reason.

        When a pop is cut off, the server gives what it may have found to somebody else.
        """
        wish = ask_for(await self._offer(), self.settings, sum(each.slots for each in self.benches))
        popping = asyncio.create_task(self.horde.post_job_pop(wish, prefer=f"wait={wait_s}"))
        try:
            while not popping.done():
                await first_of(asyncio.wait({popping}), self.gate.changed(), stop.wait())
                if popping.done():
                    break
                if stop.is_set() or await self.gate.closed() is not None:
                    return None
            return popping.result()
        finally:
            popping.cancel()

    async def _offer(self) -> Offer:
        """What all benches can now, of those that say something.

        Raises:
            BackendError: none does.
        """
        said = await asyncio.gather(*(each.look() for each in self.benches), return_exceptions=True)
        offers = [each for each in said if isinstance(each, Offer)]
        if offers:
            return common(offers)
        error = next(each for each in said if isinstance(each, BaseException))
        if isinstance(error, BackendError) or not isinstance(error, Exception):
            raise error
        raise BackendError(str(error) or type(error).__name__) from error

    async def _wait_after(self, error: HordeError | BackendError, stop: asyncio.Event) -> None:
        """Wait after no pop was possible; raises what waiting does not mend."""
        if isinstance(error, HordeError):
            if error.may_pass:
                await self.outage.wait_after(POP, error, stop)
                return
            # Servers of 2022 say it in words only.
            in_words = error.rc is None and "maintenance" in error.message.lower()
            if not in_words and error.rc not in MAINTENANCE:
                raise error
            self.outage.is_over(POP)
        self._tell_pause(str(error), PAUSE_S)
        await pause(self.sleep, PAUSE_S, stop)

    def _welcome(self, reply: GenerationPayload) -> None:
        """The horde answered as it should."""
        self.outage.is_over(POP)
        if self._pause_reason is not None:
            self._pause_reason = None
            self.tell(Back())
        for message in known(reply.messages, ()):
            text = known(message.message, "")
            if text and text not in self._told and len(self._told) < NOTICES_MAX:
                self._told.add(text)
                self.tell(Notice(text))

    def _tell_pause(self, reason: str, pause_s: float) -> None:
        if reason != self._pause_reason:
            self._pause_reason = reason
            log.warning("No new jobs for a while: %s", reason)
            self.tell(Paused(reason, pause_s))


def unheard(event: Event) -> None:
    """For a worker that nobody watches."""
    del event


async def first_of(*waits: Coroutine[Any, Any, Any]) -> None:
    """Return when the first of these does; the others are cut off."""
    tasks = [asyncio.ensure_future(each) for each in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in tasks:
            each.cancel()
