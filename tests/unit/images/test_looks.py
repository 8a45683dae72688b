"""Looking at whole pictures: what can be decoded, what is blank, and what is the same again."""

import io
import itertools
import tracemalloc
import zlib

import numpy as np
import pytest
from PIL import Image
from tests.builders import a_damaged_picture, a_picture, an_ordinary_picture
from tests.unit.worker.test_sketch import WORD
from tests.unit.worker.test_sketch import make as sketched

from ordu.images.headers import PictureFormat
from ordu.images.looks import UNREADABLE, decoded, likeness, look, seen
from ordu.rules.results import ALIKE, BLANK_SHARE


def encoded(image: Image.Image, form: str = "WEBP", **more: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **more)
    return buffer.getvalue()


def image_of(seed: int, side: int = 256) -> Image.Image:
    return decoded(an_ordinary_picture(seed, side, side)).convert("RGB")


ORIGINAL = look(an_ordinary_picture(1)).miniature


# What cannot be decoded


@pytest.mark.parametrize("form", [PictureFormat.WEBP, PictureFormat.PNG])
def test_what_is_damaged_cannot_be_looked_at(form):
    with pytest.raises(UNREADABLE):
        look(a_damaged_picture(form))


def test_a_jpeg_without_its_lines_cannot_be_looked_at():
    data = an_ordinary_picture(form="JPEG")
    with pytest.raises(UNREADABLE):
        look(data[: data.index(b"\xff\xda")] + b"\xff\xd9")


def test_a_text_that_begins_as_a_picture_cannot_be_looked_at():
    with pytest.raises(UNREADABLE):
        look(b"\x89PNG\r\n\x1a\n" + b"x" * 100)


def test_a_small_file_that_fills_a_large_canvas_takes_memory_within_bounds():
    bomb = encoded(Image.new("L", (4096, 4096)), "PNG")
    assert len(bomb) < 100_000
    tracemalloc.start()
    assert look(bomb).uneven == 0
    _, peak = tracemalloc.get_traced_memory()  # of what Python itself allocates
    tracemalloc.stop()
    assert peak < 20_000_000


def test_a_text_within_a_picture_is_not_unpacked_without_end():
    plain = encoded(Image.new("L", (8, 8)), "PNG")
    packed = b"zTXta\0\0" + zlib.compress(bytes(20_000_000), 9)
    text = (len(packed) - 4).to_bytes(4, "big") + packed + zlib.crc32(packed).to_bytes(4, "big")
    tracemalloc.start()
    with pytest.raises(UNREADABLE, match="too large"):
        look(plain[:33] + text + plain[33:])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10_000_000


# What is blank


def spotted(share: float) -> Image.Image:
    """White, with a black square that takes this share."""
    image = Image.new("RGB", (512, 512), "white")
    side = round(512 * share**0.5)
    image.paste("black", (100, 100, 100 + side, 100 + side))
    return image


@pytest.mark.parametrize(
    ("image", "is_blank"),
    [
        pytest.param(Image.new("RGB", (64, 64), "teal"), True, id="one colour"),
        pytest.param(Image.new("RGBA", (64, 64), (9, 9, 9, 0)), True, id="nothing but transparent"),
        pytest.param(Image.new("L", (64, 64), 128), True, id="grey"),
        pytest.param(
            Image.fromarray(np.random.default_rng(1).integers(124, 132, (64, 64, 3), np.uint8)),
            True,
            id="noise that nobody sees",
        ),
        pytest.param(spotted(0.001), True, id="a dot"),
        pytest.param(spotted(0.02), False, id="a square that takes a fiftieth"),
        pytest.param(
            Image.linear_gradient("L").point(lambda level: 100 + level // 8),
            False,
            id="a fine shade from one side to the other",
        ),
        pytest.param(
            Image.merge("RGBA", (*[Image.new("L", (256, 256), 7)] * 3, Image.radial_gradient("L"))),
            False,
            id="one colour that is partly transparent",
        ),
        pytest.param(image_of(3), False, id="many colours"),
    ],
)  # fmt: skip
def test_blank(image, is_blank):
    assert (seen(image).uneven <= BLANK_SHARE) is is_blank


# What is the same again


@pytest.mark.parametrize(
    "copy",
    [
        pytest.param(encoded(image_of(1, 512), "JPEG", quality=60), id="another format"),
        pytest.param(encoded(image_of(1, 512).resize((768, 320))), id="another size"),
        pytest.param(
            encoded(image_of(1, 512).point(lambda level: int(level * 0.8) + 30)), id="lighter"
        ),
        pytest.param(encoded(image_of(1, 512).convert("RGBA"), "PNG"), id="an alpha channel"),
        pytest.param(encoded(image_of(1, 512).quantize(200), "PNG"), id="a palette"),
        pytest.param(encoded(image_of(1, 512).convert("CMYK"), "JPEG"), id="colours for print"),
        pytest.param(encoded(image_of(1, 512).convert("L"), "PNG"), id="without colours"),
    ],
)
def test_a_copy_is_known_again(copy):
    assert likeness(ORIGINAL, look(copy).miniature) >= ALIKE


def test_others_are_not_taken_for_it():
    assert likeness(ORIGINAL, look(an_ordinary_picture(2)).miniature) < 0.9


def test_what_has_no_contrast_is_like_nothing():
    blank = look(a_picture()).miniature
    assert blank == b""
    assert likeness(blank, blank) == likeness(blank, ORIGINAL) == 0


@pytest.mark.parametrize("scene", ["sea", "snow", "shapes", "fires"])
def test_pictures_of_an_honest_machine_are_neither_blank_nor_alike(scene):
    looks = [look(sketched(prompt=WORD[scene], seed=seed)) for seed in range(6)]
    assert min(each.uneven for each in looks) > 10 * BLANK_SHARE
    pairs = itertools.combinations([each.miniature for each in looks], 2)
    assert max(likeness(*pair) for pair in pairs) < ALIKE - 0.01


@pytest.mark.slow
@pytest.mark.parametrize("scene", WORD)
def test_many_pictures_of_every_scene_are_neither_blank_nor_alike(scene):
    looks = [look(sketched(prompt=WORD[scene], seed=seed * 7919)) for seed in range(30)]
    assert min(each.uneven for each in looks) > 10 * BLANK_SHARE
    pairs = itertools.combinations([each.miniature for each in looks], 2)
    assert max(likeness(*pair) for pair in pairs) < ALIKE


def test_a_source_is_left_by_an_honest_machine_that_draws_as_strongly_as_expected():
    source = encoded(image_of(5, 96), "PNG")
    given = {"source_image": source, "source_processing": "img2img", "prompt": "mountains"}
    before = look(source).miniature
    redrawn = look(sketched(denoising_strength=0.6, seed=3, **given)).miniature
    kept = look(sketched(denoising_strength=0.05, seed=3, **given)).miniature
    assert likeness(before, redrawn) < ALIKE - 0.01
    assert likeness(before, kept) >= ALIKE
