"""What a worker tells its owner in lines: one for each picture, nothing in between.

On a terminal the dashboard stands below them. In a log there are only the lines, and where a parent
reads them, which has a clock of its own, they have no time in front.
"""

import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self

from rich.text import Text

from ordu.cli.console import clean, out
from ordu.cli.worker import shift as shifts
from ordu.cli.worker.shift import Shift
from ordu.cli.worker.words import duration, in_words, pixels
from ordu.settings import WorkerSettings
from ordu.worker import events
from ordu.worker.events import Event
from ordu.worker.jobs import name_of

RECENT_MAX = 200  # lines that can be shown again


@dataclass(frozen=True, slots=True)
class Line:
    """Something that happened, in words."""

    words: str
    style: str = ""


class Talk:
    """Tells a person what a worker does; `shift` is all of it so far.

    `clock` is for tests.
    """

    def __init__(
        self,
        settings: WorkerSettings,
        *,
        has_parent: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.shift = shifts.starting(clock())
        self.recent: deque[Line] = deque(maxlen=RECENT_MAX)
        self._settings = settings
        self._console = out()
        self._has_clock = not has_parent
        self._clock = clock
        self._idle = ""

    def __enter__(self) -> Self:
        settings = self._settings
        self._tell(
            Line(
                f"worker {name_of(settings)!r} draws with {settings.backend} for {settings.url},"
                f" {settings.jobs} at once"
            )
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            many = "picture" if self.shift.pictures == 1 else "pictures"
            kudos = f"+{self.shift.kudos:.12g} kudos"
            self._tell(Line(f"stopped: {self.shift.pictures} {many}, {kudos}"))

    def stopping(self) -> None:
        """The worker was asked to stop."""
        self.shift = replace(self.shift, is_stopping=True)
        if self.shift.jobs:
            hint = "; Ctrl-C again lets go of it" if self._has_clock else ""
            self._tell(Line(f"stopping, with {len(self.shift.jobs)} in hand{hint}"))

    def tell(self, event: Event) -> None:
        """Tell what has happened."""
        line = said(self.shift, event)
        self.shift = shifts.after(self.shift, event, self._clock())
        is_told = not (self.shift.jobs or self.shift.is_stopping)
        if isinstance(event, events.Idle) and is_told:
            line = self._when_new(in_words(event.skipped))
        if line is not None:
            self._tell(line)

    def owner_had(self, kudos: float) -> None:
        """What the worker's owner had at the start, which the horde has said."""
        self.shift = replace(self.shift, balance=kudos)

    def _when_new(self, idle: str) -> Line | None:
        """Why there is no work, when it is another reason than was told last."""
        if idle == self._idle:
            return None
        self._idle = idle
        return Line(idle, "dim")

    def _tell(self, line: Line) -> None:
        clock = time.strftime("%H:%M:%S ") if self._has_clock else ""
        line = replace(line, words=clock + clean(line.words))
        self.recent.append(line)
        self.show(line)

    def show(self, line: Line) -> None:
        """Print a line as it is."""
        # As a text with its own style: a style of `print` would be the dashboard's as well.
        self._console.print(Text(line.words, line.style))
        self._console.file.flush()


def said(before: Shift, event: Event) -> Line | None:
    """What is told of an event that came after this; None: nothing, the dashboard shows it."""
    match event:
        case events.Delivered():
            reward = "reward unknown" if event.reward is None else f"+{event.reward:.12g} kudos"
            job = _job(before, event.job_id) + _time(before, event.job_id)
            return Line(f"drew {job}, {reward}", "green")
        case events.Failed():
            return Line(f"failed: {_job(before, event.job_id)}: {event.reason}", "red")
        case events.Dropped():
            return Line(f"dropped: {_job(before, event.job_id)}: {event.reason}", "yellow")
    return _news(before, event)


def _news(before: Shift, event: Event) -> Line | None:
    """What is told of an event that is not of a job."""
    line = None
    match event:
        case events.Paused():
            is_endless = math.isinf(event.seconds)
            end = "until its owner says so" if is_endless else f"for {duration(event.seconds)}"
            line = Line(f"no new work {end}: {event.reason}", "yellow")
        case events.Limited():
            size = pixels(event.max_pixels)
            line = Line(f"a picture did not fit: from now on only up to {size}", "yellow")
        case events.Notice():
            line = Line(f"the horde says: {event.text}", "cyan")
        case events.Lost():
            line = Line(f"lost the horde, trying again: {event.reason}", "yellow")
        case events.Back() if before.paused is not None and before.lost is None:
            line = Line("the pause is over", "green")
        case events.Back():
            line = Line("the horde is back", "green")
    return line


def _job(before: Shift, job_id: str) -> str:
    """What a job is: `512×768, 30 steps, sdxl`."""
    job = before.jobs.get(job_id)
    return f"{job.width}×{job.height}, {job.steps} steps, {job.model}" if job else "a picture"


def _time(before: Shift, job_id: str) -> str:
    """How long it took, if that was told: ` in 2.4 s`."""
    job = before.jobs.get(job_id)
    return "" if job is None or job.made_s is None else f" in {job.made_s:.1f} s"
