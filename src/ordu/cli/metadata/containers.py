"""Where a text stands in WebP, PNG and JPEG files: found there, and put there.

A file is taken apart into its parts (chunks, segments), all but one are kept byte for byte and in
their order, and the part with the text is added. The picture is never decoded.
"""

import struct
import zlib
from collections.abc import Callable, Mapping

from ordu.cli.metadata import exif
from ordu.images.headers import BadHeaderError, PictureFormat, format_of, read_header

TEXT_BYTES_MAX = 1024 * 1024  # of a text that is read or written
PARTS_MAX = 100_000  # a large PNG has some thousands
SEGMENT_BYTES_MAX = 65_533  # a JPEG's segment counts its length in two bytes
KEYWORD = b"parameters"
PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
PNG_TEXTS = frozenset({b"tEXt", b"zTXt", b"iTXt"})
EXIF_FLAG, ALPHA_FLAG = 0x08, 0x10  # of a WebP


class BadPictureError(Exception):
    """The bytes are no picture that can hold a text; the message goes on after "The file "."""


def read_text(data: bytes) -> str | None:
    """The text in these bytes of a picture, or None where there is none.

    Raises:
        BadPictureError: they are no WebP, PNG or JPEG.
    """
    return _READERS[_format(data)](data)


def write_text(data: bytes, text: str) -> bytes:
    """The same picture with this text, which takes the place of one that is there.

    Raises:
        BadPictureError: the bytes are no picture of a known kind, or the text is too long.
    """
    if len(text.encode("utf-8", "replace")) > TEXT_BYTES_MAX:
        raise BadPictureError(f"cannot hold a text of more than {TEXT_BYTES_MAX:,} bytes")
    return _WRITERS[_format(data)](data, text)


def _format(data: bytes) -> PictureFormat:
    form = format_of(data)
    if form is None:
        raise BadPictureError("is no WebP, PNG or JPEG picture")
    return form


# -- PNG: chunks of length, name, content, checksum --------------------------------------------


def _png_parts(data: bytes) -> list[tuple[bytes, bytes]]:
    """The chunks as name and all of their bytes; what follows the end of the picture as ``."""
    parts: list[tuple[bytes, bytes]] = []
    position = len(PNG_MAGIC)
    while position + 12 <= len(data):
        length = int.from_bytes(data[position : position + 4], "big")
        end = position + 12 + length
        if end > len(data) or len(parts) >= PARTS_MAX:
            raise BadPictureError("is a damaged PNG file")
        name = data[position + 4 : position + 8]
        parts.append((name, data[position:end]))
        position = end
        if name == b"IEND":
            break
    parts.append((b"", data[position:]))
    return parts


def _png_read(data: bytes) -> str | None:
    for name, whole in _png_parts(data):
        if _is_png_text(name, whole):
            text = _png_text(name, whole[8 + len(KEYWORD) + 1 : -4])
            if text is not None:
                return text
    return None


def _is_png_text(name: bytes, whole: bytes) -> bool:
    return name in PNG_TEXTS and whole.startswith(KEYWORD + b"\0", 8)


def _png_text(name: bytes, content: bytes) -> str | None:
    """The text of a chunk, after its keyword."""
    if name == b"tEXt":
        return content[:TEXT_BYTES_MAX].decode("latin-1")
    if name == b"zTXt":
        found = _unpacked(content[1:])
        return None if found is None else found.decode("latin-1")
    is_packed, rest = content[:1] == b"\x01", content[2:]
    for _ in range(2):  # a language, and the keyword in it
        rest = rest.partition(b"\0")[2]
    text = _unpacked(rest) if is_packed else rest[:TEXT_BYTES_MAX]
    return None if text is None else text.decode("utf-8", "replace")


def _unpacked(content: bytes) -> bytes | None:
    """A packed text, as far as the bound goes: a small one can claim to be gigabytes."""
    try:
        return zlib.decompressobj().decompress(content, TEXT_BYTES_MAX)
    except zlib.error:
        return None


def _png_write(data: bytes, text: str) -> bytes:
    parts = _png_parts(data)
    if not parts or parts[0][0] != b"IHDR":
        raise BadPictureError("is a damaged PNG file")
    kept = [part for part in parts if not _is_png_text(*part)]
    try:
        chunk = _png_chunk(b"tEXt", KEYWORD + b"\0" + text.encode("latin-1"))
    except UnicodeEncodeError:
        chunk = _png_chunk(b"iTXt", KEYWORD + b"\0\0\0\0\0" + text.encode("utf-8", "replace"))
    whole = [each for _, each in kept]
    return PNG_MAGIC + b"".join([whole[0], chunk, *whole[1:]])


def _png_chunk(name: bytes, content: bytes) -> bytes:
    named = name + content
    return struct.pack(">I", len(content)) + named + struct.pack(">I", zlib.crc32(named))


# -- WebP: RIFF chunks of name, length, content ------------------------------------------------


def _webp_parts(data: bytes) -> list[tuple[bytes, bytes]]:
    """The chunks as name and content; what is missing at the end of a cut file is not there."""
    parts: list[tuple[bytes, bytes]] = []
    position = 12
    while position + 8 <= len(data):
        name, length = struct.unpack_from("<4sI", data, position)
        if len(parts) >= PARTS_MAX:
            raise BadPictureError("is a damaged WebP file")
        parts.append((name, data[position + 8 : position + 8 + length]))
        position += 8 + length + length % 2
    return parts


def _webp_read(data: bytes) -> str | None:
    blocks = (content for name, content in _webp_parts(data) if name == b"EXIF")
    return exif.read(next(blocks, b"")).comment


def _webp_write(data: bytes, text: str) -> bytes:
    try:
        header = read_header(data, len(data))
    except BadHeaderError as error:
        raise BadPictureError(str(error)) from error
    parts = _webp_parts(data)
    old = exif.read(next((content for name, content in parts if name == b"EXIF"), b""))
    kept = [part for part in parts if part[0] != b"EXIF"]
    if kept[0][0] != b"VP8X":
        kept.insert(0, (b"VP8X", _webp_head(header.width, header.height, header.has_alpha)))
    head = bytearray(kept[0][1])
    head[0] |= EXIF_FLAG
    kept[0] = (b"VP8X", bytes(head))
    # The order of the format: what is known comes first, then EXIF, then XMP and the unknown.
    at = next((n for n, (name, _) in enumerate(kept) if name == b"XMP "), len(kept))
    kept.insert(at, (b"EXIF", exif.build(text, old.orientation)))
    chunks = b"".join(_webp_chunk(*part) for part in kept)
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WEBP" + chunks


def _webp_head(width: int, height: int, has_alpha: bool) -> bytes:
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return bytes([ALPHA_FLAG if has_alpha else 0, 0, 0, 0]) + size


def _webp_chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)


# -- JPEG: segments of mark, length, content, then the picture ---------------------------------


def _jpeg_parts(data: bytes) -> tuple[list[bytes], bytes]:
    """The segments with their marks up to the first line of the picture, and all that follows."""
    segments: list[bytes] = []
    position = 2
    while position + 4 <= len(data) and len(segments) < PARTS_MAX:
        mark, kind = data[position], data[position + 1]
        if mark != 0xFF:
            raise BadPictureError("is a damaged JPEG file")
        if kind == 0xFF:  # filling
            position += 1
            continue
        length = int.from_bytes(data[position + 2 : position + 4], "big")
        if kind == 0xDA:  # the picture begins
            break
        if length < 2 or position + 2 + length > len(data):
            raise BadPictureError("is a damaged JPEG file")
        segments.append(data[position : position + 2 + length])
        position += 2 + length
    return segments, data[position:]


def _is_exif(segment: bytes) -> bool:
    return segment.startswith(b"\xff\xe1") and segment[4:].startswith(exif.PREFIX)


def _jpeg_read(data: bytes) -> str | None:
    return _jpeg_exif(_jpeg_parts(data)[0]).comment


def _jpeg_exif(segments: list[bytes]) -> exif.Exif:
    return exif.read(next((each[4:] for each in segments if _is_exif(each)), b""))


def _jpeg_write(data: bytes, text: str) -> bytes:
    segments, picture = _jpeg_parts(data)
    content = exif.PREFIX + exif.build(text, _jpeg_exif(segments).orientation)
    if len(content) > SEGMENT_BYTES_MAX:
        raise BadPictureError("is a JPEG, which cannot hold a text so long")
    kept = [each for each in segments if not _is_exif(each)]
    at = 1 if kept and kept[0].startswith(b"\xff\xe0") else 0  # after JFIF, which must be first
    kept.insert(at, b"\xff\xe1" + struct.pack(">H", len(content) + 2) + content)
    return data[:2] + b"".join(kept) + picture


_READERS: Mapping[PictureFormat, Callable[[bytes], str | None]] = {
    PictureFormat.PNG: _png_read,
    PictureFormat.WEBP: _webp_read,
    PictureFormat.JPEG: _jpeg_read,
}
_WRITERS: Mapping[PictureFormat, Callable[[bytes, str], bytes]] = {
    PictureFormat.PNG: _png_write,
    PictureFormat.WEBP: _webp_write,
    PictureFormat.JPEG: _jpeg_write,
}
