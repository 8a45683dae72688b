"""Paper and cloth: a map of an island, a rug, shapes printed over each other."""

import numpy as np
from PIL import ImageDraw

from ordu.worker.backends.sketch.canvas import (
    Page,
    Pixels,
    dots,
    lay,
    noise,
    plane,
    smooth,
    stencil,
)
from ordu.worker.backends.sketch.palettes import Colour, brightness, mix

Mask = Pixels


def island(page: Page) -> Pixels:
    """A map of an island, drawn in contour lines of two inks."""
    palette = page.palette
    height = _relief(page)
    land = height > 0
    picture = page.blank(palette.paper)
    lay(picture, mix(palette.paper, palette.accents[1], 0.14), smooth(0.6 + height * 7) * ~land)
    lay(picture, mix(palette.land[-1], palette.paper, 0.25), land)
    for step in range(1, 4):
        lay(picture, palette.accents[2], smooth((height - 0.085 * step) * 90) * 0.17)
    _contours(page, picture, height)
    shore = np.clip(1.6 - np.abs(height) / (_slope(height) + 1e-6), 0, 1)
    lay(picture, palette.accents[0], shore)
    _graticule(page, picture)
    _compass(page, picture)
    return picture


def _relief(page: Page) -> Pixels:
    generator = page.chance("island")
    rough = noise(page, "relief", 2.2, page.many(6, 3))
    lift = np.full_like(rough, -1)
    islands = max(1, min(6, round(max(page.width, page.height) / page.short)))
    for i in range(islands):
        share = (i + 0.5) / islands
        across, down = (share, 0.5) if page.width > page.height else (0.5, share)
        if islands == 1:
            across = down = 0.5
        x = (across + generator.normal(0, 0.04)) * page.width
        y = (down + generator.normal(0, 0.04)) * page.height
        size = page.short * generator.uniform(0.95, 1.12)
        lift = np.maximum(lift, -np.hypot(page.x - x, page.y - y) / size * 1.15)
    return rough * 1.25 + lift - 0.26


def _slope(height: Pixels) -> Pixels:
    down, across = np.gradient(height)
    return np.hypot(down, across)


def _contours(page: Page, picture: Pixels, height: Pixels) -> None:
    level = height * (16 + 30 * page.detail)
    away = np.abs(level - np.round(level)) / (_slope(level) + 1e-6)
    weight = page.short / 1024
    line = np.clip(0.9 + weight - away, 0, 1)
    heavy = np.clip(1.4 + 1.8 * weight - away, 0, 1) * (np.round(level) % 5 == 0)
    line = np.maximum(line, heavy)
    palette = page.palette
    lay(picture, palette.accents[0], line * (height > 0) * 0.85)
    lay(picture, palette.accents[1], line * np.clip(0.75 + height * 2.2, 0, 0.8) * (height <= 0))


def _graticule(page: Page, picture: Pixels) -> None:
    """A frame with ticks, and thin lines of latitude and longitude."""
    edge, step = page.short * 0.035, page.short / 5
    inner = np.minimum(
        np.minimum(page.x, page.width - 1 - page.x), np.minimum(page.y, page.height - 1 - page.y)
    )
    thin = max(1.0, page.short / 800)
    across = np.abs((page.x - page.width / 2 + step / 2) % step - step / 2) < thin / 2
    down = np.abs((page.y - page.height / 2 + step / 2) % step - step / 2) < thin / 2
    lay(picture, page.palette.accents[1], (across | down) * (inner > edge) * 0.16)
    ticks = (((page.x // (step / 2)) + (page.y // (step / 2))) % 2 == 0) & (inner > edge * 0.62)
    lay(picture, page.palette.paper, inner < edge)
    lay(picture, page.palette.ink, ticks & (inner < edge * 0.86) & (inner > edge * 0.62))
    lines = (np.abs(inner - edge) < thin) | (np.abs(inner - edge * 0.55) < thin * 0.6)
    lay(picture, page.palette.ink, lines * 0.9)


def _compass(page: Page, picture: Pixels) -> None:
    generator = page.chance("compass")
    size = page.short * 0.075
    left, top = generator.random() < 0.5, generator.random() < 0.5
    x = size * 1.75 if left else page.width - size * 1.75
    y = size * 1.75 if top else page.height - size * 1.75
    across, down = (page.x - x) / size, (page.y - y) / size
    distance, angle = np.hypot(across, down), np.arctan2(down, across)
    star = 0.16 / (0.17 + np.abs(np.sin(angle * 2)) * 0.9)
    small = 0.1 / (0.19 + np.abs(np.cos(angle * 2)) * 0.9)
    lay(picture, page.palette.accents[0], np.clip((small - distance) * size, 0, 1) * 0.8)
    lay(picture, page.palette.ink, np.clip((star - distance) * size, 0, 1))
    light_half = (np.sin(angle * 4 + 0.001) > 0) & (distance < star * 0.9)
    lay(picture, page.palette.paper, light_half * (distance > 0.05) * 0.85)
    ring = np.abs(distance - 0.72) * size < max(0.8, page.short / 1100)
    lay(picture, page.palette.ink, ring * 0.8)


def rug(page: Page) -> Pixels:
    """A felt rug: a border of triangles, medallions and hooks."""
    if page.width > page.height:
        return np.swapaxes(rug(page.resized(page.height, page.width)), 1, 2)
    generator = page.chance("rug")
    wobble = page.short * 0.014
    x = page.x + (noise(page, "warp", 9, page.many(4, 1)) - 0.5) * wobble
    y = page.y + (noise(page, "weft", 9, page.many(4, 1)) - 0.5) * wobble
    field, light, dark, warm = _dyes(page)
    picture = page.blank(field)
    _border(page, picture, (x, y), (light, dark, warm), int(generator.integers(0, 3)))
    count = max(1, round((page.height / page.width - 0.2) * 2.4))
    room = (page.height - page.width * 0.3) / count
    star, hooks = generator.integers(3, 6), generator.random() < 0.7
    for i in range(count):
        middle = page.height / 2 + (i - (count - 1) / 2) * room
        across = np.abs(x - page.width / 2) / (page.width * 0.31)
        down = np.abs(y - middle) / (room * 0.47)
        _medallion(picture, across, down, (field, light, dark, warm), int(star), hooks)
    for i in range(count + 1):
        middle = page.height / 2 + (i - count / 2) * room
        _scrolls(page, picture, (x, y), middle, room, light)
    pile = (noise(page, "pile", 110, 2) - 0.5) * 46 + (noise(page, "wear", 14, 3) - 0.5) * 30
    picture += pile * (0.5 + 0.5 * page.detail)
    return picture


def _dyes(page: Page) -> tuple[Colour, Colour, Colour, Colour]:
    """Field, light, dark and warm: the four wools."""
    accents = page.palette.accents
    dark = min(accents, key=brightness)
    light = mix(max(accents, key=brightness), page.palette.paper, 0.35)
    rest = [colour for colour in accents if colour not in (dark, max(accents, key=brightness))]
    field, warm = rest[0], rest[-1] if len(rest) > 1 else mix(rest[0], light, 0.4)
    if page.chance("dyes").random() < 0.3:
        field, dark = dark, field
    return field, light, dark, warm


def _border(
    page: Page,
    picture: Pixels,
    place: tuple[Pixels, Pixels],
    dyes: tuple[Colour, Colour, Colour],
    pattern: int,
) -> None:
    x, y = place
    light, dark, warm = dyes
    unit = page.short / 1024
    edge = np.minimum(np.minimum(x, page.width - x), np.minimum(y, page.height - y)) / unit
    lay(picture, dark, edge < 118)
    lay(picture, light, (edge < 110) & (edge > 96))
    band = (edge < 84) & (edge > 24)
    across, down = (x - page.width / 2) / unit, (y - page.height / 2) / unit
    if pattern == 0:
        shape = ((across + down) % 96 < 48) ^ ((across - down) % 96 < 48)
    elif pattern == 1:
        along = np.where(np.minimum(x, page.width - x) / unit == edge, down, across)
        shape = np.abs(along % 64 - 32) < (edge - 20) * 0.5
    else:
        along = np.where(np.minimum(x, page.width - x) / unit == edge, down, across)
        shape = np.hypot(along % 72 - 36, edge - 54) < 25
        lay(picture, light, band & (np.hypot(along % 72 - 36, edge - 54) < 10))
        shape &= np.hypot(along % 72 - 36, edge - 54) > 14
    lay(picture, warm, band & shape)
    lay(picture, light, edge < 14)
    fringe = (y < 14 * unit) | (y > page.height - 14 * unit)
    lay(picture, mix(light, dark, 0.3), fringe & ((page.x / unit) % 11 < 4))


def _medallion(
    picture: Pixels,
    across: Pixels,
    down: Pixels,
    dyes: tuple[Colour, Colour, Colour, Colour],
    star: int,
    hooks: bool,  # noqa: FBT001 - drawn by chance, passed on as it fell
) -> None:
    field, light, dark, warm = dyes
    away = across + down
    for limit, colour in ((1.0, light), (0.9, dark), (0.62, light), (0.52, field)):
        lay(picture, colour, away < limit)
    radius, angle = np.hypot(across * 1.2, down * 1.2), np.arctan2(down, across)
    lay(picture, warm, radius < 0.36 + 0.12 * np.cos(angle * 4 * (star - 2) / 2))
    lay(picture, light, radius < 0.14)
    lay(picture, dark, radius < 0.07)
    rim = (away > 0.62) & (away < 0.9)
    if hooks:
        lay(picture, light, (np.abs(np.hypot(across - 0.62, down) - 0.12) < 0.045) & rim)
        lay(picture, warm, (np.abs(np.hypot(across, down - 0.64) - 0.1) < 0.045) & rim)
    else:
        lay(picture, warm, (np.abs((across - down) % 0.24 - 0.12) < 0.05) & rim)


def _scrolls(
    page: Page,
    picture: Pixels,
    place: tuple[Pixels, Pixels],
    middle: float,
    room: float,
    light: Colour,
) -> None:
    """A pair of ram's horns at both sides, between two medallions."""
    x, y = place
    unit = page.short / 1024
    edge = np.minimum(np.minimum(x, page.width - x), np.minimum(y, page.height - y)) / unit
    size = min(page.width * 0.1, room * 0.24)
    for side in (-1, 1):
        for end in (-1, 1):
            across = (x - page.width / 2 - side * page.width * 0.25) / size * side
            down = (y - middle - end * size * 0.95) / size * end
            radius, angle = np.hypot(across, down), np.arctan2(down, across)
            horn = np.abs(radius - (0.22 + 0.105 * (angle + np.pi))) < 0.1
            lay(picture, light, horn & (edge > 126) & (down > -0.9))


def shapes(page: Page) -> Pixels:
    """Plain shapes printed over each other, like a poster in riso inks."""
    generator = page.chance("shapes")
    palette = page.palette
    paper = palette.paper if not palette.is_dark else mix(palette.paper, palette.sky[-1], 0.25)
    picture = page.blank(paper)
    inks = [palette.accents[i] for i in generator.permutation(4)]
    aspect = max(page.width, page.height) / page.short
    count = int(min(40, generator.integers(7, 10) * aspect))
    for i in range(count):
        mask = _shape(page, generator, first=i == 0)
        _overprint(page, picture, inks[i % 4], mask, f"ink {i}", generator.random() < 0.55)
    _small_marks(page, picture, generator, aspect)
    return picture


def _shape(page: Page, generator: np.random.Generator, *, first: bool) -> Mask:
    kind = 0 if first else int(generator.integers(0, 6))
    size = page.short * (0.33 if first else generator.uniform(0.1, 0.3))
    x = page.width * generator.uniform(0.14, 0.86)
    y = page.height * generator.uniform(0.14, 0.86)
    turn = generator.choice([0, 0.25, 0.5, 0.75, 1]) * np.pi
    dx, dy = page.x - x, page.y - y
    across = dx * np.cos(turn) + dy * np.sin(turn)
    down = dy * np.cos(turn) - dx * np.sin(turn)
    distance = np.hypot(dx, dy)
    inside = size - distance
    if kind == 1:  # half a disc
        inside = np.minimum(inside, down)
    elif kind == 2:  # an arch of rings
        wave = np.abs((distance / size * 4) % 1 - 0.5) * size / 4 - size * 0.055
        inside = np.minimum(np.minimum(inside, down), wave)
    elif kind == 3:  # a bar
        inside = np.minimum(size * 1.5 - np.abs(across), size * 0.2 - np.abs(down))
    elif kind == 4:  # waves
        lines = np.abs((down / size * 3.5 + 0.22 * np.sin(across / size * 7)) % 1 - 0.5)
        inside = np.minimum(
            (lines - 0.28) * size / 3.5, size * 0.9 - np.maximum(np.abs(across), np.abs(down))
        )
    elif kind == 5:  # a quarter
        inside = np.minimum(np.minimum(size * 1.2 - distance, across), down)
    return np.clip(inside + 0.5, 0, 1)


def _overprint(
    page: Page, picture: Pixels, ink: Colour, mask: Mask, part: str, graded: bool  # noqa: FBT001
) -> None:
    """Print an ink over what is there: inks multiply, and thin out in dots to one side."""
    dot = dots(page, part)
    share = np.full((1, 1), 0.95, np.float32)
    if graded:
        angle = page.chance(part + " side").uniform(0, 6.28)
        slant = np.cos(angle) * page.x / page.width + np.sin(angle) * page.y / page.height
        share = np.clip(0.35 + 1.3 * (slant - slant.min()) / np.ptp(slant), 0, 0.97)
    printed = mask * (dot < share)
    multiplied = picture * (plane(ink) / 255)
    colour = plane(ink) * 0.72 + multiplied * 0.28
    lay(picture, colour, printed * 0.94)


def _small_marks(
    page: Page, picture: Pixels, generator: np.random.Generator, aspect: float
) -> None:
    """Rows of points and a fine line or two, which make the large shapes look large."""
    groups = [generator.random(4).tolist() for _ in range(int(min(10, 2 * aspect + 1)))]

    def draw(pen: ImageDraw.ImageDraw, factor: float) -> None:
        for across, down, turn, kind in groups:
            x, y = across * page.width * factor, down * page.height * factor
            step, size = page.short * 0.034 * factor, page.short * 0.0062 * factor
            if kind < 0.6:
                for i in range(25):
                    px, py = x + (i % 5) * step, y + (i // 5) * step
                    pen.ellipse((px - size, py - size, px + size, py + size), fill=255)
            else:
                reach = page.short * 0.42 * factor
                end = x + reach * np.cos(turn * 6.28), y + reach * np.sin(turn * 6.28)
                pen.line([(x, y), end], fill=255, width=max(1, round(size * 0.8)))

    lay(picture, page.palette.ink, stencil(page, draw) * 0.9)
