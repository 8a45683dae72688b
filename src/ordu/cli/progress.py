"""Live progress of requests, on standard error: place in line, being drawn, done.

On a terminal each request has a line that changes. Elsewhere a line is written whenever something
happened, and never because only time went by.
"""

from collections.abc import Callable
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import Progress as Bars
from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Column

from ordu.cli.console import clean
from ordu.client import Progress, Stage

TITLE_CHARACTERS_MAX = 40


class Board:
    """Shows how far requests are."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bars = Bars(
            TextColumn(" "),
            SpinnerColumn(finished_text="[green]✓[/green]"),
            TextColumn("{task.fields[title]}", markup=False, style="bold"),
            TextColumn("{task.description}", markup=False, table_column=Column(min_width=26)),
            TimeElapsedColumn(),
            console=console,
            disable=not console.is_terminal,
        )

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bars.stop()

    def add(self, title: str) -> Callable[[Progress], None]:
        """Show a request under this title; the result is to be told how far it is."""
        title = shortened(clean(title))
        row = self._bars.add_task("asking", total=1.0, title=title)
        said = ""

        def show(progress: Progress) -> None:
            nonlocal said
            done = 1.0 if progress.is_over else 0.0
            self._bars.update(row, description=in_words(progress), completed=done)
            news = in_words(progress, with_time=False)
            if not self._console.is_terminal and news != said:
                said = news
                self._console.print(f"  {title}: {news}")

        return show


def shortened(title: str) -> str:
    """A title that fits beside its progress."""
    if len(title) <= TITLE_CHARACTERS_MAX:
        return title
    return title[: TITLE_CHARACTERS_MAX - 1] + "…"


def in_words(progress: Progress, *, with_time: bool = True) -> str:
    """How far a request is: `place 3 in line, about 12 s`."""
    total = progress.waiting + progress.processing + progress.finished
    count = f", {progress.finished} of {total} done" if total > 1 else ""
    wait = f", about {progress.wait_s} s" if with_time and progress.wait_s > 0 else ""
    match progress.stage:
        case Stage.DONE:
            return "done"
        case Stage.FAULTED:
            return "failed"
        case Stage.PROCESSING:
            return f"being drawn{count}{wait}"
    if not progress.is_possible:
        return f"waiting: no worker that is here now can draw it{count}"
    place = f"place {progress.position} in line" if progress.position else "waiting"
    return place + count + wait
