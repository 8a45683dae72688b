"""From files to a pipeline in memory; only from this disk, and only numbers, never code."""

import logging
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import diffusers
import transformers

from ordu.worker.backends.diffusers.device import bytes_of
from ordu.worker.backends.diffusers.library import Model, UnloadableError

Pipeline: TypeAlias = Any  # of diffusers, which is untyped to us

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Loaded:
    """A model in memory."""

    name: str
    pipe: Pipeline  # text to picture; the other tasks are made from it and share its networks
    size_bytes: int
    dtype: Any
    described_scheduler: dict[str, Any]  # as it came with the model
    is_parked: bool = True  # in the machine's memory, not on the device

    @property
    def native_pixels(self) -> int:
        """The size of the pictures it was trained with."""
        side = int(self.pipe.unet.config.sample_size or 64)
        return (side * int(self.pipe.vae_scale_factor)) ** 2

    @property
    def is_painter(self) -> bool:
        """It was trained to paint into pictures, and always needs one and a mask."""
        return int(self.pipe.unet.config.in_channels) == 9

    def put(self, place: str) -> None:
        """Move its networks to a device, or to the machine's memory with `cpu`."""
        self.pipe.to(place)


def load(model: Model, dtype: Any) -> Loaded:
    """Read a model into the machine's memory.

    Raises:
        UnloadableError: it cannot be read; the message says why.
    """
    quiet()
    kind = _kind(model)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about other versions; nobody here can act on them
            pipe = _from_folder(kind, model, dtype) if model.path.is_dir() else None
            pipe = pipe or _from_file(kind, model, dtype)
    except MemoryError:
        raise
    except Exception as error:
        log.debug("loading %s", model.name, exc_info=True)
        words = " ".join(str(error).split())[:300] or type(error).__name__
        raise UnloadableError(f"The model {model.name} cannot be loaded: {words}") from None
    pipe.set_progress_bar_config(disable=True)
    described = dict(pipe.scheduler.config)
    return Loaded(model.name, pipe, bytes_of(pipe.components), dtype, described)


def quiet() -> None:
    """Have the libraries print errors only: what they say besides is for programmers."""
    diffusers.utils.logging.set_verbosity_error()
    diffusers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()


def _kind(model: Model) -> Any:
    if model.build.channels_in == 9:
        xl, plain = (
            diffusers.StableDiffusionXLInpaintPipeline,
            diffusers.StableDiffusionInpaintPipeline,
        )
    else:
        xl, plain = diffusers.StableDiffusionXLPipeline, diffusers.StableDiffusionPipeline
    return xl if model.build.is_xl else plain


def _options(model: Model, dtype: Any) -> dict[str, Any]:
    # The safety checker is not the model's: it is loaded by itself, when a job asks for it.
    unwanted = (
        {"add_watermarker": False}
        if model.build.is_xl
        else {"safety_checker": None, "feature_extractor": None, "requires_safety_checker": False}
    )
    return {"torch_dtype": dtype, "local_files_only": True, **unwanted}


def _from_folder(kind: Any, model: Model, dtype: Any) -> Pipeline:
    return kind.from_pretrained(
        model.path, use_safetensors=True, variant=_variant(model.path), **_options(model, dtype)
    )


def _from_file(kind: Any, model: Model, dtype: Any) -> Pipeline:
    return kind.from_single_file(
        str(model.path), config=str(model.description), **_options(model, dtype)
    )


def _variant(folder: Path) -> str | None:
    """`fp16` where the networks are there in that form only."""
    files = [each.name for each in (folder / "unet").glob("*.safetensors")]
    return "fp16" if files and all(".fp16." in name or "fp16-" in name for name in files) else None
