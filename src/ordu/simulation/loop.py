"""An event loop on simulated time: it runs what is ready when told to, and never waits.

Only what verbs and the sweeper use is there: tasks, futures, callbacks and timers. Callbacks run in
the order in which they became ready, as asyncio promises.
"""

import asyncio
import math
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any, TypeVar, TypeVarTuple, Unpack

from ordu.simulation.agenda import Agenda
from ordu.simulation.faults import Switch

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class HandLoop(asyncio.AbstractEventLoop):
    """Belongs to one life of the server; when that ends, nothing of it runs any more."""

    def __init__(self, agenda: Agenda, switch: Switch, surprises: list[str]) -> None:
        self.agenda = agenda
        self.switch = switch
        self.ready: deque[asyncio.Handle] = deque()
        self.tasks: dict[asyncio.Task[Any], None] = {}  # in the order in which they began
        self.surprises = surprises  # what nobody caught

    def run_ready(self) -> None:
        """Run everything that can run now."""
        before = asyncio._get_running_loop()  # noqa: SLF001 - documented, for event loops
        asyncio._set_running_loop(self)  # noqa: SLF001 - documented, for event loops
        try:
            while self.ready and self.switch.is_on:
                handle = self.ready.popleft()
                if not handle.cancelled():
                    handle._run()  # noqa: SLF001 - what every loop does with its handles
        finally:
            asyncio._set_running_loop(before)  # noqa: SLF001 - as above

    def end(self) -> None:
        """Let go of everything that still waits for something."""
        self.ready.clear()
        for task in list(self.tasks):
            coroutine = task.get_coro()
            if not task.done() and coroutine is not None:
                coroutine.close()
        self.tasks.clear()

    # What asyncio asks of a loop

    def time(self) -> float:
        """Seconds since the simulation began."""
        return self.agenda.seconds()

    def get_debug(self) -> bool:
        """No."""
        return False

    def is_running(self) -> bool:
        """Yes, from the first call to the last."""
        return True

    def call_soon(
        self,
        callback: Callable[[Unpack[Ts]], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.Handle:
        """Run a callback after those that are ready already."""
        handle = asyncio.Handle(callback, args, self, context)
        self.ready.append(handle)
        return handle

    def call_later(
        self,
        delay: float,
        callback: Callable[[Unpack[Ts]], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Run a callback so many seconds later."""
        return self.call_at(self.time() + delay, callback, *args, context=context)

    def call_at(
        self,
        when: float,
        callback: Callable[[Unpack[Ts]], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Run a callback at a moment."""
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        self.agenda.after(max(0, math.ceil((when - self.time()) * 1000)), lambda: self.fire(handle))
        return handle

    def fire(self, handle: asyncio.TimerHandle) -> None:
        """A timer is due."""
        if self.switch.is_on and not handle.cancelled():
            self.ready.append(handle)
            self.switch.woken()

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Nothing to do: a cancelled timer is passed over when it is due."""

    def create_future(self) -> "asyncio.Future[Any]":
        """A future of this loop."""
        return asyncio.Future(loop=self)

    def create_task(  # type: ignore[override] # without the keywords nobody here uses
        self, coro: Coroutine[Any, Any, T], *, name: str | None = None
    ) -> "asyncio.Task[T]":
        """A task of this loop."""
        task = asyncio.Task(coro, loop=self, name=name)
        self.tasks[task] = None
        task.add_done_callback(lambda done: self.tasks.pop(done, None))
        return task

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Note what nobody caught, unless the server is dead anyway."""
        if self.switch.is_on:
            self.surprises.append(f"{context.get('message')}: {context.get('exception')!r}")
