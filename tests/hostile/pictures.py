"""Pictures as somebody makes them who wants to break whoever opens them."""

import io
import random
import struct
import zlib
from collections.abc import Iterator

from PIL import Image


def png_chunk(name: bytes, data: bytes) -> bytes:
    """A part of a PNG file."""
    check = zlib.crc32(name + data)
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", check)


def png(width: int, height: int, pixels: bytes = b"", *more: bytes, depth: int = 8) -> bytes:
    """A PNG file that says this size, with these packed pixels."""
    head = struct.pack(">IIBBBBB", width, height, depth, 2, 0, 0, 0)
    parts = [png_chunk(b"IHDR", head), *more, png_chunk(b"IDAT", pixels), png_chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def riff(*chunks: tuple[bytes, bytes]) -> bytes:
    """A WebP file of these chunks."""
    body = b"WEBP" + b"".join(
        name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)
        for name, data in chunks
    )
    return b"RIFF" + struct.pack("<I", len(body)) + body


def vp8x(width: int, height: int, flags: int = 0) -> tuple[bytes, bytes]:
    """The head of an extended WebP file."""
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"VP8X", bytes([flags, 0, 0, 0]) + size


def vp8l(width: int, height: int) -> tuple[bytes, bytes]:
    """A picture without loss that says this size."""
    bits = (width - 1) | (height - 1) << 14
    return b"VP8L", b"\x2f" + struct.pack("<I", bits) + b"\0" * 16


def jpeg(width: int, height: int, *before: bytes) -> bytes:
    """A JPEG file that says this size."""
    head = struct.pack(">BHHB", 8, height, width, 3) + bytes([1, 17, 0, 2, 17, 1, 3, 17, 1])
    size = b"\xff\xc0" + struct.pack(">H", len(head) + 2) + head
    return (
        b"\xff\xd8" + b"".join(before) + size + b"\xff\xda\0\x0c\x03\x01\0\x02\0\x03\0?\0\0\xff\xd9"
    )


def box(name: bytes, data: bytes) -> bytes:
    """A part of an AVIF or HEIC file."""
    return struct.pack(">I", len(data) + 8) + name + data


def avif(width: int, height: int) -> bytes:
    """An AVIF file that says this size."""
    ispe = box(b"ispe", struct.pack(">III", 0, width, height))
    meta = box(b"meta", bytes(4) + box(b"iprp", box(b"ipco", ispe)))
    return box(b"ftyp", b"avif" + bytes(4) + b"avifmif1") + meta


def real(form: str, size: tuple[int, int] = (64, 64), **options: object) -> bytes:
    """A picture as an honest program writes it."""
    buffer = io.BytesIO()
    Image.radial_gradient("L").resize(size).convert("RGB").save(buffer, form, **options)
    return buffer.getvalue()


def animated(form: str) -> bytes:
    """A film of two frames."""
    frames = [Image.new("RGB", (32, 32), colour) for colour in ("red", "blue")]
    buffer = io.BytesIO()
    frames[0].save(buffer, form, save_all=True, append_images=frames[1:])
    return buffer.getvalue()


BOMB = zlib.compress(b"\0" * 20_000_000, 9)  # 20 KB that are 20 MB
SVG = (
    b'<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;">]>'
    b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)">&b;'
    b'<image href="http://169.254.169.254/"/></svg>'
)

# None of these may be taken for a picture, wherever it comes from.
BAD: dict[str, bytes] = {
    "nothing": b"",
    "a PNG of 60,000 by 60,000": png(60_000, 60_000, BOMB),
    "a PNG of four billion by one": png(0xFFFF_FFFF, 1),
    "a PNG without a width": png(0, 10),
    "a PNG of a million empty parts": png(64, 64, b"", *([png_chunk(b"tEXt", b"")] * 15_000)),
    "a PNG whose head is damaged": png(64, 64)[:20] + b"\xff" + png(64, 64)[21:],
    "a PNG that moves": png(64, 64, b"", png_chunk(b"acTL", struct.pack(">II", 2, 0))),
    "a PNG part longer than the file": b"\x89PNG\r\n\x1a\n" + b"\xff\xff\xff\xff" + b"IHDR" * 10,
    "half a PNG": real("PNG")[:-20],
    "a WebP canvas of 16 million by 16 million": riff(vp8x(1 << 24, 1 << 24), vp8l(1, 1)),
    "a WebP of 16,383 by 16,383": riff(vp8l(16_383, 16_383)),
    "a WebP that says a small size and holds a large one": riff(vp8x(64, 64), vp8l(16_383, 16_383)),
    "a WebP with nothing in it": riff(vp8x(64, 64)),
    "a WebP of ten thousand parts": riff(vp8x(64, 64), *[(b"EXIF", b"")] * 10_000),
    "a WebP that moves": animated("WEBP"),
    "a WebP longer than it is": b"RIFF\xff\xff\xff\xffWEBPVP8L" + bytes(40),
    "half a WebP": real("WEBP")[:-20],
    "a RIFF that is sound": b"RIFF\x24\0\0\0WAVEfmt " + bytes(40),
    "a JPEG of 65,535 by 65,535": jpeg(65_535, 65_535),
    "a JPEG whose height comes later": jpeg(64, 0),
    "a JPEG of 100,000 parts": jpeg(64, 64, *[b"\xff\xe1\0\x02"] * 50_000),
    "a JPEG part longer than the file": b"\xff\xd8\xff\xe1\xff\xff" + bytes(100),
    "a JPEG of filling": b"\xff\xd8" + b"\xff" * 100_000,
    "half a JPEG": real("JPEG")[:-20],
    "a GIF of 65,535 by 65,535": b"GIF89a" + struct.pack("<HHBBB", 65_535, 65_535, 0, 0, 0),
    "a GIF that moves": animated("GIF"),
    "an AVIF of 60,000 by 60,000": avif(60_000, 60_000),
    "a HEIC": box(b"ftyp", b"heic" + bytes(4)) + bytes(50),
    "a TIFF": b"II*\0" + struct.pack("<I", 8) + bytes(50),
    "a BMP of two billion by two billion": b"BM"
    + bytes(16)
    + struct.pack("<ii", 2**31 - 1, -(2**31)),
    "an SVG": SVG,
    "an SVG behind a byte order mark": b"\xef\xbb\xbf" + SVG,
    "a web page": b"<html><script>alert(1)</script>",
    "a PDF": b"%PDF-1.7\n",
    "a ZIP": b"PK\x03\x04" + bytes(50),
    "a program": b"\x7fELF" + bytes(100),
    "a text": b"hello",
    "zeros": bytes(100_000),
    "a gzip bomb": b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + zlib.compress(bytes(1_000_000), 9)[2:-4],
}


def mutated(data: bytes, chance: random.Random, many: int) -> Iterator[bytes]:
    """A picture, damaged in so many ways."""

    for _ in range(many):
        damaged = bytearray(data)
        for _ in range(chance.choice((1, 1, 2, 8))):
            place = chance.randrange(min(len(damaged), chance.choice((40, 400, len(damaged)))))
            match chance.randrange(4):
                case 0:
                    damaged[place] = chance.choice((0, 0x7F, 0x80, 0xFF))
                case 1:
                    damaged[place] ^= 1 << chance.randrange(8)
                case 2:
                    del damaged[place : place + chance.choice((1, 4, 100))]
                case 3:
                    damaged[place:place] = chance.randbytes(chance.choice((1, 4, 100)))
            if not damaged:
                break
        yield bytes(damaged)
