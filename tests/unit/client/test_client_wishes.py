"""What can be wished for with a prompt, and what that says on the wire."""

import base64
import io
from pathlib import Path

import msgspec
import pytest
from PIL import Image

from ordu.client import Lora, Picture, TextualInversion, imaging, wish
from ordu.client.sources import as_source
from ordu.client.testing import FakeHorde
from ordu.client.wire import body_of
from ordu.client.wishes import NAMES, Wish, request_of, without_drawing
from ordu.protocol.decoding import decode
from ordu.protocol.params import ModelGenerationInputStable
from ordu.protocol.requests import ExtraSourceImage, GenerationInput

WEBP = b"RIFF\x00\x00\x00\x00WEBPVP8 "

# What has another word for it, or none any more.
NOT_WISHED = {"prompt", "params", "dry_run"} | {
    "toggles", "use_gfpgan", "use_real_esrgan", "use_ldsr", "use_upscaling",
}  # fmt: skip


def an_image(width: int = 8, height: int = 4, mode: str = "RGB") -> Image.Image:
    return Image.effect_noise((width, height), 60).convert(mode)


def in_format(image: Image.Image, name: str) -> bytes:
    file = io.BytesIO()
    image.save(file, name)
    return file.getvalue()


def read(text: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(text)))


def test_everything_that_a_request_has_can_be_wished_for():
    fields = {*GenerationInput.__struct_fields__, *ModelGenerationInputStable.__struct_fields__}
    assert {*NAMES} - {"negative_prompt"} == fields - NOT_WISHED


def test_every_wish_is_one_that_servers_understand():
    everything: Wish = {
        "negative_prompt": "rain", "models": ("sdxl",), "width": 640, "height": 704, "steps": 12,
        "n": 2, "seed": 7, "seed_variation": 3, "sampler_name": "DDIM", "cfg_scale": 7.5,
        "karras": False, "tiling": True, "clip_skip": 2, "hires_fix": True,
        "hires_fix_denoising_strength": 0.6, "transparent": True, "loras": ["ink", Lora(name="7")],
        "tis": ("bad hands", TextualInversion(name="8")), "workflow": "qr_code",
        "extra_texts": [], "special": None, "source_image": WEBP, "source_mask": WEBP,
        "source_processing": "inpainting",
        "extra_source_images": [WEBP, ExtraSourceImage(image="x", strength=0.5)],
        "denoising_strength": 0.5, "control_type": "canny", "image_is_control": True,
        "return_control_map": True, "post_processing": ("GFPGAN",), "facefixer_strength": 0.5,
        "nsfw": True, "censor_nsfw": True, "replacement_filter": False,
        "workers": ("w",), "worker_blacklist": True, "trusted_workers": True,
        "slow_workers": False, "extra_slow_workers": True, "validated_backends": False,
        "disable_batching": True, "allow_downgrade": True, "shared": True, "r2": False,
        "proxied_account": "ada", "webhook": "https://hook.test/1", "webhook_end": True,
        "style": "photo",
    }  # fmt: skip
    assert everything.keys() == NAMES
    made = wish("a fox", **everything)
    body = body_of(made)
    assert body is not None
    assert decode(GenerationInput, body) == made
    assert made.prompt == "a fox###rain"
    assert made.params.loras == [Lora(name="ink"), Lora(name="7")]
    assert [each.image for each in made.extra_source_images or ()][1] == "x"
    usual = wish("?")
    for name in NAMES - {"negative_prompt", "extra_texts", "special"}:
        said, unsaid = (made, usual) if hasattr(made, name) else (made.params, usual.params)
        assert getattr(said, name) != getattr(unsaid, name), name


def test_none_is_not_given():
    nothing: Wish = {"seed": None, "models": None, "source_image": None, "loras": None}
    assert wish("a fox", **nothing) == wish("a fox")


@pytest.mark.parametrize(
    ("name", "hint"), [("stpes", "Did you mean 'steps'"), ("prompt2", "no keyword")]
)
def test_a_keyword_that_there_is_not_is_said_at_once(connect, name, hint):
    with FakeHorde().horde() as horde:
        for method in (horde.generate, horde.request):
            with pytest.raises(TypeError, match=hint):
                method("a fox", **{name: 1})
        with pytest.raises(TypeError, match=hint):
            horde.generate_many(["a fox"], **{name: 1})


def test_a_whole_request_takes_no_keywords():
    with pytest.raises(TypeError, match="steps: keywords go with a prompt"):
        request_of(wish("a fox"), {"steps": 3})
    with pytest.raises(TypeError, match="whole request"):
        request_of({"prompt": "a fox"}, {"steps": 3})
    assert request_of({"prompt": "a fox"}, {}) == {"prompt": "a fox"}


def test_a_price_is_asked_without_drawing():
    dry = without_drawing(wish("a fox", n=2))
    assert dry == msgspec.structs.replace(wish("a fox", n=2), dry_run=True)
    assert without_drawing({"prompt": "a fox"}) == {"prompt": "a fox", "dry_run": True}


# -- pictures to draw from ---------------------------------------------------------------------


@pytest.mark.parametrize("form", ["bytes", "bytearray", "path", "text path", "file", "picture"])
@pytest.mark.parametrize("kind", ["WEBP", "PNG", "JPEG"])
def test_a_picture_that_hordes_take_is_sent_as_it_is(tmp_path, kind, form):
    data = in_format(an_image(), kind)
    path = tmp_path / "picture"
    path.write_bytes(data)
    with path.open("rb") as file:
        forms = {
            "bytes": data, "bytearray": bytearray(data), "path": path, "text path": str(path),
            "file": file, "picture": Picture(data),
        }  # fmt: skip
        assert base64.b64decode(as_source(forms[form])) == data


def test_a_link_is_left_to_the_horde():
    assert as_source("https://pictures.test/fox.webp") == "https://pictures.test/fox.webp"


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "1", "P", "LA", "CMYK"])
def test_an_image_becomes_a_webp_without_loss(mode):
    image = an_image(mode=mode)
    sent = read(as_source(image))
    assert (sent.format, sent.size) == ("WEBP", (8, 4))
    wanted = "RGBA" if image.has_transparency_data else "RGB"
    assert sent.convert(wanted).tobytes() == image.convert(wanted).tobytes()


def test_colours_below_what_is_transparent_are_kept():
    image = an_image(mode="RGBA")
    image.putalpha(0)
    assert read(as_source(image)).convert("RGBA").tobytes() == image.tobytes()


def test_a_photograph_is_turned_as_its_camera_said():
    image = an_image(8, 4)
    exif = image.getexif()
    exif[0x0112] = 6  # a quarter to the right
    file = io.BytesIO()
    image.save(file, "TIFF", exif=exif)
    assert read(as_source(file.getvalue())).size == (4, 8)


@pytest.mark.parametrize("kind", ["BMP", "GIF", "TIFF"])
def test_a_picture_of_another_kind_is_converted(tmp_path, kind):
    path = tmp_path / "picture"
    path.write_bytes(in_format(an_image(), kind))
    assert read(as_source(path)).format == "WEBP"


def test_more_pixels_than_can_be_drawn_are_shrunk(monkeypatch):
    monkeypatch.setattr(imaging, "PIXELS_MAX", 50)
    assert read(as_source(an_image(20, 10))).size == (10, 5)


def test_too_many_bytes_are_written_with_loss(monkeypatch):
    without_loss = len(base64.b64decode(as_source(an_image(64, 64))))
    monkeypatch.setattr(imaging, "BYTES_MAX", without_loss - 1)
    data = base64.b64decode(as_source(an_image(64, 64)))
    assert len(data) < without_loss
    monkeypatch.setattr(imaging, "BYTES_MAX", 10)
    with pytest.raises(ValueError, match="more than 10 bytes as WebP"):
        as_source(an_image())


@pytest.mark.parametrize(
    ("source", "error", "words"),
    [
        pytest.param(b"", ValueError, "is empty", id="no bytes"),
        pytest.param(b"no picture", ValueError, "none that Pillow can read", id="no picture"),
        pytest.param("missing.webp", FileNotFoundError, "missing.webp", id="no file"),
        pytest.param(io.StringIO("x"), TypeError, 'mode "rb"', id="a file of text"),
        pytest.param(7, TypeError, "is int", id="a number"),
    ],
)
def test_what_is_no_picture_is_said_in_words(source, error, words):
    with pytest.raises(error, match=words):
        as_source(source)


def test_a_file_without_end_is_not_read_to_its_end(monkeypatch):
    monkeypatch.setattr("ordu.client.sources.FILE_BYTES_MAX", 100)
    with pytest.raises(ValueError, match="more than 100 bytes"):
        as_source(Path("/dev/zero"))


def test_it_is_named_which_picture_is_wrong():
    with pytest.raises(ValueError, match="The mask is empty"):
        wish("a fox", source_mask=b"")
    with pytest.raises(ValueError, match="An extra source image is empty"):
        wish("a fox", extra_source_images=[b""])


# -- pictures as images ------------------------------------------------------------------------


def test_a_picture_is_an_image():
    image = Picture(in_format(an_image(), "WEBP")).image()
    assert (image.size, image.mode) == ((8, 4), "RGB")


def test_a_picture_that_cannot_be_read_says_so():
    with pytest.raises(ValueError, match="The picture is none that Pillow can read"):
        Picture(WEBP).image()


def test_without_pillow_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "PIL", None)
    with pytest.raises(ImportError, match="pip install pillow"):
        Picture(WEBP).image()
    with pytest.raises(ImportError, match="pip install pillow"):
        as_source(b"BM a bitmap")
    assert as_source(WEBP)  # bytes that hordes take go without
