"""Encoded pictures: read with bounds, fitted to a size, written as the horde wants them.

Only backends and the worker's last step call this; a client that asks for pictures never does, so
Pillow comes with the extra `worker`.
"""

import io
import struct

from PIL import Image, ImageOps

from ordu.worker.backends import BackendError, Drawing

PIXELS_MAX = 3072 * 3072 * 4  # a picture of more is refused by its header, before it is decoded
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
QUALITY = 95  # of WebP, 0 to 100


def read(data: bytes, what: str = "source image") -> Image.Image:
    """Decode a picture, upright, with an alpha channel (RGBA).

    Raises:
        BackendError: it is no picture, broken, or too large; `what` names it in the message.
    """
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            if image.width * image.height > PIXELS_MAX:
                raise BackendError(_too_large(what, f"{image.width} × {image.height}"))
            return ImageOps.exif_transpose(image).convert("RGBA")
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as problem:
        raise BackendError(_too_large(what, "far more")) from problem
    except (OSError, ValueError, SyntaxError, EOFError, KeyError, struct.error) as problem:
        raise BackendError(f"The {what} cannot be read: {problem}") from problem


def read_flat(data: bytes, width: int, height: int) -> Image.Image:
    """Decode a picture without its alpha channel (RGB, on white), cropped to cover the size.

    Raises:
        BackendError: as `read`.
    """
    image = read(data)
    flat = Image.new("RGB", image.size, "white")
    flat.paste(image, mask=image.getchannel("A"))
    return ImageOps.fit(flat, (width, height), Image.Resampling.LANCZOS)


def read_mask(drawing: Drawing) -> Image.Image:
    """Where to paint, as grey levels of the drawing's size: 255 is painted anew, 0 stays.

    It is the mask that came with the job, else what is transparent in the source image.

    Raises:
        BackendError: as `read`, or the job has neither.
    """
    size = (drawing.width, drawing.height)
    if drawing.source_mask is not None:
        mask = read(drawing.source_mask, "mask")
        grey = Image.new("RGB", mask.size, "black")
        grey.paste(mask, mask=mask.getchannel("A"))
        return ImageOps.fit(grey.convert("L"), size, Image.Resampling.LANCZOS)
    if drawing.source_image is None:
        raise BackendError("There is nothing to paint on: the job has no source image.")
    alpha = read(drawing.source_image).getchannel("A")
    if alpha.getextrema()[0] == 255:
        raise BackendError("There is no mask, and nothing is transparent in the source image.")
    return ImageOps.invert(ImageOps.fit(alpha, size, Image.Resampling.LANCZOS))


def as_png(image: Image.Image) -> bytes:
    """The picture as PNG, without loss."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def as_webp(data: bytes) -> bytes:
    """An encoded picture as WebP; one that is WebP already stays as it is.

    Raises:
        BackendError: what the backend gave back is no picture.
    """
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return data
    image = read(data, "picture that was made")
    buffer = io.BytesIO()
    is_opaque = image.getchannel("A").getextrema()[0] == 255
    (image.convert("RGB") if is_opaque else image).save(buffer, "WEBP", quality=QUALITY)
    return buffer.getvalue()


def _too_large(what: str, size: str) -> str:
    return f"The {what} is too large: {size} pixels; at most {PIXELS_MAX} are read."
