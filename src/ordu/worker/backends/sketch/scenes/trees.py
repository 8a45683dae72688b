"""Trees: a forest in fog, a field of snow, one tree on a hill."""

import numpy as np
from PIL import ImageDraw

from ordu.worker.backends.sketch.canvas import (
    Page,
    Pixels,
    Points,
    dots,
    lay,
    noise,
    plane,
    ramp,
    scaled,
    skyline,
    stencil,
)
from ordu.worker.backends.sketch.palettes import Colour, mix
from ordu.worker.backends.sketch.scenes.sky import add_birds, hang_orb, open_sky

Branch = tuple[float, float, float, float, float]  # from x, y to x, y, and its width


def forest(page: Page) -> Pixels:
    """Row behind row of firs in the fog."""
    generator = page.chance("forest")
    picture = open_sky(page, 0.9)
    radius = page.short * generator.uniform(0.04, 0.085)
    where = generator.uniform(0.2, 0.8) * page.width, generator.uniform(0.14, 0.3) * page.height
    hang_orb(page, picture, *where, radius, 0.6)
    layers = 6
    start = generator.uniform(0.36, 0.46)
    for i in range(layers):
        t = i / (layers - 1)
        _row_of_firs(page, picture, i, t, start + (1.0 - start) * t)
        if i == 1 and "bird" in page.touches:
            add_birds(page, picture, start)
    return picture


def _row_of_firs(page: Page, picture: Pixels, row: int, t: float, base: float) -> None:
    generator = page.chance(f"firs {row}")
    tall = page.reach * (0.09 + 0.36 * t**1.4)
    ground = page.height * base - (skyline(page, f"ground {row}", 1.3, 4) - 0.5) * page.reach * 0.22
    count = int(min(90, 3 + page.width / (tall * 0.24) * (1 - 0.55 * t)))
    places = generator.random((count, 2))
    firs = [
        fir(
            across * page.width,
            float(ground[int(across * (page.width - 1))]) + tall * 0.06,
            tall * (0.5 + 0.6 * size),
            page.many(9, 4),
            generator,
        )
        for across, size in places
    ]

    def draw(pen: ImageDraw.ImageDraw, factor: float) -> None:
        for points in firs:
            pen.polygon(scaled(points, factor), fill=255)

    mask = np.maximum(stencil(page, draw), np.clip((page.y - ground) / 2, 0, 1))
    land, fog = page.palette.land, page.palette.sky[-1]
    own = ramp((mix(land[-1], fog, 0.35), land[-2], land[1], land[0]), np.array([[t**0.9]]))
    mist = np.clip((page.y - ground + tall * 0.75) / (tall * 1.5), 0, 1) * (1 - t) ** 0.8 * 0.8
    drift = noise(page, f"drift {row}", 2.2, 3, stretch=0.4)
    mist = np.clip(mist * (0.55 + 0.9 * drift), 0, 1)
    lay(picture, own + mist * (plane(fog) - own), mask)


def fir(x: float, y: float, height: float, tiers: int, generator: np.random.Generator) -> Points:
    """The outline of a fir that stands at (x, y)."""
    right: Points = []
    left: Points = []
    half = height * generator.uniform(0.15, 0.2)
    lean = generator.normal(0, 0.012) * height
    for i in range(tiers):
        share = (i + 1) / tiers
        level = y - height * (1 - share * 0.93)
        middle = x + lean * (1 - share)
        for side, points in ((1, right), (-1, left)):
            reach = half * share**0.85 * generator.uniform(0.78, 1.15)
            droop = height * 0.03 * generator.uniform(0.4, 1.6)
            points.append((middle + side * reach, level + droop))
            points.append((middle + side * reach * 0.5, level - droop * 0.2))
    return [
        (x + lean, y - height),
        *right,
        (x + half * 0.1, y),
        (x - half * 0.1, y),
        *reversed(left),
    ]


def snow(page: Page) -> Pixels:
    """Snowy hills with a few bare trees, and flakes falling."""
    generator = page.chance("snow")
    picture = open_sky(page, 0.7)
    where = generator.uniform(0.2, 0.8) * page.width, generator.uniform(0.16, 0.3) * page.height
    hang_orb(page, picture, *where, page.short * generator.uniform(0.035, 0.07), 0.55)
    start = generator.uniform(0.46, 0.55)
    for i in range(5):
        t = i / 4
        ground = page.height * (start + (0.9 - start) * t) - (
            skyline(page, f"drift {i}", 0.9 + 0.3 * t, 2, 0.4) - 0.5
        ) * page.reach * (0.16 + 0.08 * t)
        if i < 4:
            _stand_of_firs(page, picture, ground, i)
        _snowy_hill(page, picture, ground, t)
        if i == 3:
            x = page.width * generator.uniform(0.22, 0.78)
            base = float(ground[int(x)]) + page.reach * 0.03
            plant(page, picture, (x, base, min(page.reach * 0.36, page.width * 0.5)), leaves=False)
    _flakes(page, picture)
    return picture


def _snowy_hill(page: Page, picture: Pixels, ground: Pixels, t: float) -> None:
    palette = page.palette
    slope = np.clip(0.62 - np.gradient(ground) * 1.1, 0, 1)
    below = page.y - ground
    white = palette.land[-1] if not palette.is_dark else mix(palette.land[-1], (196, 212, 238), 0.4)
    shadow = mix(white, palette.land[1], 0.55)
    depth = below / (page.reach * 0.36)
    drift = (noise(page, f"crust {t}", 3, page.many(6, 2), stretch=0.35) - 0.5) * 0.5
    lit = np.clip(slope - depth * 0.5 + drift * 0.6, 0, 1)
    bright = mix(white, palette.paper, 0.55 if not palette.is_dark else 0.12)
    colour = ramp((shadow, mix(shadow, white, 0.6), white, bright), lit)
    colour += (1 - t) * 0.45 * (plane(palette.sky[-1]) - colour)
    lay(picture, colour, np.clip(below / 1.5, 0, 1))


def _stand_of_firs(page: Page, picture: Pixels, ground: Pixels, row: int) -> None:
    generator = page.chance(f"stand {row}")
    tall = page.reach * (0.035 + 0.03 * row)
    middle, width = generator.random(), generator.uniform(0.08, 0.3)
    count = int(generator.integers(6, 26) * np.clip(page.width / page.reach, 0.4, 4))
    places = np.clip(generator.normal(middle, width, count), 0, 0.999) * page.width
    firs = [
        fir(
            float(x),
            float(ground[int(x)]) + tall * 0.1,
            tall * generator.uniform(0.5, 1.1),
            7,
            generator,
        )
        for x in places
    ]

    def draw(pen: ImageDraw.ImageDraw, factor: float) -> None:
        for points in firs:
            pen.polygon(scaled(points, factor), fill=255)

    t = row / 4
    colour = mix(page.palette.land[2], page.palette.land[0], t)
    lay(picture, mix(colour, page.palette.sky[-1], 0.4 * (1 - t)), stencil(page, draw))


def _flakes(page: Page, picture: Pixels) -> None:
    count = int(page.many(420, 40) * np.clip(page.width * page.height / page.short**2, 1, 5))
    places = page.chance("flakes").random((count, 3))

    def draw(pen: ImageDraw.ImageDraw, factor: float) -> None:
        for across, down, size in places:
            radius = page.short * (0.0012 + 0.0048 * size**5) * factor
            x, y = across * page.width * factor, down * page.height * factor
            pen.ellipse(
                (x - radius, y - radius, x + radius, y + radius), fill=int(120 + 130 * size)
            )

    white = mix(page.palette.paper, (255, 255, 255), 0.6)
    lay(picture, white, stencil(page, draw) * 0.85)


def tree(page: Page) -> Pixels:
    """One tree on a hill before a great sun, its leaves in riso dots."""
    generator = page.chance("tree")
    picture = open_sky(page, 0.95)
    tall = min(page.reach * generator.uniform(0.5, 0.6), page.width * 0.8)
    x = page.width * generator.uniform(0.36, 0.64)
    base = page.height * generator.uniform(0.76, 0.84)
    where = x + generator.uniform(-0.28, 0.28) * tall, base - tall * generator.uniform(0.5, 0.9)
    hang_orb(page, picture, *where, tall * generator.uniform(0.22, 0.34), 0.4)
    for i, (level, cells) in enumerate(((0.7, 1.6), (0.78, 1.2))):
        line = page.height * level - (skyline(page, f"far {i}", cells, 5) - 0.5) * page.reach * 0.12
        colour = mix(page.palette.land[3 - i], page.palette.sky[-1], 0.45 - 0.2 * i)
        lay(picture, colour, np.clip((page.y - line) / 1.5, 0, 1))
    ground = base + ((page.x[0] - x) / page.width) ** 2 * page.reach * 0.35
    ground = ground + (skyline(page, "grass", 5, page.many(8, 3), 0.8) - 0.5) * page.reach * 0.02
    plant(page, picture, (x, base + tall * 0.02, tall), leaves="snow" not in page.touches)
    _meadow(page, picture, ground)
    if "bird" in page.touches:
        add_birds(page, picture, 0.5)
    return picture


def _meadow(page: Page, picture: Pixels, ground: Pixels) -> None:
    depth = (page.y - ground) / (page.height - float(ground.min()) + 1)
    tuft = (noise(page, "tufts", 7, page.many(6, 2)) - 0.5) * 0.5
    shade = np.where(dots(page, "meadow") < depth * 0.9 + tuft, 0.0, 0.36)
    lay(picture, ramp(page.palette.land, shade), np.clip((page.y - ground) / 1.5, 0, 1))


def plant(page: Page, picture: Pixels, place: tuple[float, float, float], *, leaves: bool) -> None:
    """Grow a tree at (x, y) of this height."""
    x, y, height = place
    generator = page.chance("branches")
    branches: list[Branch] = []
    tips: Points = []
    _grow(branches, tips, (x, y, -np.pi / 2, height * 0.27, height * 0.055), 0, generator)

    def draw(pen: ImageDraw.ImageDraw, factor: float) -> None:
        for x1, y1, x2, y2, width in branches:
            ends = scaled([(x1, y1), (x2, y2)], factor)
            pen.line(ends, fill=255, width=max(1, round(width * factor)))
            half = width * factor * 0.5
            if half > 1:
                end_x, end_y = ends[1]
                pen.ellipse((end_x - half, end_y - half, end_x + half, end_y + half), fill=255)

    if leaves:
        _foliage(page, picture, tips, height, back=True)
    bark = mix(page.palette.ink, page.palette.land[0], 0.25)
    lay(picture, bark, stencil(page, draw))
    if leaves:
        _foliage(page, picture, tips, height, back=False)


def _grow(
    branches: list[Branch],
    tips: Points,
    start: tuple[float, float, float, float, float],
    level: int,
    generator: np.random.Generator,
) -> None:
    """Add a branch (x, y, direction, length, width) and, smaller and smaller, its twigs."""
    x, y, angle, length, width = start
    for _ in range(3):  # three bent pieces a branch
        angle += generator.normal(0, 0.09)
        end_x, end_y = x + np.cos(angle) * length / 3, y + np.sin(angle) * length / 3
        branches.append((x, y, float(end_x), float(end_y), width))
        x, y, width = float(end_x), float(end_y), width * 0.89
    if level >= 2:
        tips.append((x, y))
    if level == 6:
        return
    count = 3 if generator.random() < 0.3 else 2
    fan = generator.uniform(0.38, 0.6)
    for i in range(count):
        turn = (i / (count - 1) - 0.5) * 2 * fan + generator.normal(0, 0.12)
        up = (-np.pi / 2 - angle) * 0.08
        part = length * generator.uniform(0.7, 0.86)
        _grow(branches, tips, (x, y, angle + turn + up, part, width * 0.68), level + 1, generator)


def _foliage(page: Page, picture: Pixels, tips: Points, height: float, *, back: bool) -> None:
    """Leaves in clouds of dots around the tips of the twigs: darker behind, lighter to one side."""
    generator = page.chance(f"leaves {back}")
    each = page.many(34, 8)
    middle = np.repeat(np.array(tips, np.float32), each, axis=0)
    places = middle + generator.normal(0, height * (0.05 if back else 0.042), middle.shape)
    places = places[: len(places) if back else len(places) * 3 // 4]
    accents, shade = page.palette.accents, page.palette.land[0]
    colours = [mix(accents[0], shade, 0.5), mix(accents[0], shade, 0.28)]
    if not back:
        colours = [
            accents[0],
            mix(accents[1], accents[0], 0.3),
            mix(accents[1], page.palette.paper, 0.3),
        ]
    size = height * (0.0072 if back else 0.006) * (1.5 - 0.5 * page.detail)
    sizes = generator.uniform(0.6, 1.5, len(places)) * size
    slope = (places.sum(axis=1) - places.sum(axis=1).mean()) / height
    lit = generator.normal(0.45, 0.25, len(places)) - slope * 0.9
    kind = np.clip(lit * len(colours), 0, len(colours) - 1).astype(int)
    for i, colour in enumerate(colours):
        _print_leaves(page, picture, places[kind == i], sizes[kind == i], colour)


def _print_leaves(
    page: Page, picture: Pixels, places: Pixels, sizes: Pixels, colour: Colour
) -> None:
    def draw(pen: ImageDraw.ImageDraw, factor: float) -> None:
        for (x, y), size in zip((places * factor).tolist(), (sizes * factor).tolist(), strict=True):
            pen.ellipse((x - size, y - size * 0.8, x + size, y + size * 0.8), fill=255)

    lay(picture, colour, stencil(page, draw) * 0.95)
