"""What a job asks to be censored is looked at, and replaced where it is not safe."""

from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs an environment of its own: make setup-diffusers")

import msgspec  # noqa: E402
from tests.diffusers.conftest import a_drawing, made, pixels_of  # noqa: E402

from ordu.worker.backends import BackendError  # noqa: E402
from ordu.worker.backends.diffusers import DiffusersBackend, DiffusersSettings  # noqa: E402


def a_backend(settings: DiffusersSettings, folder: Path, *, forbids: bool) -> DiffusersBackend:
    from scripts import random_models

    checker = random_models.save_checker(folder, forbids=forbids)
    return DiffusersBackend(msgspec.structs.replace(settings, safety_checker=str(checker)), "cpu")


def test_what_is_not_safe_is_replaced_where_the_job_asks(
    settings: DiffusersSettings, tmp_path: Path
) -> None:
    backend = a_backend(settings, tmp_path, forbids=True)
    picture = made(backend, a_drawing(censor_nsfw=True))
    assert picture.is_censored
    assert pixels_of(picture.data).shape == (64, 64, 3)
    assert pixels_of(picture.data).max() == 0
    shown = made(backend, a_drawing())
    assert not shown.is_censored
    assert pixels_of(shown.data).max() > 0


def test_what_is_safe_stays(settings: DiffusersSettings, tmp_path: Path) -> None:
    backend = a_backend(settings, tmp_path, forbids=False)
    picture = made(backend, a_drawing(censor_nsfw=True))
    assert not picture.is_censored
    assert picture.data == made(backend, a_drawing()).data


def test_the_checker_that_came_with_a_model_serves_all(models: Path, tmp_path: Path) -> None:
    from scripts import random_models

    random_models.save_checker(
        random_models.save(random_models.plain(), tmp_path / "plain"), forbids=True
    )
    random_models.save(random_models.xl(), tmp_path / "xl")
    for switch, is_censored in (("on", True), ("off", None)):
        settings = DiffusersSettings(folder=str(tmp_path), devices=("cpu",), safety_checker=switch)
        backend = DiffusersBackend(settings, "cpu")
        if is_censored:
            assert made(backend, a_drawing(model="xl", censor_nsfw=True)).is_censored
        else:
            with pytest.raises(BackendError, match="no safety checker"):
                made(backend, a_drawing(model="xl", censor_nsfw=True))


def test_without_a_checker_such_a_job_is_refused(backend: DiffusersBackend) -> None:
    with pytest.raises(BackendError, match="there is no safety checker: set safety_checker"):
        made(backend, a_drawing(censor_nsfw=True))


def test_a_checker_that_is_not_there_is_said(settings: DiffusersSettings, tmp_path: Path) -> None:
    named = msgspec.structs.replace(settings, safety_checker=str(tmp_path / "nothing"))
    with pytest.raises(BackendError, match=r"safety checker in .*nothing cannot be loaded"):
        made(DiffusersBackend(named, "cpu"), a_drawing(censor_nsfw=True))
