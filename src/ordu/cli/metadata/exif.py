"""The EXIF block of a picture: one with a text as `UserComment`, and that text read from any.

It is a TIFF file without a picture: a header, then directories of entries of 12 bytes. Nothing it
says is believed: every place is looked up inside the bytes that are there, and every count has a
bound.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

PREFIX = b"Exif\0\0"
ENTRIES_MAX = 1000
ORIENTATION, EXIF_DIRECTORY, VERSION, USER_COMMENT = 0x0112, 0x8769, 0x9000, 0x9286
BYTE, TEXT, SHORT, LONG, UNDEFINED = 1, 2, 3, 4, 7
UPRIGHT = 1
UNICODE, ASCII, UNSAID = b"UNICODE\0", b"ASCII\0\0\0", bytes(8)


@dataclass(frozen=True, slots=True)
class Exif:
    """What is of interest in an EXIF block."""

    comment: str | None = None
    orientation: int = UPRIGHT  # how the picture is to be turned; kept when a block is replaced


def build(text: str, orientation: int = UPRIGHT) -> bytes:
    """An EXIF block with this text, without the prefix that JPEG puts before it."""
    comment = UNICODE + text.encode("utf-16-be", "replace")
    first = [(EXIF_DIRECTORY, LONG, 1, b"")]
    if orientation != UPRIGHT:
        first.insert(0, (ORIENTATION, SHORT, 1, struct.pack(">HH", orientation, 0)))
    inner_at = 8 + 2 + 12 * len(first) + 4
    comment_at = inner_at + 2 + 12 * 2 + 4
    first[-1] = (EXIF_DIRECTORY, LONG, 1, struct.pack(">I", inner_at))
    inner = [
        (VERSION, UNDEFINED, 4, b"0232"),
        (USER_COMMENT, UNDEFINED, len(comment), struct.pack(">I", comment_at)),
    ]
    return b"MM\0*\0\0\0\x08" + _directory(first) + _directory(inner) + comment


def read(block: bytes) -> Exif:
    """What an EXIF block says, with or without its prefix; nothing where it cannot be read."""
    data = block.removeprefix(PREFIX)
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(data[:4])
    if order is None or len(data) < 8:
        return Exif()
    found: dict[int, bytes] = {}
    for tag, value in _entries(data, order, _number(data, 4, order)):
        found.setdefault(tag, value)
    inner = found.get(EXIF_DIRECTORY, b"")
    if len(inner) >= 4:
        for tag, value in _entries(data, order, _number(inner, 0, order)):
            found.setdefault(tag, value)
    turned = found.get(ORIENTATION, b"")
    orientation = struct.unpack_from(order + "H", turned)[0] if len(turned) >= 2 else UPRIGHT
    comment = found.get(USER_COMMENT)
    return Exif(
        comment=None if comment is None else _decoded(comment, order),
        orientation=orientation if 1 <= orientation <= 8 else UPRIGHT,
    )


def _directory(entries: list[tuple[int, int, int, bytes]]) -> bytes:
    lines = [struct.pack(">HHI", tag, kind, count) + value for tag, kind, count, value in entries]
    return struct.pack(">H", len(entries)) + b"".join(lines) + bytes(4)


def _entries(data: bytes, order: str, position: int) -> Iterator[tuple[int, bytes]]:
    """The tags of the directory that begins here, with their values as far as they are there."""
    if position + 2 > len(data):
        return
    count: int = struct.unpack_from(order + "H", data, position)[0]
    sizes = {BYTE: 1, TEXT: 1, SHORT: 2, LONG: 4, UNDEFINED: 1}
    for number in range(min(count, ENTRIES_MAX)):
        at = position + 2 + 12 * number
        if at + 12 > len(data):
            return
        tag, kind, many = struct.unpack_from(order + "HHI", data, at)
        length = sizes.get(kind, 0) * many
        start = at + 8 if length <= 4 else _number(data, at + 8, order)
        if 0 < length <= len(data) - start:
            yield tag, data[start : start + length]


def _number(data: bytes, position: int, order: str) -> int:
    found: int = struct.unpack_from(order + "I", data, position)[0]
    return found


def _decoded(comment: bytes, order: str) -> str | None:
    """The text of a `UserComment`, whose first eight bytes say how it is written."""
    mark, text = comment[:8], comment[8:]
    if mark == UNICODE:
        return text.decode(_byte_order(text, order), "replace").strip("\0")
    if mark in {ASCII, UNSAID}:
        return text.decode("utf-8", "replace").strip("\0 ") or None
    return None


def _byte_order(text: bytes, order: str) -> str:
    """Which UTF-16 it is: not all programs write that of the block.

    In most languages' texts the upper byte of each character is small, and often zero.
    """
    if text[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return "utf-16"
    first, second = text[0::2].count(0), text[1::2].count(0)
    if first == second:
        return "utf-16-be" if order == ">" else "utf-16-le"
    return "utf-16-be" if first > second else "utf-16-le"
