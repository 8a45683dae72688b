"""The backend diffusers: Stable Diffusion 1, 2 and XL in this process, from models on this disk.

It draws with PyTorch and the library diffusers (`pip install 'ordu[diffusers]'`) and downloads
nothing, ever. This module and `settings`, `library`, `checkpoints`, `hardware`, `samplers`, `plan`
load without them; everything that needs them is reached through `engine`.

A job goes this way: `engine` has `memory` bring the model onto the device (`loading` reads it),
`loras` puts in what the job wants besides, `drawing` runs the passes that `plan` decides with the
scheduler that `samplers` chooses, and `safety` looks at the picture where the job asks for that.
"""

import os
import time
from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, ClassVar

from ordu.settings import Settings
from ordu.worker.backends import (
    NO_SETTINGS,
    Backend,
    BackendError,
    Drawing,
    Found,
    Offer,
    Picture,
    Progress,
)
from ordu.worker.backends.diffusers import hardware, library, samplers
from ordu.worker.backends.diffusers.library import Library, Model
from ordu.worker.backends.diffusers.settings import DiffusersSettings

if TYPE_CHECKING:
    from ordu.worker.backends.diffusers.engine import Engine

__all__ = ["DiffusersBackend", "DiffusersSettings"]

PACKAGES = ("torch", "diffusers", "transformers", "accelerate", "peft", "safetensors")
INSTALL = "pip install 'ordu[diffusers]'"
LOOK_SECONDS = 30.0  # between two looks at the disk
BROKEN_SECONDS = 600.0  # for so long a model that could not be loaded is not offered
FEATURES = frozenset({"tiling", "hires_fix", "clip_skip"})
# The largest picture offered by a graphics card's memory; the worker learns better when one fails.
PIXELS_BY_GIB = ((20, 2048 * 2048), (11, 1536 * 1536), (0, 1024 * 1024))


class DiffusersBackend(Backend):
    """Draws with the models in a folder; see the module's first lines."""

    settings_type: ClassVar[type[Settings]] = DiffusersSettings
    extra: ClassVar[str] = "diffusers"
    is_apart: ClassVar[bool] = True

    def __init__(self, settings: Settings = NO_SETTINGS, device: str = "") -> None:
        """Load PyTorch and take the device into use; models are loaded by the first job for each.

        Raises:
            BackendError: a package is missing, or PyTorch cannot use the device.
        """
        self._settings = (
            settings if isinstance(settings, DiffusersSettings) else DiffusersSettings()
        )
        self._device = device or self.devices(self._settings)[0]
        self._engine = _engine(self._settings, self._device)
        self._max_pixels = self._settings.max_pixels or _pixels_for(self._device)
        self._looked_s = float("-inf")
        self._library = Library()
        self._broken: dict[str, tuple[str, float]] = {}  # why a model is not offered until when

    @classmethod
    def devices(cls, settings: Settings) -> Sequence[str]:
        """Those that were set, else all graphics cards, else the processor."""
        chosen = settings.devices if isinstance(settings, DiffusersSettings) else ()
        return chosen or hardware.devices()

    @classmethod
    def find(cls) -> Sequence[Found]:
        """What it could draw with here."""
        cards = hardware.count_cards()
        missing = _missing()
        if missing and not cards:
            return ()
        if missing:
            words = f"{_many(cards, 'graphics card')}, for diffusers: {INSTALL}"
            return (Found(words, rank=-1),)
        ids = tuple(library.cached_ids())
        names = list(library.scan(DiffusersSettings(model_paths=ids)).models)
        place = _many(cards, "graphics card") if cards else hardware.devices()[0]
        if not names:
            return (Found(f"diffusers on {place}, no model yet: put one into ./models", rank=-1),)
        words = f"diffusers on {place}, {_many(len(names), 'model')}: {', '.join(names[:5])}"
        return (Found(words, {"model_paths": ids} if ids else {}, 50 if cards else 5),)

    def offer(self) -> Offer:
        """Everything with the models on disk, those first that are in memory."""
        here = self._look()
        models = [name for name in here.models if name not in self._broken]
        if not models:
            raise BackendError(self._why_nothing())
        ready = self._engine.ready
        return Offer(
            models=tuple(sorted(models, key=lambda name: (name not in ready, name))),
            max_pixels=self._max_pixels,
            img2img=True,
            inpainting=True,
            lora=bool(here.loras),
            samplers=samplers.names(),
            features=FEATURES | ({"censor"} if here.checker else set()),
            ready=ready,
        )

    def make(self, drawing: Drawing, progress: Progress) -> Picture:
        """Draw a picture; the same drawing gives the same picture on the same device.

        Raises:
            BackendError: it could not be drawn; the message says why.
            OutOfMemoryError: it does not fit the device, not even in tiles.
            Cancelled: `progress` raised it.
        """
        if drawing.tis:
            raise BackendError("Textual inversions are not drawn with by this backend.")
        model = self._model(drawing.model)
        here = self._library
        progress(0.0)
        try:
            return self._engine.make(drawing, model, here.loras, here.checker, progress)
        except library.UnloadableError as problem:
            self._broken[model.name] = (str(problem), time.monotonic() + BROKEN_SECONDS)
            raise

    def close(self) -> None:
        """Drop the models."""
        self._engine.close()

    def _model(self, name: str) -> Model:
        if name not in self._library.models:
            self._look(now=True)
        if name not in self._library.models:
            raise BackendError(f"There is no model {name!r} here.")
        return self._library.models[name]

    def _look(self, *, now: bool = False) -> Library:
        """What is on disk, looked at now and then."""
        if now or time.monotonic() - self._looked_s > LOOK_SECONDS:
            self._library = library.scan(self._settings)
            self._looked_s = time.monotonic()
            now_broken = self._broken.items()
            self._broken = {name: why for name, why in now_broken if why[1] > self._looked_s}
        return self._library

    def _why_nothing(self) -> str:
        reasons = dict(self._library.unusable)
        reasons |= {name: why for name, (why, _) in self._broken.items()}
        shown = "; ".join(f"{name}: {why}" for name, why in list(reasons.items())[:3])
        hint = f"put a model folder or a .safetensors file into {self._settings.folder}"
        return f"There is no model to draw with: {shown or hint}."


def _engine(settings: DiffusersSettings, device: str) -> "Engine":
    if missing := _missing():
        raise BackendError(
            f"To draw with diffusers this needs {INSTALL} ({', '.join(missing)} missing)."
        )
    # Read when the libraries are loaded: whatever they are asked, they call nobody.
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    from ordu.worker.backends.diffusers.engine import Engine

    return Engine(settings, device)


def _missing() -> list[str]:
    return [name for name in PACKAGES if find_spec(name) is None]


def _pixels_for(device: str) -> int:
    gib = hardware.memory_bytes(device) / hardware.GIB
    return next(pixels for least, pixels in PIXELS_BY_GIB if gib >= least)


def _many(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
