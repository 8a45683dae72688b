"""Tiny models with random weights, and a backend that draws with them; nothing is downloaded.

These tests run in an environment of their own (`make setup-diffusers`); in any other each file is
skipped. It has nothing of what a server needs, so they also prove that a worker does without.
"""

import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ordu.worker.backends import Drawing, Picture
from ordu.worker.backends.diffusers import DiffusersBackend, DiffusersSettings

# Before PyTorch is loaded: tiny models spend their time on handing work from thread to thread.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["HF_HUB_OFFLINE"] = "1"

os.environ["TRANSFORMERS_VERBOSITY"] = "error"

SIDE = 64  # pixels of most pictures


def pytest_configure(config: pytest.Config) -> None:
    """Warnings are errors here too, but not those of the libraries about each other."""
    libraries = "accelerate|diffusers|huggingface_hub|numpy|peft|torch|transformers"
    config.addinivalue_line("filterwarnings", rf"ignore:::({libraries})(\..*)?")


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `plain`, `other` (the same with other weights), `xl`, and LoRAs for `plain`."""
    from scripts import random_models

    folder = tmp_path_factory.mktemp("diffusers")
    pipe = random_models.plain(seed=1)
    random_models.save(pipe, folder / "models" / "plain")
    random_models.save(random_models.plain(seed=2), folder / "models" / "other")
    xl = random_models.xl(seed=3)
    random_models.save(xl, folder / "models" / "xl")
    random_models.save_lora(folder / "loras" / "wide-brush.safetensors", pipe, seed=1)
    random_models.save_lora(folder / "loras" / "ink.safetensors", pipe, seed=2, with_text=False)
    random_models.save_lora(folder / "loras" / "only-xl.safetensors", xl, seed=3)
    return folder


@pytest.fixture(scope="session")
def settings(models: Path) -> DiffusersSettings:
    return DiffusersSettings(
        folder=str(models / "models"), loras=str(models / "loras"), devices=("cpu",)
    )


@pytest.fixture(scope="session")
def backend(settings: DiffusersSettings) -> Iterator[DiffusersBackend]:
    """One for all tests: each picture has to leave it as it was."""
    backend = DiffusersBackend(settings, "cpu")
    backend.offer()
    yield backend
    backend.close()


@pytest.fixture
def fresh(settings: DiffusersSettings) -> Iterator[DiffusersBackend]:
    """One of this test's own, for those that break something."""
    backend = DiffusersBackend(settings, "cpu")
    backend.offer()
    yield backend
    backend.close()


@pytest.fixture
def draw(backend: DiffusersBackend) -> Callable[..., bytes]:
    """Draw with a few changes to a small, quick drawing; gives the encoded picture."""

    def draw(**changes: Any) -> bytes:
        return made(backend, a_drawing(**changes)).data

    return draw


def a_drawing(**changes: Any) -> Drawing:
    values: dict[str, Any] = {
        "prompt": "a fox",
        "model": "plain",
        "width": SIDE,
        "height": SIDE,
        "steps": 3,
        "seed": 7,
    }
    return Drawing(**{**values, **changes})


def made(backend: DiffusersBackend, drawing: Drawing) -> Picture:
    return backend.make(drawing, lambda share: None)


def pixels_of(data: bytes) -> "np.ndarray[Any, np.dtype[np.int16]]":
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB")).astype(np.int16)


def a_picture(width: int = SIDE, height: int = SIDE, *, seed: int = 7) -> bytes:
    """A picture of large coloured squares, as PNG."""
    random = np.random.default_rng(seed)
    small = Image.fromarray(random.integers(0, 255, (4, 4, 3), dtype=np.uint8))
    return encoded(small.resize((width, height), Image.Resampling.NEAREST))


def encoded(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
