"""Previews: finished pictures shown where they were asked for, if that is a terminal.

    auto    where the terminal shows pictures, else not
    on      there as pictures, on other terminals as half blocks
    blocks  as half blocks
    off     never

Something that cannot be shown is passed over: the picture is saved all the same.
"""

import os
from dataclasses import dataclass

from rich.console import Console
from rich.segment import Segment, Segments

from ordu.cli.failures import extra
from ordu.cli.pixels import PixelsError, decoded
from ordu.cli.terminal.detecting import ask_terminal, cell_pixels, way_of
from ordu.cli.terminal.drawing import Cells, Way, draw

CHOICES = ("auto", "on", "blocks", "off")
COLUMNS_MAX = 48
ROWS_MAX = 16
SHOWN_MAX = 100  # pictures of one call


@dataclass(slots=True)
class Previews:
    """Shows pictures on a console, in one way; none at all without a way."""

    console: Console
    way: Way | None
    pixels: tuple[int, int] = (8, 16)
    shown: int = 0

    def show(self, data: bytes) -> None:
        """Show the picture, if it can be; above what else is on the screen."""
        if self.way is None or self.shown >= SHOWN_MAX:
            return
        columns, rows = self.console.size
        if columns < 4 or rows < 4:
            return
        room = Cells(min(COLUMNS_MAX, columns - 1), min(ROWS_MAX, rows - 3), *self.pixels)
        is_true = self.console.color_system == "truecolor"
        try:
            text = draw(self.way, decoded(data), room, true_colour=is_true)
        except PixelsError:
            return
        self.shown += 1
        self.console.print(Segments([Segment(text)]), crop=False, end="")


def previews(choice: str, console: Console) -> Previews:
    """What is shown of the pictures of this call.

    Raises:
        Failure: previews were asked for, and what they are drawn with is not installed.
    """
    if choice == "off" or not console.is_terminal or console.is_dumb_terminal:
        return Previews(console, None)
    if not _can_draw(choice):
        return Previews(console, None)
    has_colours = console.color_system is not None
    blocks = Way.BLOCKS if has_colours else None
    if choice == "blocks":
        return Previews(console, blocks)
    way = way_of(os.environ, ask_terminal)
    if way is None and choice == "on":
        way = blocks
    return Previews(console, way, cell_pixels())


def _can_draw(choice: str) -> bool:
    try:
        with extra("worker", "show pictures"):
            import PIL as _pillow  # noqa: F401, N811 - only whether it is there
    except Exception:
        if choice == "auto":
            return False
        raise
    return True
