"""Water: the sea under a great moon or sun, and rain on a window."""

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from ordu.worker.backends.sketch.canvas import (
    Page,
    Pixels,
    box,
    dots,
    lay,
    noise,
    plane,
    ramp,
    skyline,
    smooth,
)
from ordu.worker.backends.sketch.palettes import mix
from ordu.worker.backends.sketch.scenes.sky import add_birds, is_moonlit, scatter_stars


def sea(page: Page) -> Pixels:
    """A great moon or sun over the sea, printed in dots of a few inks."""
    generator = page.chance("sea")
    dot = dots(page)
    horizon = page.height * generator.uniform(0.56, 0.66)
    picture = _sea_and_sky(page, dot, horizon)
    if page.palette.is_dark:
        scatter_stars(page, picture, horizon / page.height, 0.5)
    radius = min(page.short * generator.uniform(0.15, 0.25), horizon * 0.42)
    x = page.width * generator.choice([0.5, 0.5, generator.uniform(0.26, 0.74)])
    y = horizon - generator.choice([radius * 0.1, horizon * 0.5, horizon * 0.5])
    y = max(y, radius * 1.25)
    _great_orb(page, picture, dot, (float(x), float(y), radius), horizon)
    _glitter(page, picture, dot, float(x), horizon, radius)
    _coast(page, picture, dot, horizon)
    if "bird" in page.touches:
        add_birds(page, picture, horizon / page.height)
    return picture


def _sea_and_sky(page: Page, dot: Pixels, horizon: float) -> Pixels:
    palette = page.palette
    share = (page.y / horizon).clip(0, 1)
    above = 1 - share * 0.72
    below = 0.34 + 0.5 * (page.y - horizon) / (page.height - horizon)
    swell = noise(page, "swell", 5, page.many(4, 1), stretch=0.16) - 0.5
    ink = np.where(page.y < horizon, above, below + swell * 0.45)
    paper = mix(palette.sky[-1], palette.paper, 0.4)
    if palette.is_dark:
        paper = mix(palette.sky[-1], palette.sky[1], 0.2)
    first = np.broadcast_to(ramp((paper, palette.sky[-1]), share), (3, page.height, page.width))
    picture = first.copy()
    blue = ramp((palette.sky[0], mix(palette.sky[0], palette.sky[1], 0.6), palette.sky[0]), share)
    lay(picture, np.broadcast_to(blue, picture.shape), dot < ink)
    return picture


def _great_orb(
    page: Page,
    picture: Pixels,
    dot: Pixels,
    place: tuple[float, float, float],
    horizon: float,
) -> None:
    x, y, radius = place
    rows, columns = box(page, x, y, radius + 2, radius + 2)
    across, down = page.x[:, columns] - x, page.y[rows] - y
    disc = np.clip(radius - np.hypot(across, down) + 0.5, 0, 1)
    disc = disc * (page.y[rows] < horizon)
    patches = noise(page, "patches", 5, 4)[rows, columns] - 0.5
    tone = 0.24 + 0.3 * (across / radius + down / radius * 0.6)
    tone = tone + patches * (1.1 if is_moonlit(page) else 0.35)
    pale = mix(page.palette.glow, (255, 252, 240), 0.55)
    deep = _orb_colour(page)
    face = np.where(dot[rows, columns] < tone, plane(deep), plane(pale))
    lay(picture[:, rows, columns], face, disc)


def _orb_colour(page: Page) -> tuple[float, float, float]:
    glow, accent = page.palette.glow, page.palette.accents[0]
    return glow if min(glow) < 170 else mix(glow, accent, 0.75)


def _glitter(
    page: Page, picture: Pixels, dot: Pixels, x: float, horizon: float, radius: float
) -> None:
    """The broken path of light on the water."""
    top = int(horizon)
    depth = (page.y[top:] - horizon).clip(0)
    room = page.height - horizon
    shake = noise(page, "shake", 8, page.many(4, 2), stretch=0.5)[top:] - 0.5
    scale = page.reach / 1400
    wave = np.sin((depth / scale) ** 0.62 * 2.2 + shake * 10)
    half = radius * (0.42 + 0.75 * depth / room) + shake * page.short * 0.1
    path = (np.abs(page.x - x) < half) & (wave > 0.12)
    pale = mix(page.palette.glow, (255, 252, 240), 0.5)
    face = np.where(dot[top:] < 0.66, plane(_orb_colour(page)), plane(pale))
    lay(picture[:, top:], face, path)


def _coast(page: Page, picture: Pixels, dot: Pixels, horizon: float) -> None:
    """A dark strip of reeds, or headlands at the sides, along the horizon."""
    generator = page.chance("coast")
    ink = mix(page.palette.land[0], page.palette.ink, 0.4)
    line = skyline(page, "reeds", 4, page.many(9, 3), 0.72)
    if generator.random() < 0.4:
        rise = page.reach * (0.012 + 0.10 * np.clip(line - 0.2, 0, 1))
    else:
        hills = skyline(page, "headland", 1.1, page.many(6, 2), 0.4)
        side = np.abs(page.x[0] / page.width - generator.uniform(0.35, 0.65)) * 2
        rise = page.reach * np.clip((hills - 0.35) * 0.5 * side**1.4, 0.001, 1)
    top = np.asarray(horizon - rise, np.float32)
    mask = np.clip(page.y - top, 0, 1) * np.clip(horizon + page.reach * 0.006 - page.y, 0, 1)
    lay(picture, ink, mask * (dot < 0.94))


def rain(page: Page) -> Pixels:
    """Raindrops on a window, with the lights of a street behind."""
    lights = _lights_behind(page)
    picture = np.moveaxis(np.asarray(lights, np.float32), 2, 0) * 0.86
    through = np.moveaxis(
        np.asarray(lights.transpose(Image.Transpose.FLIP_TOP_BOTTOM), np.float32), 2, 0
    )
    _trails(page, picture)
    place = page.chance("drops").random((_count(page, 560), 3))
    for across, down, size in place:
        radius = page.short * (0.0028 + 0.019 * size**4)
        _drop(page, picture, through, across * page.width, down * page.height, radius)
    return picture


def _count(page: Page, full: int) -> int:
    ratio = page.width * page.height / page.short**2
    return page.many(int(full * min(ratio, 6.0)), 20)


def _lights_behind(page: Page) -> Image.Image:
    palette = page.palette.at_night()
    colours = [mix(palette.sky[1], palette.ink, 0.2), mix(palette.sky[2], palette.ink, 0.35)]
    colours += [mix(colour, palette.glow, 0.2) for colour in page.palette.accents]
    shares = np.array([0.3, 0.28, 0.13, 0.12, 0.08, 0.05, 0.04])
    generator = page.chance("lights")
    width, height = max(16, page.width // 4), max(16, page.height // 4)
    ground = np.moveaxis(ramp(palette.sky[:3], page.resized(width, height).y / height), 0, 2)
    image = Image.fromarray(np.broadcast_to(ground, (height, width, 3)).astype(np.uint8))
    pen = ImageDraw.Draw(image, "RGBA")
    for across, down, size in generator.random((_count(page, 190), 3)):
        red, green, blue = (int(c) for c in colours[generator.choice(7, p=shares)])
        x, y, radius = across * width, (0.1 + 0.85 * down) * height, 0.012 + size**2 * 0.075
        radius *= page.short / 4
        where = (x - radius, y - radius, x + radius, y + radius)
        pen.ellipse(where, fill=(red, green, blue, 225))
    image = image.filter(ImageFilter.GaussianBlur(min(width, height) * 0.011))
    return image.resize((page.width, page.height), Image.Resampling.BICUBIC)


def _trails(page: Page, picture: Pixels) -> None:
    """Clear streaks where drops have run down."""
    for across, down, length in page.chance("trails").random((_count(page, 22), 3)):
        x, top = across * page.width, down * page.height * 0.7
        end = min(page.height, top + page.short * (0.15 + 0.5 * length))
        rows, columns = box(page, x, (top + end) / 2, page.short * 0.02, (end - top) / 2)
        if rows.stop - rows.start < 2 or columns.stop - columns.start < 2:
            continue
        bend = x + np.sin(page.y[rows] / page.short * 21 + x) * page.short * 0.003
        thick = page.short * 0.006 * ((page.y[rows] - top) / (end - top)).clip(0, 1) ** 0.6
        mask = smooth((thick - np.abs(page.x[:, columns] - bend)) / 2 + 0.5)
        lay(picture[:, rows, columns], page.palette.paper, mask * 0.11)
        _bead(page, picture, x, end)


def _bead(page: Page, picture: Pixels, x: float, y: float) -> None:
    rows, columns = box(page, x, y, page.short * 0.008, page.short * 0.012)
    away = np.hypot((page.x[:, columns] - x) / 0.008, (page.y[rows] - y) / 0.012) / page.short
    lay(picture[:, rows, columns], page.palette.paper, np.clip(1 - away, 0, 1) * 0.5)


def _drop(page: Page, picture: Pixels, through: Pixels, x: float, y: float, radius: float) -> None:
    """One drop: it shows the street upside down, darker above and lit below."""
    rows, columns = box(page, x, y, radius, radius * 1.2)
    if rows.stop <= rows.start or columns.stop <= columns.start:
        return
    across, down = page.x[:, columns] - x, page.y[rows] - y
    inside = (across / radius) ** 2 + (down / (radius * 1.2)) ** 2
    mask = np.clip((1 - inside) * radius * 0.5, 0, 1)
    source_y = (down * 3 + page.height * 0.5).astype(int) % page.height
    source_x = np.clip(across * 3 + x, 0, page.width - 1).astype(int)
    colour = through[:, source_y, source_x] * 1.1 + (8 - 28 * np.clip(-down / radius, -1, 1))
    shine = np.hypot(across / radius + 0.35, down / radius + 0.5)
    colour = colour + np.clip(1 - shine * 3.2, 0, 1) * 120
    colour = colour - np.clip(inside - 0.62, 0, 1) * 70
    lay(picture[:, rows, columns], colour, mask)
