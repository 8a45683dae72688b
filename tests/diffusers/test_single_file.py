"""A single file of weights draws what its model folder draws."""

import shutil
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs an environment of its own: make setup-diffusers")

from tests.diffusers import single_file  # noqa: E402
from tests.diffusers.conftest import a_drawing, made  # noqa: E402

from ordu.worker.backends import BackendError  # noqa: E402
from ordu.worker.backends.diffusers import DiffusersBackend, DiffusersSettings  # noqa: E402


def a_backend(folder: Path) -> DiffusersBackend:
    return DiffusersBackend(DiffusersSettings(folder=str(folder), devices=("cpu",)), "cpu")


def test_it_is_put_together_as_a_folder_without_weights_says(models: Path, tmp_path: Path) -> None:
    from scripts import random_models

    folder = tmp_path / "described"
    shutil.copytree(
        models / "models" / "plain", folder, ignore=shutil.ignore_patterns("*.safetensors")
    )
    shutil.copytree(models / "models" / "xl", tmp_path / "xl")
    single_file.save(random_models.plain(seed=1), tmp_path / "fox.safetensors")
    backend = a_backend(tmp_path)
    assert backend.offer().models == ("fox", "xl")
    expected = made(a_backend(models / "models"), a_drawing(clip_skip=2)).data
    assert made(backend, a_drawing(model="fox", clip_skip=2)).data == expected


def test_without_such_a_folder_it_is_said_what_is_missing(models: Path, tmp_path: Path) -> None:
    from scripts import random_models

    single_file.save(random_models.plain(seed=1), tmp_path / "fox.safetensors")
    with pytest.raises(BackendError, match=r"fox\.safetensors: it has only weights: put a model"):
        a_backend(tmp_path).offer()


def test_a_file_that_is_no_model_is_said(models: Path, tmp_path: Path) -> None:
    shutil.copy(models / "loras" / "ink.safetensors", tmp_path / "ink.safetensors")
    with pytest.raises(BackendError, match="no whole checkpoint"):
        a_backend(tmp_path).offer()
