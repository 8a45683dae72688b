"""Which models are in memory, what happens when there is none left, and what breaks."""

import gc
import json
import shutil
import threading
import weakref
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="needs an environment of its own: make setup-diffusers")

import msgspec  # noqa: E402
from tests.diffusers.conftest import a_drawing, made  # noqa: E402

from ordu.worker.backends import (  # noqa: E402
    BackendBrokenError,
    BackendError,
    Cancelled,
    OutOfMemoryError,
)
from ordu.worker.backends.diffusers import DiffusersBackend, DiffusersSettings  # noqa: E402
from ordu.worker.backends.diffusers import drawing as drawings  # noqa: E402
from ordu.worker.backends.diffusers.device import Device, failure  # noqa: E402
from ordu.worker.backends.diffusers.library import Model, UnloadableError, scan  # noqa: E402
from ordu.worker.backends.diffusers.loading import Loaded, load  # noqa: E402
from ordu.worker.backends.diffusers.memory import Shelf  # noqa: E402

GIB = 2**30


def quietly(share: float) -> None:
    """Progress that nobody looks at."""


def a_backend(settings: DiffusersSettings, **changes: Any) -> DiffusersBackend:
    backend = DiffusersBackend(msgspec.structs.replace(settings, **changes), "cpu")
    backend.offer()
    return backend


@pytest.fixture
def size_bytes(settings: DiffusersSettings) -> int:
    """What the model `plain` takes; `other` takes the same."""
    return load(scan(settings).models["plain"], torch.float32).size_bytes


def test_a_model_is_ready_once_it_was_drawn_with(fresh: DiffusersBackend) -> None:
    assert fresh.offer().ready == frozenset()
    made(fresh, a_drawing())
    offer = fresh.offer()
    assert offer.ready == {"plain"}
    assert offer.models == ("plain", "other", "xl")


def test_a_model_takes_what_its_weights_take(settings: DiffusersSettings, size_bytes: int) -> None:
    files = Path(settings.folder, "plain").rglob("*.safetensors")
    heads = {each: int.from_bytes(each.read_bytes()[:8], "little") + 8 for each in files}
    weights = sum(each.stat().st_size - head for each, head in heads.items())
    assert size_bytes == pytest.approx(weights, rel=0.01)


def test_with_room_for_one_the_other_leaves(settings: DiffusersSettings, size_bytes: int) -> None:
    backend = a_backend(settings, memory_gib=1.5 * size_bytes / GIB)
    for model in ("plain", "other", "plain"):
        made(backend, a_drawing(model=model))
        assert backend.offer().ready == {model}


def test_with_room_for_two_the_one_used_longest_ago_leaves(
    settings: DiffusersSettings, size_bytes: int
) -> None:
    models = scan(settings).models
    third = replace(models["plain"], name="third")
    shelf = Shelf(Device("cpu", "fp32", 2.5 * size_bytes / GIB))
    for model in (models["plain"], models["other"], models["plain"], third):
        shelf.get(model, quietly)
    assert shelf.ready == {"plain", "third"}
    assert shelf.held_bytes == 2 * size_bytes


def test_a_model_that_left_is_dropped_from_memory(
    settings: DiffusersSettings, size_bytes: int
) -> None:
    models = scan(settings).models
    shelf = Shelf(Device("cpu", "fp32", 1.5 * size_bytes / GIB))
    network = weakref.ref(shelf.get(models["plain"], quietly).pipe.unet)
    shelf.get(models["other"], quietly)
    gc.collect()
    assert network() is None


class Card(Device):
    """A graphics card with little memory, which moves nothing; parks what leaves it."""

    def __init__(self, size_bytes: int, ram_bytes: int) -> None:
        super().__init__("cpu", "fp32", size_bytes / GIB)
        self.ram_bytes = ram_bytes

    def can_park(self, size_bytes: int) -> bool:
        return size_bytes <= self.ram_bytes


def test_a_model_that_leaves_a_card_waits_in_ram_where_there_is_room(
    settings: DiffusersSettings, size_bytes: int
) -> None:
    read: list[str] = []

    def reading(model: Model, dtype: object) -> Loaded:
        read.append(model.name)
        return load(model, dtype)

    models = scan(settings).models
    for ram_bytes, reads in ((size_bytes, 2), (0, 3)):
        read.clear()
        shelf = Shelf(Card(round(1.5 * size_bytes), ram_bytes), reading)
        for name in ("plain", "other", "plain"):
            shelf.get(models[name], quietly)
            assert shelf.ready == {name}
        assert len(read) == reads


def test_a_model_too_large_for_the_device_is_said_and_not_offered(
    fresh: DiffusersBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Loaded, place: str) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9 GiB")

    monkeypatch.setattr(Loaded, "put", full)
    with pytest.raises(UnloadableError, match=r"plain takes .* GiB, more than cpu has free"):
        made(fresh, a_drawing())
    assert fresh.offer().models == ("other", "xl")
    assert fresh.offer().ready == frozenset()


def fail_in(unet: Any, errors: list[Exception], heights: list[int]) -> Callable[..., None]:
    """Have a network fail once for each error; says what it was asked for."""

    def hook(module: Any, arguments: Any, values: Any) -> None:
        heights.append(arguments[0].shape[-2])
        if errors:
            raise errors.pop(0)

    return unet.register_forward_pre_hook(hook, with_kwargs=True).remove


def full() -> Exception:
    return torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")


def test_out_of_memory_it_is_tried_once_more_in_tiles_without_the_others(
    fresh: DiffusersBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    sparing: list[bool] = []
    real = drawings.draw

    def draw(*arguments: Any, **values: Any) -> Any:
        sparing.append(values["sparing"])
        return real(*arguments, **values)

    monkeypatch.setattr(drawings, "draw", draw)
    made(fresh, a_drawing(model="other"))
    usual = made(fresh, a_drawing())
    pipe = fresh._engine._shelf._models["plain"].pipe
    remove = fail_in(pipe.unet, [full()], [])
    assert made(fresh, a_drawing()).data
    remove()
    assert fresh.offer().ready == {"plain"}
    assert sparing == [False, False, False, True]
    # From that size on it is sparing at once; below it is not, and draws as before.
    made(fresh, a_drawing(width=128))
    smaller = a_drawing(height=32)
    made(fresh, smaller)
    assert sparing[4:] == [True, False]
    assert not pipe.vae.use_tiling
    monkeypatch.setattr(fresh._engine, "_sparing_from", None)
    assert made(fresh, a_drawing()).data == usual.data


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(full, id="CUDA"),
        pytest.param(lambda: RuntimeError("MPS backend out of memory (MPS ...)"), id="Apple"),
        pytest.param(
            lambda: RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"),
            id="the processor",
        ),
        pytest.param(lambda: RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED"), id="CUBLAS"),
    ],
)
def test_twice_out_of_memory_is_too_large(
    fresh: DiffusersBackend, error: Callable[[], Exception]
) -> None:
    usual = made(fresh, a_drawing())
    pipe = fresh._engine._shelf._models["plain"].pipe
    tried: list[int] = []
    remove = fail_in(pipe.unet, [error(), error()], tried)
    with pytest.raises(OutOfMemoryError, match="Out of memory while drawing 64×64 with plain"):
        made(fresh, a_drawing())
    remove()
    assert len(tried) == 2
    assert made(fresh, a_drawing()).data == usual.data


def test_a_card_that_answers_nothing_more_is_told_from_a_failed_picture(
    fresh: DiffusersBackend,
) -> None:
    made(fresh, a_drawing())
    unet = fresh._engine._shelf._models["plain"].pipe.unet
    remove = fail_in(unet, [RuntimeError("CUDA error: device-side assert triggered")], [])
    with pytest.raises(BackendBrokenError, match=r"cannot use it any more.*device-side assert"):
        made(fresh, a_drawing())
    remove()
    remove = fail_in(unet, [ValueError("shapes\nof no use")], [])
    with pytest.raises(BackendError, match="ValueError: shapes of no use") as caught:
        made(fresh, a_drawing())
    remove()
    assert type(caught.value) is BackendError


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("CUDA error: an illegal memory access was encountered", BackendBrokenError),
        ("HIP error: unspecified launch failure", BackendBrokenError),
        ("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED", BackendBrokenError),
        ("CUDA error: out of memory", OutOfMemoryError),
        ("GET was unable to find an engine to execute this computation", OutOfMemoryError),
        ("expected scalar type Half but found Float", BackendError),
    ],
)
def test_errors_are_told_apart_by_their_words(words: str, kind: type[BackendError]) -> None:
    assert type(failure(RuntimeError(words), "drawing")) is kind


def test_xl_is_mended_when_it_is_stopped_while_it_develops(fresh: DiffusersBackend) -> None:
    """Its decoder is turned to fp32 for that, and would stay so."""
    made(fresh, a_drawing(model="xl"))
    loaded = fresh._engine._shelf._models["xl"]
    loaded.pipe.vae.to(torch.float64)
    fail_in(loaded.pipe.unet, [ValueError("x")], [])
    with pytest.raises(BackendError):
        made(fresh, a_drawing(model="xl"))
    assert loaded.pipe.vae.dtype == torch.float32


@pytest.mark.parametrize("precision", ["fp16", "bf16"])
def test_other_precisions_draw(settings: DiffusersSettings, precision: str) -> None:
    for model in ("plain", "xl"):
        assert made(a_backend(settings, precision=precision), a_drawing(model=model)).data


def test_a_card_this_pytorch_cannot_use_is_said(settings: DiffusersSettings) -> None:
    if torch.cuda.is_available():
        pytest.skip("this PyTorch can use a graphics card")
    with pytest.raises(BackendError, match=r"cannot use a graphics card.*devices = cpu"):
        DiffusersBackend(settings, "cuda:0")


def test_a_broken_model_is_said_and_not_offered_and_the_others_are(
    models: Path, tmp_path: Path
) -> None:
    for name in ("plain", "other"):
        shutil.copytree(models / "models" / name, tmp_path / name)
    weights = next((tmp_path / "other" / "unet").glob("*.safetensors"))
    weights.write_bytes(weights.read_bytes()[:5000])
    backend = a_backend(DiffusersSettings(folder=str(tmp_path), devices=("cpu",)))
    assert set(backend.offer().models) == {"plain", "other"}
    with pytest.raises(BackendError, match="The model other cannot be loaded: "):
        made(backend, a_drawing(model="other"))
    assert backend.offer().models == ("plain",)
    assert made(backend, a_drawing()).data


def test_weights_that_are_code_are_not_read(models: Path, tmp_path: Path) -> None:
    """A .bin file is a pickle, which runs what its author wants."""
    shutil.copytree(models / "models" / "plain", tmp_path / "plain")
    weights = next((tmp_path / "plain" / "vae").glob("*.safetensors"))
    torch.save({}, weights.with_suffix(".bin"))
    weights.unlink()
    backend = a_backend(DiffusersSettings(folder=str(tmp_path), devices=("cpu",)))
    with pytest.raises(BackendError, match="The model plain cannot be loaded: "):
        made(backend, a_drawing())


def test_weights_that_are_there_in_fp16_only_are_found(tmp_path: Path) -> None:
    from scripts import random_models

    random_models.save(random_models.plain(), tmp_path / "half", variant="fp16")
    assert not list(tmp_path.glob("half/unet/diffusion_pytorch_model.safetensors"))
    backend = a_backend(DiffusersSettings(folder=str(tmp_path), devices=("cpu",)))
    assert made(backend, a_drawing(model="half")).data


def test_code_beside_the_weights_is_not_run(models: Path, tmp_path: Path) -> None:
    shutil.copytree(models / "models" / "plain", tmp_path / "plain")
    index = tmp_path / "plain" / "model_index.json"
    content = json.loads(index.read_text())
    content["_class_name"] = ["mine", "StableDiffusionPipeline"]
    index.write_text(json.dumps(content))
    (tmp_path / "plain" / "mine.py").write_text("raise SystemExit('it ran')")
    backend = DiffusersBackend(DiffusersSettings(folder=str(tmp_path), devices=("cpu",)), "cpu")
    with pytest.raises(BackendError, match="is not Stable Diffusion"):
        backend.offer()


def test_two_threads_draw_one_after_the_other_and_a_cancelled_one_does_not_wait(
    fresh: DiffusersBackend,
) -> None:
    usual = made(fresh, a_drawing()).data
    begun, go_on = threading.Event(), threading.Event()
    drawn: list[bytes] = []

    def slow(share: float) -> None:
        if share > 0:
            begun.set()
            assert go_on.wait(30)

    waited: list[float] = []

    def unwanted(share: float) -> None:
        waited.append(share)
        if len(waited) > 1:
            raise Cancelled

    thread = threading.Thread(target=lambda: drawn.append(fresh.make(a_drawing(), slow).data))
    thread.start()
    assert begun.wait(30)
    with pytest.raises(Cancelled):
        fresh.make(a_drawing(), unwanted)
    go_on.set()
    thread.join(60)
    assert drawn == [usual]
