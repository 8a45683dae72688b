"""Source images: an encoded picture is repainted in strokes and gives way to the scene.

Two bands are blended apart (after Burt and Adelson): the scene's texture joins early, its masses
and colours late, so that in between the source keeps its composition and is no ghost behind.
"""

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from ordu.worker.backends.sketch.canvas import Page, Pixels, noise, smooth
from ordu.worker.backends.sketch.palettes import Colour, Palette, from_colours


def palette_of(image: Image.Image) -> Palette:
    """A palette made of the colours of a picture."""
    few = image.resize((64, 64)).quantize(10)
    codes = few.getpalette() or []
    counts = few.getcolors() or []
    colours: list[Colour] = []
    for _, index in sorted(counts, reverse=True):
        if isinstance(index, int):
            red, green, blue = codes[index * 3 : index * 3 + 3]
            colours.append((float(red), float(green), float(blue)))
    return from_colours(colours if len(colours) > 1 else [*colours, (24, 26, 32), (240, 236, 226)])


def blend(page: Page, source: Image.Image, scene: Pixels, strength: float) -> Pixels:
    """The source at strength 0, the scene at 1; between them a painting of both.

    The page and the scene have the size of the source.
    """
    strength = float(np.clip(strength, 0, 1))
    original = _planes(source)
    if strength in {0.0, 1.0}:
        return scene if strength else original
    mixed = _mixed(original, scene, page.short * 0.035, strength)
    brushed = _repainted(page, mixed, strength)
    amount = _ease(strength / 0.3) * (1 - _ease((strength - 0.7) / 0.3))
    return mixed + (brushed - mixed) * amount


def _mixed(original: Pixels, scene: Pixels, blur: float, strength: float) -> Pixels:
    """Both pictures in one, as contrasty as they are."""
    soft_original, soft_scene = _blurred(original, blur), _blurred(scene, blur)
    late = _ease((strength - 0.4) / 0.6)
    mixed = soft_original + (soft_scene - soft_original) * late
    contrast = float(original.std()) * (1 - late) + float(scene.std()) * late
    mixed += (original - soft_original) * (1 - late)
    mixed += (scene - soft_scene) * _ease((strength - 0.2) / 0.6)
    middle: Pixels = mixed.mean(axis=(1, 2), keepdims=True)
    lift = min(1.5, contrast / (float(mixed.std()) + 1))
    return middle + (mixed - middle) * max(1.0, lift)


def _ease(share: float) -> float:
    return float(smooth(np.array(share)))


def _planes(image: Image.Image) -> Pixels:
    return np.moveaxis(np.asarray(image, np.float32), 2, 0).copy()


def _image(picture: Pixels) -> Image.Image:
    return Image.fromarray(np.moveaxis(np.clip(picture, 0, 255), 0, 2).astype(np.uint8))


def _blurred(picture: Pixels, radius: float) -> Pixels:
    return _planes(_image(picture).filter(ImageFilter.GaussianBlur(radius)))


def _repainted(page: Page, picture: Pixels, strength: float) -> Pixels:
    """The picture in brush strokes along its edges: broad ones, then finer where they are off."""
    factor = 2 if page.width * page.height < 600_000 else 1
    goal = _image(picture)
    canvas = goal.filter(ImageFilter.GaussianBlur(page.short * 0.012))
    canvas = canvas.resize((page.width * factor, page.height * factor))
    heading = _heading(page, goal)
    off = np.full((page.height, page.width), 255, np.float32)
    for layer, share in enumerate((0.05, 0.024, 0.011)):
        size = max(2.0, page.short * share * (0.5 + 0.6 * strength))
        colours = np.asarray(goal.filter(ImageFilter.GaussianBlur(size * 0.25)))
        _brush(page, canvas, (colours, heading, off), size, layer)
        small = canvas.reduce(factor) if factor > 1 else canvas
        off = np.abs(np.asarray(small, np.float32) - colours).mean(axis=2)
    return _planes(small)


def _heading(page: Page, goal: Image.Image) -> Pixels:
    """The direction of strokes: along an edge, and where there is none along a slow swirl."""
    grey = np.asarray(goal.convert("L").filter(ImageFilter.GaussianBlur(page.short * 0.008)))
    down, across = np.gradient(grey.astype(np.float32))
    swirl = noise(page, "brush field", 2, 3) * 6
    return np.where(np.hypot(down, across) > 0.8, np.arctan2(across, -down), swirl)


def _brush(
    page: Page, canvas: Image.Image, guide: tuple[Pixels, Pixels, Pixels], size: float, layer: int
) -> None:
    """One layer of strokes where the canvas is off its goal; the guide: colours, headings, off."""
    colours, heading, off = guide
    factor = canvas.width / page.width
    generator = page.chance(f"brush {layer}")
    count = int(min(page.width * page.height / (size * size) * 2.6, 16_000))
    tints = generator.normal(0, 5, (count, 1)) + generator.normal(0, 3, (count, 3))
    pen = ImageDraw.Draw(canvas)
    places = generator.random((count, 4))
    for (across, down, chance, long), tint in zip(places, tints, strict=True):
        x, y = int(across * page.width), int(down * page.height)
        if chance * 20 > off[y, x]:
            continue
        red, green, blue = (int(c) for c in np.clip(colours[y, x] + tint, 0, 255))
        reach = size * (0.6 + long) * factor
        dx, dy = np.cos(heading[y, x]) * reach, np.sin(heading[y, x]) * reach
        line = [(x * factor - dx, y * factor - dy), (x * factor + dx, y * factor + dy)]
        pen.line(line, fill=(red, green, blue), width=max(2, int(size * 0.55 * factor)))
