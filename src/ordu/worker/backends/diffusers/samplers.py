"""The horde's samplers, and what diffusers calls them. `schedulers` makes them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec


@dataclass(frozen=True, slots=True)
class Way:
    """How a sampler is called in diffusers."""

    scheduler: str
    options: Mapping[str, object] = field(default_factory=dict)
    has_karras: bool = True  # otherwise the sampler has a schedule of its own
    needs: str = ""  # a package without which it is not there


# k_dpm_fast and k_dpm_adaptive are not there: diffusers has nothing like them.
WAYS: Mapping[str, Way] = {
    "k_lms": Way("LMSDiscreteScheduler", needs="scipy"),
    "k_heun": Way("HeunDiscreteScheduler"),
    "k_euler": Way("EulerDiscreteScheduler"),
    "k_euler_a": Way("EulerAncestralDiscreteScheduler"),
    "k_dpm_2": Way("KDPM2DiscreteScheduler"),
    "k_dpm_2_a": Way("KDPM2AncestralDiscreteScheduler"),
    # The nearest there is, as diffusers' own table says: without the noise between the steps.
    "k_dpmpp_2s_a": Way("DPMSolverSinglestepScheduler", {"algorithm_type": "dpmsolver++"}),
    "k_dpmpp_2m": Way("DPMSolverMultistepScheduler", {"algorithm_type": "dpmsolver++"}),
    "k_dpmpp_sde": Way("DPMSolverSinglestepScheduler", {"algorithm_type": "sde-dpmsolver++"}),
    "dpmsolver": Way("DPMSolverMultistepScheduler", {"algorithm_type": "dpmsolver++"}),
    "lcm": Way("LCMScheduler", has_karras=False),
    # What Stable Diffusion needs of these, whether or not the model's description says so.
    "DDIM": Way(
        "DDIMScheduler",
        {"clip_sample": False, "set_alpha_to_one": False, "steps_offset": 1},
        has_karras=False,
    ),
    "PLMS": Way("PNDMScheduler", {"skip_prk_steps": True, "steps_offset": 1}, has_karras=False),
}


def names() -> tuple[str, ...]:
    """The samplers that can be had here."""
    return tuple(name for name, way in WAYS.items() if not way.needs or find_spec(way.needs))
