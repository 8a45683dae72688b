"""Canvas: the page a scene is painted on, and the few things every scene paints with.

A picture is an array of three planes (red, green, blue; 0 to 255), each height × width: whole
planes are several times faster in numpy than pixels of three. Chance comes from named streams, so
that more strokes in one part never move another.
"""

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from ordu.worker.backends.sketch.palettes import Colour, Palette

Pixels = npt.NDArray[np.floating]
Points = list[tuple[float, float]]


@dataclass(frozen=True)
class Page:
    """What a scene is painted on: a size, colours, a seed and how much detail."""

    width: int  # canvas pixels; the finished picture may be smaller
    height: int
    palette: Palette
    seed: int = 0
    detail: float = 1.0  # above 0, and 1 for all there is
    touches: frozenset[str] = frozenset()  # small things asked for: moon, birds, apple, …
    oversized: bool = True  # the picture is reduced later, which smooths hard edges

    @property
    def short(self) -> int:
        """The shorter side."""
        return min(self.width, self.height)

    @property
    def reach(self) -> float:
        """The height that landscape is measured by: less than the page where that is very tall."""
        return min(self.height, 1.6 * self.width)

    @property
    def x(self) -> Pixels:
        """The columns, as a row to broadcast."""
        return np.arange(self.width, dtype=np.float32)[None, :]

    @property
    def y(self) -> Pixels:
        """The rows, as a column to broadcast."""
        return np.arange(self.height, dtype=np.float32)[:, None]

    def chance(self, part: str) -> np.random.Generator:
        """The stream of chance for one part of the picture."""
        return np.random.default_rng([self.seed, zlib.crc32(part.encode())])

    def many(self, full: int, least: int = 1) -> int:
        """How many strokes of `full` this detail allows."""
        return max(least, round(full * self.detail))

    def blank(self, colour: Colour) -> Pixels:
        """A picture of one colour."""
        return np.broadcast_to(plane(colour), (3, self.height, self.width)).copy()

    def resized(self, width: int, height: int) -> "Page":
        """The same page in another size."""
        return replace(self, width=width, height=height)


def plane(colour: Colour) -> Pixels:
    """A colour that broadcasts over the planes of a picture."""
    return np.array(colour, np.float32).reshape(3, 1, 1)


def ramp(colours: Sequence[Colour], share: Pixels) -> Pixels:
    """Colours along a ramp: share 0 gives the first, 1 the last."""
    places = np.linspace(0, 1, len(colours))
    table = np.stack(
        [
            np.interp(np.linspace(0, 1, 512), places, channel)
            for channel in zip(*colours, strict=True)
        ]
    ).astype(np.float32)
    index = np.clip(share * 511, 0, 511).astype(np.intp)
    return np.take(table, index, axis=1)


def lay(picture: Pixels, colour: Colour | Pixels, mask: Pixels | npt.NDArray[np.bool_]) -> None:
    """Lay a colour on the picture (or a part of it), as thickly as the mask says, 0 to 1."""
    ink = colour if isinstance(colour, np.ndarray) else plane(colour)
    picture += mask.astype(np.float32, copy=False) * (ink - picture)


def smooth(share: Pixels) -> Pixels:
    """An ease in and out: 0 below 0, 1 above 1."""
    share = np.clip(share, 0, 1)
    return share * share * (3 - 2 * share)


def stepped(page: Page, share: Pixels) -> Pixels:
    """The share in flat steps, few with little detail: shading as a poster has it."""
    levels = page.many(40, 3)
    return np.round(share * levels) / levels


def stretched(values: Pixels, width: int, height: int) -> Pixels:
    """The same values smoothly enlarged or reduced."""
    image = Image.fromarray(values.astype(np.float32, copy=False))
    return np.asarray(image.resize((width, height), Image.Resampling.BICUBIC))


def noise(page: Page, part: str, cells: float, octaves: int = 5, stretch: float = 1.0) -> Pixels:
    """Clouds from 0 to 1: `cells` blobs along the short side, each octave twice as fine.

    Coarse octaves are made small and enlarged as finer ones join: the cost is that of the last two.
    """
    generator = page.chance(part)
    total = np.zeros((2, 2), np.float32)
    amplitude, weight = 1.0, 0.0
    for octave in range(max(1, octaves)):
        size = cells * 2**octave / page.short
        rows = int(np.clip(size * page.height, 2, page.height))
        columns = int(np.clip(size * page.width * stretch, 2, page.width))
        width, height = min(page.width, columns * 5), min(page.height, rows * 5)
        grid = generator.random((rows, columns), dtype=np.float32)
        total = stretched(total, width, height) + stretched(grid, width, height) * amplitude
        weight += amplitude
        amplitude *= 0.5
    total = stretched(total, page.width, page.height) / weight
    return total.clip(0, 1)


def skyline(page: Page, part: str, cells: float, octaves: int = 6, rough: float = 0.46) -> Pixels:
    """A line of hills over the width, about 0 to 1 with 0.5 in the middle; `cells` per reach."""
    generator = page.chance(part)
    line = np.zeros(page.width, np.float32)
    amplitude, weight = 1.0, 0.0
    for octave in range(max(1, octaves)):
        count = int(min(cells * 2**octave * page.width / page.reach, page.width)) + 3
        points = generator.random(count, dtype=np.float32)
        if octave < 2:
            part_line = stretched(points[None], page.width, 1)[0]
        else:
            places = np.linspace(0, count - 1, page.width)
            part_line = np.interp(places, np.arange(count), points).astype(np.float32)
        line += part_line * amplitude
        weight += amplitude
        amplitude *= rough
    return line / weight


def dots(page: Page, part: str = "dots") -> Pixels:
    """One random number a pixel: `dots < share` prints that share of the dots of a riso ink."""
    return page.chance(part).random((page.height, page.width), dtype=np.float32)


def stencil(page: Page, draw: Callable[[ImageDraw.ImageDraw, float], None]) -> Pixels:
    """A mask drawn with Pillow; `draw` gets the pen and its pixels per canvas pixel."""
    factor = 1 if page.oversized else 2
    image = Image.new("L", (page.width * factor, page.height * factor))
    draw(ImageDraw.Draw(image), factor)
    if factor > 1:
        image = image.reduce(factor)
    return np.asarray(image, np.float32) / 255


def scaled(points: Points, factor: float) -> Points:
    """The points in the pixels of a stencil."""
    return [(x * factor, y * factor) for x, y in points]


def box(page: Page, x: float, y: float, width: float, height: float) -> tuple[slice, slice]:
    """The rows and columns within this distance of a point, cut at the edges (maybe empty)."""
    top, bottom = (int(np.clip(v, 0, page.height)) for v in (y - height, y + height + 1))
    left, right = (int(np.clip(v, 0, page.width)) for v in (x - width, x + width + 1))
    return slice(top, bottom), slice(left, right)


def light(
    picture: Pixels, page: Page, x: float, y: float, radius: float, colour: Colour, strength: float
) -> None:
    """A soft glow around a point, three radii wide."""
    rows, columns = box(page, x, y, radius * 3, radius * 3)
    distance = np.hypot(page.x[:, columns] - x, page.y[rows] - y) / radius
    fade = np.exp(-distance * 1.6) * smooth(3 - distance) * strength
    lay(picture[:, rows, columns], colour, np.minimum(fade, 1))
