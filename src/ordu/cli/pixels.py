"""Pictures decoded on the machine of who asked for them: for previews and contact sheets only.

They come from strangers' machines, so nothing is decoded before its header was read. Pillow comes
with the extra `worker`; without it everything else works.
"""

import io
from typing import TYPE_CHECKING

from ordu.images.headers import BadHeaderError, read_header

if TYPE_CHECKING:
    from PIL.Image import Image

PIXELS_MAX = 64_000_000  # four times what a horde makes, for those that were upscaled
FORMATS = ("WEBP", "PNG", "JPEG")


class PixelsError(Exception):
    """A picture that cannot be shown; the message is a sentence."""


def decoded(data: bytes) -> "Image":
    """The picture, upright, with an alpha channel (RGBA).

    Raises:
        PixelsError: it is none, it is broken, or it is too large.
    """
    from PIL import Image, ImageOps

    try:
        header = read_header(data, len(data))
        if header.width * header.height > PIXELS_MAX:
            raise PixelsError(
                f"The picture has {header.width} × {header.height} pixels;"
                f" at most {PIXELS_MAX:,} are shown."
            )
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            return ImageOps.exif_transpose(image).convert("RGBA")
    except BadHeaderError as error:
        raise PixelsError(f"The picture {error}.") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PixelsError("The picture is too large to be shown.") from error
    except (OSError, ValueError, SyntaxError, EOFError, KeyError) as error:
        raise PixelsError(f"The picture cannot be read: {error}.") from error


def flattened(image: "Image") -> "Image":
    """The picture without transparency (RGB), on black, as on most terminals."""
    from PIL import Image

    flat = Image.new("RGB", image.size, "black")
    flat.paste(image, mask=image.getchannel("A"))
    return flat
