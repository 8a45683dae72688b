"""Several server processes under one socket: keep them running, and renew them one by one.

**One socket.** The supervisor listens and never accepts; its processes inherit the socket and all
accept from it. A connection that nobody has accepted yet belongs to no process, so one that dies or
stops takes none along. With SO_REUSEPORT each process would have a queue of its own: what is in it
is lost when the process ends, and the system goes on filling the queue of one that is about to.

**Processes are new interpreters**, not forks: each reads the code and the settings as they are when
it starts, so a restart brings both up to date. Each has a pipe as its standard input, and stops
when we are gone; on its standard output it says in one line of JSON that it answers calls
(`Started`). What it logs goes where we log, under its number. Numbers are never used twice.

**The first starts alone.** It makes the schema, the first users and the administrator's key. If it
ends before it was ready, so do we, with its exit code: a wrong setting is told once. After that one
that ends is replaced at once; if that does not help, with growing pauses.

**A rolling restart** (`renew`) starts a successor, waits until it is ready, and only then lets the
old one hand over and stop (`stopping`); then the next. When a successor does not become ready, the
old ones stay.
"""

import asyncio
import logging
import signal
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import msgspec

from ordu.server.listening import HAND_OVER, Started

log = logging.getLogger(__name__)

END_S_MAX = 20.0  # for one that is ended before it was ready


@dataclass(frozen=True)
class Bounds:
    """How long what may take."""

    ready_s_max: float = 120.0  # from the start of a process until it answers calls
    steady_s: float = 10.0  # who lived so long did not die of its start
    pause_s: float = 0.5  # before it is tried again, doubled each time
    pause_s_max: float = 30.0

    def pause_after(self, starts: int) -> float:
        """How long to wait after so many starts in a row of which none led to a steady life."""
        if starts < 2:
            return 0.0  # the first death is replaced at once
        return min(self.pause_s * 2.0 ** min(starts - 2, 30), self.pause_s_max)


class Child:
    """A server process, from its start to its end."""

    def __init__(self, number: int, process: Process) -> None:
        self.number = number
        self.process = process
        self.ready: asyncio.Future[Started] = asyncio.get_running_loop().create_future()
        self.ready_at = 0.0
        self.listening = asyncio.create_task(self.listen())
        self.ended = asyncio.create_task(process.wait())

    async def listen(self) -> None:
        """Hear that it is ready; whatever else it says there goes to the log."""
        assert self.process.stdout is not None
        with suppress(ValueError):  # a line without end
            async for line in self.process.stdout:
                try:
                    started = msgspec.json.decode(line, type=Started)
                except msgspec.MsgspecError:
                    log.info("process %d: %s", self.number, line.decode(errors="replace").rstrip())
                    continue
                if not self.ready.done():
                    self.ready_at = time.monotonic()
                    self.ready.set_result(started)

    async def is_ready(self, within_s: float | None) -> bool:
        """Whether it becomes ready before it ends and within this time."""
        either: set[asyncio.Future[Any]] = {self.ready, self.ended}
        await asyncio.wait(either, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
        return self.ready.done()

    @property
    def is_alive(self) -> bool:
        """Whether it still runs."""
        return not self.ended.done()

    def was_steady(self, steady_s: float) -> bool:
        """Whether it was ready for so long that its end has other reasons than its start."""
        return self.ready.done() and time.monotonic() - self.ready_at >= steady_s

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, if it still runs."""
        with suppress(ProcessLookupError):
            self.process.send_signal(number)

    async def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Ask it to stop and wait until it has, in the end by force."""
        self.send(number)
        within_s = self.ready.result().stops_within_s if self.ready.done() else END_S_MAX
        await asyncio.wait({self.ended}, timeout=within_s)
        if self.is_alive:
            log.error("process %d did not stop within %.0f s and is killed", self.number, within_s)
            self.send(signal.SIGKILL)
            await asyncio.wait({self.ended})


@dataclass(eq=False)
class Place:
    """Where one process is to be; the lock is held by whoever fills it."""

    child: Child | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Supervisor:
    """So many processes under one socket. Belongs to one event loop."""

    def __init__(
        self,
        command: Callable[[int], Sequence[str]],
        many: int,
        descriptor: int,
        bounds: Bounds | None = None,
    ) -> None:
        """`command` gives the command line of the process with this number."""
        self.command = command
        self.descriptor = descriptor
        self.bounds = bounds or Bounds()
        self.places = [Place() for _ in range(many)]
        self.children: set[Child] = set()  # all that run, also those that are starting or stopping
        self.numbers = 0
        self.to_renew = asyncio.Event()
        self.told_to_stop: asyncio.Future[signal.Signals] = (
            asyncio.get_running_loop().create_future()
        )

    def renew(self) -> None:
        """Have every process replaced by a new one, once more if that is going on already."""
        self.to_renew.set()

    def stop(self, number: signal.Signals) -> None:
        """Have all of them stopped with this signal; a second one is passed on to them as well."""
        if not self.told_to_stop.done():
            self.told_to_stop.set_result(number)
        else:
            for child in self.children:
                child.send(number)

    async def run(
        self, ready: Callable[[Started], None], farewell: Callable[[], Awaitable[None]]
    ) -> int:
        """Keep them running until told to stop; returns an exit code.

        `ready` is called when the first answers calls, `farewell` awaited before they are stopped.
        The exit code is 0, or that of a first process that ended before it was ready (negative: it
        ended by that signal).
        """
        work = asyncio.create_task(self.work(ready))
        try:
            either: set[asyncio.Future[Any]] = {work, self.told_to_stop}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                return work.result()
            await farewell()
            return 0
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            await self.end_all()

    async def work(self, ready: Callable[[Started], None]) -> int:
        """Start the first alone, then the others, and see to them all; ends only if that fails."""
        first = await self.start()
        if not await first.is_ready(None):  # it may have a large database to bring up to date
            return first.ended.result()
        self.places[0].child = first
        ready(first.ready.result())
        async with asyncio.TaskGroup() as group:
            for place in self.places:
                group.create_task(self.keep_filled(place))
            group.create_task(self.renew_when_asked())
        raise AssertionError("they go on until they are cancelled")

    async def end_all(self) -> None:
        """Stop all that run."""
        told = self.told_to_stop.done()
        number = self.told_to_stop.result() if told else signal.SIGTERM
        await asyncio.gather(*(each.end(number) for each in self.children))

    async def keep_filled(self, place: Place) -> None:
        """Have a process in this place, whatever happens to it."""
        starts = 0
        while True:
            child = place.child
            if child is not None:
                await asyncio.wait({child.ended})
                if place.child is not child:
                    continue  # its successor is there
                log.error("process %d ended (%s)", child.number, outcome(child.ended.result()))
                if child.was_steady(self.bounds.steady_s):
                    starts = 0
            await asyncio.sleep(self.bounds.pause_after(starts))
            starts += 1
            async with place.lock:
                if place.child is child:
                    place.child = await self.start_until_ready()

    async def renew_when_asked(self) -> None:
        """Renew all, each time that somebody asks for it."""
        while True:
            await self.to_renew.wait()
            self.to_renew.clear()
            if await self.renew_all():
                log.info("the rolling restart is done")

    async def renew_all(self) -> bool:
        """Put a new process into each place, one after the other; False when one does not start."""
        newest = self.numbers  # whoever is started from now on is new already
        for place in self.places:
            async with place.lock:
                old = place.child
                if old is not None and old.is_alive and old.number > newest:
                    continue
                successor = await self.start_until_ready()
                if successor is None:
                    log.error("the rolling restart is given up: those that are there stay")
                    return False
                place.child = successor
            if old is not None and old.is_alive:
                log.info("process %d takes over from process %d", successor.number, old.number)
                await old.end(HAND_OVER)
        return True

    async def start_until_ready(self) -> Child | None:
        """A new process that answers calls, or None; one that takes too long is ended."""
        try:
            child = await self.start()
        except OSError as error:  # no memory, no more processes: that may pass
            log.error("a process cannot be started: %s", error)  # noqa: TRY400 - told in a line
            return None
        if await child.is_ready(self.bounds.ready_s_max):
            log.info("process %d is ready", child.number)
            return child
        if child.is_alive:
            bound = self.bounds.ready_s_max
            log.error("process %d was not ready within %g s and is ended", child.number, bound)
            await child.end()
        else:
            how = outcome(child.ended.result())
            log.error("process %d ended before it was ready (%s)", child.number, how)
        return None

    async def start(self) -> Child:
        """A new process, that is not ready yet."""
        self.numbers += 1
        number = self.numbers  # others are started meanwhile
        process = await asyncio.create_subprocess_exec(
            *self.command(number),
            stdin=PIPE,
            stdout=PIPE,
            pass_fds=(self.descriptor,),
            start_new_session=True,  # Ctrl-C is for us; we stop them
        )
        child = Child(number, process)
        self.children.add(child)
        child.ended.add_done_callback(lambda _: self.children.discard(child))
        return child


def outcome(code: int) -> str:
    """An exit code of `Process.wait` in words."""
    if code >= 0:
        return f"exit code {code}"
    with suppress(ValueError):
        return f"killed by {signal.Signals(-code).name}"
    return f"killed by signal {-code}"
