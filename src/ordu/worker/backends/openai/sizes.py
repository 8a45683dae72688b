"""Between the horde's sizes and the few that an endpoint draws: which to ask for, what to cut away.

A picture is asked for in a size of the endpoint that covers the wanted one, and its middle is kept.
A source image goes the other way: it is put into the middle of what the endpoint is sent, so that
the same cut gives the same place back.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from PIL import Image, ImageOps

SIZE = re.compile(r"[1-9][0-9]{1,4}x[1-9][0-9]{1,4}")


class Size(NamedTuple):
    """Width and height in pixels."""

    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"


def is_size(text: str) -> bool:
    """Whether a text is a size such as 1024x1536."""
    return SIZE.fullmatch(text) is not None


def read_size(text: str) -> Size:
    """The size that a text such as 1024x1536 names."""
    width, _, height = text.partition("x")
    return Size(int(width), int(height))


def best_size(wanted: Size, sizes: Sequence[Size]) -> Size:
    """The size to ask the endpoint for; the wanted one when it takes any (`sizes` is empty).

    Of those that cover what is wanted it is the one of which the largest share is kept, then the
    smallest. When none covers it, it is the one that has to be enlarged least.
    """

    def worse(size: Size) -> tuple[float, float, int]:
        scale = _scale(wanted, size)
        kept = wanted.width * wanted.height / (scale * scale * size.width * size.height)
        return max(scale, 1.0), -round(kept, 3), size.width * size.height

    return min(sizes, key=worse, default=wanted)


def cut(image: Image.Image, wanted: Size) -> Image.Image:
    """The middle of a picture, in exactly the wanted size."""
    if image.size == wanted:
        return image
    return ImageOps.fit(image, wanted, Image.Resampling.LANCZOS)


def embedded(image: Image.Image, size: Size) -> Image.Image:
    """A picture of the endpoint's size, from whose middle `cut` takes this one again.

    What will be cut away shows the picture once more, so that there is no hard border.
    """
    if image.size == size:
        return image
    scale = _scale(Size(*image.size), size)
    inner = image.resize(
        (round(image.width / scale), round(image.height / scale)), Image.Resampling.LANCZOS
    )
    outer = ImageOps.fit(image, size, Image.Resampling.LANCZOS)
    outer.paste(inner, ((size.width - inner.width) // 2, (size.height - inner.height) // 2))
    return outer


def transparent_where(mask: Image.Image) -> Image.Image:
    """The mask as the endpoint reads it: transparent where ours is white and is painted anew.

    Only what is fully transparent counts there, and masks come as lossy pictures: 253 is white.
    """
    sheet = Image.new("RGBA", mask.size, "black")
    sheet.putalpha(mask.point(lambda level: 0 if level > 127 else 255))
    return sheet


def _scale(wanted: Size, size: Size) -> float:
    """By how much a picture of this size is enlarged to cover what is wanted."""
    return max(wanted.width / size.width, wanted.height / size.height)
