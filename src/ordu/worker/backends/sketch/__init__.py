"""The sketch painter: pictures from a few known words, with no model, no GPU and no download.

It is no neural model and does not understand a prompt. It knows only the words that `known_words`
lists: some choose one of eighteen procedural scenes, some its colours, some small things in it. The
seed chooses everything else, and a prompt without any known word gets a scene by its hash. So a
horde can be tried, tested and shown from end to end on any machine.

A picture is made in this order: `words` reads the prompt, `scenes` paints a canvas, `finish`
reduces and develops it, `source` mixes in a source image, and `finish` wraps and encodes it.
"""

from dataclasses import replace

import numpy as np

from ordu.worker import pictures
from ordu.worker.backends import Backend, BackendError, Drawing, Offer, Picture, Progress
from ordu.worker.backends.sketch import finish, source
from ordu.worker.backends.sketch.canvas import Page, Pixels
from ordu.worker.backends.sketch.palettes import PALETTES, Palette, named
from ordu.worker.backends.sketch.scenes import SCENES, Scene
from ordu.worker.backends.sketch.words import Brief, known_words, read

__all__ = ["SketchBackend", "known_words"]

SIDE_MAX = 3072  # pixels; the horde's own limit
# 2 to 7 s and 400 MB by scene; 3072 × 3072 works too, but takes more than twice of both.
OFFER_PIXELS_MAX = 2048 * 2048
# Hordes take who is faster than 20 for a cheat, and a sketch can be.
MEGAPIXELSTEPS_PER_S_MAX = 15.0
STEPS_FULL = 50  # from here on there is no more detail


class SketchBackend(Backend):
    """Paints procedural scenes; see the module's first lines for what it can and cannot do."""

    def offer(self) -> Offer:
        """What can be made: any size up to four megapixels, also from a source image.

        The first model is the horde's default one, so that plain requests are served.
        """
        return Offer(
            models=("stable_diffusion", "sketch"),
            max_pixels=OFFER_PIXELS_MAX,
            img2img=True,
            features=frozenset({"tiling", "censor"}),  # it draws nothing that would not be safe
            megapixelsteps_per_s_max=MEGAPIXELSTEPS_PER_S_MAX,
        )

    def make(self, drawing: Drawing, progress: Progress) -> Picture:
        """Paint a picture; the same drawing gives the same bytes.

        Raises:
            BackendError: the size cannot be painted, or the source image cannot be read.
        """
        if not (1 <= drawing.width <= SIDE_MAX and 1 <= drawing.height <= SIDE_MAX):
            size = f"{drawing.width} × {drawing.height}"
            raise BackendError(f"A side has 1 to {SIDE_MAX} pixels; this picture is {size}.")
        progress(0.0)
        picture = _sheet(drawing, progress)
        progress(0.9)
        encoded = finish.encoded(picture)
        progress(1.0)
        return Picture(encoded)


def _sheet(drawing: Drawing, progress: Progress) -> Pixels:
    """The picture of a drawing, not yet encoded."""
    width, height = _with_margins(drawing)
    image = None
    if drawing.source_image is not None:
        image = pictures.read_flat(drawing.source_image, width, height)
    brief = read(drawing.prompt, drawing.negative_prompt, tuple(SCENES))
    scene = SCENES[brief.scene]
    palette = _palette(brief, scene, drawing.seed)
    if image is not None and not brief.palettes and drawing.denoising_strength < 1:
        palette = source.palette_of(image)
    progress(0.1)
    page = _page(drawing, brief, palette, width, height)
    picture = scene.paint(page)
    progress(0.65)
    picture = finish.reduced(page, picture, width, height, scene.grain)
    picture = finish.developed(picture, drawing.cfg_scale)
    progress(0.75)
    page = page.resized(width, height)
    if image is not None:
        picture = source.blend(page, image, picture, drawing.denoising_strength)
    if drawing.tiling:
        picture = finish.wrapped(page, picture, drawing.width, drawing.height)
    return picture


def _with_margins(drawing: Drawing) -> tuple[int, int]:
    if not drawing.tiling:
        return drawing.width, drawing.height
    share = 1 + finish.MARGIN
    return round(drawing.width * share), round(drawing.height * share)


def _page(drawing: Drawing, brief: Brief, palette: Palette, width: int, height: int) -> Page:
    factor = finish.supersampling(width, height)
    steps = min(max(drawing.steps, 1), STEPS_FULL)
    return Page(
        width=round(width * factor),
        height=round(height * factor),
        palette=palette,
        seed=drawing.seed % 2**64,
        detail=float(np.log1p(steps) / np.log1p(STEPS_FULL)),
        touches=brief.touches,
        oversized=factor > 1,
    )


def _palette(brief: Brief, scene: Scene, seed: int) -> Palette:
    """The palette a prompt names, or one of the scene's favourites by the seed."""
    if brief.palettes:
        palette = named(brief.palettes)
    else:
        generator = np.random.default_rng([seed % 2**64, 1])
        palette = PALETTES[scene.palettes[int(generator.integers(len(scene.palettes)))]]
    if brief.glow is not None:
        palette = replace(palette, glow=PALETTES[brief.glow].accents[0])
    return palette
