"""Backends: what turns a job into a picture.

A backend is one small object: it says what it can make (`Offer`) and makes it (`make`). Others are
found by the entry-point group `ordu.backends`, so a package of somebody else's adds one by being
installed.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from typing import Protocol

Progress = Callable[[float], None]  # told the share done, 0 to 1; may be called from any thread


class BackendError(Exception):
    """The backend could not make this picture; the job is reported as faulted."""


@dataclass(frozen=True)
class Drawing:
    """What is to be made: the horde's payload, in plain values with every default filled in."""

    prompt: str
    negative_prompt: str = ""
    width: int = 512  # pixels
    height: int = 512  # pixels
    steps: int = 30
    cfg_scale: float = 5.0
    seed: int = 0  # 0 to 2**32 - 1
    sampler: str = "k_euler_a"
    karras: bool = True
    tiling: bool = False
    model: str = "stable_diffusion"
    source_image: bytes | None = None  # an encoded picture, any size
    denoising_strength: float = 0.75  # 0 keeps the source image, 1 ignores it
    post_processing: tuple[str, ...] = ()


@dataclass(frozen=True)
class Offer:
    """What a backend can make; the worker's pop says exactly this."""

    models: tuple[str, ...]
    max_pixels: int  # the largest width × height
    img2img: bool = False
    inpainting: bool = False
    post_processing: bool = False
    nsfw: bool = True
    extra: dict[str, bool] = field(default_factory=dict)  # further `allow_…` fields of the pop
    megapixelsteps_per_s_max: float = 0  # a picture is held back until it was no faster; 0: never


class Backend(Protocol):
    """What the worker needs of a backend. `make` runs in a thread and may take long."""

    name: str

    def offer(self) -> Offer:
        """Say what can be made now."""
        ...

    def make(self, drawing: Drawing, progress: Progress) -> bytes:
        """Make one picture and return it as WebP bytes.

        Raises:
            BackendError: it could not be made; the message says why.
        """
        ...


def load(name: str) -> Backend:
    """Make the backend of this name, or the one that `module:Class` names.

    Names are those installed under the entry-point group `ordu.backends`.

    Raises:
        LookupError: no such backend; the message lists those there are.
    """
    if ":" in name:
        return _made(EntryPoint(name, name, "ordu.backends"))
    found = {entry.name: entry for entry in entry_points(group="ordu.backends")}
    if name not in found:
        raise LookupError(
            f"There is no backend {name!r}. Installed: {', '.join(sorted(found))};"
            " one that is not installed is named by module:Class."
        )
    return _made(found[name])


def _made(entry: EntryPoint) -> Backend:
    try:
        backend: Backend = entry.load()()
    except AttributeError as error:
        raise LookupError(f"The backend {entry.value} is not there: {error}.") from error
    return backend
