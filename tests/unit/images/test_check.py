"""Pictures made by Pillow are read as Pillow reads them; everything else is refused with words."""

import base64
import io
import struct
import warnings
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ordu.images.check import Picture, PictureFormat, check, from_base64
from ordu.protocol.errors import Refused

MIB = 1024 * 1024


def a_picture(kind="PNG", mode="RGB", size=(64, 48), **options):
    buffer = io.BytesIO()
    Image.new(mode, size, "red" if mode[0] in "RP" else 1).save(buffer, kind, **options)
    return buffer.getvalue()


def an_animation(kind):
    buffer = io.BytesIO()
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "green", "blue")]
    frames[0].save(buffer, kind, save_all=True, append_images=frames[1:], duration=50)
    return buffer.getvalue()


def checked(data, **limits):
    return check(data, **{"bytes_max": MIB, "pixels_max": 4 * MIB, **limits})


def refusal_of(call, *arguments, **options):
    with pytest.raises(Refused) as caught:
        call(*arguments, **options)
    assert (caught.value.rc, caught.value.status) == ("BadPicture", 400)
    assert "\n" not in caught.value.message
    return caught.value.message


@pytest.mark.parametrize(
    ("data", "kind", "has_alpha"),
    [
        pytest.param(a_picture("PNG"), "png", False, id="PNG"),
        pytest.param(a_picture("PNG", "RGBA"), "png", True, id="PNG with alpha"),
        pytest.param(a_picture("PNG", "LA"), "png", True, id="grey PNG with alpha"),
        pytest.param(a_picture("PNG", "1"), "png", False, id="PNG of one bit"),
        pytest.param(
            a_picture("PNG", "P", transparency=0), "png", True, id="PNG with one colour clear"
        ),
        pytest.param(a_picture("WEBP"), "webp", False, id="WebP"),
        pytest.param(a_picture("WEBP", lossless=True), "webp", False, id="lossless WebP"),
        pytest.param(
            a_picture("WEBP", "RGBA", lossless=True), "webp", None, id="lossless with alpha"
        ),
        pytest.param(
            a_picture("WEBP", exif=b"Exif\0\0" + b"x" * 99), "webp", False, id="extended WebP"
        ),
        pytest.param(
            a_picture("WEBP", icc_profile=b"x" * 999), "webp", False, id="WebP with profile"
        ),
        pytest.param(a_picture("JPEG"), "jpeg", False, id="JPEG"),
        pytest.param(a_picture("JPEG", progressive=True), "jpeg", False, id="progressive JPEG"),
        pytest.param(a_picture("JPEG", "L"), "jpeg", False, id="grey JPEG"),
        pytest.param(
            a_picture("JPEG", icc_profile=b"x" * 200_000), "jpeg", False, id="long profile"
        ),
    ],
)
def test_a_picture_is_what_its_header_says(data, kind, has_alpha):
    picture = checked(data)
    assert (picture.format, picture.width, picture.height) == (kind, 64, 48)
    assert picture.size_bytes == len(data)
    assert picture.pixels == 64 * 48
    assert picture.media_type == f"image/{kind}"
    assert has_alpha is None or picture.has_alpha is has_alpha


def test_a_transparent_webp_has_alpha():
    buffer = io.BytesIO()
    Image.new("RGBA", (30, 20), (255, 0, 0, 9)).save(buffer, "WEBP")
    assert checked(buffer.getvalue()) == Picture(
        PictureFormat.WEBP, 30, 20, len(buffer.getvalue()), has_alpha=True
    )


@settings(max_examples=60, deadline=None)
@given(
    kind=st.sampled_from(["PNG", "WEBP", "JPEG"]),
    size=st.tuples(st.integers(1, 300), st.integers(1, 300)),
    noise=st.binary(min_size=1, max_size=40),
    extra=st.sampled_from([{}, {"exif": b"Exif\0\0" + b"y" * 51}, {"icc_profile": b"z" * 333}]),
    lossless=st.booleans(),
)
def test_every_picture_of_pillow_is_read_as_pillow_reads_it(kind, size, noise, extra, lossless):
    width, height = size
    pixels = (noise * (width * height * 3 // len(noise) + 1))[: width * height * 3]
    buffer = io.BytesIO()
    Image.frombytes("RGB", size, pixels).save(buffer, kind, lossless=lossless, **extra)
    data = buffer.getvalue()
    whole = checked(data)
    assert (whole.width, whole.height) == size
    beginning = checked(data[: len(data) // 2 + 500], size_bytes=len(data))
    assert beginning == whole


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "JPEG"])
def test_a_picture_cut_anywhere_is_refused(kind):
    data = a_picture(kind, size=(200, 100))
    kept = range(len(data)) if len(data) < 3000 else (*range(700), len(data) // 2, len(data) - 1)
    for length in kept:
        refusal_of(checked, data[:length])


def passes_or_is_refused(data):
    try:
        picture = checked(data)
    except Refused as refused:
        return refused.rc == "BadPicture"
    return 0 < picture.pixels <= 4 * MIB


@given(
    st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"RIFF\x10\0\0\0WEBP", b"\xff\xd8\xff"]),
    st.binary(max_size=400),
)
def test_any_bytes_pass_or_are_refused(start, noise):
    assert passes_or_is_refused(start + noise)


@settings(max_examples=300)
@given(
    st.sampled_from(
        [a_picture("PNG"), a_picture("JPEG"), a_picture("WEBP", icc_profile=b"x" * 50)]
    ),
    st.integers(0, 200),
    st.binary(min_size=1, max_size=8),
)
def test_a_damaged_picture_passes_or_is_refused(data, position, damage):
    assert passes_or_is_refused(data[:position] + damage + data[position + len(damage) :])


@pytest.mark.parametrize(
    ("data", "words"),
    [
        pytest.param(b"", "is empty", id="nothing"),
        pytest.param(b"<svg xmlns='http://www.w3.org/2000/svg'/>", "is an SVG", id="SVG"),
        pytest.param(b"<?xml version='1.0'?>\n<SVG width='9'/>", "is an SVG", id="SVG in XML"),
        pytest.param(b"\xef\xbb\xbf <!doctype html><p>404", "is an HTML", id="a page"),
        pytest.param(b"aGVsbG8gd29ybGQ=", "is text", id="text"),
        pytest.param(b"\x00\x01\x02\x03" * 20, "no format known", id="noise"),
        pytest.param(a_picture("GIF"), "is a GIF", id="GIF"),
        pytest.param(a_picture("BMP"), "is a BMP", id="BMP"),
        pytest.param(a_picture("TIFF"), "is a TIFF", id="TIFF"),
        pytest.param(b"\0\0\0\x1cftypavif" + b"\0" * 50, "is an AVIF", id="AVIF"),
        pytest.param(b"PK\x03\x04" + b"\0" * 50, "is a ZIP", id="ZIP"),
        pytest.param(an_animation("PNG"), "is animated", id="animated PNG"),
        pytest.param(an_animation("WEBP"), "is animated", id="animated WebP"),
        pytest.param(b"\x89PNG\r\n\x1a\n" + b"\0" * 99, "damaged PNG", id="PNG without header"),
        pytest.param(b"\xff\xd8\xff\xd9" + b"\0" * 99, "damaged JPEG", id="JPEG without size"),
        pytest.param(b"\xff\xd8" + b"\xff" * 9999, "more than 1000", id="JPEG of filling"),
        pytest.param(
            b"\xff\xd8\xff\xc3\0\x11\x08" + b"\1" * 99, "few programs", id="lossless JPEG"
        ),
        pytest.param(
            b"\xff\xd8\xff\xc0\0\x11\x08" + b"\0" * 99 + b"\xff\xd9", "no size", id="0 × 0"
        ),
    ],
)
def test_what_is_no_picture_is_named(data, words):
    assert words in refusal_of(checked, data)


def a_chunk(name, content=b""):
    checksum = struct.pack(">I", zlib.crc32(name + content))
    return struct.pack(">I", len(content)) + name + content + checksum


def test_a_png_of_a_million_small_parts_is_refused_early():
    start = a_picture("PNG")[:33]
    assert "more than 1000 parts" in refusal_of(checked, start + a_chunk(b"teSt") * 50_000)


def test_a_png_that_changed_its_size_on_the_way_is_refused():
    data = a_picture("PNG")
    assert "damaged" in refusal_of(checked, data[:16] + b"\0\0\0\x09" + data[20:])


def test_a_webp_that_says_a_small_size_and_holds_a_large_one_is_refused():
    data = a_picture("WEBP", size=(900, 900), icc_profile=b"x" * 50)
    lying = data[:24] + b"\x08\0\0\x08\0\0" + data[30:]
    assert "says one size and holds another" in refusal_of(checked, lying)


def test_a_bomb_is_refused_before_it_is_decoded():
    bomb = a_picture("PNG", "1", (12_000, 12_000))
    assert len(bomb) < 100_000
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        message = refusal_of(checked, bomb)
    assert message == (
        "The picture is 12000 × 12000 = 144,000,000 pixels and at most 4,194,304 are allowed. "
        "Make it smaller."
    )


def test_sizes_made_up_in_a_header_are_believed_and_refused():
    jpeg = a_picture("JPEG")
    at = jpeg.index(b"\xff\xc0") + 5
    assert "65535 × 65535" in refusal_of(checked, jpeg[:at] + b"\xff" * 4 + jpeg[at + 4 :])
    webp = a_picture("WEBP", lossless=True)
    assert "16384 × 16384" in refusal_of(checked, webp[:21] + b"\xff" * 4 + webp[25:])


def test_a_picture_of_just_the_allowed_pixels_passes():
    data = a_picture(size=(100, 50))
    assert checked(data, pixels_max=5000).pixels == 5000
    refusal_of(checked, data, pixels_max=4999)


def test_too_many_bytes_are_refused_with_both_numbers():
    data = a_picture()
    assert checked(data, bytes_max=len(data))
    assert f"at most {len(data) - 1:,}" in refusal_of(checked, data, bytes_max=len(data) - 1)
    assert "5,000,000" in refusal_of(checked, data, size_bytes=5_000_000)


def test_only_the_formats_asked_for_pass():
    wanted = {PictureFormat.WEBP}
    assert checked(a_picture("WEBP"), formats=wanted)
    message = refusal_of(checked, a_picture("PNG"), formats=wanted)
    assert message == "The picture is a PNG. Send a WebP."


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("aGVsbG8h", id="plain"),
        pytest.param("data:image/png;base64,aGVsbG8h", id="data URL"),
        pytest.param("DATA:IMAGE/PNG;charset=utf-8;BASE64,aGVsbG8h", id="capitals and parameters"),
        pytest.param(" aGVs\r\nbG8h\n\t", id="lines"),
    ],
)
def test_base64_is_read(text):
    assert from_base64(text, bytes_max=6) == b"hello!"


@given(st.binary(max_size=200), st.booleans())
def test_base64_of_any_bytes_is_read_with_and_without_padding(data, is_padded):
    text = base64.b64encode(data).decode()
    assert from_base64(text if is_padded else text.rstrip("="), bytes_max=200) == data


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("aGVs-G8_", "contains '-'", id="the alphabet of URLs"),
        pytest.param("aGVs*G8h", "contains '*'", id="a star"),
        pytest.param("aGV=sbG8", "contains '='", id="= in the middle"),
        pytest.param("aGVsé", "contains 'é'", id="not ASCII"),
        pytest.param("aGVs\0", "contains '\\x00'", id="a zero"),
        pytest.param("aGVsb", "ends in the wrong place", id="one character too many"),
        pytest.param("aGVsbG8h===", "ends in the wrong place", id="too much padding"),
        pytest.param("data:image/png,abc", "not in base64", id="data URL in plain"),
        pytest.param("data:image/png;base64", "not in base64", id="data URL without data"),
        pytest.param("https://example.org/a.png", "contains ':'", id="a link"),
        pytest.param("AAAA" * 100, "has 300 bytes and at most 6", id="too large"),
    ],
)
def test_what_is_no_base64_is_refused(text, words):
    assert words in refusal_of(from_base64, text, bytes_max=6 if "AAAA" in text else 100)
