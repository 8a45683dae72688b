"""Wishes: a drawing as the program is asked for it. Plain functions."""

import base64
import re
import secrets
from collections.abc import Mapping, Sequence

from PIL import Image

from ordu.protocol.automatic1111 import FACE_RESTORERS, LATENT
from ordu.protocol.params import Lora
from ordu.worker import pictures
from ordu.worker.backends import Drawing
from ordu.worker.backends.automatic1111.messages import Extras, Image2Image, Text2Image
from ordu.worker.backends.automatic1111.names import Sampling, Upscaler
from ordu.worker.backends.programs import first_pass

# A horde names LoRAs beside the prompt. Written into it they would act all the same, whatever the
# owner allows and however strong.
EXTRA_NETWORK = re.compile(r"<[a-z_]+:[^<>]*>", re.IGNORECASE)
MASK_BLUR_PIXELS = 4
FILL, ORIGINAL = 0, 1  # of `inpainting_fill`


def wish_of(drawing: Drawing, model: str, sampling: Sampling, loras: Sequence[str]) -> Text2Image:
    """What the program is asked for; `model` and `loras` as it calls them."""
    sampler, scheduler = (drawing.karras and sampling.karras) or sampling.plain
    wish = Text2Image(
        prompt=with_loras(EXTRA_NETWORK.sub("", drawing.prompt), drawing.loras, loras),
        negative_prompt=EXTRA_NETWORK.sub("", drawing.negative_prompt),
        seed=drawing.seed,
        steps=drawing.steps,
        cfg_scale=drawing.cfg_scale,
        width=drawing.width,
        height=drawing.height,
        sampler_name=sampler,
        tiling=drawing.tiling,
        override_settings={
            "sd_model_checkpoint": model,
            "CLIP_stop_at_last_layers": drawing.clip_skip,
        },
        force_task_id=f"task(ordu-{secrets.token_hex(8)})",
    )
    if scheduler is not None:
        wish.scheduler = scheduler
    if drawing.source_image is not None:
        return _from_source(wish, drawing, drawing.source_image)
    if drawing.hires_fix:
        _in_two_passes(wish, drawing)
    return wish


def with_loras(prompt: str, loras: Sequence[Lora], names: Sequence[str]) -> str:
    """The prompt with the LoRAs written into it, as the program takes them."""
    written = [prompt]
    for lora, name in zip(loras, names, strict=True):
        strengths = f"{lora.clip:g}" if lora.clip == lora.model else f"{lora.clip:g}:{lora.model:g}"
        written.append(f"<lora:{name}:{strengths}>")
    return " ".join(written)


def extras_of(
    step: str, image: str, strength: float | None, upscalers: Mapping[str, Upscaler]
) -> Extras:
    """One step after drawing; `strength` is that of a correction of faces, 0 to 1."""
    if step not in FACE_RESTORERS:
        upscaler = upscalers[step]
        return Extras(image=image, upscaling_resize=upscaler.factor, upscaler_1=upscaler.name)
    visibility = 1.0 if strength is None else strength
    if step == "GFPGAN":
        return Extras(image=image, gfpgan_visibility=visibility)
    return Extras(image=image, codeformer_visibility=visibility)


def _in_two_passes(wish: Text2Image, drawing: Drawing) -> None:
    small = first_pass(drawing.width, drawing.height)
    if small is None:
        return
    wish.width, wish.height = small
    wish.enable_hr = True
    wish.hr_resize_x, wish.hr_resize_y = drawing.width, drawing.height
    wish.hr_upscaler = LATENT
    wish.denoising_strength = drawing.hires_fix_denoising_strength


def _from_source(wish: Text2Image, drawing: Drawing, source: bytes) -> Image2Image:
    flat = pictures.read_flat(source, drawing.width, drawing.height)
    fields = {name: getattr(wish, name) for name in wish.__struct_fields__}
    fields["denoising_strength"] = drawing.denoising_strength
    again = Image2Image(init_images=[_as_text(flat)], **fields)
    if drawing.source_processing != "img2img":
        is_empty = drawing.source_processing == "outpainting"
        again.mask = _as_text(pictures.read_mask(drawing).convert("RGB"))
        again.mask_blur = MASK_BLUR_PIXELS
        again.inpainting_fill = FILL if is_empty else ORIGINAL
        again.inpaint_full_res = False
        again.inpainting_mask_invert = 0
        if is_empty:  # there is nothing below the mask to start from
            again.denoising_strength = 1.0
    return again


def _as_text(image: Image.Image) -> str:
    return base64.b64encode(pictures.as_png(image)).decode()
