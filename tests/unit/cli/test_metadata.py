"""Parameters in the files of pictures: written without touching the picture, read from anything."""

import io
import json
import struct
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ordu.cli import metadata
from ordu.cli.metadata import exif, foreign
from ordu.cli.metadata.containers import TEXT_BYTES_MAX, BadPictureError
from ordu.cli.metadata.parameters import Origin, Parameters
from ordu.client import Picture

TEXT = "a fox\nNegative prompt: people\nSteps: 30, Sampler: Euler a, Seed: 7, Size: 64x48"
FOREIGN = "ein Fuchs, 狐 🦊\nSteps: 30, Seed: 7"
PARAMETERS = 0x9286, 0x8769  # UserComment, and the directory it is in


def a_file(form: str, *, mode: str = "RGB", **how: Any) -> bytes:
    image = Image.linear_gradient("L").resize((64, 48)).convert(mode)
    if mode == "RGBA":
        image.putalpha(image.getchannel("R"))
    buffer = io.BytesIO()
    image.save(buffer, form, **how)
    return buffer.getvalue()


def with_exif(orientation: int) -> Image.Exif:
    block = Image.Exif()
    block[exif.ORIENTATION] = orientation
    return block


FILES = [
    pytest.param(a_file("WEBP", lossless=True), id="webp without loss"),
    pytest.param(a_file("WEBP", quality=80), id="webp with loss"),
    pytest.param(a_file("WEBP", mode="RGBA", lossless=True), id="webp with transparency"),
    pytest.param(a_file("WEBP", mode="RGBA", quality=80), id="webp with loss and transparency"),
    pytest.param(a_file("WEBP", exif=with_exif(1)), id="webp with exif"),
    pytest.param(a_file("WEBP", xmp=b"<x/>"), id="webp with xmp"),
    pytest.param(a_file("PNG"), id="png"),
    pytest.param(a_file("PNG", mode="RGBA"), id="png with transparency"),
    pytest.param(a_file("JPEG"), id="jpeg"),
    pytest.param(a_file("JPEG", progressive=True), id="progressive jpeg"),
    pytest.param(a_file("JPEG", exif=with_exif(1)), id="jpeg with exif"),
]
texts = pytest.mark.parametrize("text", [TEXT, FOREIGN], ids=["latin", "every script"])


def pixels(data: bytes) -> bytes:
    with Image.open(io.BytesIO(data)) as image:
        return image.convert("RGBA").tobytes()


def picture_bytes(data: bytes) -> list[bytes]:
    """The parts of a file that hold the picture itself."""
    if data.startswith(b"\xff\xd8"):
        return [data[data.index(b"\xff\xda") :]]
    little, position, names = data[:4] == b"RIFF", 8, (b"IDAT",)
    if little:
        position, names = 12, (b"VP8 ", b"VP8L", b"ALPH")
    found = []
    while position + 8 <= len(data):
        if little:
            name, length = struct.unpack_from("<4sI", data, position)
            end = position + 8 + length + length % 2
        else:
            length, name = struct.unpack_from(">I4s", data, position)
            end = position + 12 + length
        if name in names:
            found.append(data[position:end])
        position = end
    return found


def what_pillow_reads(data: bytes) -> str:
    """The text as other programs find it."""
    with Image.open(io.BytesIO(data)) as image:
        if image.format == "PNG":
            return str(image.info["parameters"])
        comment = image.getexif().get_ifd(PARAMETERS[1])[PARAMETERS[0]]
    assert comment.startswith(b"UNICODE\0")
    return str(comment[8:].decode("utf-16-be"))


@texts
@pytest.mark.parametrize("data", FILES)
def test_a_text_is_written_and_the_picture_stays_byte_for_byte(data, text):
    written = metadata.write_text(data, text)
    assert metadata.read_text(data) is None
    assert metadata.read_text(written) == text
    assert what_pillow_reads(written) == text
    assert picture_bytes(written) == picture_bytes(data) != []
    assert pixels(written) == pixels(data)


@pytest.mark.parametrize("data", FILES)
def test_a_text_takes_the_place_of_the_one_before(data):
    once = metadata.write_text(data, TEXT)
    assert metadata.write_text(metadata.write_text(data, "before"), TEXT) == once


@pytest.mark.parametrize("form", ["JPEG", "WEBP"])
def test_a_picture_that_is_turned_stays_turned(form):
    data = metadata.write_text(a_file(form, exif=with_exif(6)), TEXT)
    with Image.open(io.BytesIO(data)) as image:
        assert image.getexif()[exif.ORIENTATION] == 6
    assert metadata.read_text(data) == TEXT


def test_a_jpeg_says_that_it_cannot_hold_so_long_a_text():
    with pytest.raises(BadPictureError, match="cannot hold a text so long"):
        metadata.write_text(a_file("JPEG"), "x" * 40_000)


@pytest.mark.parametrize("form", ["JPEG", "WEBP", "PNG"])
def test_a_text_that_is_far_too_long_is_refused(form):
    with pytest.raises(BadPictureError, match="of more than"):
        metadata.write_text(a_file(form), "x" * (TEXT_BYTES_MAX + 1))


# -- what others have written ------------------------------------------------------------------


def a_png_with(name: bytes, content: bytes) -> bytes:
    whole, chunk = a_file("PNG"), name + content
    packed = struct.pack(">I", len(content)) + chunk + struct.pack(">I", zlib.crc32(chunk))
    return whole[:33] + packed + whole[33:]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(a_png_with(b"tEXt", b"parameters\0" + TEXT.encode()), id="plain"),
        pytest.param(
            a_png_with(b"zTXt", b"parameters\0\0" + zlib.compress(TEXT.encode())), id="packed"
        ),
        pytest.param(
            a_png_with(b"iTXt", b"parameters\0\1\0en\0\0" + zlib.compress(TEXT.encode())),
            id="packed, in a language",
        ),
        pytest.param(
            a_png_with(b"tEXt", b"Software\0x").replace(b"IDAT", b"IDAT", 1)[:33]
            + a_png_with(b"tEXt", b"parameters\0" + TEXT.encode())[33:],
            id="after other words",
        ),
    ],
)
def test_png_texts_of_other_programs_are_read(data):
    assert metadata.read_text(data) == TEXT


@pytest.mark.parametrize(
    "comment",
    [
        pytest.param(b"UNICODE\0" + TEXT.encode("utf-16-le"), id="the other byte order"),
        pytest.param(b"UNICODE\0" + TEXT.encode("utf-16"), id="with a byte order mark"),
        pytest.param(b"ASCII\0\0\0" + TEXT.encode(), id="ascii"),
        pytest.param(bytes(8) + TEXT.encode(), id="it is not said"),
    ],
)
def test_exif_texts_of_other_programs_are_read(comment):
    block = Image.Exif()
    block.get_ifd(PARAMETERS[1])[PARAMETERS[0]] = comment
    assert metadata.read_text(a_file("JPEG", exif=block)) == TEXT
    assert metadata.read_text(a_file("WEBP", exif=block)) == TEXT


# -- files that lie ----------------------------------------------------------------------------


def test_a_text_that_unpacks_without_end_is_cut():
    bomb = zlib.compress(b"x" * (64 * TEXT_BYTES_MAX), 9)
    read = metadata.read_text(a_png_with(b"zTXt", b"parameters\0\0" + bomb))
    assert len(read) == TEXT_BYTES_MAX


@pytest.mark.parametrize(
    ("data", "words"),
    [
        pytest.param(b"", "is no WebP, PNG or JPEG picture", id="nothing"),
        pytest.param(b"GIF89a" + bytes(40), "is no WebP", id="a gif"),
        pytest.param(
            a_file("PNG")[:33] + b"\xff\xff\xff\xfftEXt" + bytes(9), "damaged PNG", id="huge chunk"
        ),
        pytest.param(b"\xff\xd8\xff\xe1\xff\xff" + bytes(20), "damaged JPEG", id="huge segment"),
        pytest.param(b"\xff\xd8\xff\xe1\0\0" + bytes(20), "damaged JPEG", id="no length"),
    ],
)
def test_hostile_files_are_refused(data, words):
    with pytest.raises(BadPictureError, match=words):
        metadata.read_text(data)


def an_exif_that(change: Any) -> bytes:
    block = bytearray(exif.build(TEXT))
    change(block)
    return bytes(block)


@pytest.mark.parametrize(
    "block",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"MM\0*\xff\xff\xff\xff", id="directory far away"),
        pytest.param(
            an_exif_that(lambda b: b.__setitem__(slice(18, 22), b"\0\0\0\x08")), id="loop"
        ),
        pytest.param(an_exif_that(lambda b: b.__setitem__(slice(42, 46), b"\xff" * 4)), id="huge"),
        pytest.param(
            an_exif_that(lambda b: b.__setitem__(slice(46, 50), b"\xff" * 4)), id="beyond"
        ),
    ],
)
def test_exif_that_lies_says_nothing(block):
    assert exif.read(block).comment is None


@given(st.sampled_from(FILES), st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 255))))
def test_whatever_is_changed_in_a_file_it_is_read_or_refused(file, changes):
    data = bytearray(metadata.write_text(file.values[0], FOREIGN))
    for at, byte in changes:
        data[at % len(data)] = byte
    for use in (metadata.read_text, lambda each: metadata.write_text(each, TEXT)):
        try:
            use(bytes(data))
        except BadPictureError:
            continue


@given(st.binary(max_size=200))
def test_exif_of_any_bytes_is_read(block):
    exif.read(b"MM\0*" + block)
    exif.read(b"II*\0" + block)


# -- the text ----------------------------------------------------------------------------------

PICTURE = Picture(data=b"", id="0199-ab", seed="7", model="sketch, the painter", worker_name='"a"')
SENT: dict[str, Any] = {
    "prompt": "a fox\nSteps: 3, in the snow###people, cars",
    "params": {
        "steps": 20, "sampler_name": "k_dpmpp_2m", "karras": True, "cfg_scale": 7.5, "n": 3,
        "width": 640, "height": 512, "clip_skip": 2, "denoising_strength": 0.5,
        "loras": [{"name": "snow", "model": 0.8, "clip": 1.0}],
    },
    "models": [], "nsfw": False, "censor_nsfw": False, "r2": True,
    "webhook": "https://example.org/secret", "workers": ["w"], "source_image": "UklG",
}  # fmt: skip


def test_the_text_is_read_by_people_and_other_programs():
    text = metadata.as_text(Parameters.of(SENT, PICTURE))
    assert text.startswith(
        "a fox\nSteps: 3, in the snow\nNegative prompt: people, cars\n"
        "Steps: 20, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 7.5, Seed: 7,"
        ' Size: 640x512, Model: "sketch, the painter", Denoising strength: 0.5, Clip skip: 2,'
        ' Ordu: "{'
    )


def test_what_is_kept_is_read_back_whole_and_secrets_are_not_kept():
    parameters = Parameters.of(SENT, PICTURE)
    text = metadata.as_text(parameters)
    assert metadata.from_text(text) == parameters
    assert parameters.request["params"] == SENT["params"]
    assert parameters.began_from_picture
    assert "example.org" not in text
    assert "UklG" not in text
    again = parameters.again()
    assert (again["params"]["seed"], again["models"]) == ("7", ["sketch, the painter"])


def test_the_text_of_another_program_is_understood_as_far_as_it_goes():
    text = (
        "a fox, <lora:snow:0.8>\nin the snow\nNegative prompt: people,\ncars\n"
        "Steps: 20, Sampler: DPM++ 2M Karras, CFG scale: 7, Seed: 123, Size: 512x768,"
        ' Model hash: abc, Model: "dream, shaper", Denoising strength: x, Version: v1.9'
    )
    found = metadata.from_text(text)
    assert found == Parameters(
        {
            "prompt": "a fox, <lora:snow:0.8>\nin the snow###people,\ncars",
            "params": {
                "steps": 20, "cfg_scale": 7.0, "seed": "123", "width": 512, "height": 768,
                "sampler_name": "k_dpmpp_2m", "karras": True,
            },
            "models": ["dream, shaper"],
        },
        is_ours=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    "text",
    ["", "a fox", "a fox: in the snow, Seed", 'Ordu: "[1]"', 'x\nOrdu: "{', "::::,,,,"],
)
def test_a_text_that_says_nothing_we_know(text):
    assert metadata.from_text(text) is None


def test_an_endless_line_has_a_bound():
    assert len(foreign.values_of(", ".join(f"a{n}: 1" for n in range(10_000)))) == 200


def test_ours_with_something_else_in_it_is_not_believed():
    nested = "[" * 5000 + "]" * 5000
    assert metadata.from_text(f"Ordu: {json.dumps(nested)}") is None


@given(st.text(), st.text(max_size=20), st.text(max_size=20))
def test_every_prompt_comes_back(prompt, negative, model):
    sent = {"prompt": f"{prompt}###{negative}", "params": {"steps": 3}}
    kept = Parameters.of(sent, Picture(data=b"", model=model))
    assert metadata.from_text(metadata.as_text(kept)) == kept
    assert kept.picture == Origin(model=model)
