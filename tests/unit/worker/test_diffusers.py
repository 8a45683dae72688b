"""What of the backend diffusers works without PyTorch: the disk, the cards, plans of pictures."""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ordu.settings import describe
from ordu.worker.backends import BackendError, Drawing, load
from ordu.worker.backends import diffusers as package
from ordu.worker.backends.diffusers import DiffusersBackend, DiffusersSettings, hardware, library
from ordu.worker.backends.diffusers.checkpoints import Build, UnusableError, of_file, of_folder
from ordu.worker.backends.diffusers.plan import Kind, Pass, passes

UNET = "model.diffusion_model."


def a_folder(
    folder: Path,
    name: object = "StableDiffusionPipeline",
    width: int = 768,
    *,
    weights: bool = True,
) -> Path:
    (folder / "unet").mkdir(parents=True)
    (folder / "model_index.json").write_text(json.dumps({"_class_name": name}))
    unet = {"cross_attention_dim": width, "block_out_channels": [320, 640], "in_channels": 4}
    (folder / "unet" / "config.json").write_text(json.dumps(unet))
    if weights:
        (folder / "unet" / "diffusion_pytorch_model.safetensors").write_bytes(b"")
    return folder


def a_file(path: Path, *, width: int = 768, is_xl: bool = False) -> Path:
    reader = "conditioner.embedders.1.model.x" if is_xl else "cond_stage_model.transformer.x"
    shapes = {
        UNET + "input_blocks.0.0.weight": [320, 4, 3, 3],
        UNET + "input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight": [320, width],
        reader: [1],
    }
    return with_head(path, {name: {"shape": shape} for name, shape in shapes.items()})


def with_head(path: Path, head: object) -> Path:
    encoded = json.dumps(head).encode()
    path.write_bytes(len(encoded).to_bytes(8, "little") + encoded)
    return path


def settings_for(folder: Path, **changes: Any) -> DiffusersSettings:
    return DiffusersSettings(folder=str(folder), **changes)


def a_program(folder: Path, name: str, words: str) -> None:
    """A program of that name that says something."""
    folder.mkdir(exist_ok=True)
    program = folder / name
    program.write_text(f"#!{sys.executable}\nprint({words!r})\n")
    program.chmod(0o755)


def test_it_loads_without_pytorch() -> None:
    assert load("diffusers") is DiffusersBackend
    assert DiffusersBackend.is_apart
    assert "torch" not in sys.modules


def test_each_setting_is_described() -> None:
    assert all(each.description for each in describe(DiffusersSettings, "diffusers"))


def test_what_is_missing_is_said_with_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(package, "PACKAGES", ("json", "not_there_at_all"))
    with pytest.raises(BackendError, match=r"pip install 'ordu\[diffusers\]' \(not_there_at_all "):
        DiffusersBackend(settings_for(tmp_path), "cpu")


def test_folders_and_files_are_models_by_name(tmp_path: Path) -> None:
    a_folder(tmp_path / "dream")
    a_file(tmp_path / "fox.v2.safetensors")
    (tmp_path / "notes.txt").write_text("no model")
    (tmp_path / "empty").mkdir()
    found = library.scan(settings_for(tmp_path), {})
    assert list(found.models) == ["dream", "fox.v2"]
    assert found.models["fox.v2"].description == tmp_path / "dream"
    assert found.unusable == {}


def test_a_file_needs_a_folder_of_the_same_build(tmp_path: Path) -> None:
    a_folder(tmp_path / "dream", width=1024)
    a_folder(tmp_path / "described", "StableDiffusionXLPipeline", 2048, weights=False)
    a_file(tmp_path / "fox.safetensors")
    a_file(tmp_path / "owl.safetensors", width=2048, is_xl=True)
    found = library.scan(settings_for(tmp_path), {})
    assert list(found.models) == ["dream", "owl"]
    assert "has only weights" in found.unusable["fox.safetensors"]


def test_models_elsewhere_are_named(tmp_path: Path) -> None:
    a_folder(tmp_path / "far" / "dream")
    (tmp_path / "bare").mkdir()
    named = (str(tmp_path / "far" / "dream"), str(tmp_path / "bare"), "nobody/nothing")
    found = library.scan(settings_for(tmp_path / "models", model_paths=named), {})
    assert list(found.models) == ["dream"]
    assert found.unusable == {
        str(tmp_path / "bare"): "this folder has no model_index.json",
        "nobody/nothing": "there is no such folder or file, and no such id in the cache",
    }


def a_cache(home: Path) -> Mapping[str, str]:
    """The cache of Hugging Face with two models, of which one is none of ours."""
    for model_id, name in (("org/dream", "StableDiffusionPipeline"), ("org/other", "Flux")):
        entry = home / "hub" / ("models--" + model_id.replace("/", "--"))
        a_folder(entry / "snapshots" / "c0ffee", name)
        (entry / "refs").mkdir()
        (entry / "refs" / "main").write_text("c0ffee\n")
    return {"HF_HOME": str(home)}


def test_models_in_the_cache_are_named_by_their_id(tmp_path: Path) -> None:
    environ = a_cache(tmp_path)
    assert list(library.cached_ids(environ)) == ["org/dream"]
    settings = settings_for(tmp_path / "models", model_paths=("org/dream",))
    found = library.scan(settings, environ)
    assert list(found.models) == ["dream"]
    assert found.models["dream"].path.name == "c0ffee"


@pytest.mark.parametrize(
    ("environ", "folder"),
    [
        ({"HF_HUB_CACHE": "/a/b"}, Path("/a/b")),
        ({"HF_HOME": "/a"}, Path("/a/hub")),
        ({"XDG_CACHE_HOME": "/a"}, Path("/a/huggingface/hub")),
        ({}, Path.home() / ".cache" / "huggingface" / "hub"),
    ],
    ids=["its own", "of all", "of all programs", "usual"],
)
def test_the_cache_is_where_hugging_face_has_it(environ: Mapping[str, str], folder: Path) -> None:
    assert library.cache_folder(environ) == folder


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no sensible length"),
        (b"\xff" * 8, "no sensible length"),
        (b"\x04\0\0\0\0\0\0\0oops", "no .safetensors file"),
        (b"\x02\0\0\0\0\0\0\0[]", "no table"),
        (b"\x02\0\0\0\0\0\0\0{}", "no whole checkpoint"),
    ],
    ids=["empty", "too long a head", "no JSON", "no table", "nothing in it"],
)
def test_a_file_that_is_no_model_is_told(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "x.safetensors").write_bytes(content)
    with pytest.raises(UnusableError, match=words):
        of_file(tmp_path / "x.safetensors")


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("model_index.json", '{"_class_name": "FluxPipeline"}', "FluxPipeline is not Stable"),
        ("model_index.json", '{"_class_name": ["my", "Pipeline"]}', "is not Stable"),
        ("model_index.json", "{", "not JSON"),
        ("model_index.json", "[]", "no table"),
        ("unet/config.json", "{}", "lacks cross_attention_dim"),
    ],
)
def test_a_folder_that_is_no_model_is_told(
    tmp_path: Path, file: str, content: str, words: str
) -> None:
    folder = a_folder(tmp_path / "x")
    (folder / file).write_text(content)
    with pytest.raises(UnusableError, match=words):
        of_folder(folder)


def test_a_file_that_changes_is_read_again(tmp_path: Path) -> None:
    path = with_head(tmp_path / "x.safetensors", {})
    with pytest.raises(UnusableError):
        of_file(path)
    assert of_file(a_file(path)) == Build(False, 768, 4, 320)


def test_cards_are_counted_by_their_driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware, "ROCM_NODES", tmp_path / "none")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert hardware.devices({}) in {("cpu",), ("mps",)}
    lines = "GPU 0: One (UUID: GPU-1)\n  MIG 1g.10gb Device 0: (UUID: MIG-1)\nGPU 1: Two (UUID: x)"
    a_program(tmp_path / "bin", "nvidia-smi", lines)
    assert hardware.devices({}) == ("cuda:0", "cuda:1")
    assert hardware.devices({"CUDA_VISIBLE_DEVICES": "1"}) == ("cuda:0",)
    assert hardware.count_cards({"CUDA_VISIBLE_DEVICES": ""}) == 0
    assert hardware.count_cards({"CUDA_VISIBLE_DEVICES": "-1"}) == 0


def test_cards_of_amd_are_counted_by_the_kernel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(hardware, "ROCM_NODES", tmp_path)
    for number, gpu_id in enumerate(("0", "4711", "4712")):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "gpu_id").write_text(gpu_id + "\n")
    assert hardware.devices({}) == ("cuda:0", "cuda:1")
    assert hardware.devices({"HIP_VISIBLE_DEVICES": "0"}) == ("cuda:0",)


def test_the_memory_of_a_card_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a_program(tmp_path, "nvidia-smi", "81559\n24564")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert hardware.memory_bytes("cuda:1") == 24564 * 2**20
    assert hardware.memory_bytes("cuda:2") == 0
    assert hardware.memory_bytes("cpu") == 0


def test_this_machine_has_memory() -> None:
    assert 0 < hardware.ram_free_bytes() < 2**50


def test_devices_that_were_set_are_used() -> None:
    assert DiffusersBackend.devices(DiffusersSettings(devices=("cuda:1", "cpu"))) == (
        "cuda:1",
        "cpu",
    )


@pytest.mark.parametrize(
    ("cards", "missing", "has_model", "rank", "words"),
    [
        (1, (), True, 50, "diffusers on 1 graphics card, 1 model: dream"),
        (0, (), True, 5, "diffusers on cpu, 1 model: dream"),
        (2, (), False, -1, "diffusers on 2 graphics cards, no model yet: put one into ./models"),
        (1, ("no_torch",), True, -1, "1 graphics card, for diffusers: pip install 'ordu[diff"),
        (0, ("no_torch",), True, None, ""),
    ],
    ids=["all there", "no card", "no model", "no PyTorch", "neither card nor PyTorch"],
)
def test_it_proposes_itself_where_it_could_draw(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    cards: int,
    missing: tuple[str, ...],
    has_model: bool,
    rank: int | None,
    words: str,
) -> None:
    monkeypatch.setattr(package, "PACKAGES", ("json", *missing))
    monkeypatch.setattr(hardware, "count_cards", lambda *_: cards)
    monkeypatch.setattr(hardware, "devices", lambda *_: ("cpu",))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "environ", {**os.environ, "HF_HUB_CACHE": str(tmp_path / "none")})
    if has_model:
        a_folder(tmp_path / "models" / "dream")
    found = DiffusersBackend.find()
    assert [each.rank for each in found] == ([] if rank is None else [rank])
    assert all(each.words.startswith(words) for each in found)


def a_drawing(**changes: Any) -> Drawing:
    return Drawing(**{"prompt": "a fox", "steps": 10, **changes})


@pytest.mark.parametrize(
    ("drawing", "expected"),
    [
        pytest.param(a_drawing(), (Pass(Kind.TEXT, 512, 512),), id="text"),
        pytest.param(
            a_drawing(source_image=b"x", denoising_strength=0.6),
            (Pass(Kind.IMAGE, 512, 512, 0.6),),
            id="over a picture",
        ),
        pytest.param(
            a_drawing(source_image=b"x", denoising_strength=0.0), (), id="the picture as it is"
        ),
        pytest.param(
            a_drawing(source_image=b"x", denoising_strength=0.01),
            (Pass(Kind.IMAGE, 512, 512, 0.1 + 1e-6),),
            id="at least one step",
        ),
        pytest.param(
            a_drawing(source_image=b"x", source_processing="inpainting", denoising_strength=0.8),
            (Pass(Kind.PAINT, 512, 512, 0.8),),
            id="into a picture",
        ),
        pytest.param(
            a_drawing(source_image=b"x", source_processing="outpainting", denoising_strength=0.8),
            (Pass(Kind.PAINT, 512, 512, 1.0),),
            id="around a picture there is nothing to keep",
        ),
        pytest.param(
            a_drawing(hires_fix=True), (Pass(Kind.TEXT, 512, 512),), id="small enough for one pass"
        ),
        pytest.param(
            a_drawing(hires_fix=True, width=1024, height=1024, hires_fix_denoising_strength=0.5),
            (Pass(Kind.TEXT, 512, 512, share=1 / 3), Pass(Kind.IMAGE, 1024, 1024, 0.5, 2 / 3)),
            id="twice",
        ),
    ],
)
def test_passes(drawing: Drawing, expected: tuple[Pass, ...]) -> None:
    found = passes(drawing, 512 * 512)
    assert [each.kind for each in found] == [each.kind for each in expected]
    assert [(each.width, each.height, each.strength) for each in found] == [
        (each.width, each.height, each.strength) for each in expected
    ]
    assert [each.share for each in found] == pytest.approx([each.share for each in expected])


@pytest.mark.parametrize(("width", "height"), [(2048, 512), (64, 3072), (768, 704), (1024, 960)])
def test_the_first_of_two_passes_is_about_what_the_model_was_trained_with(
    width: int, height: int
) -> None:
    drawing = a_drawing(hires_fix=True, width=width, height=height)
    first = passes(drawing, 512 * 512)[0]
    assert first.width <= width
    assert first.height <= height
    assert first.width % 64 == first.height % 64 == 0
    if width * height > 512 * 512:
        assert 0.6 < first.width * first.height / 512**2 < 1.4


@pytest.mark.parametrize("changes", [{"width": 100}, {"height": 4}, {"steps": 0}])
def test_what_cannot_be_planned_is_refused(changes: dict[str, int]) -> None:
    with pytest.raises(BackendError):
        passes(a_drawing(**changes), 512 * 512)
