"""Asking: what a program asks for in this API's words, as a request in the horde's own.

Plain functions. Source pictures are fitted elsewhere (`pictures`), because that takes a while.
"""

from typing import Any, NamedTuple

import msgspec

from ordu.protocol.automatic1111 import FACE_RESTORERS
from ordu.protocol.errors import Refused
from ordu.protocol.params import Lora, ModelGenerationInputStable, PostProcessor, Side
from ordu.protocol.requests import GenerationInput
from ordu.server.doors.automatic1111 import prompts
from ordu.server.doors.automatic1111.messages import ImageToImage, Picture, TextToImage
from ordu.server.doors.automatic1111.names import Sampling
from ordu.server.doors.automatic1111.refusals import FACES

STRENGTH = 0.75  # of this API, when none is given
USUAL_FACES = "CodeFormer"
FILL = 0  # of `inpainting_fill`: what lies below the mask is not looked at


class Chosen(NamedTuple):
    """What is settled beside the body: by an option of it, one of before, or by what is here."""

    models: tuple[str, ...]
    sampling: Sampling
    clip_skip: int = 1


class Size(NamedTuple):
    """How large the finished picture is."""

    width: int
    height: int


def generation_input(
    body: Picture, chosen: Chosen, source: str = "", mask: str = ""
) -> GenerationInput:
    """The request; `source` and `mask` are pictures in Base64, fitted already.

    Raises:
        Refused: ValidationFailed.
    """
    prompt, negative_prompt, loras = prompts_of(body)
    size, many = size_of(body), body.batch_size * body.n_iter
    params = ModelGenerationInputStable(
        steps=body.steps,
        n=many,
        sampler_name=chosen.sampling.sampler,
        karras=chosen.sampling.karras,
        cfg_scale=body.cfg_scale,
        width=size.width,
        height=size.height,
        seed=None if body.seed < 0 else str(body.seed),
        # Each further picture has the next seed, as the program draws them.
        seed_variation=1 if body.seed >= 0 and many > 1 else None,
        tiling=body.tiling,
        clip_skip=chosen.clip_skip if chosen.clip_skip > 1 else None,
        loras=list(loras) or None,
        post_processing=[face_restorer(body)] if body.restore_faces else None,
        **strengths(body),
    )
    return GenerationInput(
        prompt=prompts.joined(prompt, negative_prompt),
        params=params,
        models=list(chosen.models),
        **from_picture(body, source, mask),
    )


def prompts_of(body: Picture) -> tuple[str, str, tuple[Lora, ...]]:
    """Both prompts without LoRAs, and these.

    Raises:
        Refused: ValidationFailed.
    """
    if body.disable_extra_networks:
        return body.prompt, body.negative_prompt, ()
    wanted = prompts.read(body.prompt)
    return wanted.text, body.negative_prompt, wanted.loras


def size_of(body: Picture) -> Size:
    """How large the finished picture is: the second pass of two is larger.

    Raises:
        Refused: ValidationFailed.
    """
    if not isinstance(body, TextToImage) or not body.enable_hr:
        return Size(body.width, body.height)
    width, height = body.hr_resize_x, body.hr_resize_y
    field = "hr_resize_x" if width else "hr_resize_y"
    if not width and not height:
        field = "hr_scale"
        width, height = round(body.width * body.hr_scale), round(body.height * body.hr_scale)
    elif not width or not height:
        scale = width / body.width if width else height / body.height
        width, height = round(body.width * scale), round(body.height * scale)
    try:
        return Size(msgspec.convert(width, Side), msgspec.convert(height, Side))
    except msgspec.ValidationError:
        words = (
            f"The finished picture would have {width} × {height} pixels. Each side has to be a "
            "multiple of 64, from 64 to 3072."
        )
        raise Refused("ValidationFailed", words, errors={field: words}) from None


def strengths(body: Picture) -> dict[str, Any]:
    """How far the picture may go from what it is drawn over."""
    strength = STRENGTH if body.denoising_strength is None else body.denoising_strength
    if isinstance(body, ImageToImage):
        return {"denoising_strength": strength}
    if isinstance(body, TextToImage) and body.enable_hr:
        return {"hires_fix": True, "hires_fix_denoising_strength": strength}
    return {}


def from_picture(body: Picture, source: str, mask: str) -> dict[str, Any]:
    """The fields of a request that draws from a picture."""
    if not isinstance(body, ImageToImage):
        return {}
    if not mask:
        return {"source_image": source, "source_processing": "img2img"}
    processing = "outpainting" if body.inpainting_fill == FILL else "inpainting"
    return {"source_image": source, "source_mask": mask, "source_processing": processing}


def face_restorer(body: Picture) -> PostProcessor:
    """The post-processor that corrects faces."""
    wanted = body.override_settings.get(FACES)
    theirs = USUAL_FACES if wanted in {None, "", "None"} else wanted
    return next(ours for ours, each in FACE_RESTORERS.items() if each == theirs)
