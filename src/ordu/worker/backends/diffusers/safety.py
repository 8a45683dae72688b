"""The safety checker: looks at a finished picture and says whether it may be shown.

It is Stable Diffusion's own, from its folder beside a model or by itself. It looks at pictures
only, so one serves all models; it stays on the processor and takes no room on the graphics card.
"""

from pathlib import Path
from typing import Any

import numpy as np
from diffusers.pipelines.stable_diffusion import StableDiffusionSafetyChecker
from numpy.typing import NDArray
from PIL import Image
from transformers import CLIPImageProcessor

from ordu.worker.backends import BackendError


class Checker:
    """A safety checker in memory."""

    def __init__(self, folder: Path) -> None:
        """Load the checker from a model's folder, or its own.

        Raises:
            BackendError: it cannot be loaded; the message says why.
        """
        part, described = folder / "safety_checker", folder / "feature_extractor"
        part = part if part.is_dir() else folder
        described = described if described.is_dir() else folder
        try:
            self._checker: Any = StableDiffusionSafetyChecker.from_pretrained(
                part, local_files_only=True, use_safetensors=True
            )
            self._prepare: Any = CLIPImageProcessor.from_pretrained(
                described, local_files_only=True
            )
        except Exception as error:  # noqa: BLE001 - broken files raise whatever their parts raise
            words = " ".join(str(error).split())[:300]
            raise BackendError(
                f"The safety checker in {folder} cannot be loaded: {words}"
            ) from None

    def allows(self, image: Image.Image) -> bool:
        """Whether the picture may be shown."""
        prepared = self._prepare(image, return_tensors="pt").pixel_values
        pixels: NDArray[np.float32] = np.asarray(image).astype(np.float32)[None] / np.float32(255)
        _, found = self._checker(images=pixels, clip_input=prepared)
        return not any(found)


def stand_in(image: Image.Image) -> Image.Image:
    """What is sent instead: a black picture of the same size."""
    return Image.new("RGB", image.size, "black")
