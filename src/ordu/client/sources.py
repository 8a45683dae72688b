"""Pictures that somebody has, in any form, as the text in which a horde takes them."""

import io
import os
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeAlias, Union

from ordu.client import imaging
from ordu.client.pictures import Picture, as_text

if TYPE_CHECKING:
    from PIL import Image

FILE_BYTES_MAX = 64 * 1024 * 1024  # of what is read to be made smaller

# Bytes of a file, the path of one (text or Path), an open file, a Pillow image, a picture that a
# horde made; or a link (text with http:// or https:// in front), which the horde fetches itself.
Source: TypeAlias = Union[bytes, str, "os.PathLike[str]", IO[bytes], "Image.Image", Picture]


def as_source(source: Source, what: str = "The source image") -> str:
    """Base64 of a picture that a horde takes, or the link to one.

    WebP, PNG and JPEG of up to 10 MiB are sent as they are. Anything else is made a WebP by Pillow,
    with at most 3072 × 3072 pixels.

    Raises:
        OSError: the file cannot be read.
        ImportError: it must be converted, and Pillow is not installed.
        ValueError: it is no picture, or too large.
        TypeError: it is none of these forms.
    """
    if isinstance(source, str) and source.startswith(("http://", "https://")):
        return source
    if imaging.is_image(source):
        return _text(imaging.encoded(source, what))  # type: ignore[arg-type] # as just seen
    data = _bytes_of(source, what)
    if len(data) > FILE_BYTES_MAX:
        raise ValueError(f"{what} has more than {FILE_BYTES_MAX:,} bytes. Make it smaller.")
    if not data:
        raise ValueError(f"{what} is empty.")
    if Picture(data).suffix == ".bin" or len(data) > imaging.BYTES_MAX:
        data = imaging.encoded(imaging.opened(data, what), what)
    return _text(data)


def _bytes_of(source: Any, what: str) -> bytes:
    match source:
        case bytes() | bytearray() | memoryview():
            return bytes(source)
        case Picture():
            return source.data
        case str() | os.PathLike():
            with Path(source).open("rb") as file:
                return file.read(FILE_BYTES_MAX + 1)
        case io.TextIOBase():
            raise TypeError(f'{what} is a file opened as text. Open it with mode "rb".')
    if hasattr(source, "read"):
        data = source.read(FILE_BYTES_MAX + 1)
        if isinstance(data, bytes):
            return data
    raise TypeError(f"{what} is {type(source).__name__}: bytes, a path, a file or an image go.")


def _text(data: bytes) -> str:
    text = as_text(data)
    assert text is not None
    return text
