"""What a worker's owner sees: a line for each picture, a status below, nothing in between.

On a terminal each line has the time in front, and the last line says what is being done. In a log
there are only the lines, and where a parent reads them, which has a clock of its own, no time.
"""

import time
from collections.abc import Mapping
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from rich.status import Status
from rich.text import Text

from ordu.cli.console import clean, out
from ordu.settings import WorkerSettings
from ordu.worker import events
from ordu.worker.events import Event
from ordu.worker.jobs import name_of

# Why a waiting request was not given to this worker, after "1 request" or "3 requests".
REASONS: Mapping[str, str] = {
    "models": "for other models",
    "max_pixels": "too large for this worker",
    "nsfw": "marked nsfw",
    "worker_id": "for certain other workers",
    "untrusted": "for trusted workers only",
    "performance": "for faster workers",
    "blacklist": "with words you do not take",
    "bridge_version": "for a newer worker",
    "img2img": "with a source image",
    "painting": "for inpainting",
    "post-processing": "with post-processing",
    "lora": "with LoRAs",
    "controlnet": "with a ControlNet",
    "step_count": "with too many steps",
    "kudos": "that cannot be paid up front",
    "unsafe_ip": "from a suspicious address",
    "paused": "of others, while this worker is paused",
}
NOTHING_TO_DO = "waiting for work"


def in_words(skipped: Mapping[str, int]) -> str:
    """Why there is no job: `waiting for work; passed over: 3 for other models`."""
    if not skipped:
        return NOTHING_TO_DO
    parts = [f"{count} {REASONS.get(reason, reason)}" for reason, count in skipped.items()]
    return f"{NOTHING_TO_DO}; passed over: {', '.join(parts)}"


class Talk:
    """Tells a person what a worker does."""

    def __init__(self, settings: WorkerSettings, *, has_parent: bool) -> None:
        self._settings = settings
        self._console = out()
        self._has_clock = not has_parent
        self._jobs: dict[str, tuple[str, float]] = {}  # what each job in hand is, and its share
        self._made: dict[str, events.Made] = {}
        self._pictures = 0
        self._kudos = 0.0
        self._idle = ""
        self._is_stopping = False
        self._stack = ExitStack()
        self._status: Status | None = None

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._status = self._stack.enter_context(
                Status("asking for work", console=self._console, refresh_per_second=5)
            )
        settings = self._settings
        self._line(
            f"worker {name_of(settings)!r} draws with {settings.backend} for {settings.url},"
            f" {settings.jobs} at once"
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()
        self._status = None
        if error is None:
            many = "picture" if self._pictures == 1 else "pictures"
            self._line(f"stopped: {self._pictures} {many}, +{self._kudos:g} kudos")

    def stopping(self) -> None:
        """The worker was asked to stop."""
        self._is_stopping = True
        if self._jobs:
            hint = "; Ctrl-C again lets go of it" if self._has_clock else ""
            self._line(f"stopping, with {len(self._jobs)} in hand{hint}")
        self._show()

    def tell(self, event: Event) -> None:
        """Tell what has happened."""
        match event:
            case events.Took():
                size = f"{event.width}×{event.height}, {event.steps} steps, {clean(event.model)}"
                self._jobs[event.job_id] = (size, 0.0)
            case events.Drawn() if event.job_id in self._jobs:
                self._jobs[event.job_id] = (self._jobs[event.job_id][0], event.share)
            case events.Made():
                self._made[event.job_id] = event
            case events.Delivered():
                self._delivered(event)
            case events.Failed():
                self._line(f"failed: {self._forget(event.job_id)}: {event.reason}", "red")
            case events.Dropped():
                self._line(f"dropped: {self._forget(event.job_id)}: {event.reason}", "yellow")
            case events.Idle():
                self._be_idle(in_words(event.skipped))
            case events.Paused():
                self._line(f"no new work for {event.seconds:.0f} s: {event.reason}", "yellow")
            case events.Lost():
                self._line(f"lost the horde, trying again: {event.reason}", "yellow")
            case events.Back():
                self._line("the horde is back", "green")
        self._show()

    def _delivered(self, event: events.Delivered) -> None:
        made = self._made.get(event.job_id)
        seconds = f" in {made.seconds:.1f} s" if made else ""
        self._pictures += 1
        self._kudos = round(self._kudos + (event.reward or 0.0), 2)
        reward = "reward unknown" if event.reward is None else f"+{event.reward:g} kudos"
        self._line(f"drew {self._forget(event.job_id)}{seconds}, {reward}", "green")

    def _forget(self, job_id: str) -> str:
        """What the job was, which is no longer in hand."""
        self._made.pop(job_id, None)
        return self._jobs.pop(job_id, ("a picture", 0.0))[0]

    def _be_idle(self, words: str) -> None:
        """Say why there is no work, when it is another reason than before."""
        if words != self._idle and not self._jobs:
            self._idle = words
            self._line(words, "dim")

    def _show(self) -> None:
        if self._status is None:
            return
        doing = ", ".join(f"{size} {share:.0%}" for size, share in self._jobs.values())
        what = f"drawing {doing}" if doing else "stopping" if self._is_stopping else NOTHING_TO_DO
        self._status.update(Text(f"{what} · {self._pictures} done, {self._kudos:g} kudos"))

    def _line(self, text: str, style: str | None = None) -> None:
        clock = time.strftime("%H:%M:%S ") if self._has_clock else ""
        self._console.print(clock + clean(text), style=style)
        self._console.file.flush()
