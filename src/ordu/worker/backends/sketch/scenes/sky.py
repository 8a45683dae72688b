"""Skies: the gradient, stars, sun, moon and birds that several scenes share."""

import numpy as np

from ordu.worker.backends.sketch.canvas import Page, Pixels, lay, noise, ramp, smooth
from ordu.worker.backends.sketch.palettes import mix


def open_sky(page: Page, horizon: float = 1.0, curve: float = 0.85) -> Pixels:
    """A sky down to the horizon (a share of the height), with stars where it is dark."""
    share = (page.y / (page.height * horizon)).clip(0, 1) ** curve
    column = ramp(page.palette.sky, share)
    picture = np.broadcast_to(column, (3, page.height, page.width)).copy()
    if page.palette.is_dark or "star" in page.touches:
        scatter_stars(page, picture, horizon)
    return picture


def scatter_stars(page: Page, picture: Pixels, horizon: float, density: float = 1.0) -> None:
    """Stars, many faint and a few bright, thinning towards the horizon."""
    count = int(page.many(620) * density * np.clip(page.width / page.height, 0.3, 3))
    place = page.chance("stars").random((count, 4))
    grain = max(1, round(page.short / 900))
    xs = (place[:, 0] * (page.width - 3)).astype(int)
    ys = (place[:, 1] ** 1.25 * page.height * horizon * 0.95).astype(int)
    power = place[:, 2] ** 3 * 0.85 + 0.1
    for x, y, strength, size in zip(xs, ys, power, place[:, 3] ** 7 * 2.2 + 1, strict=True):
        side = int(size * grain)
        lay(picture[:, y : y + side, x : x + side], page.palette.paper, np.array(strength))


def hang_orb(
    page: Page, picture: Pixels, x: float, y: float, radius: float, halo: float = 0.5
) -> None:
    """The sun, or the moon where one is asked for or it is night; all in canvas pixels."""
    glow = page.palette.glow
    distance = np.hypot(page.x - x, page.y - y)
    lay(picture, glow, np.exp(-distance / (radius * 2.6)) * halo)
    disc = np.clip((radius - distance) / 1.5 + 0.5, 0, 1)
    if not is_moonlit(page):
        lay(picture, mix(glow, (255, 255, 255), 0.25), disc)
        return
    light = mix(glow, (255, 252, 240), 0.4)
    seas = smooth(noise(page, "moon", 5 * page.short / (radius * 6), 4) * 3 - 1.15)
    if page.chance("crescent").random() < 0.35:
        away = np.hypot(page.x - x + radius * 0.55, page.y - y + radius * 0.22)
        disc = disc * np.clip((away - radius * 0.98) / 1.5 + 0.5, 0, 1)
    lay(picture, ramp((light, mix(light, page.palette.sky[0], 0.22)), seas), disc)


def is_moonlit(page: Page) -> bool:
    """Whether the light in the sky is the moon."""
    if "sun" in page.touches:
        return False
    return "moon" in page.touches or page.palette.is_dark


def add_birds(page: Page, picture: Pixels, low: float, count: int = 16) -> None:
    """A loose line of birds above `low` (a share of the height)."""
    generator = page.chance("birds")
    middle = generator.uniform(0.25, 0.75), generator.uniform(0.25, 0.7) * low
    for _ in range(count):
        x = (middle[0] + generator.normal(0, 0.11)) * page.width
        y = (middle[1] + generator.normal(0, 0.05)) * page.height
        span = page.short * generator.uniform(0.008, 0.022)
        bird(page, picture, x, y, span, generator.uniform(0.25, 0.7))


def bird(page: Page, picture: Pixels, x: float, y: float, span: float, bend: float) -> None:
    """One bird far away: two curved wings."""
    reach = int(span) + 3
    left, top = int(x) - reach, int(y) - reach
    if left < 0 or top < 0 or left + 2 * reach > page.width or top + 2 * reach > page.height:
        return
    across = (np.arange(2 * reach, dtype=np.float32) - reach)[None, :] / span
    down = (np.arange(2 * reach, dtype=np.float32) - reach)[:, None] / span
    wing = -bend * np.sin(np.abs(across).clip(0, 1) * 2.2)
    thick = 0.16 * (1 - np.abs(across)).clip(0, 1) + 0.02
    mask = np.clip((thick - np.abs(down - wing)) * span + 0.5, 0, 1) * (np.abs(across) < 1)
    lay(picture[:, top : top + 2 * reach, left : left + 2 * reach], page.palette.ink, mask * 0.9)
