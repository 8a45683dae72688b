"""Motion: strands that follow a field like combed hair, and a flock of starlings."""

import numpy as np
from PIL import Image, ImageDraw

from ordu.worker.backends.sketch.canvas import Page, Pixels, lay, noise, skyline
from ordu.worker.backends.sketch.palettes import Colour
from ordu.worker.backends.sketch.scenes.sky import hang_orb, open_sky


def flow(page: Page) -> Pixels:
    """Coloured strands along a field, like combed hair or wind."""
    generator = page.chance("flow")
    strands = _combed(page, generator)
    image = Image.new("RGB", (page.width, page.height), _whole(page.palette.paper))
    pen = ImageDraw.Draw(image, "RGBA")
    region = noise(page, "regions", 2, 3)
    accents = page.palette.accents
    colours = [_whole(colour) for colour in (accents[0], accents[2], accents[1], accents[3])]
    colours.insert(2, _whole(page.palette.land[1]))
    count = int(strands.shape[1])
    widths = generator.random(count)
    shift = generator.normal(0, 0.6, count)
    x = np.clip(strands[0, :, 0], 0, page.width - 1).astype(int)
    y = np.clip(strands[0, :, 1], 0, page.height - 1).astype(int)
    cells = region[y, x]
    thick = page.short / 1024 * (1 if "hair" not in page.touches else 0.6)
    for i in range(count):
        points = strands[:, i]
        colour = colours[int(np.clip((cells[i] - 0.28) * 10 + shift[i], 0, 4))]
        width = max(1, round(thick * (2 + widths[i] * 4)))
        pen.line(points.ravel().tolist(), fill=(*colour, 165), width=width)
    return np.moveaxis(np.asarray(image, np.float32), 2, 0).copy()


def _whole(colour: Colour) -> tuple[int, int, int]:
    return (int(colour[0]), int(colour[1]), int(colour[2]))


def _combed(page: Page, generator: np.random.Generator) -> Pixels:
    """The points of all strands: steps × strands × (x, y)."""
    long = "hair" in page.touches
    ratio = min(page.width * page.height / page.short**2, 6.0)
    count = page.many(int((3000 if long else 2600) * ratio), 90)
    steps = 46 if long else 36
    angle = noise(page, "field", 1.1 if long else 1.6, 2 if long else 3) * 17
    places = (generator.random((count, 2)) * 1.16 - 0.08) * (page.width, page.height)
    stride = page.short / 1024 * 10
    strands = np.empty((steps, count, 2), np.float32)
    for step in range(steps):
        strands[step] = places
        x = np.clip(places[:, 0], 0, page.width - 1).astype(int)
        y = np.clip(places[:, 1], 0, page.height - 1).astype(int)
        heading = angle[y, x]
        places = places + np.stack([np.cos(heading), np.sin(heading)], axis=1) * stride
    return strands


def flock(page: Page) -> Pixels:
    """Starlings at dusk, thousands in one moving cloud."""
    generator = page.chance("flock")
    picture = open_sky(page, 0.95, 1.0)
    if generator.random() < 0.6 or page.touches & {"sun", "moon"}:
        where = page.width * generator.uniform(0.2, 0.8), page.height * generator.uniform(0.55, 0.8)
        hang_orb(page, picture, *where, page.short * generator.uniform(0.05, 0.1), 0.5)
    cloud = np.clip(_cloud(page, generator) * 0.75, 0, 1)
    lay(picture, page.palette.ink, cloud)
    line = page.height - page.reach * (0.035 + 0.05 * skyline(page, "reeds", 5, 9, 0.75))
    far = page.height - page.reach * (0.06 + 0.1 * skyline(page, "far reeds", 1.5, 6, 0.45))
    lay(picture, page.palette.land[1], np.clip((page.y - far) / 2, 0, 1) * 0.55)
    lay(picture, page.palette.ink, np.clip((page.y - line) / 2, 0, 1))
    return picture


def _cloud(page: Page, generator: np.random.Generator) -> Pixels:
    """How dark the birds make each pixel."""
    waves, phase, thick = (
        generator.uniform(3.5, 7.5),
        generator.uniform(0, 6),
        generator.uniform(0, 6),
    )
    height, tilt = generator.uniform(0.1, 0.2), generator.uniform(-0.15, 0.15)
    count = page.many(int(26000 * np.clip(page.width / page.height, 0.5, 2.5)), 1500)
    along, out, off, size = generator.random((4, count))
    out, off = _bell(out), _bell(off)
    aspect = page.reach / page.height
    across = 0.14 + 0.72 * along + out * 0.045 * (1 + 1.6 * np.sin(along * 7 + thick) ** 2)
    middle = 0.4 + tilt * (along - 0.5) + height * aspect * np.sin(along * waves + phase)
    down = middle + off * 0.027 * aspect * (1 + 2.4 * np.cos(along * 5 + thick) ** 2)
    x, y = across * page.width, down * page.height
    kept = (x > 4) & (x < page.width - 5) & (y > 4) & (y < page.height - 5)
    columns, rows, large = x[kept].astype(int), y[kept].astype(int), size[kept]
    dark = np.zeros((page.height, page.width), np.float32)
    marks = [(0, 0, 1.0), (1, 0, 0.8), (0, 1, 0.5), (-1, 0, 0.4), (2, 0, 0.3)]
    for right, below, ink in marks[: 5 if page.oversized else 3]:
        np.add.at(dark, (rows + below, columns + right), ink)
    big = large > 0.985
    for right, below in ((-3, -1), (-2, -1), (-1, 0), (0, 1), (1, 0), (2, -1), (3, -1)):
        np.add.at(dark, (rows[big] + below, columns[big] + right), 0.9)
    return dark


def _bell(share: Pixels) -> Pixels:
    """Bell-shaped numbers from even ones; a prefix of the stream stays a prefix."""
    return np.clip(np.log((share + 1e-4) / (1 - share + 1e-4)) / 1.75, -3.5, 3.5)
