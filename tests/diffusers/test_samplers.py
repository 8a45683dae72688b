"""Each sampler of the horde that is offered draws, with both noise schedules."""

from collections.abc import Callable
from typing import get_args

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs an environment of its own: make setup-diffusers")

from tests.diffusers.conftest import a_drawing, a_picture  # noqa: E402

from ordu.protocol.params import Sampler  # noqa: E402
from ordu.worker.backends.diffusers import DiffusersBackend, samplers, schedulers  # noqa: E402

Draw = Callable[..., bytes]
DESCRIBED = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}


@pytest.mark.parametrize("sampler", samplers.WAYS)
@pytest.mark.parametrize("karras", [True, False], ids=["karras", "usual"])
def test_each_draws(draw: Draw, sampler: str, karras: bool) -> None:
    first = draw(sampler=sampler, karras=karras, steps=4)
    assert draw(sampler=sampler, karras=karras, steps=4) == first


@pytest.mark.parametrize("sampler", samplers.WAYS)
@pytest.mark.parametrize("steps", [1, 2, 5])
def test_each_draws_with_few_steps_and_over_a_picture(draw: Draw, sampler: str, steps: int) -> None:
    assert draw(sampler=sampler, steps=steps)
    assert draw(sampler=sampler, steps=steps, source_image=a_picture(), denoising_strength=0.5)


def test_all_are_the_hordes_and_all_but_two_are_there(backend: DiffusersBackend) -> None:
    horde = set(get_args(Sampler.__value__ if hasattr(Sampler, "__value__") else Sampler))
    assert set(backend.offer().samplers) == horde - {"k_dpm_fast", "k_dpm_adaptive"}


@pytest.mark.parametrize("sampler", [name for name, way in samplers.WAYS.items() if way.has_karras])
def test_the_noise_levels_are_those_of_karras(sampler: str) -> None:
    steps = 10
    sigmas = {}
    for karras in (True, False):
        made = schedulers.scheduler(a_drawing(sampler=sampler, karras=karras), DESCRIBED)
        made.set_timesteps(steps)
        sigmas[karras] = np.unique(made.sigmas.numpy())[1:]
    assert len(sigmas[True]) != len(sigmas[False]) or not np.allclose(sigmas[True], sigmas[False])
    if sampler in {"k_euler", "k_euler_a", "k_lms"}:
        levels = sigmas[True][::-1]
        assert np.allclose(np.diff(levels ** (1 / 7), 2), 0, atol=1e-5)


def test_ancestral_euler_has_the_levels_of_euler_with_karras() -> None:
    levels = []
    for sampler in ("k_euler", "k_euler_a"):
        made = schedulers.scheduler(a_drawing(sampler=sampler), DESCRIBED)
        made.set_timesteps(12)
        levels.append((made.sigmas.numpy(), made.timesteps.numpy()))
    assert np.allclose(levels[0][0], levels[1][0], rtol=1e-4)
    assert np.allclose(levels[0][1], levels[1][1], atol=0.5)


def test_what_a_model_predicts_stays(backend: DiffusersBackend) -> None:
    described = {**DESCRIBED, "prediction_type": "v_prediction"}
    for sampler in samplers.names():
        made = schedulers.scheduler(a_drawing(sampler=sampler), described)
        assert made.config.prediction_type == "v_prediction"
        assert made.config.beta_end == 0.012
