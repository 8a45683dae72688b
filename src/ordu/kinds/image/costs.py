"""What a picture request costs: kudos, a worker's time, and whether it is too much to owe."""

import math
from collections.abc import Callable, Mapping

import msgspec

from ordu.kinds.catalogue import Catalogue
from ordu.kinds.image.reading import post_processing, real_steps
from ordu.protocol.requests import GenerationInput
from ordu.rules import limits, pricing
from ordu.rules.money import Kudos
from ordu.settings import Factor, ServerSettings

# What a request of 2022 could ask for at most; what is beyond is heavy.
SEED_PIXELS_MAX = 1024 * 1024
SEED_STEPS_MAX = 100
SIDE_STEP = 64
# How much longer a job may take: with a control type, and of these baselines (sheet 11 §4).
CONTROL_TIMES = 2
SLOW_TIMES: Mapping[str, int] = {"flux_1": 3, "qwen_image": 3, "z_image_turbo": 3}

# What an operator may let cost more or less beside baselines, and how often it counts.
FACTORS: Mapping[Factor, Callable[[GenerationInput], int]] = {
    "source_image": lambda body: bool(body.source_image),
    "post_processing": lambda body: len(post_processing(body.params)),
    "control_type": lambda body: bool(body.params.control_type),
    "hires_fix": lambda body: body.params.hires_fix,
    "loras": lambda body: len(body.params.loras or ()),
    "fast_workers": lambda body: not body.slow_workers,
    "worker_blacklist": lambda body: body.worker_blacklist and bool(body.workers),
}


def work(body: GenerationInput) -> int:
    """The size of one picture, in pixelsteps."""
    return body.params.width * body.params.height * body.params.steps


def price(body: GenerationInput, settings: ServerSettings, catalogue: Catalogue) -> Kudos:
    """The price of one picture."""
    factors = settings.factors
    counted = (
        factor
        for name, factor in factors.items()
        if name in FACTORS
        for _ in range(FACTORS[name](body))
    )
    by_baseline = {name: factor for name, factor in factors.items() if name not in FACTORS}
    baselines = catalogue.baselines(body.models)
    dearest = max((by_baseline.get(name, 1.0) for name in baselines), default=1.0)
    return pricing.price(work(body), (*counted, dearest))


def ttl_ms(body: GenerationInput, settings: ServerSettings, catalogue: Catalogue) -> int:
    """How long a worker may take for one picture."""
    params = body.params
    baselines = catalogue.baselines(body.models)
    times = max((SLOW_TIMES.get(name, 1) for name in baselines), default=1)
    if params.control_type:
        times *= CONTROL_TIMES
    pixelsteps = params.width * params.height * real_steps(params)
    return limits.job_ttl_s(pixelsteps, settings.job_ttl_s_min, times) * 1000


def is_heavy(body: GenerationInput) -> bool:
    """Whether a request goes beyond what one of 2022 could ask for, or wants fast workers only."""
    params = body.params
    return (
        params.width * params.height > SEED_PIXELS_MAX
        or params.steps > SEED_STEPS_MAX
        or not body.slow_workers
    )


def lighter(body: GenerationInput) -> GenerationInput:
    """The same request without what makes it heavy: smaller, with fewer steps, by slow workers too.

    Sides shrink alike, down to whole multiples of 64 (protocol sheet 10 §1.8).
    """
    params = body.params
    scale = min(1.0, math.sqrt(SEED_PIXELS_MAX / (params.width * params.height)))
    params = msgspec.structs.replace(
        params,
        width=shrunk(params.width, scale),
        height=shrunk(params.height, scale),
        steps=min(params.steps, SEED_STEPS_MAX),
    )
    return msgspec.structs.replace(body, params=params, slow_workers=True)


def shrunk(side: int, scale: float) -> int:
    """A side made smaller, in whole multiples of 64."""
    return max(SIDE_STEP, int(side * scale) // SIDE_STEP * SIDE_STEP)
