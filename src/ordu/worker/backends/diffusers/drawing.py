"""One picture with a loaded model: the passes of its plan, one after the other."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import diffusers
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageFilter

from ordu.worker import pictures
from ordu.worker.backends import BackendError, Drawing, Progress
from ordu.worker.backends.diffusers import plan, prompts, schedulers
from ordu.worker.backends.diffusers.loading import Loaded, Pipeline
from ordu.worker.backends.diffusers.plan import Kind, Pass

TASKS = {
    Kind.TEXT: diffusers.AutoPipelineForText2Image,
    Kind.IMAGE: diffusers.AutoPipelineForImage2Image,
    Kind.PAINT: diffusers.AutoPipelineForInpainting,
}
SEAM = 4  # pixels over which what was painted fades into what stays


def draw(loaded: Loaded, drawing: Drawing, progress: Progress, *, sparing: bool) -> Image.Image:
    """Draw a picture; the same drawing gives the same picture.

    `sparing` takes less memory and more time.

    Raises:
        BackendError: this cannot be drawn.
        Cancelled: `progress` raised it.
    """
    todo = plan.passes(drawing, loaded.native_pixels)
    source = _source(drawing)
    mask = pictures.read_mask(drawing) if todo and todo[0].kind is Kind.PAINT else None
    if not todo:
        return _required(source)
    loaded.pipe.scheduler = schedulers.scheduler(drawing, loaded.described_scheduler)
    with ExitStack() as stack:
        if drawing.tiling:
            stack.enter_context(_seamless(loaded.pipe))
        if sparing:
            stack.enter_context(_sparing(loaded.pipe, is_seamless=drawing.tiling))
        generator = torch.Generator("cpu").manual_seed(drawing.seed)
        image, done = source, 0.0
        for each in todo:
            share = _part(progress, done, each.share)
            image = _run(loaded, each, drawing, image, mask, generator, share)
            done += each.share
    image = _required(image)
    return image if mask is None else _kept(_required(source), image, mask)


def _run(
    loaded: Loaded,
    each: Pass,
    drawing: Drawing,
    image: Image.Image | None,
    mask: Image.Image | None,
    generator: Any,
    progress: Progress,
) -> Image.Image:
    """One pass."""
    kind, size = each.kind, (each.width, each.height)
    if loaded.is_painter and kind is not Kind.PAINT:
        # It has to be given a picture and a mask: an empty one, and everything.
        kind, mask = Kind.PAINT, Image.new("L", size, 255)
        image = image or Image.new("RGB", size, "white")
    pipe = TASKS[kind].from_pipe(loaded.pipe)
    pipe.set_progress_bar_config(disable=True)
    options: dict[str, Any] = {}
    if kind is not Kind.TEXT:
        options |= {"image": _fitted(_required(image), size), "strength": each.strength}
    if kind is Kind.PAINT:
        options["mask_image"] = mask
    if kind is not Kind.IMAGE:
        options |= {"width": each.width, "height": each.height}
    clip_skip = _clip_skip(loaded, drawing)
    with torch.inference_mode(), _layers_reachable(loaded.pipe, clip_skip):
        made = pipe(
            **prompts.arguments(loaded, drawing, clip_skip),
            **options,
            num_inference_steps=drawing.steps,
            guidance_scale=drawing.cfg_scale,
            generator=generator,
            callback_on_step_end=_told(progress),
            output_type="np",
        )
    return _image(made.images[0], loaded)


def _told(progress: Progress) -> Callable[[Pipeline, int, Any, dict[str, Any]], dict[str, Any]]:
    """What diffusers calls after each step; `Cancelled` goes through it and ends the drawing."""

    def after_step(pipe: Pipeline, step: int, time: Any, values: dict[str, Any]) -> dict[str, Any]:
        del time
        progress(min(1.0, (step + 1) / max(1, pipe.num_timesteps)))
        return values

    return after_step


def _part(progress: Progress, done: float, share: float) -> Progress:
    return lambda fraction: progress(min(1.0, done + fraction * share))


def _clip_skip(loaded: Loaded, drawing: Drawing) -> int | None:
    """Of the reader's layers, how many diffusers has to leave out; None: as the model has it.

    The horde's 1 is the last layer, which diffusers calls None. XL models were trained with the
    last but one, so 1 and 2 both mean that.
    """
    pipe = loaded.pipe
    is_xl = getattr(pipe, "text_encoder_2", None) is not None
    reader = pipe.text_encoder if pipe.text_encoder is not None else pipe.text_encoder_2
    layers = int(reader.config.num_hidden_layers)
    skip = min(drawing.clip_skip, layers) - (2 if is_xl else 1)
    return skip if skip > 0 else None


@contextmanager
def _layers_reachable(pipe: Pipeline, clip_skip: int | None) -> Iterator[None]:
    """Let diffusers find the reader's last norm, which newer transformers keep elsewhere.

    Up to transformers 5.5 it was in `text_model`, where diffusers 0.42 looks for it. Only while
    drawing, because loading a LoRA asks for `text_model` to tell the two layouts apart.
    """
    reader = pipe.text_encoder
    is_moved = clip_skip is not None and reader is not None and not hasattr(reader, "text_model")
    if is_moved:
        reader.__dict__["text_model"] = reader  # not as a part of itself, which would never end
    try:
        yield
    finally:
        if is_moved:
            del reader.__dict__["text_model"]


@contextmanager
def _seamless(pipe: Pipeline) -> Iterator[None]:
    """Have every convolution see the opposite edge beyond an edge, so that pictures tile."""
    convolutions = [
        each
        for network in (pipe.unet, pipe.vae)
        for each in network.modules()
        if isinstance(each, torch.nn.Conv2d)
    ]
    before = [each.padding_mode for each in convolutions]
    try:
        for each in convolutions:
            each.padding_mode = "circular"
        yield
    finally:
        for each, mode in zip(convolutions, before, strict=True):
            each.padding_mode = mode


@contextmanager
def _sparing(pipe: Pipeline, *, is_seamless: bool) -> Iterator[None]:
    """Take less memory: develop the picture in tiles, and attend in slices.

    A seamless picture cannot be developed in tiles, each of which would wrap by itself. On CUDA
    attention takes no memory worth saving, and slices take more.
    """
    slices = pipe.device.type != "cuda"
    try:
        if not is_seamless:
            pipe.vae.enable_tiling()
        if slices:
            pipe.enable_attention_slicing("max")
        yield
    finally:
        pipe.vae.disable_tiling()
        if slices:
            pipe.disable_attention_slicing()


def _image(pixels: NDArray[np.float32], loaded: Loaded) -> Image.Image:
    if not np.isfinite(pixels).all():
        precision = str(loaded.dtype).removeprefix("torch.")
        raise BackendError(
            f"The model {loaded.name} gave no numbers in {precision}: set precision = fp32"
            " (or bf16, on newer cards)."
        )
    return Image.fromarray((pixels * 255).round().astype(np.uint8))


def _source(drawing: Drawing) -> Image.Image | None:
    if drawing.source_image is None:
        return None
    return pictures.read_flat(drawing.source_image, drawing.width, drawing.height)


def _required(image: Image.Image | None) -> Image.Image:
    if image is None:
        raise BackendError("There is nothing to paint on: the job has no source image.")
    return image


def _fitted(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    return image if image.size == size else image.resize(size, Image.Resampling.LANCZOS)


def _kept(source: Image.Image, image: Image.Image, mask: Image.Image) -> Image.Image:
    """The source image where it stays, exactly; the networks change everything a little."""
    soft = ImageChops.lighter(mask, mask.filter(ImageFilter.GaussianBlur(SEAM)))
    return Image.composite(image, source, soft)
