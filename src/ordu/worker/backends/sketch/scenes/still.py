"""Still life: fruit on a table, flowers on paper."""

import numpy as np
from PIL import ImageDraw

from ordu.worker.backends.sketch.canvas import (
    Page,
    Pixels,
    Points,
    box,
    dots,
    lay,
    scaled,
    stencil,
    stepped,
)
from ordu.worker.backends.sketch.palettes import Colour, brightness, mix

FRUITS = ("pear", "apple", "orange", "lemon", "cherry")
Place = tuple[float, float, float]  # middle and size


def fruit(page: Page) -> Pixels:
    """A few fruits on a table, shaded in dots."""
    generator = page.chance("fruit")
    palette = page.palette
    dot = dots(page)
    wall = palette.paper if not palette.is_dark else mix(palette.sky[-1], palette.paper, 0.2)
    picture = page.blank(wall)
    table = page.height * generator.uniform(0.62, 0.7)
    _window(page, picture, dot, table, generator)
    cloth = mix(palette.land[-2], palette.paper, 0.45)
    lay(picture, cloth, np.clip(page.y - table, 0, 1) * np.ones_like(page.x))
    stripe = (dot < 0.1 + 0.5 * (page.y - table) / (page.height - table)) & (page.y > table)
    lay(picture, mix(cloth, palette.land[1], 0.35), stripe * 0.55)
    arranged = _arrange(page, table, generator)
    for _, place, _ in arranged:
        _shadow(page, picture, dot, place)
    for kind, place, colour in arranged:
        _put(page, picture, dot, kind, place, colour, generator.normal(0, 0.05))
    return picture


def _window(
    page: Page, picture: Pixels, dot: Pixels, table: float, generator: np.random.Generator
) -> None:
    """A great disc or an arch on the wall behind, in one thin ink."""
    palette = page.palette
    x = page.width * generator.uniform(0.3, 0.7)
    radius = page.reach * generator.uniform(0.26, 0.36)
    y = table - radius * generator.uniform(0.5, 1.0)
    away = np.hypot(page.x - x, page.y - y)
    if generator.random() < 0.4:
        away = np.where(page.y > y, np.abs(page.x - x), away)
    shade = 0.5 + 0.4 * (page.y - y) / radius
    ink = mix(palette.accents[int(generator.integers(1, 5))], palette.paper, 0.55)
    lay(picture, ink, np.clip(radius - away, 0, 1) * (dot < shade.clip(0.12, 0.9)))


def _arrange(
    page: Page, table: float, generator: np.random.Generator
) -> list[tuple[str, Place, Colour]]:
    """Fruits from left to right, the nearer ones last."""
    wanted = [kind for kind in FRUITS if kind in page.touches] or list(FRUITS[:4])
    size = min(page.height * 0.46, page.width * 0.46)
    count = max(3, min(14, int(generator.integers(3, 6) * page.width / page.height / 1.2)))
    step = min(page.width * 0.86 / count, size * 0.72)
    start = page.width / 2 - step * (count - 1) / 2
    one_kind = generator.random() < 0.4
    kinds = [wanted[int(generator.integers(0, len(wanted)))] for _ in range(count)]
    fruits = []
    for i in range(count):
        kind = kinds[0] if one_kind and len(wanted) == 4 else kinds[i]
        grown = size * generator.uniform(0.82, 1.06) * (1 if kind == "pear" else 0.8)
        grown = min(grown, step * 1.75)
        near = generator.random()
        base = table + page.reach * (0.03 + 0.16 * near)
        x = start + i * step + generator.normal(0, step * 0.06)
        colour = _skin(page, kind, generator)
        fruits.append((kind, (x, base - grown * 0.5, grown), colour))
    return sorted(fruits, key=lambda item: item[1][1] + item[1][2] * 0.5)


def _skin(page: Page, kind: str, generator: np.random.Generator) -> Colour:
    """The accent nearest to the fruit's own colour, of a few drawn by chance."""
    own = _SKINS[kind]
    some = generator.permutation(4)[: 3 if kind in {"pear", "apple"} else 4]
    accents = [page.palette.accents[i] for i in some]
    return min(accents, key=lambda colour: float(np.hypot(*np.subtract(colour, own)[:2])))


_SKINS: dict[str, Colour] = {
    "pear": (200, 180, 70),
    "apple": (195, 60, 45),
    "orange": (235, 140, 55),
    "lemon": (242, 205, 75),
    "cherry": (175, 40, 55),
}


# Where the light shines on a fruit: across, down, and how wide.
_SHINES: dict[str, tuple[Place, ...]] = {
    "pear": ((-0.2, 0.05, 0.07),),
    "apple": ((-0.2, -0.12, 0.07),),
    "orange": ((-0.18, -0.12, 0.07),),
    "lemon": ((-0.2, -0.04, 0.07),),
    "cherry": ((-0.27, 0.18, 0.04), (0.13, 0.16, 0.04)),
}


def _put(
    page: Page,
    picture: Pixels,
    dot: Pixels,
    kind: str,
    place: Place,
    colour: Colour,
    tilt: float,
) -> None:
    x, y, size = place
    rows, columns = box(page, x, y, size * 0.9, size * 1.1)
    part, grains = picture[:, rows, columns], dot[rows, columns]
    across, down = (page.x[:, columns] - x) / size, (page.y[rows] - y) / size
    across = across - down * tilt
    body = _body(kind, across, down)
    edge = np.clip(body * size * 1.2, 0, 1)
    lay(part, mix(colour, page.palette.paper, 0.12), edge)
    warm = mix(mix(colour, page.palette.accents[0], 0.3), page.palette.ink, 0.34)
    tone = np.clip((across + 0.08) * 1.3 + down * 0.3, 0, 0.93)
    lay(part, warm, edge * (grains < stepped(page, tone)))
    for shine_x, shine_y, wide in _SHINES[kind]:
        shine = np.hypot((across - shine_x) / wide, (down - shine_y) / (wide * 1.5)) < 1
        lay(part, mix(colour, (255, 252, 244), 0.72), shine & (grains < 0.5))
    _stem(page, part, kind, across, down, size)


def _shadow(page: Page, picture: Pixels, dot: Pixels, place: Place) -> None:
    x, y, size = place
    rows, columns = box(page, x + size * 0.34, y + size * 0.45, size, size * 0.14)
    across, down = (page.x[:, columns] - x) / size, (page.y[rows] - y) / size
    shadow = np.hypot((across - 0.34) / 0.95, (down - 0.45) / 0.12) < 1
    ink = mix(page.palette.land[0], page.palette.ink, 0.3)
    lay(picture[:, rows, columns], ink, shadow & (dot[rows, columns] < 0.62))


def _body(kind: str, across: Pixels, down: Pixels) -> Pixels:
    """How far inside the fruit a point lies, as a share of its size; below 0 is outside."""
    angle = np.arctan2(across, -down)  # 0 is up
    inside: Pixels = 0.44 - np.hypot(across, down - 0.05)  # an orange
    if kind == "pear":
        half = np.interp(down, *_PEAR, left=-1, right=-1).astype(np.float32)
        inside = half - np.abs(across)
    elif kind == "apple":
        above = 0.14 * np.exp(-((angle / 0.42) ** 2))
        under = 0.04 * np.exp(-(((np.abs(angle) - 3.14) / 0.3) ** 2))
        wide = 0.5 - above - under + 0.025 * np.cos(angle * 2 - 0.4)
        inside = wide - np.hypot(across, down)
    elif kind == "lemon":
        tips = 0.085 * np.exp(-(((np.abs(angle) - 1.57) / 0.2) ** 2))
        inside = 0.4 + tips + 0.1 * np.sin(angle) ** 2 - np.hypot(across, down - 0.1)
    elif kind == "cherry":
        left, right = np.hypot(across + 0.2, down - 0.26), np.hypot(across - 0.2, down - 0.24)
        inside = np.maximum(0.24 - left, 0.25 - right)
    return inside


def _pear_outline() -> tuple[Pixels, Pixels]:
    """Half the width of a pear at each height, smoothed from a few points."""
    down = np.linspace(-0.6, 0.52, 180)
    rough = np.interp(
        down,
        [-0.6, -0.56, -0.48, -0.38, -0.26, -0.12, 0.02, 0.16, 0.28, 0.4, 0.48, 0.52],
        [0, 0.1, 0.165, 0.19, 0.2, 0.25, 0.35, 0.41, 0.415, 0.34, 0.2, 0],
    )
    padded = np.pad(rough, 9, mode="edge")
    return down, np.convolve(padded, np.ones(19) / 19, mode="valid") - 0.006


_PEAR = _pear_outline()


def _stem(page: Page, part: Pixels, kind: str, across: Pixels, down: Pixels, size: float) -> None:
    brown = mix(page.palette.ink, page.palette.land[0], 0.2)
    if kind in {"lemon", "orange"}:
        star = np.hypot(across + 0.02, (down + 0.32) * 1.6) < 0.03
        lay(part, brown, star & (kind == "orange"))
        return
    if kind == "cherry":
        for side in (-1, 1):
            curve = side * 0.2 * ((down + 0.5) / 0.6).clip(0, 1) ** 0.6
            line = (np.abs(across - curve) < 0.014) & (down > -0.5) & (down < 0.06)
            lay(part, brown, line)
        return
    top, foot = (-0.86, -0.55) if kind == "pear" else (-0.66, -0.34)
    bend = (down - foot) * -0.28 + (down - foot) ** 2 * 0.3
    lay(part, brown, (np.abs(across - bend) < 0.021) & (down > top) & (down < foot + 0.02))
    leaf_x, leaf_y = across - 0.2, (down - (top + foot) / 2 + across * 0.4)
    leaf = 1 - (leaf_x / 0.17) ** 2 - (leaf_y / (0.07 * (1 - leaf_x * 1.4)).clip(0.02)) ** 2
    green = mix(page.palette.accents[2], page.palette.land[0], 0.25)
    lay(part, green, np.clip(leaf * size * 0.06, 0, 1))


def flowers(page: Page) -> Pixels:
    """Flowers growing from the lower edge, printed in a few inks."""
    generator = page.chance("flowers")
    palette = page.palette
    paper = palette.paper if not palette.is_dark else mix(palette.sky[0], palette.sky[1], 0.3)
    picture = page.blank(paper)
    dot = dots(page)
    _backdrop(page, picture, dot, generator)
    count = int(np.clip(generator.integers(6, 9) * page.width / page.reach, 3, 30))
    order = generator.permutation(count)
    for i in order:
        x = page.width * (i + 0.5 + generator.uniform(-0.3, 0.3)) / count
        _flower(page, picture, dot, float(x), count, generator)
    return picture


def _backdrop(page: Page, picture: Pixels, dot: Pixels, generator: np.random.Generator) -> None:
    palette = page.palette
    x, y = page.width * generator.uniform(0.35, 0.65), page.height * generator.uniform(0.36, 0.5)
    radius = page.short * generator.uniform(0.3, 0.4)
    tone = 0.55 - 0.5 * (page.y - y) / radius * 0.7
    disc = np.clip(radius - np.hypot(page.x - x, page.y - y), 0, 1)
    ink = mix(palette.accents[1], palette.paper, 0.35 if not palette.is_dark else 0.0)
    lay(picture, ink, disc * (dot < tone.clip(0.1, 0.9)))
    ground = np.clip((page.y / page.height - 0.72) * 2.6, 0, 0.85)
    lay(picture, mix(palette.land[1], palette.accents[2], 0.3), dot < ground)


def _flower(
    page: Page,
    picture: Pixels,
    dot: Pixels,
    x: float,
    count: int,
    generator: np.random.Generator,
) -> None:
    """A stem with leaves, and a head of one of four builds."""
    top = page.height * generator.uniform(0.14, 0.6)
    size = min(page.short * generator.uniform(0.075, 0.15), page.width / count * 0.95)
    sway = page.short * generator.normal(0, 0.06)
    share = np.linspace(0, 1, 40)
    stem: Points = list(
        zip(
            (x + sway * share**2).tolist(),
            (page.height + (top - page.height) * share).tolist(),
            strict=True,
        )
    )
    green = mix(page.palette.land[1], page.palette.land[0], generator.random())
    _draw_stem(page, picture, stem, green, generator)
    head = (x + sway, top, size)
    colour = page.palette.accents[int(generator.choice([0, 0, 1, 3]))]
    if brightness(colour) < 75:
        colour = mix(page.palette.accents[0], page.palette.accents[1], 0.5)
    _head(page, picture, dot, head, colour, int(generator.integers(0, 4)), generator)


def _draw_stem(
    page: Page, picture: Pixels, stem: Points, green: Colour, generator: np.random.Generator
) -> None:
    leaves = [
        _leaf(page, stem[int(at)], generator) for at in generator.uniform(4, 27, page.many(7, 2))
    ]

    def draw(pen: ImageDraw.ImageDraw, factor: float) -> None:
        width = max(1, round(page.short * 0.0055 * factor))
        pen.line(scaled(stem, factor), fill=255, width=width, joint="curve")
        for leaf in leaves:
            pen.polygon(scaled(leaf, factor), fill=255)

    lay(picture, green, stencil(page, draw))


def _leaf(page: Page, foot: tuple[float, float], generator: np.random.Generator) -> Points:
    length = page.short * generator.uniform(0.06, 0.13)
    side = generator.choice([-1, 1])
    rise = generator.uniform(0.6, 1.2)
    share = np.linspace(0, 1, 14)
    spine_x = foot[0] + side * length * np.sin(share * 1.35)
    spine_y = foot[1] - length * rise * share
    thick = length * 0.13 * np.sin(share * np.pi) ** 0.8
    upper = list(zip(spine_x.tolist(), (spine_y - thick).tolist(), strict=True))
    lower = list(zip(spine_x.tolist(), (spine_y + thick).tolist(), strict=True))
    return [*upper, *reversed(lower)]


def _head(
    page: Page,
    picture: Pixels,
    dot: Pixels,
    head: Place,
    colour: Colour,
    build: int,
    generator: np.random.Generator,
) -> None:
    x, y, size = head
    rows, columns = box(page, x, y, size * 1.3, size * 1.3)
    if rows.stop <= rows.start or columns.stop <= columns.start:
        return
    part, grains = picture[:, rows, columns], dot[rows, columns]
    across, down = (page.x[:, columns] - x) / size, (page.y[rows] - y) / size
    petals, turn = int(generator.integers(5, 9)), generator.uniform(0, 3)
    shade = mix(colour, page.palette.ink, 0.38)
    pale = mix(colour, page.palette.paper, 0.3)
    for ring in range(3 if build == 1 else 1):
        grow = 1 - ring * 0.27
        inside, vein = _petals(
            across, down / (0.74 if build == 3 else 1), build, petals, turn + ring * 0.4
        )
        inside = inside - 1 + grow
        lay(part, colour if ring % 2 == 0 else pale, np.clip(inside * size, 0, 1))
        lay(part, shade, np.clip(inside * size, 0, 1) * (grains < vein * (0.8 - 0.1 * ring)))
    heart = 0.2 if build != 1 else 0.13
    away = np.hypot(across, down)
    seed = mix(page.palette.accents[1], page.palette.glow, 0.3)
    lay(
        part,
        seed if colour != page.palette.accents[1] else page.palette.accents[0],
        np.clip((heart - away) * size, 0, 1),
    )
    lay(part, page.palette.ink, np.clip((heart - away) * size, 0, 1) * (grains < 0.2 + away * 2))


def _petals(
    across: Pixels, down: Pixels, build: int, petals: int, turn: float
) -> tuple[Pixels, Pixels]:
    """How far inside the petals a point lies, and how deep their shade is there."""
    radius, angle = np.hypot(across, down), np.arctan2(down, across) + turn
    if build == 2:  # daisy: many narrow petals
        wave = np.abs(np.sin(angle * petals))
        return 0.62 + 0.38 * wave**0.6 - radius, np.clip(0.75 - wave, 0, 1) + 0.25 * (1 - radius)
    wave = np.abs(np.cos(angle * petals / 2))
    rim = 0.62 + 0.38 * wave**0.5
    return rim - radius, np.clip(1 - radius * 1.15, 0, 1) + np.clip(0.35 - wave, 0, 1)
