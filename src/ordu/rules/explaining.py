"""Explaining: why something waits or nothing comes, in sentences for people.

Tables from reasons and subjects to words, and the few rules about which sentence fits. Nothing
private goes in: no prompts, and no names or ids of workers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from ordu.rules.lifecycle import Counts, RequestState
from ordu.rules.matching import Reason
from ordu.rules.relaxing import Ask, Subject, Value

RESTING: Final = "resting"  # it serves its owner only: it is in maintenance, or paused
WhyNot: TypeAlias = Reason | Literal["resting"]
State: TypeAlias = Literal["waiting", "processing", "done", "faulted", "cancelled"]

# Of verbs in the sentences below: for one, and for several.
VERBS: Mapping[str, tuple[str, str]] = {
    "are": ("is", "are"),
    "ask": ("asks", "ask"),
    "do": ("does", "do"),
    "have": ("has", "have"),
    "name": ("names", "name"),
    "need": ("needs", "need"),
    "take": ("takes", "take"),
    "draw": ("draws", "draw"),
    "wait": ("waits", "wait"),
    "want": ("wants", "want"),
    "were": ("was", "were"),
}

# Why workers are passed over, for whoever placed the request: after "1 worker", "3 workers".
OF_WORKERS: Mapping[WhyNot, str] = {
    RESTING: "{take} work of the own owner only (maintenance or pause).",
    Reason.WORKER_ID: "{are} left out by the request's list of workers.",
    Reason.PERFORMANCE: "{are} slower than the request allows.",
    Reason.NSFW: "{take} nothing marked nsfw.",
    Reason.BLACKLIST: "{do} not take a word of the prompt.",
    Reason.UNTRUSTED: "{are} not trusted, and the request asks for trusted workers.",
    Reason.MODELS: "{have} none of the models asked for.",
    Reason.MAX_PIXELS: "{draw} no pictures of this size.",
    Reason.IMG2IMG: "{take} no source images.",
    Reason.PAINTING: "{do} no inpainting.",
    Reason.POST_PROCESSING: "{do} no post-processing.",
    Reason.CONTROLNET: "{do} no ControlNet of this kind.",
    Reason.LORA: "{take} no LoRAs.",
    Reason.BRIDGE_VERSION: "{have} a program that cannot do all that is asked for.",
    Reason.STEP_COUNT: "{take} no requests with so many steps.",
    Reason.KUDOS: "{want} requesters who have the kudos for it.",
    Reason.KIND: "{do} another kind of work.",
    Reason.PAUSED: "{are} paused.",
    Reason.FAILED_BEFORE: "{were} at it and failed; others are tried first.",
}

# Why requests are not given to a worker, for its owner: after "1 request", "3 requests".
OF_REQUESTS: Mapping[Reason, str] = {
    Reason.WORKER_ID: "{name} the workers they want, or do not want, and leave this one out.",
    Reason.PERFORMANCE: "{want} a faster worker.",
    Reason.NSFW: "{are} marked nsfw: this worker takes them with `nsfw` on.",
    Reason.BLACKLIST: "{have} a word of this worker's `blacklist` in the prompt.",
    Reason.UNTRUSTED: "{want} a trusted worker; owners become trusted by the kudos they earn.",
    Reason.MODELS: "{ask} for models this worker does not offer: see what is in demand.",
    Reason.MAX_PIXELS: "{are} larger than this worker draws: a larger `max_pixels` lets them in.",
    Reason.IMG2IMG: "{have} a source image: `allow_img2img` lets them in.",
    Reason.PAINTING: "{are} for inpainting: `allow_painting` lets them in.",
    Reason.POST_PROCESSING: "{want} post-processing: `allow_post_processing` lets them in.",
    Reason.CONTROLNET: "{want} a ControlNet: `allow_controlnet` and, for SDXL, "
    "`allow_sdxl_controlnet` let them in.",
    Reason.LORA: "{need} LoRAs: `allow_lora` lets them in.",
    Reason.BRIDGE_VERSION: "{need} what this worker's program cannot do: a newer one may.",
    Reason.STEP_COUNT: "{have} more steps than this worker takes with `limit_max_steps`.",
    Reason.KUDOS: "{are} of users who have not the kudos; `require_upfront_kudos` keeps them out.",
    Reason.KIND: "{are} for another kind of work.",
    Reason.PAUSED: "{are} of others than the owner, and a moderator has paused this worker.",
    Reason.FAILED_BEFORE: "{were} given to this worker before, and it failed.",
}

# What could be asked for instead; `{…}` are values of the new request and of the old one.
OF_SUBJECTS: Mapping[Subject, str] = {
    Subject.MODELS: "take any model",
    Subject.SIZE: "make it {width}×{height} instead of {old_width}×{old_height}",
    Subject.STEPS: "ask for {steps} steps instead of {old_steps}",
    Subject.SAMPLER: "use another sampler",
    Subject.NSFW: "do not mark it nsfw",
    Subject.SLOW_WORKERS: "take slow workers too",
    Subject.EXTRA_SLOW_WORKERS: "take extra slow workers too",
    Subject.TRUSTED_WORKERS: "take workers that are not trusted too",
    Subject.WORKERS: "do not limit which workers may take it",
    Subject.SOURCE_IMAGE: "leave the source image out",
    Subject.EXTRA_SOURCE_IMAGES: "leave the extra source images out",
    Subject.CONTROL: "leave the ControlNet out",
    Subject.IMAGE_IS_CONTROL: "do not give the control map as the source image",
    Subject.RETURN_CONTROL_MAP: "do not ask for the control map",
    Subject.POST_PROCESSING: "leave the post-processing out",
    Subject.LORAS: "leave the LoRAs out",
    Subject.LORA_VERSIONS: "name LoRAs by model instead of by version",
    Subject.TIS: "leave the textual inversions out",
    Subject.TILING: "do not ask for tiling",
    Subject.HIRES_FIX: "do without the hires fix",
    Subject.CLIP_SKIP: "do without clip skip",
    Subject.CENSOR: "do not ask for censoring",
    Subject.TRANSPARENT: "do not ask for a transparent picture",
}


def counted(many: int, what: str) -> str:
    """So many of something: `1 worker`, `3 workers`."""
    return f"{many:,} {what}{'' if many == 1 else 's'}"


def sentence(many: int, what: str, rest: str) -> str:
    """A sentence about so many of something, with its verbs in the right form."""
    verbs = {plural: forms[0 if many == 1 else 1] for plural, forms in VERBS.items()}
    return f"{counted(many, what)} {rest.format_map(verbs)}"


def passed_over(reason: WhyNot, workers: int) -> str:
    """Why so many workers are passed over for a request."""
    return sentence(workers, "worker", OF_WORKERS[reason])


def not_given(reason: Reason, requests: int) -> str:
    """Why so many requests are not given to a worker, and what its owner could do about it."""
    return sentence(requests, "request", OF_REQUESTS[reason])


# Changes


def proposal(
    subjects: Sequence[Subject], old: Ask, new: Ask, models: Sequence[tuple[str, int]] = ()
) -> str:
    """What could be asked for instead, as a sentence."""
    values = {
        **{name: getattr(new, name) for name in ("width", "height", "steps")},
        **{f"old_{name}": getattr(old, name) for name in ("width", "height", "steps")},
    }
    parts = " and ".join(OF_SUBJECTS[each].format_map(values) for each in subjects)
    named = ", ".join(f"{name} ({counted(many, 'worker')})" for name, many in models)
    also = f", or name one of these as well: {named}" if named else ""
    return f"{parts[:1].upper()}{parts[1:]}{also}."


# In a body, what each subject is set to that has no value of its own.
SET_TO: Mapping[Subject, Mapping[str, Value]] = {
    Subject.MODELS: {"models": []},
    # Not censored either, as it is now: not every worker can.
    Subject.NSFW: {"nsfw": False, "censor_nsfw": False},
    Subject.SLOW_WORKERS: {"slow_workers": True},
    Subject.EXTRA_SLOW_WORKERS: {"extra_slow_workers": True},
    Subject.TRUSTED_WORKERS: {"trusted_workers": False},
    Subject.WORKERS: {"workers": []},
    Subject.SOURCE_IMAGE: {"source_image": None},
    Subject.EXTRA_SOURCE_IMAGES: {"extra_source_images": []},
    Subject.CONTROL: {"params.control_type": None, "params.workflow": None},
    Subject.IMAGE_IS_CONTROL: {"params.image_is_control": False},
    Subject.RETURN_CONTROL_MAP: {"params.return_control_map": False},
    Subject.POST_PROCESSING: {"params.post_processing": []},
    Subject.LORAS: {"params.loras": []},
    Subject.TIS: {"params.tis": []},
    Subject.TILING: {"params.tiling": False},
    Subject.HIRES_FIX: {"params.hires_fix": False},
    Subject.CLIP_SKIP: {"params.clip_skip": None},
    Subject.CENSOR: {"censor_nsfw": False},
    Subject.TRANSPARENT: {"params.transparent": False},
}


# A request


@dataclass(frozen=True)
class Situation:
    """What is known of a request that waits."""

    online: int
    able: int
    free: int
    jobs_before: int
    why_not: Mapping[WhyNot, int]  # the most first


def state_of(state: RequestState, counts: Counts) -> State:
    """Where a request is, in a word."""
    if state is RequestState.FAULTED:
        return "faulted"
    if counts.waiting:
        return "waiting"
    if counts.processing:
        return "processing"
    return "cancelled" if state is RequestState.CANCELLED else "done"


OVER: Mapping[State, str] = {
    "processing": "Nothing of it waits: all that is left is being drawn.",
    "done": "It is done.",
    "faulted": "It was given up: its jobs failed too often.",
    "cancelled": "It was cancelled.",
}


def why_it_waits(state: State, now: Situation) -> str:
    """Why a request is not drawn yet, in a sentence or two."""
    if state != "waiting":
        return OVER[state]
    if not now.online:
        return "No worker is online. It is drawn when one comes that can serve it."
    if not now.able:
        reason, many = next(iter(now.why_not.items()))
        return f"None of the workers online can serve it. {passed_over(reason, many)}"
    could = f"{counted(now.able, 'worker')} could serve it"
    if now.jobs_before:
        return f"{could}; {sentence(now.jobs_before, 'picture', '{wait} before it.')}"
    if now.free:
        return f"{could}; one that is free gets it when it asks for work."
    return f"{could}; it is next, and all of them are at work."


# A worker


@dataclass(frozen=True)
class Standing:
    """What is known of a worker, as far as whoever asks may see it."""

    is_online: bool
    is_in_maintenance: bool
    is_paused: bool
    is_busy: bool
    waiting: int  # requests in all
    could_serve: int  # requests it could serve
    skipped: Mapping[Reason, int]


def why_no_work(worker: Standing) -> str:
    """Why a worker gets no work, or that it should get some, in a sentence or two."""
    if not worker.is_online:
        return "It is away: it has not asked for work in the last 5 minutes. Start its program."
    if worker.is_paused:
        return "A moderator has paused it: it gets requests of its owner only."
    if worker.is_in_maintenance:
        return "It is in maintenance: it gets requests of its owner only, until that is ended."
    return what_waits(worker) if worker.waiting else "Nothing waits on this horde."


def what_waits(worker: Standing) -> str:
    """What waits for a worker that takes from all, in a sentence or two."""
    if not worker.could_serve:
        reason, many = max(worker.skipped.items(), key=lambda each: each[1])
        start = sentence(worker.waiting, "request", "{wait}, and it can serve none.")
        return f"{start} {not_given(reason, many)}"
    could = sentence(worker.could_serve, "request", "{wait} that it could serve")
    if worker.is_busy:
        return f"{could}; it is at as many pictures as it makes at once."
    return f"{could}; it gets one when it asks for work."
