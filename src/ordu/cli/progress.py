"""Live progress of requests, on standard error: place in line, being drawn, done.

On a terminal each request has a line that changes; of many requests only those under way have one,
above a line that counts. Elsewhere a line is written whenever something happened, and never because
only time went by.
"""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import Progress as Bars
from rich.progress import SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Column

from ordu.cli.console import clean
from ordu.client import Progress, Stage

TITLE_CHARACTERS_MAX = 40
LINES_MAX = 8  # of requests that are over


class Board:
    """Shows how far requests are; `expected` is how many there will be."""

    def __init__(self, console: Console, expected: int = 1) -> None:
        self.console = console
        self._expected = expected
        self._ended = 0
        self.bars = Bars(
            TextColumn(" "),
            SpinnerColumn(finished_text="[green]✓[/green]"),
            TextColumn("{task.fields[title]}", markup=False, style="bold"),
            TextColumn("{task.description}", markup=False, table_column=Column(min_width=26)),
            TimeElapsedColumn(),
            console=console,
            disable=not console.is_terminal,
            redirect_stdout=False,  # results may go to a file
        )
        self._count: TaskID | None = None

    def __enter__(self) -> Self:
        self.bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.bars.stop()

    @property
    def has_many(self) -> bool:
        """Whether there are too many requests for a line each."""
        return self._expected > LINES_MAX

    def add(self, title: str) -> "Line":
        """Show a request under this title; the result is to be told how far it is."""
        return Line(self, shortened(clean(title)))

    def count_ended(self) -> None:
        """One more is over."""
        self._ended += 1
        if not self.has_many:
            return
        if self._count is None:
            self._count = self.bars.add_task("", total=self._expected, title="all")
        words = f"{self._ended} of {self._expected} over"
        self.bars.update(self._count, description=words, completed=self._ended)


class Line:
    """What is shown of one request."""

    def __init__(self, board: Board, title: str) -> None:
        self._board = board
        self._title = title
        self._row = board.bars.add_task("asking", total=1.0, title=title)
        self._said = ""
        self._is_over = False

    def __call__(self, progress: Progress) -> None:
        """Show how far it is."""
        if self._is_over:
            return  # its row may be gone
        done = 1.0 if progress.is_over else 0.0
        self._board.bars.update(self._row, description=in_words(progress), completed=done)
        self._say(in_words(progress, with_time=False))
        if progress.is_over:
            self._end()

    def fail(self, words: str) -> None:
        """Show that nothing, or nothing more, will come of it."""
        if self._is_over:
            return
        self._board.bars.update(self._row, description=shortened(clean(words)))
        self._board.bars.stop_task(self._row)
        self._end()

    def _say(self, news: str) -> None:
        if not self._board.console.is_terminal and news != self._said:
            self._said = news
            self._board.console.print(f"  {self._title}: {news}")

    def _end(self) -> None:
        self._is_over = True
        self._board.count_ended()
        if self._board.has_many:
            self._board.bars.remove_task(self._row)


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
