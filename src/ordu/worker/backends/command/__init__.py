"""The backend `command`: any program draws, told by JSON what, giving the picture back.

`drawing` holds what a program is told and answers, `program` runs it and ends it.
`docs/reference/backends/command.md` describes it to those who write such a program.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, get_args

from ordu.protocol.params import PostProcessor
from ordu.settings import Settings, about
from ordu.worker import pictures
from ordu.worker.backends import Backend, BackendError, Drawing, Offer, Picture, Progress
from ordu.worker.backends.command.drawing import Staying, draw_once, prepare
from ordu.worker.backends.command.program import Running

__all__ = ["CommandBackend", "CommandSettings"]

FEATURES = (
    "tiling",
    "hires_fix",
    "clip_skip",
    "censor",
    "lora_versions",
    "textual_inversion",
    "image_is_control",
    "return_control_map",
)
# Hordes take who is faster than 20 for a cheat, and a program may not need its steps.
MEGAPIXELSTEPS_PER_S_MAX = 15.0


class CommandSettings(Settings, frozen=True, kw_only=True):
    """What the backend `command` is told."""

    run: Annotated[
        tuple[str, ...],
        about("The program and its arguments; no shell reads them."),
    ] = ()
    models: Annotated[tuple[str, ...], about("Models that it draws with.")] = ()
    max_pixels: Annotated[
        int, about("The largest picture that it draws, width times height.", 4096, 16_383 * 16_383)
    ] = 1024 * 1024
    img2img: Annotated[bool, about("Whether it draws from source images.")] = False
    inpainting: Annotated[bool, about("Whether it paints where a mask says so.")] = False
    lora: Annotated[bool, about("Whether it can use LoRAs.")] = False
    controlnet: Annotated[bool, about("Whether it can use ControlNets.")] = False
    post_processing: Annotated[
        tuple[str, ...],
        about(
            "What it can do to a finished picture.",
            allowed="any of " + ", ".join(get_args(PostProcessor)) + ", with commas between",
            check=get_args(PostProcessor).__contains__,
        ),
    ] = ()
    samplers: Annotated[tuple[str, ...], about("Samplers that it knows; empty: it takes any.")] = ()
    karras: Annotated[bool, about("Whether they can have the noise schedule of Karras.")] = True
    features: Annotated[
        tuple[str, ...],
        about(
            "What else it can.",
            allowed=f"any of {', '.join(FEATURES)}, with commas between",
            check=FEATURES.__contains__,
        ),
    ] = ()
    devices: Annotated[
        tuple[str, ...],
        about("Names of devices, each with a program of its own; it finds its in ORDU_DEVICE."),
    ] = ()
    stays: Annotated[
        bool, about("Whether it stays for many pictures, a line of JSON for each.")
    ] = False
    timeout_s: Annotated[float, about("How long one picture may take.", 0.1, 86_400)] = 600.0


DEFAULTS = CommandSettings()


class CommandBackend(Backend):
    """A program that draws, on one device."""

    settings_type = CommandSettings

    def __init__(self, settings: Settings = DEFAULTS, device: str = "") -> None:
        assert isinstance(settings, CommandSettings)
        if not settings.run:
            raise BackendError("The backend command needs a program: set run to it.")
        if not settings.models:
            raise BackendError("The backend command needs to know its models: set models.")
        program = shutil.which(settings.run[0])
        if program is None:
            raise BackendError(f"There is no program {settings.run[0]}; check the setting run.")
        self.device = device
        self._settings = settings
        self._run = (program, *settings.run[1:])
        self._programs = Running()
        self._staying = None
        if settings.stays:
            self._staying = Staying(self._run, device, settings.timeout_s, self._programs)

    @classmethod
    def devices(cls, settings: Settings) -> Sequence[str]:
        """Those that are set, or one without a name."""
        assert isinstance(settings, CommandSettings)
        return settings.devices or ("",)

    def offer(self) -> Offer:
        """What the settings say."""
        settings = self._settings
        return Offer(
            models=settings.models,
            max_pixels=settings.max_pixels,
            img2img=settings.img2img,
            inpainting=settings.inpainting,
            lora=settings.lora,
            controlnet=settings.controlnet,
            post_processing=settings.post_processing,
            samplers=settings.samplers,
            karras=settings.karras,
            features=frozenset(settings.features),
            megapixelsteps_per_s_max=MEGAPIXELSTEPS_PER_S_MAX,
        )

    def make(self, drawing: Drawing, progress: Progress) -> Picture:
        """Have the program draw, and look at what it gave.

        Raises:
            BackendError: it failed, or what it gave is no picture of the size of the drawing.
            OutOfMemoryError: it said so.
            Cancelled: `progress` raised it; the program is ended.
        """
        with TemporaryDirectory(prefix="ordu-command-", ignore_cleanup_errors=True) as folder:
            job = prepare(drawing, self.device, Path(folder))
            if self._staying is not None:
                picture = self._staying.draw(job, progress)
            else:
                timeout_s = self._settings.timeout_s
                picture = draw_once(
                    self._run, job, self.device, timeout_s, progress, self._programs
                )
        _check_size(picture, drawing)
        return picture

    def close(self) -> None:
        """End a program that stays, and whatever draws for nobody any more."""
        if self._staying is not None:
            self._staying.close()
        self._programs.close()


def _check_size(picture: Picture, drawing: Drawing) -> None:
    """Post-processing may enlarge a picture; nothing else may change its size."""
    image = pictures.read(picture.data, "picture that the program gave")
    if image.size != (drawing.width, drawing.height) and not drawing.post_processing:
        raise BackendError(
            f"The program gave a picture of {image.width} × {image.height} pixels instead of"
            f" {drawing.width} × {drawing.height}."
        )
