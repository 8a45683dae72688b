"""Backends: what turns a job into a picture.

A backend is one class in one file. It says what it can make (`offer`) and makes it (`make`); the
worker does everything else: it asks the horde, fetches source images, decides which device draws
what, delivers. An object of the class is one *device*: a graphics card, or another program's
address. Classes are found by the entry-point group `ordu.backends`, so somebody else's package adds
one by being installed; `docs/reference/backends.md` shows a whole one.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from typing import ClassVar

from ordu.protocol.params import Lora, TextualInversion
from ordu.settings import Settings

GROUP = "ordu.backends"

# Told the share done, 0 to 1, from any thread. It raises `Cancelled` when nobody wants the picture
# any more; a backend lets that through, and has its program stop in a `finally`.
Progress = Callable[[float], None]


class BackendError(Exception):
    """This picture could not be made, or the backend cannot say what it offers; with the reason."""


class OutOfMemoryError(BackendError):
    """This picture does not fit the device; smaller ones may, and only they are asked for now."""


class BackendBrokenError(BackendError):
    """This picture could not be made, and this process can make no other: it has to be replaced."""


class Cancelled(Exception):  # noqa: N818 - no error: it is what was asked for
    """Nobody wants the picture any more."""


class NoSettings(Settings, frozen=True, kw_only=True):
    """Of a backend that needs none."""


NO_SETTINGS = NoSettings()


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
    sampler: str = "k_euler_a"  # one of `protocol.params.Sampler`; servers may know more
    karras: bool = True
    tiling: bool = False
    model: str = "stable_diffusion"  # as the backend calls it
    source_image: bytes | None = None  # an encoded picture, any size
    source_mask: bytes | None = None  # an encoded picture; white is what is painted anew
    source_processing: str = "img2img"  # or inpainting, outpainting
    denoising_strength: float = 0.75  # 0 keeps the source image, 1 ignores it
    clip_skip: int = 1  # of the text encoder's layers the last is used, 2: the last but one, …
    hires_fix: bool = False
    hires_fix_denoising_strength: float = 0.65
    loras: tuple[Lora, ...] = ()
    tis: tuple[TextualInversion, ...] = ()
    control_type: str | None = None  # one of `protocol.params.ControlType`
    image_is_control: bool = False
    return_control_map: bool = False
    post_processing: tuple[str, ...] = ()
    facefixer_strength: float | None = None
    censor_nsfw: bool = False  # a picture that is not safe is replaced, see `Picture.is_censored`


@dataclass(frozen=True)
class Picture:
    """What was made."""

    data: bytes = field(repr=False)  # WebP, PNG or JPEG; the worker sends WebP
    is_censored: bool = False  # it is a stand-in, because what was drawn is not safe


@dataclass(frozen=True)
class Offer:
    """What one device can make now; the worker's pop says exactly this.

    `features` holds what has no field of its own in a pop: `tiling`, `hires_fix`, `clip_skip`,
    `lora_versions`, `image_is_control`, `return_control_map` (`rules.matching.Feature` lists all).
    """

    models: tuple[str, ...]
    max_pixels: int  # the largest width × height
    img2img: bool = False
    inpainting: bool = False  # outpainting too
    lora: bool = False
    controlnet: bool = False
    post_processing: tuple[str, ...] = ()  # those of `protocol.params.PostProcessor`
    samplers: tuple[str, ...] = ()  # empty: any
    karras: bool = True  # whether these samplers can have the noise schedule of Karras
    features: frozenset[str] = frozenset()
    nsfw: bool = True
    ready: frozenset[str] = frozenset()  # models in memory: their jobs come here rather than there
    megapixelsteps_per_s_max: float = 0  # a picture is held back until it was no faster; 0: never


@dataclass(frozen=True)
class Found:
    """A backend that could be used on this machine, as `ordu worker join` proposes it."""

    words: str  # `ComfyUI at http://127.0.0.1:8188, 3 models`
    settings: Mapping[str, object] = field(default_factory=dict)  # what differs from the defaults
    rank: int = 0  # of several the highest is proposed first; the built-in painter has 0


class Backend(ABC):
    """One device that makes pictures. Its methods run in threads and may take long."""

    settings_type: ClassVar[type[Settings]] = NoSettings  # read from `[backends.NAME]`
    extra: ClassVar[str] = ""  # what pip installs with it: `ordu[diffusers]`
    is_apart: ClassVar[bool] = False  # runs in a process of its own, because it can crash

    def __init__(self, settings: Settings = NO_SETTINGS, device: str = "") -> None:
        """Get ready to say what is offered; what takes long (loading) is left for `make`.

        Raises:
            BackendError: it cannot be used; the message says how to mend that.
        """
        del settings, device

    @classmethod
    def devices(cls, settings: Settings) -> Sequence[str]:
        """The devices to use, one object for each; found without loading anything large."""
        del settings
        return ("",)

    @classmethod
    def find(cls) -> Sequence[Found]:
        """How it could be used on this machine; quick, and without an error when it cannot."""
        return ()

    @abstractmethod
    def offer(self) -> Offer:
        """Say what can be made now; asked before each pop, so what takes long is remembered.

        Raises:
            BackendError: nothing, at present: its program does not answer.
        """

    @abstractmethod
    def make(self, drawing: Drawing, progress: Progress) -> Picture:
        """Make one picture. With several jobs at once it is called in several threads.

        Raises:
            BackendError: it could not be made; the message says why.
            OutOfMemoryError: it is too large for the device.
            Cancelled: `progress` raised it.
        """

    def close(self) -> None:  # noqa: B027 - most have nothing to let go of
        """Let go of memory and connections."""


def installed() -> dict[str, EntryPoint]:
    """The backends that are installed, by name; none of them is loaded."""
    return {entry.name: entry for entry in sorted(entry_points(group=GROUP))}


def load(name: str) -> type[Backend]:
    """The backend of this name, or the one that `module:Class` names.

    Raises:
        LookupError: no such backend; the message lists those there are.
        ImportError: what it needs is not installed.
    """
    if ":" in name:
        return _loaded(EntryPoint(name, name, GROUP))
    found = installed()
    if name not in found:
        raise LookupError(
            f"There is no backend {name!r}. Installed: {', '.join(found)};"
            " one that is not installed is named by module:Class."
        )
    return _loaded(found[name])


def _loaded(entry: EntryPoint) -> type[Backend]:
    try:
        backend = entry.load()
    except AttributeError as error:
        raise LookupError(f"The backend {entry.value} is not there: {error}.") from error
    if not (isinstance(backend, type) and issubclass(backend, Backend)):
        raise LookupError(  # noqa: TRY004 - whoever named it is told so, like of one not there
            f"{entry.value} is no backend: it has to be a class of type Backend."
        )
    return backend
