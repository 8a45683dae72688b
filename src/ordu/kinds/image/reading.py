"""What several rules read in a picture request."""

from ordu.protocol.params import ModelGenerationInputStable
from ordu.protocol.requests import GenerationInput

# What samplers do beside their steps, in passes over the picture (protocol sheet 10 §1.8).
TWO_PASSES = frozenset({"k_heun", "k_dpm_2", "k_dpm_2_a", "k_dpmpp_2s_a", "k_dpmpp_sde"})
ADAPTIVE_STEPS = 40


def is_painting(body: GenerationInput) -> bool:
    """Whether a part of the source image is to be painted."""
    return bool(body.source_image) and body.source_processing in {"inpainting", "outpainting"}


def real_steps(params: ModelGenerationInputStable) -> int:
    """How many steps the sampler really does: some go over the picture twice for each."""
    each = passes(params.sampler_name)
    return ADAPTIVE_STEPS if each is None else params.steps * each


def passes(sampler: str) -> int | None:
    """How often a sampler goes over the picture for each step; None: as often as it likes."""
    if sampler == "k_dpm_adaptive":
        return None
    return 2 if sampler in TWO_PASSES else 1


def post_processing(params: ModelGenerationInputStable) -> tuple[str, ...]:
    """The post-processors asked for in the words of either era, each once."""
    names = list(params.post_processing or ())
    if params.use_gfpgan:
        names.append("GFPGAN")
    if params.use_real_esrgan:
        names.append("RealESRGAN_x4plus")
    return tuple(dict.fromkeys(names))


def scheduler(params: ModelGenerationInputStable) -> str:
    """The name of the noise schedule that is used."""
    return "karras" if params.karras else "simple"
