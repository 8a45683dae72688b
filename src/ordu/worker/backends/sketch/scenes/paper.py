"""Paper and cloth: a map of an island, a rug, shapes printed over each other."""

import numpy as np
from PIL import ImageDraw

from ordu.worker.backends.sketch.canvas import (
    Page,
    Pixels,
    box,
    dots,
    lay,
    noise,
    plane,
    smooth,
    stencil,
    stepped,
)
from ordu.worker.backends.sketch.palettes import Colour, brightness, mix


def island(page: Page) -> Pixels:
    """A map of an island, drawn in contour lines of two inks."""
    palette = page.palette
    height = _relief(page)
    land = height > 0
    water_ink = mix(palette.sky[0], palette.ink, 0.3)
    land_ink = max(palette.accents[:3], key=lambda colour: _apart(colour, water_ink))
    paper = palette.paper if not palette.is_dark else mix(palette.paper, palette.sky[-1], 0.12)
    picture = page.blank(paper)
    lay(picture, mix(paper, water_ink, 0.2), smooth(0.7 + height * 6) * ~land)
    lay(picture, mix(paper, land_ink, 0.13), land)
    for step in range(1, 5):
        lay(picture, land_ink, smooth((height - 0.075 * step) * 90) * 0.13)
    _contours(page, picture, height, (land_ink, water_ink))
    shore = np.clip(1.7 * page.short / 1024 + 0.4 - np.abs(height) / (_slope(height) + 1e-6), 0, 1)
    lay(picture, mix(land_ink, palette.ink, 0.3), shore)
    _graticule(page, picture)
    _compass(page, picture, land_ink)
    return picture


def _apart(first: Colour, second: Colour) -> float:
    return float(np.abs(np.subtract(first, second)).sum())


def _relief(page: Page) -> Pixels:
    generator = page.chance("island")
    rough = noise(page, "relief", 2.2, page.many(6, 3))
    lift = np.full_like(rough, -9)
    islands = max(1, min(6, round(max(page.width, page.height) / page.short)))
    for i in range(islands):
        share = (i + 0.5) / islands
        across, down = (share, 0.5) if page.width > page.height else (0.5, share)
        x = (across + generator.normal(0, 0.05) / islands) * page.width
        y = (down + generator.normal(0, 0.05) / islands) * page.height
        size = page.short * generator.uniform(0.85, 1.0)
        lift = np.maximum(lift, -np.hypot(page.x - x, page.y - y) / size * 1.75)
    return rough * 1.35 + lift - 0.17


def _slope(height: Pixels) -> Pixels:
    down, across = np.gradient(height)
    steepness: Pixels = np.hypot(down, across)
    return steepness


def _contours(page: Page, picture: Pixels, height: Pixels, inks: tuple[Colour, Colour]) -> None:
    level = height * (16 + 30 * page.detail)
    away = np.abs(level - np.round(level)) / (_slope(level) + 1e-6)
    weight = page.short / 1024
    line = np.clip(0.9 + weight - away, 0, 1)
    heavy = np.clip(1.4 + 1.8 * weight - away, 0, 1) * (np.round(level) % 5 == 0)
    line = np.maximum(line, heavy)
    land_ink, water_ink = inks
    lay(picture, land_ink, line * (height > 0) * 0.85)
    lay(picture, water_ink, line * np.clip(0.75 + height * 1.6, 0.06, 0.8) * (height <= 0))


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


def _compass(page: Page, picture: Pixels, ink: Colour) -> None:
    generator = page.chance("compass")
    size = page.short * 0.075
    left, top = generator.random() < 0.5, generator.random() < 0.5
    x = size * 1.75 if left else page.width - size * 1.75
    y = size * 1.75 if top else page.height - size * 1.75
    rows, columns = box(page, x, y, size * 1.2, size * 1.2)
    part = picture[:, rows, columns]
    across, down = (page.x[:, columns] - x) / size, (page.y[rows] - y) / size
    distance, angle = np.hypot(across, down), np.arctan2(down, across)
    star = 0.16 / (0.17 + np.abs(np.sin(angle * 2)) * 0.9)
    small = 0.1 / (0.19 + np.abs(np.cos(angle * 2)) * 0.9)
    lay(part, ink, np.clip((small - distance) * size, 0, 1) * 0.8)
    lay(part, page.palette.ink, np.clip((star - distance) * size, 0, 1))
    light_half = (np.sin(angle * 4 + 0.001) > 0) & (distance < star * 0.9)
    lay(part, page.palette.paper, light_half * (distance > 0.05) * 0.85)
    ring = np.abs(distance - 0.72) * size < max(0.8, page.short / 1100)
    lay(part, page.palette.ink, ring * 0.8)


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
        rows, columns = box(page, page.width / 2, middle, page.width * 0.34, room * 0.54)
        across = np.abs(x[rows, columns] - page.width / 2) / (page.width * 0.31)
        down = np.abs(y[rows, columns] - middle) / (room * 0.47)
        _medallion(
            picture[:, rows, columns], across, down, (field, light, dark, warm), int(star), hooks
        )
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
    hooks: bool,
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
            horn_x = page.width / 2 + side * page.width * 0.25
            horn_y = middle + end * size * 0.95
            rows, columns = box(page, horn_x, horn_y, size * 1.2, size * 1.2)
            across = (x[rows, columns] - horn_x) / size * side
            down = (y[rows, columns] - horn_y) / size * end
            radius, angle = np.hypot(across, down), np.arctan2(down, across)
            horn = np.abs(radius - (0.22 + 0.105 * (angle + np.pi))) < 0.1
            inside = (edge[rows, columns] > 126) & (down > -0.9)
            lay(picture[:, rows, columns], light, horn & inside)


def shapes(page: Page) -> Pixels:
    """Plain shapes printed over each other, like a poster in riso inks."""
    generator = page.chance("shapes")
    palette = page.palette
    paper = palette.paper if not palette.is_dark else mix(palette.paper, palette.sky[-1], 0.25)
    picture = page.blank(paper)
    inks = [palette.accents[i] for i in generator.permutation(4)]
    aspect = max(page.width, page.height) / page.short
    count = int(min(40, generator.integers(8, 11) * aspect))
    dot = dots(page)
    for i in range(count):
        _shape(page, picture, dot, inks[i % 4], generator, number=i)
    _small_marks(page, picture, generator, aspect)
    return picture


def _shape(
    page: Page,
    picture: Pixels,
    dot: Pixels,
    ink: Colour,
    generator: np.random.Generator,
    *,
    number: int,
) -> None:
    """Print one shape, flat or thinning out to one side; the first is a great disc."""
    kind = 0 if number == 0 else int(generator.integers(0, 6))
    size = page.short * (
        generator.uniform(0.26, 0.34) if number == 0 else generator.uniform(0.12, 0.29)
    )
    x, y = page.width * generator.uniform(0.15, 0.85), page.height * generator.uniform(0.15, 0.85)
    turn = float(generator.choice([0, 0.25, 0.5, 0.75, 1])) * np.pi
    rows, columns = box(page, x, y, size * 1.6, size * 1.6)
    dx, dy = page.x[:, columns] - x, page.y[rows] - y
    across = dx * np.cos(turn) + dy * np.sin(turn)
    down = dy * np.cos(turn) - dx * np.sin(turn)
    mask = np.clip(_inside(kind, across, down, size) + 0.5, 0, 1)
    share = np.float32(0.95)
    graded, angle = generator.random() < 0.55, generator.uniform(0, 6.28)
    grains = np.roll(dot, number * 37, axis=1)[rows, columns]
    slant = np.clip(0.6 + 0.5 * (np.cos(angle) * dx + np.sin(angle) * dy) / size, 0.1, 0.97)
    printed = mask * (grains < (stepped(page, slant) if graded else share))
    part = picture[:, rows, columns]
    colour = plane(ink) * 0.72 + part * (plane(ink) / 255) * 0.28  # inks multiply
    lay(part, colour, printed * 0.94)


def _inside(kind: int, across: Pixels, down: Pixels, size: float) -> Pixels:
    """How many pixels inside the shape each point lies."""
    inside: Pixels = size - np.hypot(across, down)  # a disc
    if kind == 1:  # half a disc
        inside = np.minimum(inside, down)
    elif kind == 2:  # an arch of rings
        rings = np.abs((inside / size * 4) % 1 - 0.5) * size / 4 - size * 0.055
        inside = np.minimum(np.minimum(inside, down), rings)
    elif kind == 3:  # a bar
        inside = np.minimum(size * 1.5 - np.abs(across), size * 0.2 - np.abs(down))
    elif kind == 4:  # waves
        lines = np.abs((down / size * 3.5 + 0.22 * np.sin(across / size * 7)) % 1 - 0.5)
        square = size * 0.9 - np.maximum(np.abs(across), np.abs(down))
        inside = np.minimum((lines - 0.28) * size / 3.5, square)
    elif kind == 5:  # a quarter
        inside = np.minimum(np.minimum(inside + size * 0.2, across), down)
    return inside


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
