"""Looking into pictures: masks in the horde's way, and pictures in another format.

A server decodes little (docs/adr/0008, 0035). Here it must, so it is done only when a call asks for
it, within bounds, and in processes of their own (`images.apart`).
"""

import logging

from ordu.images import apart
from ordu.images.headers import read_header
from ordu.images.pixels import NothingTransparentError, UnreadableError, check_size
from ordu.protocol.errors import Refused
from ordu.server.doors.openai.errors import FieldRefused
from ordu.server.doors.openai.messages import OutputFormat

log = logging.getLogger(__name__)


async def horde_mask(mask: bytes) -> bytes:
    """A mask of OpenAI's (what is fully transparent is drawn anew) as one of ours (what is white).

    Raises:
        Refused: InpaintingMissingMask, `FieldRefused`.
    """
    try:
        check_size(mask)
        return (await apart.run("white_where_transparent", mask)).data
    except NothingTransparentError as error:
        raise Refused(
            "InpaintingMissingMask",
            "Nothing of the mask is fully transparent, so nothing would be drawn anew.",
        ) from error
    except UnreadableError as error:
        raise FieldRefused("mask", f"'mask': the picture {error}") from error


async def converted(data: bytes, wanted: OutputFormat, compression: int) -> bytes:
    """A finished picture in another format; `compression` is the quality of JPEG and WebP, to 100.

    One that cannot be read is returned as it is: it was paid for, and its author sees it.
    """
    if format_of(data) == wanted and compression == 100:
        return data
    try:
        check_size(data)
        return (await apart.run("written", data, format=wanted, quality=compression)).data
    except UnreadableError as error:
        log.warning("a finished picture cannot be written as %s: it %s", wanted, error)
        return data


def format_of(data: bytes) -> str:
    """The format of a picture that was checked when it came."""
    return str(read_header(data, len(data)).format)
