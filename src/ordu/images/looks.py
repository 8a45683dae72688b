"""Looking at a whole picture: whether it can be decoded, how even it is, and what it is like.

Strangers made the bytes, so this is run apart (`images.apart`); they are decoded by the format that
their header says and no other, and only when they are not too many pixels. What is kept of a
picture is a *miniature*: 16 × 16 grey values without their brightness and contrast, so that a copy
is known again that was saved in another format, resized, or made lighter. It is for comparing, and
says nothing that one could read.
"""

import io
import struct
import zlib
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ordu.images.headers import BadHeaderError, PictureFormat, read_header

if TYPE_CHECKING:
    from PIL.Image import Image

# Decoding takes up to 12 bytes for each: 200 MB. It is four times the side of most pictures.
PIXELS_MAX = 4096 * 4096
SIDE = 32  # of the copy in which the colours are compared
MINIATURE_SIDE = 16
LEVELS_OFF = 8  # of 255; colours that differ by less are the same
CONTRAST_MIN = 0.5  # in levels of grey; below it there is nothing to be alike in

# What decoders raise for what they cannot read.
UNREADABLE = (
    BadHeaderError,
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    KeyError,
    IndexError,
    struct.error,
    zlib.error,
)

Miniature = bytes  # of MINIATURE_SIDE² numbers of two bytes; empty: of a picture without contrast


class Look(NamedTuple):
    """What was seen of a picture."""

    uneven: float  # the share of it that has another colour than the rest
    miniature: Miniature


def is_small_enough(pixels: int) -> bool:
    """Whether a picture of so many pixels is decoded."""
    return pixels <= PIXELS_MAX


def look(data: bytes) -> Look:
    """Decode a picture of at most `PIXELS_MAX` and look at it.

    Raises:
        UNREADABLE: it cannot be decoded.
    """
    return seen(decoded(data))


def decoded(data: bytes) -> "Image":
    """A picture as its pixels, whatever its file says besides."""
    from PIL import Image  # noqa: PLC0415 - it takes a while to load, and not at every start

    header = read_header(data, len(data))
    if not is_small_enough(header.width * header.height):
        raise ValueError("it has too many pixels")
    image = Image.open(io.BytesIO(data), formats=[_NAMES[header.format]])
    if image.size != (header.width, header.height):
        raise ValueError("it holds another size than it says")
    image.load()
    return image


_NAMES = {PictureFormat.WEBP: "WEBP", PictureFormat.PNG: "PNG", PictureFormat.JPEG: "JPEG"}


def seen(image: "Image") -> Look:
    """What is to be seen of a decoded picture."""
    from PIL import Image  # noqa: PLC0415 - as above

    if image.mode not in {"RGB", "RGBA", "L"}:
        image = image.convert("RGBA")
    small = image.resize((SIDE, SIDE), Image.Resampling.BOX, reducing_gap=2.0).convert("RGBA")
    colours = np.asarray(small, np.int16).reshape(-1, 4)
    colours[colours[:, 3] == 0] = 0  # what is fully transparent has no colour
    usual = np.median(colours, axis=0)
    is_other = (np.abs(colours - usual) > LEVELS_OFF).any(axis=1)
    return Look(float(is_other.mean()), miniature_of(small))


def miniature_of(small: "Image") -> Miniature:
    """What a picture is like, on a white ground."""
    from PIL import Image  # noqa: PLC0415 - as above

    ground = Image.new("RGBA", small.size, "white")
    flat = Image.alpha_composite(ground, small).convert("L")
    tiny = flat.resize((MINIATURE_SIDE, MINIATURE_SIDE), Image.Resampling.BOX)
    values = np.asarray(tiny, np.float32)
    contrast = float(values.std())
    if contrast < CONTRAST_MIN:
        return b""
    return bytes(((values - values.mean()) / contrast).astype(np.float16).tobytes())


def likeness(one: Miniature, other: Miniature) -> float:
    """How much two miniatures correlate: 1 is the same, 0 nothing in common."""
    if not one or not other:
        return 0.0
    ours, theirs = (np.frombuffer(each, np.float16).astype(np.float32) for each in (one, other))
    return min(1.0, float(np.dot(ours, theirs)) / len(ours))
