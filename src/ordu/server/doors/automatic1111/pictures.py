"""Pictures on their way in and out: fitted to a size, turned round, and written as PNG with a text.

A server decodes little (docs/adr/0008, 0035). Programs of this API expect PNG with the
parameters in it, so here it does: within bounds, few at a time, in processes of their own
(`images.apart`).
"""

import pybase64

from ordu.images import apart
from ordu.images.check import Picture, check, from_base64
from ordu.images.pixels import Seen, UnreadableError, check_size
from ordu.protocol.errors import Refused
from ordu.settings import ServerSettings

PARAMETERS = "parameters"  # the name of the text in a PNG that says how it was drawn


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


async def stretched(data: bytes, width: int, height: int, field: str) -> bytes:
    """A picture of exactly this size, whatever its own sides are to each other.

    Raises:
        Refused: ValidationFailed, naming the field.
    """
    return (await _done("stretched", data, field, width=width, height=height)).data


async def turned_round(data: bytes, field: str) -> bytes:
    """A mask that is white where this one is black.

    Raises:
        Refused: ValidationFailed, naming the field.
    """
    return (await _done("turned_round", data, field)).data


async def with_parameters(data: bytes, text: str) -> bytes:
    """A picture as PNG in which stands how it was drawn.

    What cannot be read goes out as it is: it was paid for, and its author sees it.
    """
    try:
        return (await _done("with_text", data, "image", name=PARAMETERS, text=text)).data
    except Refused:
        return data


async def texts_in(data: bytes) -> dict[str, str]:
    """The texts in a picture, by name.

    Raises:
        Refused: ValidationFailed.
    """
    return (await _done("texts_in", data, "image")).texts


async def _done(task: str, data: bytes, field: str, **options: int | str) -> Seen:
    try:
        check_size(data)
        return await apart.run(task, data, **options)
    except UnreadableError as error:
        raise _wrong(field, f"The picture {error}.") from error


def _wrong(field: str, words: str) -> Refused:
    return Refused("ValidationFailed", words, errors={field: words})
