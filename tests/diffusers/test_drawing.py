"""What is drawn: from text, from pictures, into pictures, and in special ways."""

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch", reason="needs an environment of its own: make setup-diffusers")

from tests.diffusers.conftest import (  # noqa: E402 - skipped before without PyTorch
    SIDE,
    a_drawing,
    a_picture,
    encoded,
    made,
    pixels_of,
)

from ordu.worker.backends import BackendError, Cancelled  # noqa: E402
from ordu.worker.backends.diffusers import DiffusersBackend  # noqa: E402

Draw = Callable[..., bytes]


@pytest.mark.parametrize("model", ["plain", "xl"])
def test_a_seed_gives_its_picture_and_another_another(draw: Draw, model: str) -> None:
    first = draw(model=model)
    assert draw(model=model) == first
    assert draw(model=model, seed=8) != first


def test_the_picture_is_webp_of_the_size_asked_for(draw: Draw) -> None:
    data = draw(width=128, height=64)
    assert data[8:12] == b"WEBP"
    assert pixels_of(data).shape == (64, 128, 3)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"prompt": "a whale"}, id="prompt"),
        pytest.param({"negative_prompt": "blue"}, id="negative prompt"),
        pytest.param({"cfg_scale": 9.0}, id="cfg scale"),
        pytest.param({"cfg_scale": 1.0}, id="without guidance"),
        pytest.param({"clip_skip": 2}, id="clip skip"),
        pytest.param({"steps": 5}, id="steps"),
        pytest.param({"prompt": "a fox " * 40}, id="a long prompt"),
        pytest.param({"negative_prompt": "blue " * 40}, id="a long negative prompt"),
        pytest.param({"sampler": "k_euler"}, id="sampler"),
        pytest.param({"karras": False}, id="noise schedule"),
        pytest.param({"model": "other"}, id="model"),
    ],
)
def test_what_is_asked_for_changes_the_picture(draw: Draw, change: dict[str, object]) -> None:
    assert draw(**change) != draw()


def test_words_behind_the_limit_of_the_reader_count(draw: Draw) -> None:
    long = "a fox in the snow " * 12
    assert draw(prompt=long + "red") != draw(prompt=long + "blue")
    assert draw(model="xl", prompt=long + "red") != draw(model="xl", prompt=long + "blue")


def test_a_prompt_beyond_all_limits_is_drawn(draw: Draw) -> None:
    assert draw(prompt="x" * 5000 + " " + "日本" * 500)


@pytest.mark.parametrize(
    ("model", "same", "other"), [("plain", (1, 1), 2), ("xl", (1, 2), 3)], ids=["plain", "xl"]
)
def test_clip_skip_counts_from_the_layer_a_model_was_trained_with(
    draw: Draw, model: str, same: tuple[int, int], other: int
) -> None:
    pictures = [draw(model=model, clip_skip=skip) for skip in (*same, other)]
    assert pictures[0] == pictures[1] != pictures[2]


def test_more_layers_are_left_out_than_there_are(draw: Draw) -> None:
    assert draw(clip_skip=12)


@pytest.mark.parametrize("model", ["plain", "xl"])
def test_img2img_stays_the_nearer_the_lower_the_strength(draw: Draw, model: str) -> None:
    source = a_picture()
    drawn = [
        draw(model=model, source_image=source, denoising_strength=each, steps=10)
        for each in (0.0, 0.1, 0.9)
    ]
    far = [np.abs(pixels_of(each) - pixels_of(source)).mean() for each in drawn]
    assert far[0] < 12  # what WebP changes of squares
    assert drawn[0] != drawn[1] != drawn[2]


def test_a_strength_too_low_for_one_step_takes_one(draw: Draw) -> None:
    assert draw(source_image=a_picture(), denoising_strength=0.05, steps=3) != draw(
        source_image=a_picture(), denoising_strength=0.0, steps=3
    )


@pytest.mark.parametrize("model", ["plain", "xl"])
@pytest.mark.parametrize("how", ["inpainting", "outpainting"])
def test_painting_changes_what_is_masked_and_nothing_else(draw: Draw, model: str, how: str) -> None:
    mask = Image.new("L", (128, 64), 0)
    mask.paste(255, (0, 0, 48, 64))
    source = a_picture(128, 64)
    data = draw(
        model=model,
        width=128,
        source_image=source,
        source_mask=encoded(mask),
        source_processing=how,
    )
    far = np.abs(pixels_of(data) - pixels_of(source))
    assert far[:, 72:].mean() < 12
    assert far[:, :40].mean() > 25


def test_what_is_transparent_is_painted(draw: Draw) -> None:
    source = Image.new("RGBA", (SIDE, SIDE), "green")
    source.paste((0, 0, 0, 0), (0, 0, SIDE, 24))
    data = draw(source_image=encoded(source), source_processing="outpainting")
    far = np.abs(pixels_of(data) - np.array([0, 128, 0]))
    assert far[48:].mean() < 5
    assert far[:16].mean() > 25


def test_a_model_trained_to_paint_draws_everything(tmp_path, settings) -> None:
    from scripts import random_models

    random_models.save(random_models.plain(channels_in=9), tmp_path / "painter")
    backend = DiffusersBackend(type(settings)(folder=str(tmp_path), devices=("cpu",)), "cpu")
    source = {"source_image": a_picture(), "source_mask": encoded(Image.new("L", (64, 64), 255))}
    for changes in (
        {},
        {"source_image": a_picture()},
        {**source, "source_processing": "inpainting"},
    ):
        assert made(backend, a_drawing(model="painter", **changes)).data


def test_edges_fit_together_when_tiling_and_the_model_is_as_before(
    backend: DiffusersBackend, draw: Draw
) -> None:
    before = draw()
    assert draw(tiling=True) != before
    assert draw() == before


def test_a_tiling_picture_is_seamless(draw: Draw) -> None:
    """Beyond each edge the networks saw the other one: moved around, nothing new appears."""
    pixels = pixels_of(draw(tiling=True, width=128, height=128, steps=8))
    seam = np.abs(pixels[:, 0] - pixels[:, -1]).mean()
    inside = np.abs(np.diff(pixels, axis=1)).mean()
    assert seam < 2 * inside


def test_hires_fix_draws_twice_and_small_first(backend: DiffusersBackend) -> None:
    shares: list[float] = []
    large = a_drawing(width=256, height=192, hires_fix=True, steps=4)
    picture = backend.make(large, shares.append)
    assert pixels_of(picture.data).shape == (192, 256, 3)
    assert len(shares) == 2 + 4 + 2  # to begin, the first pass, 0.65 of the second
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert picture.data != made(backend, a_drawing(width=256, height=192, steps=4)).data


def test_progress_is_told_after_each_step(backend: DiffusersBackend) -> None:
    shares: list[float] = []
    backend.make(a_drawing(steps=4), shares.append)
    assert shares[-4:] == [0.25, 0.5, 0.75, 1.0]


def test_a_picture_nobody_wants_stops_at_the_next_step(
    backend: DiffusersBackend, draw: Draw
) -> None:
    before = draw()
    shares: list[float] = []

    def progress(share: float) -> None:
        shares.append(share)
        if share >= 0.5:
            raise Cancelled

    with pytest.raises(Cancelled):
        backend.make(a_drawing(steps=8, tiling=True, loras=()), progress)
    assert max(shares) == 0.5
    assert draw() == before


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        pytest.param({"model": "moon"}, "no model 'moon'", id="a model that is not here"),
        pytest.param({"sampler": "k_dpm_fast"}, "k_dpm_fast", id="a sampler diffusers lacks"),
        pytest.param({"width": 100}, "multiple of 8", id="an uneven size"),
        pytest.param({"steps": 0}, "one step", id="no step"),
        pytest.param({"source_image": b"no picture"}, "cannot be read", id="a broken source"),
        pytest.param({"source_processing": "inpainting"}, "no source image", id="no source"),
        pytest.param({"tis": ("x",)}, "Textual inversions", id="a textual inversion"),
    ],
)
def test_what_cannot_be_drawn_is_said(
    backend: DiffusersBackend, changes: dict[str, object], words: str
) -> None:
    with pytest.raises(BackendError, match=words):
        made(backend, a_drawing(**changes))


def test_numbers_that_are_none_are_said(
    fresh: DiffusersBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ordu.worker.backends.diffusers.memory import Shelf

    real = Shelf.get

    def broken(self, model, progress):
        loaded = real(self, model, progress)
        with torch.no_grad():
            loaded.pipe.vae.decoder.conv_out.bias.fill_(float("nan"))
        return loaded

    monkeypatch.setattr(Shelf, "get", broken)
    with pytest.raises(BackendError, match="precision = fp32"):
        made(fresh, a_drawing())
