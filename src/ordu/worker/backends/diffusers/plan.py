"""What has to be run for one picture: one pass of the network, or two. Values in, values out."""

import math
from dataclasses import dataclass
from enum import StrEnum

from ordu.worker.backends import BackendError, Drawing

SIDE_STEP = 8  # pixels that one latent number stands for
SMALL_SIDE_STEP = 64  # sides of a first pass: what every model can


class Kind(StrEnum):
    """What a pass starts from."""

    TEXT = "text"  # noise
    IMAGE = "image"  # a picture, all of which may change
    PAINT = "paint"  # a picture, of which a part is painted anew


@dataclass(frozen=True, slots=True)
class Pass:
    """One run through the noise."""

    kind: Kind
    width: int
    height: int
    strength: float = 1.0  # how far it may go from what it starts from
    share: float = 1.0  # of the work of the whole picture


def passes(drawing: Drawing, native_pixels: int) -> tuple[Pass, ...]:
    """The passes of a drawing, in order; none when the source image is to stay as it is.

    Raises:
        BackendError: this size or source cannot be drawn.
    """
    width, height = drawing.width, drawing.height
    if width % SIDE_STEP or height % SIDE_STEP or min(width, height) < SIDE_STEP:
        raise BackendError(f"A side has to be a multiple of {SIDE_STEP}: this is {width}×{height}.")
    if drawing.steps < 1:
        raise BackendError("At least one step is needed.")
    if drawing.source_processing in {"inpainting", "outpainting"}:
        strength = 1.0 if drawing.source_processing == "outpainting" else _strength(drawing)
        return (Pass(Kind.PAINT, width, height, strength),) if strength else ()
    if drawing.source_image is not None:
        strength = _strength(drawing)
        return (Pass(Kind.IMAGE, width, height, strength),) if strength else ()
    if drawing.hires_fix and width * height > native_pixels:
        return _twice(drawing, native_pixels)
    return (Pass(Kind.TEXT, width, height),)


def _twice(drawing: Drawing, native_pixels: int) -> tuple[Pass, ...]:
    """First as many pixels as the model was trained with, then over it again in full size."""
    width, height = drawing.width, drawing.height
    factor = math.sqrt(native_pixels / (width * height))
    small = [max(SMALL_SIDE_STEP, _rounded(side * factor)) for side in (width, height)]
    small = [min(small[0], width), min(small[1], height)]
    strength = _at_least_a_step(drawing.hires_fix_denoising_strength, drawing.steps)
    first, second = small[0] * small[1], width * height * strength
    return (
        Pass(Kind.TEXT, small[0], small[1], share=first / (first + second)),
        Pass(Kind.IMAGE, width, height, strength, share=second / (first + second)),
    )


def _strength(drawing: Drawing) -> float:
    """How far to go, for at least one step; 0 keeps the source image."""
    if drawing.denoising_strength <= 0:
        return 0.0
    return _at_least_a_step(drawing.denoising_strength, drawing.steps)


def _at_least_a_step(strength: float, steps: int) -> float:
    # diffusers counts whole steps, rounded down; the little more is for 1/3 × 3 < 1.
    return min(1.0, max(strength, 1 / steps + 1e-6))


def _rounded(side: float) -> int:
    return round(side / SMALL_SIDE_STEP) * SMALL_SIDE_STEP
