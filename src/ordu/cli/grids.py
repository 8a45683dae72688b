"""A contact sheet: all pictures of a call beside each other in one, in the order they came."""

import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ordu.cli.pixels import decoded

if TYPE_CHECKING:
    from PIL.Image import Image

TILE_PIXELS_MAX = 512  # the longer side of a picture on the sheet
SHEET_PIXELS_MAX = 4096  # the longer side of the sheet
GAP_PIXELS = 8
QUALITY = 90  # of WebP, 0 to 100


def sheet(paths: Sequence[Path]) -> bytes:
    """The contact sheet of the pictures in these files, as WebP.

    Raises:
        PixelsError: one of them cannot be read.
    """
    from PIL import Image

    columns = math.ceil(math.sqrt(len(paths)))
    rows = math.ceil(len(paths) / columns)
    tile = min(TILE_PIXELS_MAX, SHEET_PIXELS_MAX // columns - GAP_PIXELS)
    tiles = [_tile(path, tile) for path in paths]
    width, height = max(each.width for each in tiles), max(each.height for each in tiles)
    step_x, step_y = width + GAP_PIXELS, height + GAP_PIXELS
    size = (columns * step_x - GAP_PIXELS, rows * step_y - GAP_PIXELS)
    whole = Image.new("RGBA", size, (0, 0, 0, 0))
    for number, each in enumerate(tiles):
        row, column = divmod(number, columns)
        left = column * step_x + (width - each.width) // 2
        whole.paste(each, (left, row * step_y + (height - each.height) // 2))
    buffer = io.BytesIO()
    whole.save(buffer, "WEBP", quality=QUALITY)
    return buffer.getvalue()


def _tile(path: Path, side: int) -> "Image":
    image = decoded(path.read_bytes())
    image.thumbnail((side, side))
    return image
