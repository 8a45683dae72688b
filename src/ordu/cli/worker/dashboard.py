"""The dashboard of a running worker: lines scroll by, and below them stands what is going on.

What is told as a line is told by `talk`; what stands below is drawn by `sections` from the same
shift. A thread draws it again when something changed, and once a second because time went by. The
dashboard owns nothing but the last lines of the screen: what scrolled stays in the terminal's
history, and at the end the dashboard is taken away and the cursor is back.
"""

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from types import FrameType, TracebackType
from typing import Self, TextIO, TypeAlias

from rich.cells import cell_len
from rich.console import Console, ConsoleDimensions, ConsoleOptions, Group, RenderResult
from rich.control import Control
from rich.live import Live
from rich.text import Text

from ordu.cli.console import out
from ordu.cli.worker.sections import View, draw
from ordu.cli.worker.shift import Shift
from ordu.cli.worker.talk import Line, Talk
from ordu.settings import WorkerSettings
from ordu.worker.events import Event
from ordu.worker.jobs import name_of

REDRAW_S = 0.25  # at most four times a second
CALM_S = 15.0  # for so long it keeps its height when there is less to show, so that nothing jumps
WAIT_S_MAX = 5.0  # for the thread that draws, at the end
SHOW_CURSOR = b"\x1b[?25h"
COLUMNS_MIN = 40  # on a smaller screen there are lines only
LINES_MIN = 8


class Dashboard:
    """Talk, with the dashboard below it."""

    def __init__(
        self,
        talk: Talk,
        settings: WorkerSettings,
        *,
        console: Console,
        devices: Sequence[str] = (),
    ) -> None:
        self._talk = talk
        self._settings = settings
        self._console = console
        self._devices = tuple(devices)
        self._size = console.size
        self._high = (0, 0.0)  # how many lines it had, and when it last needed them
        self._drawn: tuple[Shift, int] | None = None
        self._live = self._new_live()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._keep_drawing, name="dashboard", daemon=True)
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._talk.__enter__()
        terminal = sys.stderr
        self._live.start(refresh=True)
        self._stack.callback(self._stop_drawing)
        self._stack.enter_context(logs_above(terminal))
        self._stack.enter_context(self._cursor_back_when_suspended())
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._stack.close()
        finally:
            self._talk.__exit__(kind, error, trace)

    def tell(self, event: Event) -> None:
        """Tell what has happened."""
        self._talk.tell(event)

    def stopping(self) -> None:
        """The worker was asked to stop."""
        self._talk.stopping()

    def owner_had(self, kudos: float) -> None:
        """What the worker's owner had at the start, which the horde has said."""
        self._talk.owner_had(kudos)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The dashboard as it is now, for the screen as large as it is now."""
        width, height = options.size
        lines = draw(self._view(), width - 1, height)  # the last column may wrap by itself
        now = time.monotonic()
        if len(lines) >= self._high[0] or now - self._high[1] > CALM_S:
            self._high = (len(lines), now)
        # The last line is the hint; what is missing to the height before goes above it.
        lines[-1:-1] = [Text()] * (self._high[0] - len(lines))
        yield Group(*lines)

    def _view(self) -> View:
        settings = self._settings
        return View(
            name=name_of(settings),
            url=settings.url,
            backend=settings.backend,
            shift=self._talk.shift,
            now=time.monotonic(),
            wall=time.time(),
            devices=self._devices,
        )

    def _new_live(self) -> Live:
        return Live(
            self,
            console=self._console,
            auto_refresh=False,
            transient=True,
            redirect_stderr=sys.stderr.isatty(),  # what goes to a file, goes there
        )

    def _keep_drawing(self) -> None:
        while not self._is_over.wait(REDRAW_S):
            if self._console.size != self._size:
                self._begin_anew()
            now = (self._talk.shift, int(time.monotonic()))
            if self._drawn is None or now[1] != self._drawn[1] or now[0] is not self._drawn[0]:
                self._drawn = now
                self._live.refresh()

    def _stop_drawing(self) -> None:
        self._is_over.set()
        if self._thread.is_alive():
            self._thread.join(WAIT_S_MAX)
        self._live.stop()

    def _begin_anew(self) -> None:
        """Clear a screen whose size changed: where lines are that were wrapped, nobody can know."""
        self._live.stop()
        self._size = self._console.size
        self._high = (0, 0.0)
        self._console.control(Control.clear(), Control.home())
        room = self._size.height - len(draw(self._view(), *self._size))
        again: list[Line] = []
        for line in reversed(self._talk.recent.copy()):
            room -= -(-cell_len(line.words) // self._size.width)  # a long one takes several
            if room < 0:
                break
            again.append(line)
        for line in reversed(again):
            self._talk.show(line)
        self._live = self._new_live()
        self._live.start(refresh=True)

    @contextmanager
    def _cursor_back_when_suspended(self) -> Iterator[None]:
        """Give the shell its cursor back on Ctrl-Z, and draw all of the screen anew after `fg`."""

        def suspend(number: int, frame: FrameType | None) -> None:
            del frame
            # Past all buffers: whatever the signal interrupted may hold them.
            os.write(self._console.file.fileno(), SHOW_CURSOR)
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)  # stops here until the shell lets it go on
            signal.signal(number, suspend)
            self._size = ConsoleDimensions(0, 0)

        if threading.current_thread() is not threading.main_thread():
            yield  # nobody else may set what a signal does
            return
        before = signal.signal(signal.SIGTSTP, suspend)
        try:
            yield
        finally:
            signal.signal(signal.SIGTSTP, before)


@contextmanager
def logs_above(terminal: TextIO) -> Iterator[None]:
    """Let what is logged to this terminal scroll above the dashboard instead of into it."""
    moved = [
        handler
        for handler in logging.getLogger().handlers
        if isinstance(handler, logging.StreamHandler) and handler.stream is terminal
    ]
    for handler in moved:
        handler.setStream(sys.stderr)  # by now that of the dashboard
    try:
        yield
    finally:
        for handler in moved:
            handler.setStream(terminal)


Teller: TypeAlias = Talk | Dashboard


def teller(
    settings: WorkerSettings,
    *,
    has_parent: bool,
    is_plain: bool = False,
    devices: Sequence[str] = (),
) -> Teller:
    """Who tells the owner of this worker what it does: the dashboard, where the screen can show it.

    `devices` are named before anything is heard of them.
    """
    talk = Talk(settings, has_parent=has_parent)
    console = out()
    if is_plain or has_parent or not can_show(console):
        return talk
    return Dashboard(talk, settings, console=console, devices=devices)


def can_show(console: Console) -> bool:
    """Whether lines at the bottom of this screen can be drawn again and again."""
    width, height = console.size
    return (
        console.is_interactive
        and not console.is_dumb_terminal
        and console.encoding.startswith("utf")
        and width >= COLUMNS_MIN
        and height >= LINES_MIN
        and _is_in_front(console)
    )


def _is_in_front(console: Console) -> bool:
    """Whether this process has the terminal, and is not one that a shell runs behind the prompt."""
    with suppress(OSError, ValueError):  # no terminal, or not ours
        return os.tcgetpgrp(console.file.fileno()) == os.getpgrp()
    return True
