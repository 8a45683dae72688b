"""Pictures on their way in and out: fitted to a size, turned round, and written as PNG with a text.

Elsewhere a server never decodes a picture (docs/adr/0008). Programs of this API expect PNG with the
parameters in it, so here it does: within bounds, few at a time, in threads. Pillow does it, which
comes with the extra `worker` (or `all`). Without it pictures go out as the workers sent them, and
what needs it on the way in is refused.
"""

import io
import struct
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pybase64

from ordu.images.check import Picture, check, from_base64
from ordu.images.headers import BadHeaderError, read_header
from ordu.protocol.errors import Refused
from ordu.settings import ServerSettings

if TYPE_CHECKING:
    from PIL.Image import Image

HAS_PILLOW = find_spec("PIL") is not None
FORMATS = ("PNG", "JPEG", "WEBP")
PARAMETERS = "parameters"  # the name of the text in a PNG that says how it was drawn
PIXELS_MAX = 3072 * 3072  # of a picture that is decoded
TEXTS_MAX = 100  # of one picture are told


def given(text: str, settings: ServerSettings, field: str) -> tuple[bytes, Picture]:
    """A picture in Base64 or a data: address, looked at.

    Raises:
        Refused: ValidationFailed, naming the field.
    """
    bytes_max, pixels_max = settings.picture_bytes_max, settings.picture_pixels_max
    try:
        data = from_base64(text, bytes_max=bytes_max)
        return data, check(data, bytes_max=bytes_max, pixels_max=pixels_max)
    except Refused as refused:
        raise _wrong(field, refused.message) from refused


def as_text(data: bytes) -> str:
    """The bytes of a picture in Base64."""
    return pybase64.b64encode_as_string(data)


def stretched(data: bytes, width: int, height: int, field: str) -> bytes:
    """A picture of exactly this size, whatever its own sides are to each other.

    Raises:
        Refused: ValidationFailed, naming the field.
    """
    return _png(_opened(data, field).resize((width, height)))


def turned_round(data: bytes, field: str) -> bytes:
    """A mask that is white where this one is black.

    Raises:
        Refused: ValidationFailed, naming the field.
    """
    from PIL import Image, ImageOps  # noqa: PLC0415 - not everywhere, and loaded when needed

    mask = _opened(data, field).convert("RGBA")
    flat = Image.new("RGBA", mask.size, "black")
    return _png(ImageOps.invert(Image.alpha_composite(flat, mask).convert("L")))


def with_parameters(data: bytes, text: str) -> bytes:
    """A picture as PNG in which stands how it was drawn.

    What cannot be read goes out as it is: it was paid for, and its author sees it.
    """
    from PIL.PngImagePlugin import PngInfo  # noqa: PLC0415 - not everywhere, loaded when needed

    texts = PngInfo()
    texts.add_text(PARAMETERS, text)
    buffer = io.BytesIO()
    try:
        _opened(data, "image").save(buffer, "PNG", pnginfo=texts, compress_level=1)
    except Refused:
        return data
    return buffer.getvalue()


def texts_in(data: bytes) -> dict[str, str]:
    """The texts in a picture, by name.

    Raises:
        Refused: ValidationFailed.
    """
    image = _opened(data, "image")
    named = ((str(name), text) for name, text in image.info.items() if isinstance(text, str))
    return dict(list(named)[:TEXTS_MAX])


def _opened(data: bytes, field: str) -> "Image":
    """A picture, decoded; its header is looked at before.

    Raises:
        Refused: ValidationFailed, naming the field.
    """
    from PIL import Image  # noqa: PLC0415 - not everywhere, and loaded when needed

    try:
        header = read_header(data, len(data))
        if header.width * header.height > PIXELS_MAX:
            size = f"{header.width} × {header.height}"
            raise _wrong(field, f"{size} pixels are too many to read here: {PIXELS_MAX} at most.")
        image = Image.open(io.BytesIO(data), formats=FORMATS)
        image.load()
    except (
        BadHeaderError,
        OSError,
        ValueError,
        SyntaxError,
        EOFError,
        KeyError,
        struct.error,
    ) as error:
        raise _wrong(field, "The picture is broken: it cannot be read.") from error
    return image if image.mode in {"RGB", "RGBA", "L"} else image.convert("RGBA")


def _png(image: "Image") -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def _wrong(field: str, words: str) -> Refused:
    return Refused("ValidationFailed", words, errors={field: words})
