"""`--watch`: the same question again and again, the last answer on the screen, until Ctrl-C.

On a terminal the answer is drawn over the one before. Elsewhere each answer follows the last, with
an empty line between; with `--json` each is one line. A horde that is away for a moment is asked
again; what it refuses ends it.
"""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from types import FrameType
from typing import TypeVar

import click
import msgspec
from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from ordu.cli.console import out
from ordu.cli.failures import TERMINATED, in_words
from ordu.client import HordeError

T = TypeVar("T")


def watch(
    ask: Callable[[], T],
    show: Callable[[T], None],
    pause_s: float,
    *,
    as_json: bool = False,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Ask and show until Ctrl-C, which is the usual end and no failure.

    Raises:
        HordeError: the first question was not answered, or a later one was refused.
    """
    with _ended_by_signals():
        if as_json or not out().is_terminal:
            _in_lines(ask, show, pause_s, sleep, as_json=as_json)
        else:
            _on_screen(ask, show, pause_s, sleep)


def _on_screen(
    ask: Callable[[], T], show: Callable[[T], None], pause_s: float, sleep: Callable[[float], None]
) -> None:
    # Another console than that of `show`, whose words would be drawn twice else.
    screen = Console(highlight=False, markup=False, emoji=False)
    body = _drawn(show, ask())
    with Live(console=screen, auto_refresh=False, vertical_overflow="ellipsis") as live:
        words = ""
        while True:
            at = datetime.now().strftime("%H:%M:%S")  # noqa: DTZ005 - the clock on the wall
            foot = words or f"{at}, again every {pause_s:g} s, until Ctrl-C"
            live.update(Group(body, Text(f"  {foot}", style="dim")), refresh=True)
            sleep(pause_s)
            answer = _again(ask)
            words = ""
            if isinstance(answer, HordeError):
                words = f"{at}, asked again every {pause_s:g} s: {in_words(answer)}"
            else:
                body = _drawn(show, answer)


def _in_lines(
    ask: Callable[[], T],
    show: Callable[[T], None],
    pause_s: float,
    sleep: Callable[[float], None],
    *,
    as_json: bool,
) -> None:
    answer: T | HordeError = ask()
    while True:
        if isinstance(answer, HordeError):
            click.echo(f"ordu: {in_words(answer)}", err=True)
        elif as_json:
            click.echo(msgspec.json.encode(answer).decode())
        else:
            show(answer)
            click.echo()
        sleep(pause_s)
        answer = _again(ask)


def _again(ask: Callable[[], T]) -> T | HordeError:
    """The next answer, or the error of a horde that may answer later."""
    try:
        return ask()
    except HordeError as error:
        if not error.may_pass:
            raise
        return error


def _drawn(show: Callable[[T], None], answer: T) -> Text:
    """What `show` prints, as text to be drawn over what was there."""
    with out().capture() as captured:
        show(answer)
    return Text.from_ansi(captured.get())


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Ctrl-C is the end; SIGTERM leaves the terminal as it was, too."""

    def end(number: int, frame: FrameType | None) -> None:
        del number, frame
        raise SystemExit(TERMINATED)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    except KeyboardInterrupt:
        return
    finally:
        signal.signal(signal.SIGTERM, before)
