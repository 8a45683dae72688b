"""Land: dunes, mountains, a lake among mountains."""

import numpy as np

from ordu.worker.backends.sketch.canvas import Page, Pixels, lay, noise, ramp, skyline
from ordu.worker.backends.sketch.palettes import mix
from ordu.worker.backends.sketch.scenes.sky import add_birds, hang_orb, open_sky


def dunes(page: Page) -> Pixels:
    """Sand dunes, ripple over ripple."""
    generator = page.chance("dunes")
    picture = open_sky(page, 0.42)
    low = generator.uniform(0.28, 0.36)
    radius = page.short * generator.uniform(0.035, 0.075)
    hang_orb(
        page,
        picture,
        generator.uniform(0.15, 0.85) * page.width,
        low * page.height * 0.55,
        radius,
        0.4,
    )
    if "bird" in page.touches:
        add_birds(page, picture, low)
    wind = noise(page, "wind", 3, 3) * 5
    layers = 7 + min(6, round(page.height / page.reach) - 1)
    for i in range(layers):
        t = i / (layers - 1)
        _dune(page, picture, t, low + (0.94 - low) * t**1.15, wind, generator)
    return picture


def _dune(
    page: Page,
    picture: Pixels,
    t: float,
    base: float,
    wind: Pixels,
    generator: np.random.Generator,
) -> None:
    phase, tilt = generator.random() * 6, generator.uniform(0.7, 1.3)
    reach, far = page.reach, plane_far(page)
    along = page.x[0] / (reach * 1.75) * tilt
    height = reach * (0.04 + 0.09 * t)
    crest = page.height * base + height * np.sin(along * (5.2 - 2.4 * t) + phase)
    crest = crest + height * 0.4 * np.sin(along * (11 - 5 * t) + phase * 2.1)
    lit = np.clip(0.5 - np.gradient(crest) / (height / reach * 4.6) * 0.42, 0, 1)
    top = max(0, int(crest.min()) - 2)
    below = page.y[top:] - crest
    depth = below / (reach * 0.3)
    ripple = np.sin((depth * 60 + page.x / reach * 24 + phase * 3 + wind[top:]) * (1 + t))
    shade = lit - depth * 0.55 + ripple * 0.06 * page.detail
    colour = ramp(page.palette.land, np.clip(shade, 0, 1) * (0.72 + 0.28 * t) + 0.16 * (1 - t))
    colour += ((1 - t) * 0.45) * (far - colour)
    lay(picture[:, top:], colour, np.clip(below / 1.5, 0, 1))


def plane_far(page: Page) -> Pixels:
    """The colour that far things fade to: that of the sky at the horizon."""
    return np.array(page.palette.sky[-1], np.float32).reshape(3, 1, 1)


def mountains(page: Page) -> Pixels:
    """Ridge behind ridge, fading into the light."""
    generator = page.chance("mountains")
    picture = open_sky(page, 0.85)
    radius = page.short * generator.uniform(0.035, 0.08)
    where = generator.uniform(0.18, 0.82) * page.width, generator.uniform(0.15, 0.32) * page.height
    hang_orb(page, picture, *where, radius)
    start = generator.uniform(0.3, 0.44)
    layers = int(generator.integers(6, 9)) + min(6, round(page.height / page.reach) - 1)
    for i in range(layers):
        t = i / (layers - 1)
        ridge(page, picture, f"ridge {i}", start + (0.93 - start) * t, t)
        if i == 1 and "bird" in page.touches:
            add_birds(page, picture, start)
    return picture


def ridge(page: Page, picture: Pixels, part: str, base: float, t: float) -> None:
    """One ridge with mist at its feet; t is 0 for the farthest and 1 for the nearest."""
    octaves = page.many(8, 2)
    line = skyline(page, part, 2.0 + t * 1.3, octaves)
    top = page.height * base - (line - 0.5) * page.reach * (0.34 + 0.14 * (1 - t))
    first = max(0, int(top.min()) - 2)
    below = page.y[first:] - top
    near, far = page.palette.land[0], page.palette.land[-1]
    own = ramp((far, page.palette.land[-2], page.palette.land[1], near), np.array([[t]]))
    mist = np.clip(below / (page.reach * 0.22), 0, 1) * ((1 - t) * 0.55)
    colour = own + mist * (plane_far(page) - own)
    lay(picture[:, first:], colour, np.clip(below / 1.5, 0, 1))


def lake(page: Page) -> Pixels:
    """Misty mountains standing in still water."""
    generator = page.chance("lake")
    shore = int(page.height * generator.uniform(0.56, 0.66))
    above = page.resized(page.width, shore)
    picture = page.blank(page.palette.paper)
    picture[:, :shore] = _far_shore(above)
    below = page.height - shore
    depth = np.arange(below, dtype=np.float32)[:, None]
    swell = noise(page.resized(page.width, below), "swell", 9, page.many(4, 1), stretch=0.22) - 0.5
    rows = np.abs(shore - 1 - depth * (shore / below) * 0.92 - swell * (6 + depth * 0.34))
    rows = np.minimum(rows, shore - 1).astype(np.intp)
    mirrored = picture[:, rows, np.arange(page.width)[None, :]]
    tint = np.array(mix(page.palette.land[1], page.palette.sky[0], 0.5), np.float32).reshape(
        3, 1, 1
    )
    picture[:, shore:] = mirrored + (0.16 + 0.2 * depth / below) * (tint - mirrored)
    streak = np.clip((swell - 0.1) * 6, 0, 1) * np.exp(-depth / (below * 0.45)) * 0.45
    lay(picture[:, shore:], page.palette.sky[-1], streak)
    shoreline = np.exp(-(((page.y - shore) / (page.reach * 0.006)) ** 2)) * 0.55
    lay(picture, page.palette.sky[-1], np.broadcast_to(shoreline, picture.shape[1:]))
    return picture


def _far_shore(page: Page) -> Pixels:
    generator = page.chance("far shore")
    picture = open_sky(page, 1.0)
    radius = page.short * generator.uniform(0.05, 0.09)
    where = generator.uniform(0.2, 0.8) * page.width, generator.uniform(0.2, 0.36) * page.height
    hang_orb(page, picture, *where, radius)
    layers = 5
    for i in range(layers):
        t = i / (layers - 1)
        ridge(page, picture, f"shore {i}", 0.62 + 0.36 * t, 0.1 + 0.75 * t)
    if "bird" in page.touches:
        add_birds(page, picture, 0.6)
    return picture
