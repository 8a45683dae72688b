"""Everything of the backend that needs PyTorch: one device, its models, one picture at a time."""

import io
import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from PIL import Image

from ordu.worker import pictures
from ordu.worker.backends import (
    BackendError,
    Cancelled,
    Drawing,
    OutOfMemoryError,
    Picture,
    Progress,
)
from ordu.worker.backends.diffusers import drawing as drawings
from ordu.worker.backends.diffusers import loras, safety
from ordu.worker.backends.diffusers.device import Device, failure
from ordu.worker.backends.diffusers.library import Model
from ordu.worker.backends.diffusers.loading import Loaded, quiet
from ordu.worker.backends.diffusers.memory import Shelf
from ordu.worker.backends.diffusers.safety import Checker
from ordu.worker.backends.diffusers.settings import DiffusersSettings

TURN_SECONDS = 0.5  # how often a picture that waits for its turn looks whether it is still wanted

log = logging.getLogger(__name__)


class Engine:
    """Draws on one device."""

    def __init__(self, settings: DiffusersSettings, device: str) -> None:
        """Take the device into use; nothing is loaded yet.

        Raises:
            BackendError: it cannot be used.
        """
        quiet()
        self._settings = settings
        self._device = Device(device, settings.precision, settings.memory_gib)
        self._shelf = Shelf(self._device)
        self._turn = threading.Lock()  # pipelines hold the state of the picture being drawn
        self._checker: Checker | None = None
        self._sparing_from: int | None = None  # pixels from which drawing needed to be sparing

    @property
    def ready(self) -> frozenset[str]:
        """The models that are on the device."""
        return self._shelf.ready

    def make(
        self,
        drawing: Drawing,
        model: Model,
        known_loras: Mapping[str, Path],
        checker: Path | None,
        progress: Progress,
    ) -> Picture:
        """Draw, censor, encode.

        Raises:
            BackendError: it could not be drawn.
            OutOfMemoryError: it does not fit the device.
            Cancelled: `progress` raised it.
        """
        paths = loras.files(drawing.loras, known_loras)
        with self._in_turn(progress):
            judge = self._judge(checker) if drawing.censor_nsfw else None
            image = self._drawn(drawing, model, paths, progress)
        if judge is not None and not judge.allows(image):
            return Picture(_encoded(safety.stand_in(image)), is_censored=True)
        return Picture(_encoded(image))

    def close(self) -> None:
        """Drop everything."""
        with self._turn:
            self._checker = None
            self._shelf.clear()

    def _drawn(
        self, drawing: Drawing, model: Model, paths: list[Path], progress: Progress
    ) -> Image.Image:
        """The picture; when there is no memory for it, tried once more with all there is."""
        sparing = self._is_sparing(drawing)
        result = self._try(drawing, model, paths, progress, sparing=sparing)
        if isinstance(result, OutOfMemoryError):
            # Out here the first try is over, and what it held is free.
            self._shelf.keep_only(model.name)
            sparing = self._settings.vae_tiling != "off" or sparing
            result = self._try(drawing, model, paths, progress, sparing=sparing)
            if not isinstance(result, BackendError) and sparing:
                pixels = drawing.width * drawing.height
                self._sparing_from = min(pixels, self._sparing_from or pixels)
        if isinstance(result, BackendError):
            self._device.free_caches()
            raise result
        return result

    def _try(
        self,
        drawing: Drawing,
        model: Model,
        paths: list[Path],
        progress: Progress,
        *,
        sparing: bool,
    ) -> Image.Image | BackendError:
        """The picture, or why not; what an error would hold on to is let go."""
        loaded = self._shelf.get(model, progress)
        self._device.begin()
        try:
            with loras.within(loaded, drawing.loras, paths):
                return drawings.draw(loaded, drawing, progress, sparing=sparing)
        except Cancelled:
            raise
        except BackendError as error:
            return error.with_traceback(None)
        except Exception as error:
            log.debug("drawing with %s", model.name, exc_info=True)
            return failure(error, f"drawing {drawing.width}×{drawing.height} with {model.name}")
        finally:
            _restore(loaded)
            self._device.finish(self._shelf.held_bytes)

    def _is_sparing(self, drawing: Drawing) -> bool:
        if self._settings.vae_tiling != "auto" or self._sparing_from is None:
            return self._settings.vae_tiling == "on"
        return drawing.width * drawing.height >= self._sparing_from

    def _judge(self, folder: Path | None) -> Checker:
        if folder is None:
            raise BackendError(
                "This job has to be censored, and there is no safety checker: set safety_checker to"
                " the folder of one."
            )
        if self._checker is None:
            self._checker = Checker(folder)
        return self._checker

    @contextmanager
    def _in_turn(self, progress: Progress) -> Iterator[None]:
        while not self._turn.acquire(timeout=TURN_SECONDS):
            progress(0.0)
        try:
            yield
        finally:
            self._turn.release()


def _restore(loaded: Loaded) -> None:
    """Undo what a pipeline changes while it works, and leaves so when it is stopped."""
    # XL's decoder is turned to fp32 for the time of decoding.
    if loaded.pipe.vae.dtype != loaded.dtype:
        loaded.pipe.vae.to(loaded.dtype)


def _encoded(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=pictures.QUALITY)
    return buffer.getvalue()
