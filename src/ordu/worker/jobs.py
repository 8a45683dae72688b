"""Between the horde's messages and the backend's values: what is offered, asked for, delivered.

Plain functions. Whatever a server leaves out of a job gets its usual value here, so that a backend
sees one complete `Drawing` whichever era sent it.
"""

import platform
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
from ordu.settings import WorkerSettings
from ordu.worker.backends import Drawing, Offer

BRIDGE_AGENT = f"Ordu:{__version__}:local"
BRIDGE_VERSION = 3  # what servers of 2022 hand out source images and all samplers to
UPLOADED = "R2"  # says instead of a picture that it was put to the upload link
SEEDS = 2**32


@dataclass(frozen=True, slots=True)
class Job:
    """A job as the worker needs it."""

    id: str
    drawing: Drawing  # without its source image
    source: str | None  # of the source image: Base64, or a link
    upload_url: str | None


def ask_for(offer: Offer, settings: WorkerSettings) -> PopInputStable:
    """What the worker says when it asks for a job: what its backend can and its owner wants.

    Raises:
        LookupError: the owner wants only models that the backend does not have.
    """
    models = [model for model in offer.models if model in settings.models or not settings.models]
    if not models:
        raise LookupError(
            f"The backend has none of the models {', '.join(settings.models)};"
            f" it has {', '.join(offer.models) or 'none'}."
        )
    allowed = {
        "allow_img2img": offer.img2img,
        "allow_painting": offer.inpainting,
        "allow_post_processing": offer.post_processing,
        **{name: said for name, said in offer.extra.items() if name.startswith("allow_")},
    }
    pop = PopInputStable(
        name=name_of(settings),
        models=models,
        max_pixels=min(offer.max_pixels, settings.max_pixels or offer.max_pixels),
        nsfw=offer.nsfw and settings.nsfw,
        blacklist=list(settings.blacklist),
        priority_usernames=list(settings.priority_usernames),
        threads=settings.jobs,
        bridge_agent=BRIDGE_AGENT,
        bridge_version=BRIDGE_VERSION,
    )
    fields = set(PopInputStable.__struct_fields__)
    return msgspec.structs.replace(pop, **{n: said for n, said in allowed.items() if n in fields})


def name_of(settings: WorkerSettings) -> str:
    """The worker's name: as set, or this machine's."""
    return settings.name or platform.node() or "worker"


def read_job(reply: GenerationPayload, job_id: str, fresh_seed: int) -> Job:
    """The job in a horde's answer; `fresh_seed` counts when the horde leaves the choice to us."""
    payload = known(reply.payload, ModelPayloadStable())
    prompt, _, negative_prompt = known(payload.prompt, "").partition(NEGATIVE_MARK)
    usual = Drawing(prompt="")
    drawing = Drawing(
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
        model=known(reply.model, usual.model),
        denoising_strength=known(payload.denoising_strength, usual.denoising_strength),
        post_processing=_post_processing(payload),
    )
    return Job(
        id=job_id,
        drawing=drawing,
        source=known(reply.source_image, "") or None,
        upload_url=known(reply.r2_upload, "") or None,
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


def finished(job: Job, picture: bytes, *, uploaded: bool) -> PostJobSubmitRequest:
    """The delivery of a picture, which is in it unless it was uploaded."""
    return PostJobSubmitRequest(
        id=job.id,
        generation=UPLOADED if uploaded else as_text(picture) or "",
        seed=job.drawing.seed,
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
