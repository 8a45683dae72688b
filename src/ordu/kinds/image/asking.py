"""Reading a picture request: from the wire body of either era to a wish.

What 2022 said in other words is translated here, once. What this horde cannot do yet is refused by
name instead of being ignored.
"""

from collections.abc import Callable, Iterable

import msgspec

from ordu.kinds.catalogue import Catalogue
from ordu.kinds.image import bridges, costs, drawing, refusals
from ordu.kinds.image.drawing import DrawingRequest
from ordu.kinds.image.reading import is_painting, post_processing, real_steps
from ordu.kinds.webhooks import webhook_of
from ordu.protocol.errors import Refused
from ordu.protocol.requests import GenerationInput
from ordu.rules import prompts
from ordu.rules.lifecycle import Wish, seed_from_text
from ordu.rules.matching import Feature, Requirement, WorkerId
from ordu.settings import ServerSettings
from ordu.store.users import User

KIND_NAME = "image"
# What is many for a worker that limits steps is what lies above the middle between a model's least
# and most; these are the usual ones (protocol sheet 11 §2).
USUAL_STEPS_MIN, USUAL_STEPS_MAX = 20, 40

# Fields whose meaning is not built yet: a body that uses one is refused with 501 (design §2).
NOT_YET: tuple[tuple[str, Callable[[GenerationInput], object]], ...] = (
    ("style", lambda body: body.style),
    ("proxied_account", lambda body: body.proxied_account),
    ("params.special", lambda body: body.params.special),
)


def wish(body: GenerationInput, user: User, settings: ServerSettings, catalogue: Catalogue) -> Wish:
    """What a picture request asks for.

    Raises:
        Refused: NotImplemented, BadRequest, CorruptPrompt, and those of `kinds.image.refusals`.
    """
    check(body, user, catalogue)
    webhook = webhook_of(body.webhook, tells_end=body.webhook_end, hosts=settings.webhook_hosts)
    if user.is_education:
        body = for_a_class(body)
    params = body.params
    prompt = prompts.admitted(
        body.prompt,
        settings.blocked_words,
        settings.replaced_words,
        may_replace=body.replacement_filter or user.is_education,
        is_for_adults=any(model.nsfw for model in catalogue.of(body.models).values()),
    )
    return Wish(
        kind=KIND_NAME,
        requirement=requirement(body, catalogue),
        n=params.n,
        work=costs.work(body),
        price=costs.price(body, settings, catalogue),
        ttl_ms=costs.ttl_ms(body, settings, catalogue),
        seed=seed_from_text(params.seed) if params.seed else None,
        seed_step=params.seed_variation or 0,
        wants_links=body.r2,
        body=drawing.encode(described(body, prompt, catalogue)),
        is_heavy=costs.is_heavy(body),
        webhook=webhook,
    )


def check(body: GenerationInput, user: User, catalogue: Catalogue) -> None:
    """Refuse what breaks a rule or is not built yet."""
    used = [name for name, read in NOT_YET if read(body)]
    if used:
        raise Refused(
            "NotImplemented",
            f"This horde does not serve {', '.join(f'`{name}`' for name in used)} yet. "
            "Leave it out.",
        )
    refusals.check(body, catalogue.baselines(body.models), is_trusted=user.is_trusted)


def for_a_class(body: GenerationInput) -> GenerationInput:
    """A request of an account for education: nothing that is not for everybody's eyes."""
    return msgspec.structs.replace(body, nsfw=False, censor_nsfw=True, trusted_workers=True)


def requirement(body: GenerationInput, catalogue: Catalogue) -> Requirement:
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
        has_many_steps=real_steps(body.params) > many_steps(body.models, catalogue),
        workers_allowed=frozenset() if body.worker_blacklist else named,
        workers_denied=named if body.worker_blacklist else frozenset(),
    )


def many_steps(models: Iterable[str], catalogue: Catalogue) -> float:
    """How many steps are not yet many for the models asked for."""
    known = catalogue.of(models)
    middles = [
        ((model.min_steps or USUAL_STEPS_MIN) + (model.max_steps or USUAL_STEPS_MAX)) / 2
        for model in known.values()
    ]
    return min(middles, default=(USUAL_STEPS_MIN + USUAL_STEPS_MAX) / 2)


def features(body: GenerationInput) -> frozenset[str]:
    """What is asked for that not every worker can do."""
    params = body.params
    processors = post_processing(params)
    wanted = {
        Feature.IMG2IMG: bool(body.source_image),
        Feature.PAINTING: is_painting(body),
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
        Feature.CENSOR: is_to_be_censored(body),
        Feature.TRANSPARENT: params.transparent,
        Feature.QR_CODE: params.workflow == "qr_code",
        Feature.EXTRA_SOURCE_IMAGES: bool(body.extra_source_images),
    }
    return frozenset(
        {feature for feature, is_wanted in wanted.items() if is_wanted}
        | bridges.posts(*processors)
        | {bridges.sampler_feature(params.sampler_name, karras=params.karras)}
    )


def is_to_be_censored(body: GenerationInput) -> bool:
    """Whether the worker is told to replace a picture that turns out not to be safe."""
    return body.censor_nsfw and not body.nsfw


def described(body: GenerationInput, prompt: str, catalogue: Catalogue) -> DrawingRequest:
    """The picture itself, in plain values."""
    params = body.params
    return DrawingRequest(
        prompt=prompt,
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
        use_nsfw_censor=is_to_be_censored(body),
        source_processing=body.source_processing if body.source_image else None,
        has_mask=bool(body.source_mask),
        # Each with a seed of its own that was asked for: a batch has one, counted up by the worker.
        is_alone=body.disable_batching or bool(params.seed_variation),
        memory=drawing.memory_of(catalogue.baselines(body.models)),
        extra_strengths=tuple(extra.strength for extra in body.extra_source_images or ()),
    )
