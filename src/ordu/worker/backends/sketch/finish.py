"""Finishing: from what a scene painted to WebP bytes: grain, contrast, wrapping edges, encoding."""

import io

import numpy as np
from PIL import Image

from ordu.worker.backends.sketch.canvas import Page, Pixels, noise, smooth

QUALITY = 88
MARGIN = 0.22  # of a side: what a tiling picture is painted larger, to fade over its seam


def supersampling(width: int, height: int) -> float:
    """Canvas pixels per picture pixel.

    Twice smooths hard edges and is what small pictures can afford; a canvas has 4 to 5 million
    pixels at most until the picture itself is larger.
    """
    pixels = width * height
    if pixels <= 600_000:
        return 2.0
    return 1.5 if pixels <= 1_400_000 else 1.0


def reduced(page: Page, picture: Pixels, width: int, height: int, grain: float) -> Pixels:
    """The canvas with grain, reduced to the size of the picture."""
    generator = page.chance("grain")
    picture = picture + generator.standard_normal(picture.shape[1:], dtype=np.float32) * grain
    if (page.width, page.height) == (width, height):
        return picture
    image = Image.fromarray(np.moveaxis(np.clip(picture, 0, 255), 0, 2).astype(np.uint8))
    small = image.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)
    return np.moveaxis(np.asarray(small, np.float32), 2, 0)


def developed(picture: Pixels, cfg_scale: float) -> Pixels:
    """More or less contrast and colour: 5 leaves the picture as it is, 0 mutes it, 30 shouts."""
    steps = [-40, 0, 5, 12, 30, 100]
    colour = np.float32(np.interp(cfg_scale, steps, [0.1, 0.5, 1.0, 1.22, 1.5, 1.75]))
    contrast = np.float32(np.interp(cfg_scale, steps, [0.5, 0.74, 1.0, 1.1, 1.25, 1.4]))
    grey = picture[0] * np.float32(0.299) + picture[1] * np.float32(0.587)
    grey += picture[2] * np.float32(0.114)
    middle = np.float32(grey.mean() * 0.6 + 0.4 * 128)
    vivid: Pixels = grey + (picture - grey) * colour
    return middle + (vivid - middle) * contrast


def wrapped(page: Page, picture: Pixels, width: int, height: int) -> Pixels:
    """Cut a picture painted with margins so that its opposite edges meet.

    What lies beyond the right edge fades in at the left one, and so from bottom to top; the border
    between both wanders, which hides it better than a straight one.
    """
    drift = noise(page, "seam", 6, 4) - 0.5
    picture = _fold(picture, drift, width)
    drift = np.swapaxes(drift[:, :width], 0, 1)
    return np.swapaxes(_fold(np.swapaxes(picture, 1, 2), drift, height), 1, 2)


def _fold(picture: Pixels, drift: Pixels, width: int) -> Pixels:
    margin = picture.shape[2] - width
    ramp = np.linspace(0, 1, margin, dtype=np.float32)[None, :]
    share = smooth(ramp + drift[:, :margin] * 5 * ramp * (1 - ramp))
    folded = picture[:, :, :width].copy()
    beyond = picture[:, :, width:]
    folded[:, :, :margin] = beyond + (folded[:, :, :margin] - beyond) * share
    return folded


def encoded(picture: Pixels) -> bytes:
    """The picture as WebP."""
    image = Image.fromarray(np.moveaxis(np.clip(picture, 0, 255), 0, 2).round().astype(np.uint8))
    with io.BytesIO() as out:
        image.save(out, "WEBP", quality=QUALITY, method=4)
        return out.getvalue()
