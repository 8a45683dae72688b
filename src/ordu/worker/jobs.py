"""Between the horde's messages and the backend's values: what is offered, asked for, delivered.

Plain functions. Whatever a server leaves out of a job gets its usual value here, so that a backend
sees one complete `Drawing` whichever era sent it.
"""

import platform
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from ordu import __version__
from ordu.client.pictures import NEGATIVE_MARK, as_text
from ordu.client.wire import known
from ordu.protocol.jobs import (
    GenerationPayload,
    ModelPayloadStable,
    PopInputStable,
    PostJobSubmitRequest,
)
from ordu.protocol.params import WITHOUT_KARRAS
from ordu.protocol.requests import GenerationMetadata
from ordu.settings import WorkerSettings
from ordu.worker.backends import Drawing, Offer, Picture

BRIDGE_AGENT = f"Ordu:{__version__}:local"
BRIDGE_VERSION = 3  # what servers of 2022 hand out source images and all samplers to
UPLOADED = "R2"  # says instead of a picture that it was put to the upload link
SEEDS = 2**32
THREADS_MAX = 50  # more cannot be said
CENSORED = GenerationMetadata(type="censorship", value="nsfw")


@dataclass(frozen=True, slots=True)
class Job:
    """A job as the worker needs it."""

    id: str
    model: str  # as the horde calls it; the drawing names it as the backend does
    drawing: Drawing  # without its source image and mask
    source: str | None  # of the source image: Base64, or a link
    mask: str | None  # likewise
    upload_url: str | None
    ttl_s: float | None  # the horde gives it away after so long; None: it did not say


def ask_for(offer: Offer, settings: WorkerSettings, threads: int = 1) -> PopInputStable:
    """What the worker says when it asks for a job: what its backend can and its owner wants.

    Raises:
        LookupError: the owner wants only models that the backend does not have.
    """
    models = wanted_models(offer, settings)
    can = {
        "img2img": offer.img2img,
        "inpainting": offer.inpainting,
        "lora": offer.lora,
        "controlnet": offer.controlnet,
        "post_processing": bool(offer.post_processing),
    }
    allowed = {name for name, is_able in can.items() if is_able} - set(settings.without)
    return PopInputStable(
        name=name_of(settings),
        models=models,
        max_pixels=min(offer.max_pixels, settings.max_pixels or offer.max_pixels),
        nsfw=offer.nsfw and settings.nsfw,
        blacklist=list(settings.blacklist),
        priority_usernames=list(settings.priority_usernames),
        threads=min(threads, THREADS_MAX),
        require_upfront_kudos=settings.require_upfront_kudos,
        extra_slow_worker=settings.extra_slow,
        allow_img2img="img2img" in allowed,
        allow_painting="inpainting" in allowed,
        allow_lora="lora" in allowed,
        allow_controlnet="controlnet" in allowed,
        allow_post_processing="post_processing" in allowed,
        features=sorted(features_of(offer)),
        bridge_agent=settings.bridge_agent or BRIDGE_AGENT,
        bridge_version=BRIDGE_VERSION,
    )


def wanted_models(offer: Offer, settings: WorkerSettings) -> list[str]:
    """The models to offer, as the horde calls them: of the backend's those that the owner wants.

    Raises:
        LookupError: the owner wants only models that the backend does not have.
    """
    called = {theirs: ours for ours, theirs in settings.model_names.items()}
    names = [called.get(model, model) for model in offer.models]
    models = [name for name in names if name in settings.models or not settings.models]
    if not models:
        wanted = ", ".join(settings.models) or "any"
        raise LookupError(
            f"The backend has none of the models {wanted}; it has {', '.join(names) or 'none'}."
        )
    return models


def features_of(offer: Offer) -> set[str]:
    """What the backend can that has no field of its own in a pop, in the horde's words."""
    with_karras = [
        f"sampler:{name}+karras"
        for name in offer.samplers
        if offer.karras and name not in WITHOUT_KARRAS
    ]
    samplers = [f"sampler:{name}" for name in offer.samplers]
    posts = [f"post:{name}" for name in offer.post_processing]
    return {*offer.features, *samplers, *with_karras, *posts}


def name_of(settings: WorkerSettings) -> str:
    """The worker's name: as set, or this machine's."""
    return settings.name or platform.node() or "worker"


def read_job(
    reply: GenerationPayload, job_id: str, fresh_seed: int, model_names: Mapping[str, str]
) -> Job:
    """The job in a horde's answer; `fresh_seed` counts when the horde leaves the choice to us."""
    model = known(reply.model, Drawing.model)
    return Job(
        id=job_id,
        model=model,
        drawing=_drawing(reply, model_names.get(model, model), fresh_seed),
        source=known(reply.source_image, "") or None,
        mask=known(reply.source_mask, "") or None,
        upload_url=known(reply.r2_upload, "") or None,
        ttl_s=known(reply.ttl, 0) or None,
    )


def _drawing(reply: GenerationPayload, model: str, fresh_seed: int) -> Drawing:
    payload = known(reply.payload, ModelPayloadStable())
    prompt, _, negative_prompt = known(payload.prompt, "").partition(NEGATIVE_MARK)
    usual = Drawing(prompt="")
    return Drawing(
        prompt=prompt.strip(),
        negative_prompt=negative_prompt.strip(),
        width=known(payload.width, usual.width),
        height=known(payload.height, usual.height),
        steps=known(payload.ddim_steps, usual.steps),
        cfg_scale=known(payload.cfg_scale, usual.cfg_scale),
        seed=seed_of(known(payload.seed, ""), fresh_seed),
        sampler=known(payload.sampler_name, usual.sampler),
        karras=known(payload.karras, usual.karras),
        tiling=known(payload.tiling, usual.tiling),
        model=model,
        source_processing=known(reply.source_processing, usual.source_processing),
        denoising_strength=known(payload.denoising_strength, usual.denoising_strength),
        clip_skip=known(payload.clip_skip, usual.clip_skip),
        hires_fix=known(payload.hires_fix, usual.hires_fix),
        hires_fix_denoising_strength=known(
            payload.hires_fix_denoising_strength, usual.hires_fix_denoising_strength
        ),
        loras=tuple(known(payload.loras, ())),
        tis=tuple(known(payload.tis, ())),
        control_type=known(payload.control_type, "") or None,
        image_is_control=known(payload.image_is_control, usual.image_is_control),
        return_control_map=known(payload.return_control_map, usual.return_control_map),
        post_processing=_post_processing(payload),
        facefixer_strength=known(payload.facefixer_strength, usual.facefixer_strength),
        censor_nsfw=known(payload.use_nsfw_censor, usual.censor_nsfw),
    )


def seed_of(text: str, fresh_seed: int) -> int:
    """The number a seed's text stands for, 0 to 2**32 - 1 (protocol sheet 10 §1.3)."""
    if not text:
        return fresh_seed % SEEDS
    if text.isascii() and text.isdigit():
        seed = int(text)
    else:
        seed = int.from_bytes(text.encode(), "little")
    while seed >= SEEDS:
        seed >>= 32
    return seed


def finished(job: Job, picture: Picture, *, uploaded: bool) -> PostJobSubmitRequest:
    """The delivery of a picture, which is in it unless it was uploaded."""
    return PostJobSubmitRequest(
        id=job.id,
        generation=UPLOADED if uploaded else as_text(picture.data) or "",
        seed=job.drawing.seed,
        state="censored" if picture.is_censored else "ok",
        gen_metadata=[CENSORED] if picture.is_censored else [],
    )


def faulted(job_id: str) -> PostJobSubmitRequest:
    """The news that a picture could not be made."""
    return PostJobSubmitRequest(id=job_id, generation="faulted", seed=-1, state="faulted")


def reasons(reply: GenerationPayload) -> dict[str, int]:
    """How many requests were passed over, by reason; only those there are."""
    if isinstance(reply.skipped, msgspec.UnsetType):
        return {}
    return {reason: count for reason, count in msgspec.to_builtins(reply.skipped).items() if count}


def _post_processing(payload: ModelPayloadStable) -> tuple[str, ...]:
    """The steps after drawing; the switches of 2022 are among them by today's names."""
    wanted = list(known(payload.post_processing, ()))
    if known(payload.use_gfpgan, default=False):
        wanted.append("GFPGAN")
    if known(payload.use_real_esrgan, default=False):
        wanted.append("RealESRGAN_x4plus")
    return tuple(dict.fromkeys(wanted))
