"""From OpenAI's words to a request of the horde's own.

What is not said is taken from what the horde knows of the model (`models.toml`), so that a program
which knows nothing of steps and samplers gets what the model was made for.
"""

from collections.abc import Mapping
from typing import Any

import pybase64

from ordu.images.check import Picture
from ordu.kinds.catalogue import Catalogue, Model
from ordu.protocol.params import ModelGenerationInputStable as Params
from ordu.protocol.requests import GenerationInput
from ordu.server.doors.openai.errors import FieldRefused
from ordu.server.doors.openai.messages import (
    Asked,
    AskedEdit,
    AskedGeneration,
    AskedPicture,
    AskedVariation,
    Quality,
)

SIDE_STEP, SIDE_MAX = 64, 3072
STEPS_USUAL, STEPS_MAX = 30, 500
# How many steps a quality is, as a part of the usual ones.
STEPS_OF: Mapping[Quality, float] = {
    "low": 0.5,
    "auto": 1,
    "medium": 1,
    "standard": 1,
    "high": 1.5,
    "hd": 1.5,
    "xhigh": 2,
    "max": 3,
}
SMALL_BASELINES = frozenset({None, "stable diffusion 1", "stable diffusion 2"})
SMALL_SIDE, LARGE_SIDE = 512, 1024
AREA_MAX = 1024 * 1024  # of a size that follows a picture
# How far an edit without a mask may go from its picture.
DENOISING_OF = {None: 0.75, "low": 0.75, "high": 0.5}
CFG_USUAL, SAMPLER_USUAL = 5.0, "k_euler_a"


class Sources:
    """The pictures that came with a call, as they are handed on."""

    def __init__(self, image: bytes, picture: Picture, mask: bytes | None = None) -> None:
        self.picture = picture
        self.image = pybase64.b64encode_as_string(image)
        self.mask = None if mask is None else pybase64.b64encode_as_string(mask)


def generation(asked: AskedGeneration, model: str, catalogue: Catalogue) -> GenerationInput:
    """A picture from words.

    Raises:
        Refused: `FieldRefused`.
    """
    known = known_of(model, catalogue)
    side = SMALL_SIDE if known.baseline in SMALL_BASELINES else LARGE_SIDE
    return request(asked, asked.prompt, model, known, size_of(asked, (side, side)))


def edit(asked: AskedEdit, sources: Sources, model: str, catalogue: Catalogue) -> GenerationInput:
    """A picture from another: where its mask is white, or all of it.

    Raises:
        Refused: `FieldRefused`.
    """
    denoising = asked.denoising_strength
    if denoising is None and sources.mask is None:
        denoising = DENOISING_OF[asked.input_fidelity]
    return request(
        asked,
        asked.prompt,
        model,
        known_of(model, catalogue),
        size_of(asked, size_like(sources.picture)),
        sources,
        denoising,
    )


def variation(
    asked: AskedVariation, sources: Sources, model: str, catalogue: Catalogue
) -> GenerationInput:
    """A picture like another.

    Raises:
        Refused: `FieldRefused`.
    """
    size = size_of(asked, size_like(sources.picture))
    known = known_of(model, catalogue)
    return request(asked, asked.prompt, model, known, size, sources, asked.denoising_strength)


def known_of(model: str, catalogue: Catalogue) -> Model:
    """What is known of a model; nothing of one that is not listed."""
    return catalogue.models.get(model, Model())


def request(
    asked: Asked,
    prompt: str,
    model: str,
    known: Model,
    size: tuple[int, int],
    sources: Sources | None = None,
    denoising: float | None = None,
) -> GenerationInput:
    """The request itself."""
    pictured = asked if isinstance(asked, AskedPicture) else None
    quality: Quality = pictured.quality if pictured else "auto"
    params = Params(
        n=asked.n,
        width=size[0],
        height=size[1],
        steps=asked.steps or steps_of(quality, known),
        cfg_scale=cfg_scale_of(known) if asked.cfg_scale is None else asked.cfg_scale,
        sampler_name=asked.sampler_name or sampler_of(known),
        karras=not known.schedulers or "karras" in known.schedulers,
        clip_skip=known.clip_skip,
        seed=None if asked.seed is None else str(asked.seed),
        loras=asked.loras,
        denoising_strength=denoising,
        transparent=pictured is not None and pictured.background == "transparent",
    )
    return GenerationInput(
        prompt=with_negative(prompt, asked.negative_prompt),
        params=params,
        models=[model],
        nsfw=pictured is not None and pictured.moderation == "low",
        censor_nsfw=False,
        r2=asked.response_format == "url",
        **source_fields(sources),
    )


def source_fields(sources: Sources | None) -> dict[str, Any]:
    """The fields of a request for the pictures that came with it."""
    if sources is None:
        return {}
    return {
        "source_image": sources.image,
        "source_mask": sources.mask,
        "source_processing": "img2img" if sources.mask is None else "inpainting",
    }


def with_negative(prompt: str, negative: str | None) -> str:
    """A prompt and what should not be in the picture, as hordes write it."""
    if not negative:
        return prompt
    return f"{prompt}, {negative}" if "###" in prompt else f"{prompt} ### {negative}"


# Size


def size_of(asked: Asked, otherwise: tuple[int, int]) -> tuple[int, int]:
    """Width and height that are asked for.

    Raises:
        Refused: `FieldRefused`.
    """
    if asked.size == "auto":
        return otherwise
    width, height = (int(side) for side in asked.size.split("x"))
    near = (nearest(width), nearest(height))
    if near != (width, height):
        raise FieldRefused(
            "size",
            f"Width and height are multiples of {SIDE_STEP} from {SIDE_STEP} to {SIDE_MAX}, or "
            f"'auto'. The nearest to {asked.size} is {near[0]}x{near[1]}.",
        )
    return near


def nearest(side: float) -> int:
    """The side that can be drawn and is nearest to this one."""
    return min(max(round(side / SIDE_STEP), 1) * SIDE_STEP, SIDE_MAX)


def size_like(picture: Picture) -> tuple[int, int]:
    """A size of a picture's shape that costs nothing up front."""
    smaller = min(1.0, (AREA_MAX / picture.pixels) ** 0.5)
    width, height = nearest(picture.width * smaller), nearest(picture.height * smaller)
    while width * height > AREA_MAX:  # rounded up; at most twice
        width, height = (width - 64, height) if width > height else (width, height - 64)
    return width, height


# What a model was made for


def steps_of(quality: Quality, known: Model) -> int:
    """How many steps a quality is with a model."""
    most = known.max_steps or STEPS_MAX
    usual = min(max(STEPS_USUAL, known.min_steps or 1), most)
    return min(max(round(usual * STEPS_OF[quality]), known.min_steps or 1), most)


def cfg_scale_of(known: Model) -> float:
    """How closely a picture of a model follows the prompt."""
    if known.cfg_scale is not None:
        return known.cfg_scale
    least = CFG_USUAL if known.min_cfg_scale is None else known.min_cfg_scale
    most = CFG_USUAL if known.max_cfg_scale is None else known.max_cfg_scale
    return min(max(CFG_USUAL, least), most)


def sampler_of(known: Model) -> Any:
    """The sampler for a model."""
    is_usual = not known.samplers or SAMPLER_USUAL in known.samplers
    return SAMPLER_USUAL if is_usual else known.samplers[0]
