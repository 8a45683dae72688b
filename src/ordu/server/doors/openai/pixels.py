"""Looking into pictures: masks in the horde's way, and pictures in another format.

Elsewhere a server never decodes a picture (docs/adr/0008). Here it must, so it is done only when a
call asks for it, within bounds, and in threads of its own, few of them. It needs Pillow, which
comes with `ordu[worker]` and `ordu[all]`; a server without it refuses these fields by name.
"""

import asyncio
import io
import logging
import struct
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, TypeVar

from ordu.images.headers import BadHeaderError, read_header
from ordu.protocol.errors import Refused
from ordu.server.doors.openai.errors import FieldRefused
from ordu.server.doors.openai.messages import OutputFormat

if TYPE_CHECKING:
    from PIL.Image import Image

PIXELS_MAX = 3072 * 3072  # the largest picture that is decoded here
THREADS = 2
FORMATS = ("PNG", "JPEG", "WEBP")

# What Pillow raises for files that are damaged.
UNREADABLE = (OSError, ValueError, SyntaxError, EOFError, KeyError, struct.error)

T = TypeVar("T")

log = logging.getLogger(__name__)


def check_available(param: str) -> None:
    """Refuse a field that needs Pillow where that is not installed."""
    if find_spec("PIL") is None:
        raise FieldRefused(
            param,
            f"This server cannot serve '{param}', because Pillow is not installed where it runs: "
            "pip install 'ordu[worker]'.",
            code="unsupported_parameter",
        )


async def horde_mask(mask: bytes) -> bytes:
    """A mask of OpenAI's (what is fully transparent is drawn anew) as one of ours (what is white).

    Raises:
        Refused: InpaintingMissingMask, `FieldRefused`.
    """
    check_available("mask")
    try:
        return await apart(lambda: white_where_transparent(mask))
    except UNREADABLE as error:
        raise FieldRefused("mask", f"'mask': the picture cannot be read: {error}") from error


async def converted(data: bytes, wanted: OutputFormat, compression: int) -> bytes:
    """A finished picture in another format; `compression` is the quality of JPEG and WebP, to 100.

    One that cannot be read is returned as it is: it was paid for, and its author sees it.
    """
    if format_of(data) == wanted and compression == 100:
        return data
    try:
        return await apart(lambda: written(decoded(data), wanted, compression))
    except UNREADABLE as error:
        log.warning("a finished picture cannot be written as %s: %s", wanted, error)
        return data


def format_of(data: bytes) -> str:
    """The format of a picture that was checked when it came."""
    return str(read_header(data, len(data)).format)


async def apart(work: Callable[[], T]) -> T:
    """Do this in a thread."""
    return await asyncio.get_running_loop().run_in_executor(threads(), work)


@cache
def threads() -> ThreadPoolExecutor:
    """The threads of this module, which are started when they have something to do."""
    return ThreadPoolExecutor(THREADS, "pixels")


def decoded(data: bytes) -> "Image":
    """A picture of known size, decoded."""
    from PIL import Image  # noqa: PLC0415 - it need not be installed

    try:
        header = read_header(data, len(data))
    except BadHeaderError as error:
        raise ValueError(f"it {error}") from error
    if header.width * header.height > PIXELS_MAX:
        raise ValueError(f"it has more than {PIXELS_MAX:,} pixels")
    image = Image.open(io.BytesIO(data), formats=FORMATS)
    image.load()
    return image


def white_where_transparent(mask: bytes) -> bytes:
    """The mask in grey, as WebP without loss: white where it is fully transparent, else black."""
    alpha = decoded(mask).convert("RGBA").getchannel("A")
    if alpha.getextrema()[0] != 0:
        raise Refused(
            "InpaintingMissingMask",
            "Nothing of the mask is fully transparent, so nothing would be drawn anew.",
        )
    white = alpha.point([255] + [0] * 255)
    buffer = io.BytesIO()
    white.convert("RGB").save(buffer, "WEBP", lossless=True)
    return buffer.getvalue()


def written(image: "Image", wanted: OutputFormat, compression: int) -> bytes:
    """A picture as a file of this format."""
    from PIL import Image  # noqa: PLC0415 - it need not be installed

    buffer = io.BytesIO()
    if wanted == "jpeg":
        picture = image.convert("RGBA")
        flat = Image.new("RGB", picture.size, "white")
        flat.paste(picture, mask=picture.getchannel("A"))
        flat.save(buffer, "JPEG", quality=compression)
    elif wanted == "webp":
        image.save(buffer, "WEBP", quality=compression)
    else:
        image.save(buffer, "PNG")
    return buffer.getvalue()
