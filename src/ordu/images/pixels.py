"""Looking into pictures: another format, another size, a mask turned round, texts in a file.

Strangers made the bytes, and decoders of pictures have had holes. So this is run in a process that
has nothing to lose (`images.apart`), which imports little more than Pillow and this. Sizes are
checked by the header before (`images.headers`), here and where a picture comes in.
"""

import io
import struct
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from ordu.images.headers import BadHeaderError, read_header

if TYPE_CHECKING:
    from PIL.Image import Image

PIXELS_MAX = 3072 * 3072  # the largest picture that is decoded
TEXTS_MAX = 100  # of one picture are told
TEXT_LENGTH_MAX = 100_000  # of each of them
FORMATS = ("PNG", "JPEG", "WEBP")

# What Pillow raises for files that are damaged.
_DAMAGED = (OSError, ValueError, SyntaxError, EOFError, KeyError, IndexError, struct.error)


class UnreadableError(Exception):
    """The bytes are no picture that can be decoded here; the words go on after "the picture"."""


class NothingTransparentError(Exception):
    """Nothing of the mask is fully transparent."""


class Seen(msgspec.Struct, frozen=True):
    """What became of a picture: another file, the texts in it, or what it is like."""

    data: bytes = b""
    texts: dict[str, str] = {}
    uneven: float = 0.0  # as in `looks.Look`


Options: TypeAlias = Mapping[str, int | str]


def check_size(data: bytes) -> None:
    """Return when a picture is small enough to be decoded.

    Raises:
        UnreadableError: it is not, or is none.
    """
    try:
        header = read_header(data, len(data))
    except BadHeaderError as error:
        raise UnreadableError(str(error)) from error
    if header.width * header.height > PIXELS_MAX:
        raise UnreadableError(
            f"has {header.width} × {header.height} pixels, too many to read here: "
            f"{PIXELS_MAX:,} at most"
        )


def decoded(data: bytes) -> "Image":
    """A picture, decoded.

    Raises:
        UnreadableError: it is too large or damaged.
    """
    from PIL import Image  # noqa: PLC0415 - it need not be installed where this is imported

    check_size(data)
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
        image.load()
    except _DAMAGED as error:
        raise UnreadableError(f"cannot be read: {error}") from error
    return image


def white_where_transparent(data: bytes, _: Options) -> Seen:
    """A mask in grey, as WebP without loss: white where it is fully transparent, else black.

    Raises:
        NothingTransparentError: it is so nowhere.
    """
    alpha = decoded(data).convert("RGBA").getchannel("A")
    if alpha.getextrema()[0] != 0:
        raise NothingTransparentError
    white = alpha.point([255] + [0] * 255)
    buffer = io.BytesIO()
    white.convert("RGB").save(buffer, "WEBP", lossless=True)
    return Seen(buffer.getvalue())


def written(data: bytes, options: Options) -> Seen:
    """A picture as a file of `format`; `quality` is that of JPEG and WebP, to 100."""
    from PIL import Image  # noqa: PLC0415 - as above

    image, buffer = decoded(data), io.BytesIO()
    quality = int(options["quality"])
    match options["format"]:
        case "jpeg":
            picture = image.convert("RGBA")
            flat = Image.new("RGB", picture.size, "white")
            flat.paste(picture, mask=picture.getchannel("A"))
            flat.save(buffer, "JPEG", quality=quality)
        case "webp":
            image.save(buffer, "WEBP", quality=quality)
        case _:
            image.save(buffer, "PNG")
    return Seen(buffer.getvalue())


def stretched(data: bytes, options: Options) -> Seen:
    """A picture of exactly `width` and `height`, whatever its own sides are to each other."""
    return _png(plain(data).resize((int(options["width"]), int(options["height"]))))


def turned_round(data: bytes, _: Options) -> Seen:
    """A mask that is white where this one is black."""
    from PIL import Image, ImageOps  # noqa: PLC0415 - as above

    mask = plain(data).convert("RGBA")
    flat = Image.new("RGBA", mask.size, "black")
    return _png(ImageOps.invert(Image.alpha_composite(flat, mask).convert("L")))


def with_text(data: bytes, options: Options) -> Seen:
    """A picture as PNG with a `text` in it, under a `name`."""
    from PIL.PngImagePlugin import PngInfo  # noqa: PLC0415 - as above

    texts = PngInfo()
    texts.add_text(str(options["name"]), str(options["text"]))
    buffer = io.BytesIO()
    plain(data).save(buffer, "PNG", pnginfo=texts, compress_level=1)
    return Seen(buffer.getvalue())


def texts_in(data: bytes, _: Options) -> Seen:
    """The texts in a picture, by name."""
    found = decoded(data).info.items()
    named = [(str(name), text) for name, text in found if isinstance(text, str)]
    return Seen(texts={name: text[:TEXT_LENGTH_MAX] for name, text in named[:TEXTS_MAX]})


def looked(data: bytes, _: Options) -> Seen:
    """What a delivered picture is like (`looks.look`), its miniature as `data`.

    Raises:
        UnreadableError: it cannot be decoded.
    """
    from ordu.images.looks import UNREADABLE, look  # noqa: PLC0415 - it takes numpy

    try:
        found = look(data)
    except UNREADABLE as error:
        raise UnreadableError(f"cannot be read: {error}") from error
    return Seen(found.miniature, uneven=found.uneven)


def plain(data: bytes) -> "Image":
    """A picture in one of the modes that all can be done to."""
    image = decoded(data)
    return image if image.mode in {"RGB", "RGBA", "L"} else image.convert("RGBA")


def _png(image: "Image") -> Seen:
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1)
    return Seen(buffer.getvalue())


# What can be asked for, by name.
TASKS: Mapping[str, Callable[[bytes, Options], Seen]] = {
    each.__name__: each
    for each in (
        white_where_transparent,
        written,
        stretched,
        turned_round,
        with_text,
        texts_in,
        looked,
    )
}
