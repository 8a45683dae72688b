"""The sketch painter as a worker meets it: sizes, determinism, what each parameter changes."""

import hashlib
import io
import os
import subprocess
import sys
import zlib

import numpy as np
import pytest
from PIL import Image

from ordu.worker.backends import BackendError, Drawing, load
from ordu.worker.backends.sketch import SIDE_MAX, SketchBackend, source
from ordu.worker.backends.sketch.scenes import SCENES

# A word for each scene.
WORD = {
    "dunes": "dunes",
    "mountains": "mountains",
    "lake": "fjord",
    "sea": "ocean",
    "fires": "campfires",
    "city": "city",
    "space": "saturn",
    "island": "map",
    "rug": "carpet",
    "fruit": "pears",
    "flow": "hair",
    "flock": "starlings",
    "rain": "raindrops",
    "forest": "forest",
    "snow": "snowfall",
    "tree": "maple",
    "flowers": "tulips",
    "shapes": "abstract",
}


def a_drawing(**change: object) -> Drawing:
    return Drawing(**{"prompt": "mountains", "width": 96, "height": 96, "steps": 8, **change})  # type: ignore[arg-type]  # plain values by name


def make(**change: object) -> bytes:
    return SketchBackend().make(a_drawing(**change), lambda share: None).data


def pixels(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"), np.float32)


def a_picture(width: int = 120, height: int = 90, form: str = "PNG") -> bytes:
    """Encode a picture of three broad stripes."""
    image = Image.new("RGB", (width, height), (214, 60, 40))
    image.paste((30, 60, 150), (0, 0, width // 3, height))
    image.paste((240, 220, 120), (2 * width // 3, 0, width, height))
    with io.BytesIO() as out:
        image.save(out, form)
        return out.getvalue()


def distance(first: np.ndarray, second: np.ndarray) -> float:
    return float(np.abs(first - second).mean())


def test_every_scene_has_a_word_here():
    assert set(WORD) == set(SCENES)


def test_it_is_found_by_its_name():
    assert load("sketch") is SketchBackend


def test_the_offer():
    offer = SketchBackend().offer()
    assert offer.models == ("stable_diffusion", "sketch")
    assert (offer.img2img, offer.inpainting, offer.post_processing) == (True, False, ())
    assert offer.features == {"tiling", "censor"}
    assert offer.max_pixels >= 1024 * 1024


@pytest.mark.parametrize("scene", sorted(SCENES))
@pytest.mark.parametrize("size", [(64, 64), (160, 96), (96, 160), (64, 1024), (1024, 64)], ids=str)
def test_every_scene_in_every_shape(scene, size):
    width, height = size
    with Image.open(io.BytesIO(make(prompt=WORD[scene], width=width, height=height))) as image:
        assert (image.format, image.mode, image.size) == ("WEBP", "RGB", size)
        assert np.asarray(image, np.float32).std() > 4, "an empty picture"


@pytest.mark.parametrize(
    "size", [(64, 3072), (3072, 64), (1, 1), (1280, 1024), (1920, 1088)], ids=str
)
def test_sizes_at_the_limits(size):
    width, height = size
    data = make(prompt="mountain lake", width=width, height=height, steps=1)
    assert pixels(data).shape == (height, width, 3)


@pytest.mark.parametrize("size", [(0, 64), (64, SIDE_MAX + 1)], ids=str)
def test_sizes_beyond_the_limits(size):
    with pytest.raises(BackendError, match=str(SIDE_MAX)):
        make(width=size[0], height=size[1])


@pytest.mark.parametrize("scene", sorted(SCENES))
def test_the_same_drawing_gives_the_same_bytes(scene):
    assert make(prompt=WORD[scene], seed=7) == make(prompt=WORD[scene], seed=7)


def test_another_process_gives_the_same_bytes():
    program = (
        "import hashlib; from ordu.worker.backends import Drawing; "
        "from ordu.worker.backends.sketch import SketchBackend; "
        "data = SketchBackend().make(Drawing('xyzzy', width=96, height=96, steps=8), print).data; "
        "open(1, 'wb', closefd=False).write(hashlib.sha256(data).hexdigest().encode())"
    )
    hashes = set()
    for hash_seed in ("1", "2"):
        run = subprocess.run(
            [sys.executable, "-c", program.replace("print)", "lambda share: None)")],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            check=True,
        )
        hashes.add(run.stdout.decode())
    assert hashes == {hashlib.sha256(make(prompt="xyzzy")).hexdigest()}


@pytest.mark.parametrize("scene", sorted(SCENES))
def test_another_seed_gives_another_picture(scene):
    first = pixels(make(prompt=f"{WORD[scene]}, blue", seed=1))
    assert distance(first, pixels(make(prompt=f"{WORD[scene]}, blue", seed=2))) > 2


@pytest.mark.parametrize("scene", sorted(SCENES))
def test_steps_are_detail(scene):
    few, many = (make(prompt=WORD[scene], steps=steps) for steps in (1, 50))
    assert few != many


def test_more_than_fifty_steps_add_nothing():
    assert make(steps=50) == make(steps=100) == make(steps=500)


def test_detail_does_not_move_the_composition():
    few, many = (pixels(make(prompt="moon over the sea", steps=steps)) for steps in (4, 50))
    assert np.corrcoef(few.ravel(), many.ravel())[0, 1] > 0.8


def test_cfg_scale_is_strength_of_colour():
    colourful = [
        float(np.ptp(pixels(make(prompt="sunset dunes", cfg_scale=scale)), axis=2).mean())
        for scale in (-40, 0, 5, 12, 30, 100)
    ]
    assert colourful == sorted(colourful)
    assert colourful[0] < colourful[2] / 2


def test_seeds_at_the_limits():
    assert make(seed=0) != make(seed=2**32 - 1)


def test_progress_rises_from_nothing_to_all():
    shares: list[float] = []
    SketchBackend().make(a_drawing(), shares.append)
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0, 1)
    assert len(shares) >= 4


@pytest.mark.parametrize("scene", sorted(SCENES))
def test_the_edges_of_a_tiling_picture_meet(scene):
    picture = pixels(make(prompt=WORD[scene], tiling=True, width=128, height=128, seed=3))
    for turned in (picture, picture.swapaxes(0, 1)):
        across_the_edge = distance(turned[:, 0], turned[:, -1])
        inside = max(distance(turned[:, i], turned[:, i + 1]) for i in range(127))
        assert across_the_edge <= inside + 3


class TestSourceImage:
    """What `source_image` and `denoising_strength` do."""

    def test_no_denoising_keeps_the_source(self):
        expected = pixels(a_picture(96, 96))
        kept = pixels(make(source_image=a_picture(96, 96), denoising_strength=0.0))
        assert distance(kept, expected) < 6

    def test_full_denoising_ignores_the_source(self):
        assert make(source_image=a_picture(), denoising_strength=1.0) == make()

    def test_between_them_the_source_fades(self):
        expected = pixels(a_picture(96, 96))
        away = [
            distance(
                pixels(make(source_image=a_picture(96, 96), denoising_strength=strength)), expected
            )
            for strength in (0.0, 0.3, 0.6, 0.9)
        ]
        assert away == sorted(away)

    def test_the_scene_takes_the_colours_of_the_source(self):
        with_source = make(source_image=a_picture(), denoising_strength=0.95)
        assert distance(pixels(with_source), pixels(make())) > 10

    @pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "GIF"])
    @pytest.mark.parametrize("size", [(1, 1), (300, 20), (20, 300)], ids=str)
    def test_any_picture_is_cropped_to_fit(self, form, size):
        data = make(source_image=a_picture(*size, form=form), width=128, height=64)
        assert pixels(data).shape == (64, 128, 3)

    def test_transparency_is_laid_on_white(self):
        with io.BytesIO() as out:
            Image.new("RGBA", (40, 40), (0, 0, 0, 0)).save(out, "PNG")
            clear = out.getvalue()
        assert pixels(make(source_image=clear, denoising_strength=0.0)).mean() > 250

    def test_tiling_and_source_together(self):
        data = make(source_image=a_picture(), tiling=True, width=128, height=96)
        assert pixels(data).shape == (96, 128, 3)

    @pytest.mark.parametrize(
        "data",
        [
            pytest.param(b"", id="nothing"),
            pytest.param(b"no picture at all", id="text"),
            pytest.param(a_picture()[:80], id="cut short"),
            pytest.param(a_picture(form="WEBP")[:40], id="cut short WebP"),
            pytest.param(a_picture(form="JPEG")[:300], id="cut short JPEG"),
            pytest.param(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", id="PostScript"),
        ],
    )
    def test_a_broken_source_is_refused(self, data):
        with pytest.raises(BackendError, match="cannot be read"):
            make(source_image=data)

    @pytest.mark.parametrize("side", [7_000, 12_000, 60_000])
    def test_a_bomb_is_refused_by_its_header(self, side):
        bomb = bytearray(a_picture())
        bomb[16:24] = side.to_bytes(4, "big") * 2  # width and height in the PNG header
        checksum = zlib.crc32(bomb[12:29])
        bomb[29:33] = checksum.to_bytes(4, "big")
        with pytest.raises(BackendError, match="too large"):
            make(source_image=bytes(bomb))

    def test_one_colour_gives_a_palette(self):
        palette = source.palette_of(Image.new("RGB", (8, 8), (200, 30, 30)))
        assert palette.ink != palette.paper
