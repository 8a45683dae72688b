"""A backend in a process of its own: what crashes there costs one picture, and never the worker.

`Apart` is a backend like the one it wraps, and runs one device of it in a fresh Python process
(`process`, on the worker's side; `child`, on the other; `messages`, between them). A process that
ends is replaced when it is needed next. One that ends before it has made anything is replaced
after a pause, longer each time. Several devices so have an interpreter each, too
(docs/adr/0025).
"""

import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import msgspec

from ordu.settings import Settings
from ordu.worker.apart.messages import Start, encoded
from ordu.worker.apart.process import Limits, Process
from ordu.worker.backends import (
    NO_SETTINGS,
    Backend,
    BackendBrokenError,
    BackendError,
    Drawing,
    Offer,
    Picture,
    Progress,
)

__all__ = ["Apart", "Limits"]

DOUBLINGS_MAX = 10

T = TypeVar("T")


class Apart(Backend):
    """Runs one device of the backend of this name (or `module:Class`) in a process of its own."""

    def __init__(
        self,
        name: str,
        settings: Settings = NO_SETTINGS,
        device: str = "",
        *,
        limits: Limits | None = None,
        clock: Callable[[], float] = time.monotonic,
        wait: bool = True,
    ) -> None:
        """Start the process and wait until the backend is there; without `wait`, see `ready`.

        Raises:
            BackendError: it cannot be used, or its process cannot be started; the reason.
        """
        super().__init__(settings, device)
        self._backend = name
        self._settings = settings
        self._device = device
        self._name = f"The process of the backend {name}" + (f" on {device}" if device else "")
        self._limits = limits or Limits()
        self._clock = clock
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._failures = 0  # processes in a row that made nothing
        self._not_before = clock()  # is none started
        self._why_not = ""
        self._process: Process | None = self._started()
        if wait:
            self.ready()

    def ready(self) -> None:
        """Wait until the backend of a process that was just started is there.

        Raises:
            BackendError: it cannot be used; nothing is left of it.
        """
        process = self._process or self._current()  # also one that has ended: it knows why
        try:
            process.ready(self._limits.start_s)
        except BaseException:  # Ctrl-C as well
            self.close()
            raise

    @property
    def pid(self) -> int | None:
        """The number of its process; None when there is none."""
        process = self._process
        return None if process is None or process.is_over else process.pid

    def offer(self) -> Offer:
        """What the backend offers.

        Raises:
            BackendError: it says so, or its process is being started again.
        """
        process = self._current()
        with _retired_when_broken(process):
            if not process.ready(self._limits.offer_s):
                raise BackendError(f"{self._name} is still being started.")
            offer = process.offer()
        return _decoded(offer, Offer)

    def make(self, drawing: Drawing, progress: Progress) -> Picture:
        """Have one picture made; `progress` is called in this thread.

        Raises:
            BackendError: it could not be made, or the process ended meanwhile; the reason.
            OutOfMemoryError: it is too large for the device.
            Cancelled: `progress` raised it. Then nothing of it goes on any more.
        """
        self._closing.wait(self._pause_left_s())
        process = self._current(is_patient=True)
        with _retired_when_broken(process):
            process.ready(self._limits.start_s)
            call = process.make(drawing)
            try:
                for share in process.shares(call):
                    progress(share)
            except BaseException:
                process.cancel(call)
                raise
            picture = _decoded(process.answer(call), Picture)
        process.has_made = True
        return picture

    def close(self) -> None:
        """End the process, by force when it takes too long."""
        with self._lock:
            self._closing.set()
            process = self._process
        if process is not None:
            process.close()

    # -- starting ------------------------------------------------------------------------------

    def _current(self, *, is_patient: bool = False) -> Process:
        """The process to ask, started now if there is none."""
        pause_left_s = self._pause_left_s()
        with self._lock:
            if self._closing.is_set():
                raise BackendError(f"{self._name} was closed.")
            if self._process is None:
                if pause_left_s > 0 and not is_patient:
                    raise BackendError(f"{self._why_not} Started again in {pause_left_s:.0f} s.")
                self._process = self._started()
            return self._process

    def _pause_left_s(self) -> float:
        """Let go of a process that has ended; for how long no other is started, in seconds."""
        with self._lock:
            process = self._process
            if process is not None and process.is_over:
                if not process.has_ended():
                    raise BackendError(f"{self._name} cannot be ended.")
                self._process = None
                self._plan_next(process)
            return max(0.0, self._not_before - self._clock())

    def _plan_next(self, process: Process) -> None:
        self._why_not = process.words
        if process.has_made:
            self._failures = 0
            return
        pause_s = self._limits.pause_s * 2 ** min(self._failures, DOUBLINGS_MAX)
        self._failures += 1
        self._not_before = self._clock() + min(pause_s, self._limits.pause_s_max)

    def _started(self) -> Process:
        try:
            settings = encoded(self._settings)
        except (TypeError, ValueError, OverflowError) as error:
            where = f"The settings of the backend {self._backend}"
            raise BackendError(f"{where} cannot be sent to its process: {error}") from error
        start = Start(
            backend=self._backend,
            settings=settings,
            device=self._device,
            sys_path=[os.fsencode(folder) for folder in sys.path],
            log_levels=_log_levels(),
        )
        return Process(self._name, start, self._limits)


def _log_levels() -> dict[str, int]:
    """What is logged here, so that what is held back here, as it may show keys, is so there."""
    loggers = logging.Logger.manager.loggerDict.items()
    named = {name: each.level for name, each in loggers if isinstance(each, logging.Logger)}
    return {"": logging.getLogger().level} | {name: level for name, level in named.items() if level}


@contextmanager
def _retired_when_broken(process: Process) -> Iterator[None]:
    try:
        yield
    except BackendBrokenError:
        process.kill("can make nothing any more")
        raise


def _decoded(value: msgspec.Raw, kind: type[T]) -> T:
    try:
        return msgspec.msgpack.decode(value, type=kind)
    except msgspec.MsgspecError as error:
        raise BackendError(f"The backend gave back no {kind.__name__}: {error}.") from error
