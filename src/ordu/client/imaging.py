"""Pillow, where it is installed: the client itself needs it only for what is asked of it here.

Pictures that a horde takes as they are (WebP, PNG, JPEG) go and come as bytes, without it.
"""

import io
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL import Image

PIXELS_MAX = 3072 * 3072  # no picture that is drawn has more
BYTES_MAX = 10 * 1024 * 1024  # with a mask beside it, well within what a server reads
QUALITIES = (None, 95, 80)  # None: without loss


def is_image(value: Any) -> bool:
    """Whether this is a Pillow image; who has one has loaded Pillow."""
    module = sys.modules.get("PIL.Image")
    return module is not None and isinstance(value, module.Image)


def opened(data: bytes, what: str) -> "Image.Image":
    """The Pillow image of these bytes; `what` begins the sentence that says what is wrong.

    Raises:
        ImportError: Pillow is not installed.
        ValueError: they are no picture that Pillow can read.
    """
    module = _pillow(what)
    try:
        image: Image.Image = module.open(io.BytesIO(data))
        image.load()
    except (OSError, ValueError, SyntaxError, module.DecompressionBombError) as error:
        raise ValueError(f"{what} is none that Pillow can read: {error}") from error
    return image


def encoded(image: "Image.Image", what: str) -> bytes:
    """The image as a WebP that a horde takes: turned as its camera said, not too large.

    It loses nothing unless it has more pixels than can be drawn, or would have too many bytes.

    Raises:
        ValueError: it is too large however it is written.
    """
    from PIL import ImageOps  # noqa: PLC0415 - who has an image has loaded Pillow

    image = ImageOps.exif_transpose(image)
    has_alpha = image.has_transparency_data
    image = _shrunk(image.convert("RGBA" if has_alpha else "RGB"))
    for quality in QUALITIES:
        file = io.BytesIO()
        # `exact` keeps the colours below what is transparent: a mask is often told that way.
        if quality is None:
            image.save(file, "WEBP", lossless=True, exact=True, method=2)
        else:
            image.save(file, "WEBP", quality=quality, exact=True)
        if file.tell() <= BYTES_MAX:
            return file.getvalue()
    raise ValueError(f"{what} has more than {BYTES_MAX:,} bytes as WebP. Make it smaller.")


def _shrunk(image: "Image.Image") -> "Image.Image":
    pixels = image.width * image.height
    if pixels <= PIXELS_MAX:
        return image
    factor = (PIXELS_MAX / pixels) ** 0.5
    return image.resize((max(1, int(image.width * factor)), max(1, int(image.height * factor))))


def _pillow(what: str) -> ModuleType:
    try:
        from PIL import Image  # noqa: PLC0415 - the light install has no Pillow
    except ImportError as error:
        raise ImportError(f"{what} needs Pillow to be read: pip install pillow") from error
    return Image
