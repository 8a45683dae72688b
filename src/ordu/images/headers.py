"""What the first bytes of a picture say: format, size, transparency, animation.

Only headers are read, in steps that are counted, so a hostile file costs microseconds and no
memory. Pillow is not used here: it reserves the whole canvas of a WebP to open it, and cannot open
one of which only the first 64 KB were fetched. A size is taken from where decoders take it: a WebP
that announces one size and holds another is refused.
"""

import struct
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

CHUNKS_MAX = 1000  # parts looked at before the picture itself; real files have a dozen


class PictureFormat(StrEnum):
    """The formats that are taken."""

    WEBP = "webp"
    PNG = "png"
    JPEG = "jpeg"


@dataclass(frozen=True, slots=True)
class Header:
    """What a picture's header says."""

    format: PictureFormat
    width: int
    height: int
    has_alpha: bool
    is_animated: bool = False


class BadHeaderError(Exception):
    """The bytes are no picture that is taken; the message goes on after "The picture "."""


def read_header(data: bytes, size_bytes: int) -> Header:
    """What the header says, or `BadHeaderError`.

    `size_bytes` is the size of the file that `data` begins; a file that ends too early is noticed.
    """
    form = format_of(data)
    if form is None:
        raise BadHeaderError(f"is {_what_else(data)}")
    header = _READERS[form](data, size_bytes)
    if header.width == 0 or header.height == 0:
        raise BadHeaderError("has no size")
    return header


def format_of(data: bytes) -> PictureFormat | None:
    """The format that the first bytes announce, if it is one that is taken."""
    for form, (offset, magic) in _MAGICS.items():
        if data[offset : offset + len(magic)] == magic:
            return form
    return None


def _webp(data: bytes, size_bytes: int) -> Header:
    _need(data, 25)
    if int.from_bytes(data[4:8], "little") + 8 > size_bytes:
        raise _cut_off()
    if data[12:16] != b"VP8X":
        width, height, has_alpha = _webp_frame(data, 12)
        return Header(PictureFormat.WEBP, width, height, has_alpha)
    _need(data, 30)
    flags = data[20]
    width = 1 + int.from_bytes(data[24:27], "little")
    height = 1 + int.from_bytes(data[27:30], "little")
    header = Header(PictureFormat.WEBP, width, height, bool(flags & 0x10), bool(flags & 0x02))
    if not header.is_animated:
        _compare_with_frame(header, data, size_bytes)
    return header


def _compare_with_frame(header: Header, data: bytes, size_bytes: int) -> None:
    """Refuse an extended WebP whose picture, further back, has another size than it says."""
    position = 30
    for _ in range(CHUNKS_MAX):
        if position + 18 > len(data):
            break
        name, length = struct.unpack_from("<4sI", data, position)
        if name in {b"VP8 ", b"VP8L"}:
            width, height, _ = _webp_frame(data, position)
            if (width, height) != (header.width, header.height):
                raise BadHeaderError("says one size and holds another")
            return
        position += 8 + length + length % 2
    if len(data) >= size_bytes:
        raise BadHeaderError("is a WebP file without a picture in it")


def _webp_frame(data: bytes, position: int) -> tuple[int, int, bool]:
    """Width, height and transparency of the VP8 or VP8L chunk that begins here."""
    name, start = data[position : position + 4], position + 8
    if name == b"VP8 " and data[start + 3 : start + 6] == b"\x9d\x01\x2a":
        _need(data, start + 10)
        width, height = struct.unpack_from("<HH", data, start + 6)
        return width & 0x3FFF, height & 0x3FFF, False
    if name == b"VP8L" and data[start] == 0x2F:
        bits = int.from_bytes(data[start + 1 : start + 5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF), bool(bits >> 28 & 1)
    raise BadHeaderError("is a damaged WebP file")


def _png(data: bytes, size_bytes: int) -> Header:
    _need(data, 33)
    if data[8:16] != b"\0\0\0\x0dIHDR" or zlib.crc32(data[12:29]) != _number(data, 29, 4):
        raise BadHeaderError("is a damaged PNG file")
    width, height, colour = _number(data, 16, 4), _number(data, 20, 4), data[25]
    names, position = _png_chunks(data)
    is_whole = len(data) >= size_bytes
    if is_whole and (names[-1:] != [b"IDAT"] or data.rfind(b"IEND\xaeB`\x82", position) < 0):
        raise _cut_off()
    has_alpha = colour in {4, 6} or b"tRNS" in names
    return Header(PictureFormat.PNG, width, height, has_alpha, b"acTL" in names)


def _png_chunks(data: bytes) -> tuple[list[bytes], int]:
    """The names of the chunks up to the picture, and where the last of them begins."""
    names: list[bytes] = []
    position = start = 33
    while position + 8 <= len(data) and names[-1:] != [b"IDAT"]:
        if len(names) == CHUNKS_MAX:
            raise BadHeaderError(f"has more than {CHUNKS_MAX} parts before its first line")
        names.append(data[position + 4 : position + 8])
        start, position = position, position + 12 + _number(data, position, 4)
    return names, start


# Baseline, extended and progressive: the ways of JPEG that browsers and Pillow read.
_JPEG_SIZES = frozenset({0xC0, 0xC1, 0xC2})
_JPEG_UNREADABLE = frozenset(range(0xC3, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_ENDS = frozenset({0x01, *range(0xD0, 0xDB)})  # the picture begins, or ends, without a size


def _jpeg(data: bytes, size_bytes: int) -> Header:
    position = _jpeg_size(data)
    _need(data, position + 10)
    height, width = _number(data, position + 5, 2), _number(data, position + 7, 2)
    if len(data) >= size_bytes and data.rfind(b"\xff\xd9", position) < 0:
        raise _cut_off()
    return Header(PictureFormat.JPEG, width, height, has_alpha=False)


def _jpeg_size(data: bytes) -> int:
    """Where the segment begins that holds the size."""
    position = 2
    for _ in range(CHUNKS_MAX):
        _need(data, position + 4)
        mark, kind = data[position], data[position + 1]
        if mark != 0xFF or kind in _JPEG_ENDS:
            raise BadHeaderError("is a damaged JPEG file")
        if kind in _JPEG_UNREADABLE:
            raise BadHeaderError("is a kind of JPEG that few programs can read")
        if kind in _JPEG_SIZES:
            return position
        # 0xFF may be repeated as filling.
        position += 1 if kind == 0xFF else 2 + _number(data, position + 2, 2)
    raise BadHeaderError(f"has more than {CHUNKS_MAX} parts before its size")


_MAGICS: Mapping[PictureFormat, tuple[int, bytes]] = {
    PictureFormat.WEBP: (8, b"WEBP"),
    PictureFormat.PNG: (0, b"\x89PNG\r\n\x1a\n"),
    PictureFormat.JPEG: (0, b"\xff\xd8\xff"),
}

_READERS: Mapping[PictureFormat, Callable[[bytes, int], Header]] = {
    PictureFormat.WEBP: _webp,
    PictureFormat.PNG: _png,
    PictureFormat.JPEG: _jpeg,
}

_OTHERS: Mapping[tuple[int, bytes], str] = {
    (0, b"GIF8"): "a GIF file",
    (0, b"BM"): "a BMP file",
    (0, b"II*\0"): "a TIFF file",
    (0, b"MM\0*"): "a TIFF file",
    (4, b"ftypavif"): "an AVIF file",
    (4, b"ftyp"): "a HEIC picture or a film",
    (0, b"%PDF"): "a PDF file",
    (0, b"PK\x03\x04"): "a ZIP archive",
}


def _what_else(data: bytes) -> str:
    """Words for bytes that are no picture we take: people send these by mistake."""
    for (offset, magic), words in _OTHERS.items():
        if data[offset : offset + len(magic)] == magic:
            return words
    start = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n")
    if b"<svg" in start.lower():
        return "an SVG drawing"
    if start.startswith(b"<"):
        return "an HTML or XML page"
    if start.isascii() and all(byte >= 32 or byte in b"\t\r\n" for byte in start[:64]):
        return "text"
    return "of no format known here"


def _number(data: bytes, position: int, length: int) -> int:
    return int.from_bytes(data[position : position + length], "big")


def _need(data: bytes, length: int) -> None:
    if len(data) < length:
        raise _cut_off()


def _cut_off() -> BadHeaderError:
    return BadHeaderError("ends too early: part of the file is missing")
