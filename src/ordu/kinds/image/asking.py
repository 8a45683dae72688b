"""Reading a picture request: from the wire body of either era to a wish.

What 2022 said in other words is translated here, once. What this horde cannot do yet is refused by
name instead of being ignored.
"""

from collections.abc import Callable, Mapping

from ordu.kinds.image import bridges, drawing, refusals
from ordu.kinds.image.drawing import DrawingRequest
from ordu.protocol.errors import Refused
from ordu.protocol.params import ModelGenerationInputStable
from ordu.protocol.requests import GenerationInput
from ordu.rules import limits, pricing, prompts
from ordu.rules.lifecycle import Wish, seed_from_text
from ordu.rules.matching import Feature, Requirement, WorkerId
from ordu.settings import Factor, ServerSettings

KIND_NAME = "image"
# What a request of 2022 could ask for at most; what is beyond is heavy.
SEED_PIXELS_MAX = 1024 * 1024
SEED_STEPS_MAX = 100
# What samplers do beside their steps, and what is many for a worker that limits them (protocol
# sheet 11 §2): halfway between a model's usual least and most, 20 and 40.
TWO_PASSES = frozenset({"k_heun", "k_dpm_2", "k_dpm_2_a", "k_dpmpp_2s_a", "k_dpmpp_sde"})
ADAPTIVE_STEPS = 40
MANY_STEPS = 30
PAINTING = frozenset({"inpainting", "outpainting"})

# Fields whose meaning is not built yet: a body that uses one is refused with 501 (design §2).
NOT_YET: tuple[tuple[str, Callable[[GenerationInput], object]], ...] = (
    ("style", lambda body: body.style),
    ("webhook", lambda body: body.webhook),
    ("proxied_account", lambda body: body.proxied_account),
    ("params.special", lambda body: body.params.special),
)


def wish(body: GenerationInput, settings: ServerSettings) -> Wish:
    """What a picture request asks for.

    Raises:
        Refused: NotImplemented, CorruptPrompt, and those of `kinds.image.refusals`.
    """
    check(body)
    prompts.check(body.prompt, settings.blocked_words)
    params = body.params
    pixelsteps = params.width * params.height * params.steps
    return Wish(
        kind=KIND_NAME,
        requirement=requirement(body),
        n=params.n,
        work=pixelsteps,
        price=pricing.price(pixelsteps, factors_of(body, settings.factors)),
        ttl_ms=limits.job_ttl_s(pixelsteps, settings.job_ttl_s_min) * 1000,
        seed=seed_from_text(params.seed) if params.seed else None,
        seed_step=params.seed_variation or 0,
        wants_links=body.r2,
        body=drawing.encode(described(body)),
        is_heavy=is_heavy(body),
    )


# What an operator may let cost more or less, and how often it counts for a request.
FACTORS: Mapping[Factor, Callable[[GenerationInput], int]] = {
    "source_image": lambda body: bool(body.source_image),
    "post_processing": lambda body: len(post_processing(body.params)),
    "control_type": lambda body: bool(body.params.control_type),
    "hires_fix": lambda body: body.params.hires_fix,
    "loras": lambda body: len(body.params.loras or ()),
    "fast_workers": lambda body: not body.slow_workers,
    "worker_blacklist": lambda body: body.worker_blacklist and bool(body.workers),
}


def factors_of(body: GenerationInput, factors: Mapping[Factor, float]) -> tuple[float, ...]:
    """The operator's factors that count for this request, each as often as it does."""
    return tuple(factor for name, factor in factors.items() for _ in range(FACTORS[name](body)))


def is_heavy(body: GenerationInput) -> bool:
    """Whether a request goes beyond what one of 2022 could ask for, or wants fast workers only."""
    params = body.params
    return (
        params.width * params.height > SEED_PIXELS_MAX
        or params.steps > SEED_STEPS_MAX
        or not body.slow_workers
    )


def check(body: GenerationInput) -> None:
    """Refuse what breaks a rule or is not built yet."""
    used = [name for name, read in NOT_YET if read(body)]
    if used:
        raise Refused(
            "NotImplemented",
            f"This horde does not serve {', '.join(f'`{name}`' for name in used)} yet. "
            "Leave it out.",
        )
    refusals.check(body)


def requirement(body: GenerationInput) -> Requirement:
    """What a worker must be able to do."""
    named = frozenset(WorkerId(worker_id) for worker_id in body.workers)
    return Requirement(
        kind=KIND_NAME,
        models=frozenset(body.models),
        pixels=body.params.width * body.params.height,
        features=features(body),
        nsfw=body.nsfw,
        trusted_only=body.trusted_workers,
        fast_only=not body.slow_workers,
        admits_extra_slow=body.extra_slow_workers,
        has_many_steps=real_steps(body.params) > MANY_STEPS,
        workers_allowed=frozenset() if body.worker_blacklist else named,
        workers_denied=named if body.worker_blacklist else frozenset(),
    )


def real_steps(params: ModelGenerationInputStable) -> int:
    """How many steps the sampler really does: some go over the picture twice for each."""
    if params.sampler_name == "k_dpm_adaptive":
        return ADAPTIVE_STEPS
    return params.steps * (2 if params.sampler_name in TWO_PASSES else 1)


def features(body: GenerationInput) -> frozenset[str]:
    """What is asked for that not every worker can do."""
    params = body.params
    processors = post_processing(params)
    wanted = {
        Feature.IMG2IMG: bool(body.source_image),
        Feature.PAINTING: bool(body.source_image) and body.source_processing in PAINTING,
        Feature.POST_PROCESSING: bool(processors),
        Feature.CONTROLNET: bool(params.control_type or params.workflow),
        Feature.IMAGE_IS_CONTROL: params.image_is_control,
        Feature.RETURN_CONTROL_MAP: params.return_control_map,
        Feature.LORA: bool(params.loras),
        Feature.LORA_VERSIONS: any(lora.is_version for lora in params.loras or ()),
        Feature.TEXTUAL_INVERSION: bool(params.tis),
        Feature.TILING: params.tiling,
        Feature.HIRES_FIX: params.hires_fix,
        Feature.CLIP_SKIP: (params.clip_skip or 1) > 1,
        Feature.TRANSPARENT: params.transparent,
        Feature.QR_CODE: params.workflow == "qr_code",
        Feature.EXTRA_SOURCE_IMAGES: bool(body.extra_source_images),
    }
    return frozenset(
        {feature for feature, is_wanted in wanted.items() if is_wanted}
        | bridges.posts(*processors)
        | {bridges.sampler_feature(params.sampler_name, karras=params.karras)}
    )


def post_processing(params: ModelGenerationInputStable) -> tuple[str, ...]:
    """The post-processors asked for in the words of either era, each once."""
    names = list(params.post_processing or ())
    if params.use_gfpgan:
        names.append("GFPGAN")
    if params.use_real_esrgan:
        names.append("RealESRGAN_x4plus")
    return tuple(dict.fromkeys(names))


def described(body: GenerationInput) -> DrawingRequest:
    """The picture itself, in plain values."""
    params = body.params
    return DrawingRequest(
        prompt=body.prompt,
        width=params.width,
        height=params.height,
        steps=params.steps,
        sampler_name=params.sampler_name,
        cfg_scale=params.cfg_scale,
        karras=params.karras,
        tiling=params.tiling,
        hires_fix=params.hires_fix,
        transparent=params.transparent,
        hires_fix_denoising_strength=params.hires_fix_denoising_strength,
        clip_skip=params.clip_skip,
        denoising_strength=params.denoising_strength,
        facefixer_strength=params.facefixer_strength,
        post_processing=post_processing(params),
        control_type=params.control_type,
        image_is_control=params.image_is_control,
        return_control_map=params.return_control_map,
        loras=tuple(params.loras or ()),
        tis=tuple(params.tis or ()),
        workflow=params.workflow,
        extra_texts=tuple(params.extra_texts or ()),
        use_ldsr=params.use_ldsr,
        use_upscaling=params.use_upscaling,
        use_nsfw_censor=body.censor_nsfw and not body.nsfw,
        source_processing=body.source_processing if body.source_image else None,
        has_mask=bool(body.source_mask),
        # Each with a seed of its own that was asked for: a batch has one, counted up by the worker.
        is_alone=body.disable_batching or bool(params.seed_variation),
        extra_strengths=tuple(extra.strength for extra in body.extra_source_images or ()),
    )
