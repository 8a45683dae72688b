"""Reading a picture request: from the wire body of either era to a wish.

What 2022 said in other words is translated here, once. What this horde cannot do yet is refused by
name instead of being ignored.
"""

from collections.abc import Callable

from ordu.kinds.image import drawing
from ordu.kinds.image.drawing import DrawingRequest
from ordu.protocol.errors import Refused
from ordu.protocol.params import ModelGenerationInputStable
from ordu.protocol.requests import GenerationInput
from ordu.rules import limits, pricing
from ordu.rules.lifecycle import Wish, seed_from_text
from ordu.rules.matching import Feature, Requirement, WorkerId
from ordu.settings import ServerSettings

KIND_NAME = "image"
# What a request of 2022 could ask for at most; what is beyond is heavy.
SEED_PIXELS_MAX = 1024 * 1024
SEED_STEPS_MAX = 100

# Fields whose meaning is not built yet: a body that uses one is refused with 501 (design §2).
NOT_YET: tuple[tuple[str, Callable[[GenerationInput], object]], ...] = (
    ("style", lambda body: body.style),
    ("webhook", lambda body: body.webhook),
    ("proxied_account", lambda body: body.proxied_account),
    ("source_mask", lambda body: body.source_mask),
    ("extra_source_images", lambda body: body.extra_source_images),
    ("params.control_type", lambda body: body.params.control_type),
    ("params.loras", lambda body: body.params.loras),
    ("params.tis", lambda body: body.params.tis),
    ("params.workflow", lambda body: body.params.workflow),
    ("params.extra_texts", lambda body: body.params.extra_texts),
    ("params.special", lambda body: body.params.special),
)


def wish(body: GenerationInput, settings: ServerSettings) -> Wish:
    """What a picture request asks for.

    Raises:
        Refused: MissingPrompt, NotImplemented, BadCFGDecimals.
    """
    check(body)
    params = body.params
    pixelsteps = params.width * params.height * params.steps
    return Wish(
        kind=KIND_NAME,
        requirement=requirement(body),
        n=params.n,
        work=pixelsteps,
        price=pricing.price(pixelsteps),
        ttl_ms=limits.job_ttl_s(pixelsteps, settings.job_ttl_s_min) * 1000,
        seed=seed_from_text(params.seed) if params.seed else None,
        seed_step=params.seed_variation or 0,
        wants_links=body.r2,
        body=drawing.encode(described(body)),
        is_heavy=is_heavy(body),
    )


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
    if not body.prompt.strip():
        raise Refused("MissingPrompt", "The prompt is empty. Say what is to be drawn.")
    if round(body.params.cfg_scale, 2) != body.params.cfg_scale:
        raise Refused(
            "BadCFGDecimals",
            f"cfg_scale is {body.params.cfg_scale}; it may have at most two decimals.",
        )


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
        workers_allowed=frozenset() if body.worker_blacklist else named,
        workers_denied=named if body.worker_blacklist else frozenset(),
    )


def features(body: GenerationInput) -> frozenset[Feature]:
    """What is asked for that not every worker can do."""
    params = body.params
    wanted = {
        Feature.IMG2IMG: bool(body.source_image),
        Feature.PAINTING: bool(body.source_image)
        and body.source_processing in {"inpainting", "outpainting"},
        Feature.POST_PROCESSING: bool(post_processing(params)),
        Feature.TILING: params.tiling,
        Feature.HIRES_FIX: params.hires_fix,
        Feature.CLIP_SKIP: (params.clip_skip or 1) > 1,
    }
    return frozenset(feature for feature, is_wanted in wanted.items() if is_wanted)


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
        use_ldsr=params.use_ldsr,
        use_upscaling=params.use_upscaling,
        use_nsfw_censor=body.censor_nsfw and not body.nsfw,
        source_processing=body.source_processing if body.source_image else None,
    )
