"""Schedulers of diffusers for the horde's samplers.

A scheduler is made from the description that came with the model, so that what the model was
trained with (its noise, what it predicts) stays, and only the way through the noise changes.

diffusers leaves out the noise schedule of Karras for the ancestral Euler sampler, and the horde's
commonest job is just that; so it is here. The formula is equation 5 of "Elucidating the Design
Space of Diffusion-Based Generative Models" (Karras and others, 2022).
"""

from collections.abc import Mapping
from typing import Any

import diffusers
import numpy as np
import torch
from diffusers import EulerAncestralDiscreteScheduler
from numpy.typing import NDArray

from ordu.worker.backends import BackendError, Drawing
from ordu.worker.backends.diffusers import samplers

RHO = 7.0  # the paper's choice

Numbers = NDArray[np.float64]


def scheduler(drawing: Drawing, described: Mapping[str, Any]) -> Any:
    """The scheduler of this drawing's sampler, for a model whose own one is described so.

    Raises:
        BackendError: there is none.
    """
    if drawing.sampler not in samplers.names():
        raise BackendError(f"The sampler {drawing.sampler!r} is not one that diffusers has.")
    way = samplers.WAYS[drawing.sampler]
    kind = getattr(diffusers, way.scheduler)
    options = dict(way.options)
    if drawing.karras and kind is EulerAncestralDiscreteScheduler:
        kind = KarrasEulerAncestral
    elif way.has_karras and kind is not EulerAncestralDiscreteScheduler:
        options["use_karras_sigmas"] = drawing.karras
    return kind.from_config(described, **options)


def spaced(highest: float, lowest: float, steps: int) -> Numbers:
    """So many levels of noise between two, the lower the closer together."""
    ramp = np.linspace(0, 1, steps)
    first, last = highest ** (1 / RHO), lowest ** (1 / RHO)
    return np.asarray((first + ramp * (last - first)) ** RHO, dtype=np.float64)


class KarrasEulerAncestral(EulerAncestralDiscreteScheduler):  # type: ignore[misc] # untyped there
    """Ancestral Euler steps between the noise levels of Karras."""

    sigmas: Any

    def set_timesteps(self, num_inference_steps: int, device: Any = None) -> None:
        """Set noise levels and times for so many steps."""
        super().set_timesteps(num_inference_steps, device)
        usual = self.sigmas.numpy().astype(np.float64)  # the last is 0
        sigmas = spaced(usual[0], max(usual[-2], 1e-4), num_inference_steps)
        trained = np.sqrt((1 - self.alphas_cumprod.numpy()) / self.alphas_cumprod.numpy())
        times = np.interp(np.log(sigmas), np.log(trained), np.arange(len(trained)))
        self.sigmas = torch.tensor([*sigmas, 0.0], dtype=torch.float32)
        self.timesteps = torch.tensor(times, dtype=torch.float32, device=device)
