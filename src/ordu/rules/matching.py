"""Matching: may this worker serve this requirement?

A *requirement* is what a request needs of a worker, a *capability* what a worker offers; both are
plain values, the same for every kind of work. The whole table of reasons lives here. Nothing here
knows about SQL, HTTP or time, so every line can be checked with plain values. The engine remembers
the answer per (requirement, capability).
"""

import hashlib
from collections.abc import Mapping
from enum import StrEnum
from typing import NewType

import msgspec

from ordu.rules.money import UserId

LaneKey = NewType("LaneKey", bytes)
WorkerId = NewType("WorkerId", str)

LANE_KEY_VERSION = b"\x02"  # raised whenever Requirement changes its meaning


class Reason(StrEnum):
    """Why a worker is passed over; the values are the keys of `skipped` in the pop reply."""

    WORKER_ID = "worker_id"
    PERFORMANCE = "performance"
    NSFW = "nsfw"
    BLACKLIST = "blacklist"
    UNTRUSTED = "untrusted"
    MODELS = "models"
    MAX_PIXELS = "max_pixels"
    IMG2IMG = "img2img"
    PAINTING = "painting"
    POST_PROCESSING = "post-processing"
    CONTROLNET = "controlnet"
    LORA = "lora"
    BRIDGE_VERSION = "bridge_version"
    STEP_COUNT = "step_count"
    KUDOS = "kudos"
    KIND = "kind"
    PAUSED = "paused"
    FAILED_BEFORE = "failed_before"


class Feature(StrEnum):
    """What not every worker can do; a requirement names those it needs.

    Besides these a kind may name features of its own, such as each sampler.
    """

    IMG2IMG = "img2img"
    PAINTING = "painting"
    POST_PROCESSING = "post_processing"
    CONTROLNET = "controlnet"
    IMAGE_IS_CONTROL = "image_is_control"
    RETURN_CONTROL_MAP = "return_control_map"
    LORA = "lora"
    LORA_VERSIONS = "lora_versions"
    TEXTUAL_INVERSION = "textual_inversion"
    TILING = "tiling"
    HIRES_FIX = "hires_fix"
    CLIP_SKIP = "clip_skip"
    CENSOR = "censor"
    TRANSPARENT = "transparent"
    QR_CODE = "qr_code"
    EXTRA_SOURCE_IMAGES = "extra_source_images"
    FLUX = "flux"


# The reason given when a worker's owner has switched a feature off. What its program cannot do at
# all is a matter of the program's version.
SWITCHED_OFF: Mapping[str, Reason] = {
    Feature.IMG2IMG: Reason.IMG2IMG,
    Feature.PAINTING: Reason.PAINTING,
    Feature.POST_PROCESSING: Reason.POST_PROCESSING,
    Feature.CONTROLNET: Reason.CONTROLNET,
    Feature.QR_CODE: Reason.CONTROLNET,
    Feature.TRANSPARENT: Reason.CONTROLNET,
    Feature.LORA: Reason.LORA,
}


class Requirement(msgspec.Struct, frozen=True, kw_only=True, cache_hash=True):
    """What a request needs of a worker. Requests with equal requirements wait in one lane."""

    kind: str
    models: frozenset[str] = frozenset()  # any of these; empty: any model
    pixels: int = 0  # width × height
    features: frozenset[str] = frozenset()
    nsfw: bool = False
    trusted_only: bool = False
    fast_only: bool = False
    admits_extra_slow: bool = False  # workers that call themselves extra slow
    has_many_steps: bool = False  # more than some workers take
    workers_allowed: frozenset[WorkerId] = frozenset()  # empty: all
    workers_denied: frozenset[WorkerId] = frozenset()


class Capability(msgspec.Struct, frozen=True, kw_only=True, cache_hash=True):
    """What a worker offers, with what the horde knows of it."""

    kind: str
    worker_id: WorkerId
    models: frozenset[str]
    models_only_for_painting: frozenset[str] = frozenset()
    models_not_for_painting: frozenset[str] = frozenset()
    pixels_max: int
    features: frozenset[str] = frozenset()  # what its program can do
    switched_off: frozenset[str] = frozenset()  # what its owner does not let it do
    nsfw: bool = True
    is_trusted: bool = False
    is_fast: bool = True
    is_extra_slow: bool = False
    takes_many_steps: bool = True

    def can(self, feature: str) -> bool:
        """Whether its program can do this and its owner lets it."""
        return feature in self.features and feature not in self.switched_off


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker's last pop said: its capability and how it wants to be treated."""

    capability: Capability
    agent: str | None = None  # the worker's program; one of 2022 does not say
    threads: int = 1
    blacklist: tuple[str, ...] = ()
    priority_user_ids: tuple[UserId, ...] = ()
    amount: int = 1  # how many pictures of one request it takes at once
    requires_kudos: bool = False  # takes requests only of those who can pay for them


def why_not(  # noqa: PLR0911 - it is a table: one line for each reason
    requirement: Requirement, capability: Capability
) -> Reason | None:
    """The first reason to pass this worker over, or None when it may serve."""
    if requirement.kind != capability.kind:
        return Reason.KIND
    if is_excluded(requirement, capability.worker_id):
        return Reason.WORKER_ID
    if is_too_slow(requirement, capability):
        return Reason.PERFORMANCE
    if requirement.nsfw and not capability.nsfw:
        return Reason.NSFW
    if requirement.trusted_only and not capability.is_trusted:
        return Reason.UNTRUSTED
    if not usable_models(requirement, capability):
        return Reason.MODELS
    if requirement.pixels > capability.pixels_max:
        return Reason.MAX_PIXELS
    if requirement.has_many_steps and not capability.takes_many_steps:
        return Reason.STEP_COUNT
    return lacking(requirement.features, capability)


def is_too_slow(requirement: Requirement, capability: Capability) -> bool:
    """Whether the requester does not want to wait for a worker of this pace."""
    if capability.is_extra_slow and not requirement.admits_extra_slow:
        return True
    return requirement.fast_only and not capability.is_fast


def is_excluded(requirement: Requirement, worker_id: WorkerId) -> bool:
    """Whether the requester's list of workers leaves this one out."""
    if worker_id in requirement.workers_denied:
        return True
    return bool(requirement.workers_allowed) and worker_id not in requirement.workers_allowed


def lacking(needed: frozenset[str], capability: Capability) -> Reason | None:
    """The reason for the first needed feature that is switched off, or that the program lacks."""
    off = needed & capability.switched_off
    if off:
        return next(reason for feature, reason in SWITCHED_OFF.items() if feature in off)
    return None if needed <= capability.features else Reason.BRIDGE_VERSION


def lane_key(requirement: Requirement) -> LaneKey:
    """A short, stable name of a requirement, the same in every process and after every start."""
    canonical = msgspec.json.encode(requirement, order="deterministic")
    return LaneKey(LANE_KEY_VERSION + hashlib.blake2b(canonical, digest_size=15).digest())


def usable_models(requirement: Requirement, capability: Capability) -> frozenset[str]:
    """The worker's models that a job can be made with: asked for, and made for such a job."""
    if Feature.PAINTING in requirement.features:
        unfit = capability.models_not_for_painting
    else:
        unfit = capability.models_only_for_painting
    fit = capability.models - unfit if unfit else capability.models
    return fit & requirement.models if requirement.models else fit


def model_for(requirement: Requirement, capability: Capability, choice: int) -> str:
    """The model a job is made with: one of those usable, picked by a random whole number."""
    usable = sorted(usable_models(requirement, capability))
    return usable[choice % len(usable)]
