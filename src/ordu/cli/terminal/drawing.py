"""From a picture to what is written to a terminal: kitty, iTerm2, sixel, or half blocks.

Every function takes a picture and how many cells it may cover, and returns text; the cursor is at
the beginning of the line below afterwards. Pictures are made small first, so what is written has a
bound: about 1 MB for the largest preview.
"""

import base64
import io
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from ordu.cli.pixels import flattened

if TYPE_CHECKING:
    from PIL.Image import Image

ESCAPE = "\x1b"
KITTY_CHUNK_BYTES = 4096  # what the protocol allows in one sequence
SIXEL_COLOURS = 128
SIXEL_PIXELS_MAX = 480  # per side: sixels are put together here, line by line
PIXELS_MAX = 640  # per side, for terminals that decode pictures themselves
UPPER_HALF = "▀"


class Way(StrEnum):
    """How a terminal shows pictures."""

    KITTY = "kitty"
    ITERM = "iterm"
    SIXEL = "sixel"
    BLOCKS = "blocks"


@dataclass(frozen=True, slots=True)
class Cells:
    """A part of a terminal: how many cells, and how many pixels each has."""

    columns: int
    rows: int
    pixels_wide: int = 8
    pixels_high: int = 16


def draw(way: Way, image: "Image", room: Cells, *, true_colour: bool = True) -> str:
    """What shows this picture within this room, at its own proportions."""
    cells = fit(image.size, room)
    if way is Way.BLOCKS:
        return blocks(image, cells, true_colour=true_colour)
    return _WAYS[way](image, cells)


def fit(size: tuple[int, int], room: Cells) -> Cells:
    """The largest part of the room with the proportions of a picture of this size."""
    width, height = size
    wide, high = room.columns * room.pixels_wide, room.rows * room.pixels_high
    scale = min(wide / width, high / height)
    columns = round(width * scale / room.pixels_wide)
    rows = round(height * scale / room.pixels_high)
    return Cells(
        min(max(columns, 1), room.columns),
        min(max(rows, 1), room.rows),
        room.pixels_wide,
        room.pixels_high,
    )


def kitty(image: "Image", cells: Cells) -> str:
    """The graphics protocol of kitty: a PNG in pieces, stretched over the cells by the terminal."""
    text = base64.b64encode(_png(image, cells)).decode("ascii")
    pieces = [text[at : at + KITTY_CHUNK_BYTES] for at in range(0, len(text), KITTY_CHUNK_BYTES)]
    head = f"a=T,f=100,q=2,c={cells.columns},r={cells.rows},"
    lines = []
    for number, piece in enumerate(pieces):
        more = int(number + 1 < len(pieces))
        lines.append(f"{ESCAPE}_G{head if number == 0 else ''}m={more};{piece}{ESCAPE}\\")
    return "".join(lines) + "\r\n"


def iterm(image: "Image", cells: Cells) -> str:
    """The inline images of iTerm2, which WezTerm and others know as well."""
    data = _png(image, cells)
    what = f"inline=1;size={len(data)};width={cells.columns};height={cells.rows}"
    text = base64.b64encode(data).decode("ascii")
    return f"{ESCAPE}]1337;File={what};preserveAspectRatio=1:{text}\a\r\n"


def sixel(image: "Image", cells: Cells) -> str:
    """Sixels: bands six pixels high, and in each band a line for each colour in it."""
    pixels = _sixel_pixels(image, cells)
    palette = pixels.getpalette() or []
    width, height = pixels.size
    data = pixels.tobytes()
    head = [f'{ESCAPE}P0;1q"1;1;{width};{height}']
    for colour in sorted(set(data)):
        levels = (round(each * 100 / 255) for each in palette[3 * colour : 3 * colour + 3])
        head.append(f"#{colour};2;{';'.join(map(str, levels))}")
    bands = [_band(data[top * width : (top + 6) * width], width) for top in range(0, height, 6)]
    return "".join(head) + "-".join(bands) + f"{ESCAPE}\\\r\n"


def blocks(image: "Image", cells: Cells, *, true_colour: bool = True) -> str:
    """Half blocks, two pixels in each cell: for every terminal that has colours."""
    from PIL import Image

    wanted = (cells.columns, cells.rows * 2)
    flat = flattened(image).resize(wanted, Image.Resampling.LANCZOS)
    data, width = flat.tobytes(), flat.width
    lines = []
    for top in range(0, flat.height, 2):
        line, before = [], ""
        for column in range(width):
            upper, lower = 3 * (top * width + column), 3 * ((top + 1) * width + column)
            code = _colours(data[upper : upper + 3], data[lower : lower + 3], true_colour)
            line.append(UPPER_HALF if code == before else code + UPPER_HALF)
            before = code
        lines.append("".join(line) + f"{ESCAPE}[0m")
    return "\r\n".join(lines) + "\r\n"


def _colours(upper: bytes, lower: bytes, true_colour: bool) -> str:
    if true_colour:
        front, back = (";".join(map(str, each)) for each in (upper, lower))
        return f"{ESCAPE}[38;2;{front};48;2;{back}m"
    return f"{ESCAPE}[38;5;{_in_256(upper)};48;5;{_in_256(lower)}m"


def _in_256(colour: bytes) -> int:
    """The nearest of the 216 colours that all terminals with 256 have."""
    red, green, blue = (round(each * 5 / 255) for each in colour)
    return 16 + 36 * red + 6 * green + blue


def _png(image: "Image", cells: Cells) -> bytes:
    """The picture as PNG, with no more pixels than the cells show."""
    wide = min(cells.columns * cells.pixels_wide, PIXELS_MAX)
    high = min(cells.rows * cells.pixels_high, PIXELS_MAX)
    small = image.copy()
    small.thumbnail((wide, high))
    buffer = io.BytesIO()
    small.save(buffer, "PNG")
    return buffer.getvalue()


def _sixel_pixels(image: "Image", cells: Cells) -> "Image":
    """The picture in few colours, as large as the cells: sixels are not stretched."""
    small = flattened(image)
    wide, high = cells.columns * cells.pixels_wide, cells.rows * cells.pixels_high
    small.thumbnail((min(wide, SIXEL_PIXELS_MAX), min(high, SIXEL_PIXELS_MAX)))
    return small.quantize(SIXEL_COLOURS)


def _band(data: bytes, width: int) -> str:
    """A band of at most six lines: for each colour a line of characters of six bits."""
    lines: dict[int, bytearray] = {}
    for at, colour in enumerate(data):
        line = lines.get(colour)
        if line is None:
            line = lines[colour] = bytearray(width)
        row, column = divmod(at, width)
        line[column] |= 1 << row
    return "$".join(f"#{colour}{_shorter(line)}" for colour, line in sorted(lines.items()))


def _shorter(line: bytearray) -> str:
    """A line as text, with what is repeated counted: `!12~`; what is empty at its end left out."""
    text = bytes(63 + each for each in line.rstrip(b"\0")).decode("ascii")
    return re.sub(r"(.)\1{3,}", lambda found: f"!{len(found[0])}{found[1]}", text)


_WAYS: Mapping[Way, Callable[["Image", Cells], str]] = {
    Way.KITTY: kitty,
    Way.ITERM: iterm,
    Way.SIXEL: sixel,
}
