"""Night: fires on the steppe, a city by the water, a planet among stars."""

from dataclasses import replace

import numpy as np

from ordu.worker.backends.sketch.canvas import (
    Page,
    Pixels,
    box,
    dots,
    lay,
    light,
    noise,
    plane,
    ramp,
    skyline,
    smooth,
)
from ordu.worker.backends.sketch.palettes import Colour, mix
from ordu.worker.backends.sketch.scenes.sky import hang_orb, open_sky, scatter_stars


def fires(page: Page) -> Pixels:
    """Camp fires and tents on the steppe under the Milky Way."""
    page = replace(page, palette=page.palette.at_night())
    generator = page.chance("fires")
    level = generator.uniform(0.5, 0.64)
    picture = open_sky(page, level)
    _milky_way(page, picture, level)
    if "moon" in page.touches:
        where = page.width * generator.uniform(0.2, 0.8), page.height * level * 0.35
        hang_orb(page, picture, *where, page.short * 0.05, 0.3)
    horizon = page.height * level - (skyline(page, "steppe", 1.2, 7, 0.5) - 0.5) * page.reach * 0.06
    below = page.y - horizon
    land = ramp((page.palette.land[1], page.palette.land[0]), below / (page.height * (1 - level)))
    lay(picture, land, np.clip(below / 2, 0, 1))
    _camp(page, picture, page.height * level)
    return picture


def _milky_way(page: Page, picture: Pixels, level: float) -> None:
    generator = page.chance("milky way")
    tilt = generator.choice([-1, 1]) * generator.uniform(0.12, 0.3)
    middle = page.height * level * 0.45 + (page.x - page.width / 2) * tilt
    band = np.exp(-(((page.y - middle) / (page.reach * 0.11)) ** 2))
    cloud = noise(page, "cloud", 6, page.many(6, 2), stretch=0.35)
    rift = smooth((noise(page, "rift", 7, page.many(5, 2), stretch=0.3) - 0.45) * 5)
    strength = band**1.3 * (0.25 + cloud) ** 2 * (1 - 0.7 * rift * band)
    lay(picture, mix(page.palette.sky[2], page.palette.paper, 0.6), strength * 0.42)
    scatter_stars(page, picture, level * 0.9, 1.2)


def _camp(page: Page, picture: Pixels, horizon: float) -> None:
    generator = page.chance("camp")
    count = int(46 * np.clip(page.width / page.height, 0.35, 3))
    scale = page.reach / 1000
    places = sorted(generator.random((count, 4)).tolist(), key=lambda place: place[0])
    flame = mix(page.palette.accents[0], (255, 150, 60), 0.86)
    for near, across, side, flicker in places:
        t = near**1.6
        y = (
            horizon
            + (12 + t * 340) * scale
            + t * max(0.0, page.height - horizon - 400 * scale) * 0.8
        )
        size = (1.2 + t * 9) * scale * (0.8 + 0.4 * flicker)
        x = across * page.width
        light(picture, page, x, y, size * 6, flame, 0.42)
        if t > 0.1:
            _tent(page, picture, x + size * 6 * (1 if side > 0.5 else -1), y, size * 4.4, flame)
        light(picture, page, x, y - size * 0.3, size * 1.3, (255, 226, 160), 1.3)


def _tent(page: Page, picture: Pixels, x: float, y: float, half: float, flame: Colour) -> None:
    """A round felt tent: straight walls and a shallow dome, lit from one side."""
    rows, columns = box(page, x, y - half * 0.5, half, half * 0.55)
    across = (page.x[:, columns] - x) / half
    roof = y - half * (0.42 + 0.46 * np.sqrt(np.clip(1 - across**2, 0, 1)))
    inside = np.clip(page.y[rows] - roof, 0, 1) * (page.y[rows] < y) * (np.abs(across) < 1)
    felt = mix(page.palette.land[1], flame, 0.2)
    shade = ramp((mix(felt, page.palette.ink, 0.55), felt), 0.5 + 0.5 * across)
    lay(picture[:, rows, columns], shade, inside)
    door = (np.abs(across - 0.08) < 0.13) & (page.y[rows] > y - half * 0.34) & (page.y[rows] < y)
    lay(picture[:, rows, columns], flame, door * 0.8)


def city(page: Page) -> Pixels:
    """A city at night across the water, its windows lit."""
    page = replace(page, palette=page.palette.at_night())
    generator = page.chance("city")
    water = int(page.height * generator.uniform(0.74, 0.82))
    picture = open_sky(page, water / page.height, 0.9)
    if generator.random() < 0.7 or "moon" in page.touches:
        where = page.width * generator.uniform(0.15, 0.85), water * generator.uniform(0.18, 0.36)
        hang_orb(page, picture, *where, page.short * generator.uniform(0.03, 0.06), 0.35)
    haze = np.exp(-np.abs(page.y - water) / (page.reach * 0.2)) * 0.42
    warm = mix(page.palette.accents[0], page.palette.glow, 0.5)
    lay(picture, warm, np.broadcast_to(haze, picture.shape[1:]))
    for depth in range(4):
        _row_of_houses(page, picture, depth, water)
    _water_lights(page, picture, water)
    return picture


def _row_of_houses(page: Page, picture: Pixels, depth: int, water: int) -> None:
    generator = page.chance(f"houses {depth}")
    t = depth / 3
    unit = min(page.short * 1.4, page.reach)
    wall = ramp(
        (mix(page.palette.sky[-1], page.palette.sky[1], 0.25), page.palette.ink),
        np.array([[t]]),
    )
    heights = skyline(page, f"district {depth}", 1.6, 2)
    x = -generator.random() * 0.06 * unit
    while x < page.width:
        width = unit * generator.uniform(0.045, 0.11) * (0.8 + 0.45 * t)
        middle = int(np.clip(x + width / 2, 0, page.width - 1))
        tall = (
            (0.62 - 0.4 * t) * (0.25 + 1.2 * float(heights[middle])) * generator.uniform(0.55, 1.15)
        )
        if generator.random() < 0.1:
            tall *= 1.45
        top = max(page.height * 0.04, water - min(tall * page.reach * 0.9, water * 0.92))
        _house(page, picture, (x, top, width, float(water)), wall[:, 0, 0], t, generator)
        x += width * generator.uniform(0.82, 1.25)


def _house(
    page: Page,
    picture: Pixels,
    place: tuple[float, float, float, float],
    wall: Pixels,
    t: float,
    generator: np.random.Generator,
) -> None:
    """One building: a body, perhaps a stepped top, a pitched roof or a mast, and its windows."""
    left, top, width, bottom = place
    style = generator.integers(0, 5)
    colour: Colour = (float(wall[0]), float(wall[1]), float(wall[2]))
    colour = mix(colour, page.palette.accents[int(generator.integers(0, 5))], 0.05)
    right = left + width
    _slab(picture, colour, left, top, right, bottom)
    if style == 0:
        _slab(picture, colour, left + width * 0.2, top - width * 0.22, right - width * 0.2, top)
        _slab(picture, colour, left + width * 0.36, top - width * 0.42, right - width * 0.36, top)
    elif style == 1:
        mast = width * generator.uniform(0.4, 0.9)
        _slab(picture, colour, left + width * 0.48, top - mast, left + width * 0.52 + 1, top)
        light(picture, page, left + width * 0.5, top - mast, width * 0.05 + 1, (255, 92, 74), 1.2)
    elif style == 2:
        for step in range(8):
            inset = width * 0.06 * step
            _slab(
                picture, colour, left + inset, top - width * 0.045 * (step + 1), right - inset, top
            )
    _windows(page, picture, (left, top, right, bottom), t, generator)


def _slab(
    picture: Pixels, colour: Colour, left: float, top: float, right: float, bottom: float
) -> None:
    rows = slice(max(0, round(top)), max(0, round(bottom)))
    columns = slice(max(0, round(left)), max(0, round(right)))
    picture[:, rows, columns] = plane(colour)


def _windows(
    page: Page,
    picture: Pixels,
    place: tuple[float, float, float, float],
    t: float,
    generator: np.random.Generator,
) -> None:
    left, top, right, bottom = place
    unit = min(page.short * 1.4, page.reach)
    cell = max(2.6, unit * (0.0062 + 0.0075 * t))
    columns_wide, rows_high = (
        max(1, int((right - left) / cell - 1)),
        max(1, int((bottom - top) / (cell * 1.35) - 1)),
    )
    share, wide = generator.uniform(0.22, 0.7), generator.choice([0.42, 0.55, 0.86])
    lit = generator.random((rows_high, columns_wide), dtype=np.float32)
    lit = np.where(lit < share * (0.45 + 0.55 * page.detail), 0.35 + lit / share * 0.6, 0)
    dark_floors = generator.random((rows_high, 1)) < 0.12
    lit = np.where(dark_floors, 0, lit)
    margin = ((right - left) - columns_wide * cell) / 2
    rows = slice(max(0, round(top)), round(bottom))
    columns = slice(max(0, round(left)), min(page.width, max(0, round(right))))
    across = (page.x[0, columns] - left - margin) / cell
    down = (page.y[rows, 0] - top) / (cell * 1.35) - 0.6
    inside_x = (across >= 0) & (across < columns_wide) & (np.abs(across % 1 - 0.5) < wide / 2)
    inside_y = (down >= 0) & (down < rows_high) & (np.abs(down % 1 - 0.5) < 0.29)
    index_x = np.clip(across, 0, columns_wide - 1).astype(int)
    index_y = np.clip(down, 0, rows_high - 1).astype(int)
    mask = lit[index_y][:, index_x] * inside_y[:, None] * inside_x[None, :]
    warmest = mix(page.palette.accents[0], page.palette.glow, 0.25)
    lamp = [mix(page.palette.glow, warmest, 0.35), warmest]
    lamp.append(mix(page.palette.paper, page.palette.accents[1], 0.5))
    warm = lamp[int(generator.choice(3, p=[0.5, 0.36, 0.14]))]
    lay(picture[:, rows, columns], warm, mask * (0.5 + 0.5 * t))


def _water_lights(page: Page, picture: Pixels, water: int) -> None:
    """Below the quay the city stands on its head, drawn out and broken by ripples."""
    below = page.height - water
    depth = np.arange(below, dtype=np.float32)[:, None]
    part = page.resized(page.width, below)
    swell = noise(part, "ripples", 14, page.many(4, 1), stretch=0.16) - 0.5
    rows = np.clip(water - 1 - depth * 1.5 - swell * (10 + depth * 0.5), 0, water - 1)
    columns = np.clip(page.x + swell * (3 + depth * 0.05), 0, page.width - 1)
    mirrored = picture[:, rows.astype(np.intp), columns.astype(np.intp)]
    streaks = page.resized(page.width, water)
    drawn = picture[:, max(0, water - below * 2) : water].mean(axis=1, keepdims=True)
    mirrored = mirrored * 0.62 + drawn * 0.46
    dark = mix(page.palette.sky[0], page.palette.ink, 0.5)
    fade = np.broadcast_to(0.1 + 0.5 * depth / below, (below, streaks.width))
    lay(mirrored, dark, fade)
    picture[:, water:] = mirrored
    quay = max(1, round(page.reach * 0.004))
    picture[:, water - quay : water + quay] = plane(page.palette.ink)


def space(page: Page) -> Pixels:
    """A planet among stars, sometimes with rings."""
    page = replace(page, palette=page.palette.at_night())
    generator = page.chance("space")
    picture = page.blank(mix(page.palette.ink, page.palette.sky[0], 0.5))
    _nebula(page, picture)
    scatter_stars(page, picture, 1.05, 1.8)
    radius = page.short * generator.uniform(0.2, 0.31)
    x = page.width * generator.uniform(0.38, 0.62)
    y = page.height * generator.uniform(0.42, 0.58)
    tilt = generator.uniform(-0.5, 0.5)
    ringed = generator.random() < 0.65
    if ringed:
        _ring(page, picture, (x, y, radius), tilt, behind=True)
    _planet(page, picture, (x, y, radius), tilt)
    if ringed:
        _ring(page, picture, (x, y, radius), tilt, behind=False)
    moon = page.short * generator.uniform(0.02, 0.045)
    angle = generator.uniform(0, 6.28)
    place = (x + np.cos(angle) * radius * 1.7, y - abs(np.sin(angle)) * radius * 1.4, moon)
    _planet(page, picture, place, -tilt)
    return picture


def _nebula(page: Page, picture: Pixels) -> None:
    first = noise(page, "nebula", 2.1, page.many(7, 2))
    second = noise(page, "second nebula", 2.6, page.many(7, 2))
    lay(picture, page.palette.sky[2], smooth((first - 0.42) * 3.4) * 0.7)
    lay(picture, page.palette.accents[0], smooth((second - 0.52) * 4) * 0.22)
    lay(picture, page.palette.accents[1], smooth((first * second - 0.3) * 6) * 0.3)
    lay(picture, page.palette.ink, smooth((second - first) * 4) * 0.45)


def _planet(page: Page, picture: Pixels, place: tuple[float, float, float], tilt: float) -> None:
    """A ball in bands, lit from the left and printed in dots towards the night side."""
    x, y, radius = place
    rows, columns = box(page, x, y, radius + 2, radius + 2)
    across, down = (page.x[:, columns] - x) / radius, (page.y[rows] - y) / radius
    distance = np.hypot(across, down)
    along = down * np.cos(tilt) + across * np.sin(tilt)
    storm = noise(page, f"storm {round(tilt, 2)}", 9, page.many(5, 2))[rows, columns]
    band = np.sin(along * 9 + storm * 2.4 + 1.2 * np.sin(along * 23)) * 0.5 + 0.5
    accents = page.palette.accents
    face = ramp(
        (accents[0], mix(accents[1], page.palette.paper, 0.25), accents[2], accents[4]), band
    )
    depth = np.sqrt(np.clip(1 - distance**2, 0, 1))
    lit = np.clip(-across * 0.55 - down * 0.5 + depth * 0.62, 0, 1)
    dot = dots(page)[rows, columns]
    night = mix(page.palette.ink, page.palette.sky[1], 0.3)
    lay(face, night, dot > lit * 1.5 + 0.12)
    lay(picture[:, rows, columns], face, np.clip((1 - distance) * radius + 0.5, 0, 1))


def _ring(
    page: Page,
    picture: Pixels,
    place: tuple[float, float, float],
    tilt: float,
    *,
    behind: bool,
) -> None:
    x, y, radius = place
    rows, columns = box(page, x, y, radius * 2.3, radius * 2.3)
    across, down = (page.x[:, columns] - x) / radius, (page.y[rows] - y) / radius
    along = across * np.cos(tilt) - down * np.sin(tilt)
    above = across * np.sin(tilt) + down * np.cos(tilt)
    distance = np.hypot(along, above / 0.3)
    edge = smooth((distance - 1.3) * 14) * smooth((2.15 - distance) * 14)
    groove = 0.55 + 0.45 * np.sin(distance * 40 + 2 * np.sin(distance * 11))
    half = above < 0 if behind else above >= 0
    lay(
        picture[:, rows, columns],
        mix(page.palette.glow, page.palette.accents[1], 0.3),
        edge * groove * half * 0.85,
    )
