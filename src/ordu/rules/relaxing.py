"""Relaxing: what keeps a worker from a request, and the smallest change that would not.

For a worker that is passed over, `obstacles` says which *subjects* of the request stand in its way:
its models, its size, that it is for trusted workers. `relaxed` gives the same request with some of
these subjects eased, as little as lets one of the given workers take it. Whoever could serve the
request before can still serve it then, except where another sampler was put in the place of one
that not everybody knows.

All of it is about plain values: an `Ask` is what a kind of work says of a placed request.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final, TypeAlias

import msgspec

from ordu.rules.matching import Capability, Feature, Requirement, is_excluded, usable_models

SIDE_STEP = 64  # sides are whole multiples of it
MODELS_NAMED_MAX = 5  # how many models are named that could be asked for too

Value: TypeAlias = str | int | bool | list[str] | None


class Subject(StrEnum):
    """What of a request can be eased, by the word for it in a body where there is one."""

    MODELS = "models"
    SIZE = "size"
    STEPS = "steps"
    SAMPLER = "sampler_name"
    NSFW = "nsfw"
    SLOW_WORKERS = "slow_workers"
    EXTRA_SLOW_WORKERS = "extra_slow_workers"
    TRUSTED_WORKERS = "trusted_workers"
    WORKERS = "workers"
    SOURCE_IMAGE = "source_image"
    EXTRA_SOURCE_IMAGES = "extra_source_images"
    CONTROL = "control_type"
    IMAGE_IS_CONTROL = "image_is_control"
    RETURN_CONTROL_MAP = "return_control_map"
    POST_PROCESSING = "post_processing"
    LORAS = "loras"
    LORA_VERSIONS = "lora_versions"
    TIS = "tis"
    TILING = "tiling"
    HIRES_FIX = "hires_fix"
    CLIP_SKIP = "clip_skip"
    CENSOR = "censor_nsfw"
    TRANSPARENT = "transparent"


@dataclass(frozen=True)
class Ask:
    """What of a placed request can be eased."""

    requirement: Requirement
    width: int = 0
    height: int = 0
    steps: int = 0
    steps_few: int | None = None  # how many are not many yet; None: fewer would not help
    own: Mapping[str, Subject] = field(default_factory=dict)  # for features of its kind
    samplers: frozenset[str] = frozenset()  # the features that are samplers of its kind

    @property
    def amount(self) -> int:
        """The work of it, in whatever is counted for all its kind."""
        return self.width * self.height * self.steps

    def needing(self, **change: Any) -> "Ask":
        """The same with a requirement that differs in this."""
        return replace(self, requirement=msgspec.structs.replace(self.requirement, **change))


# Painting is not here: a picture whose missing part is not painted is another picture altogether.
OF_FEATURE: Mapping[str, Subject] = {
    Feature.IMG2IMG: Subject.SOURCE_IMAGE,
    Feature.EXTRA_SOURCE_IMAGES: Subject.EXTRA_SOURCE_IMAGES,
    Feature.CONTROLNET: Subject.CONTROL,
    Feature.QR_CODE: Subject.CONTROL,
    Feature.IMAGE_IS_CONTROL: Subject.IMAGE_IS_CONTROL,
    Feature.RETURN_CONTROL_MAP: Subject.RETURN_CONTROL_MAP,
    Feature.POST_PROCESSING: Subject.POST_PROCESSING,
    Feature.LORA: Subject.LORAS,
    Feature.LORA_VERSIONS: Subject.LORA_VERSIONS,
    Feature.TEXTUAL_INVERSION: Subject.TIS,
    Feature.TILING: Subject.TILING,
    Feature.HIRES_FIX: Subject.HIRES_FIX,
    Feature.CLIP_SKIP: Subject.CLIP_SKIP,
    Feature.CENSOR: Subject.CENSOR,
    Feature.TRANSPARENT: Subject.TRANSPARENT,
}
# What cannot be kept without it.
GOES_TOO: Mapping[Subject, frozenset[Subject]] = {
    Subject.SOURCE_IMAGE: frozenset(
        {
            *(Subject.EXTRA_SOURCE_IMAGES, Subject.CONTROL),
            *(Subject.IMAGE_IS_CONTROL, Subject.RETURN_CONTROL_MAP),
        }
    ),
    Subject.CONTROL: frozenset({Subject.IMAGE_IS_CONTROL, Subject.RETURN_CONTROL_MAP}),
    Subject.LORAS: frozenset({Subject.LORA_VERSIONS}),
}


# What stands in the way


def obstacles(ask: Ask, capability: Capability) -> frozenset[Subject] | None:
    """What would have to be eased for this worker to serve it; None when nothing would do.

    Empty just when it may serve it now (`matching.why_not`).
    """
    requirement = ask.requirement
    if requirement.kind != capability.kind:
        return None
    found = {subject for subject, stands in IN_THE_WAY if stands(requirement, capability)}
    if not usable_models(requirement, capability):
        if not usable_models(any_model(requirement), capability):
            return None  # all it has are made for other jobs
        found.add(Subject.MODELS)
    if requirement.pixels > capability.pixels_max:
        if smaller(ask.width, ask.height, capability.pixels_max) is None:
            return None
        found.add(Subject.SIZE)
    if requirement.has_many_steps and not capability.takes_many_steps:
        if ask.steps_few is None:
            return None
        found.add(Subject.STEPS)
    of_features = lacking(ask, capability)
    return None if of_features is None else without_implied(found | of_features)


def any_model(requirement: Requirement) -> Requirement:
    """The same, of whatever model."""
    return msgspec.structs.replace(requirement, models=frozenset())


IN_THE_WAY: Final[Sequence[tuple[Subject, Callable[[Requirement, Capability], bool]]]] = (
    (Subject.WORKERS, lambda needed, offered: is_excluded(needed, offered.worker_id)),
    (Subject.SLOW_WORKERS, lambda needed, offered: needed.fast_only and not offered.is_fast),
    (
        Subject.EXTRA_SLOW_WORKERS,
        lambda needed, offered: offered.is_extra_slow and not needed.admits_extra_slow,
    ),
    (Subject.NSFW, lambda needed, offered: needed.nsfw and not offered.nsfw),
    (
        Subject.TRUSTED_WORKERS,
        lambda needed, offered: needed.trusted_only and not offered.is_trusted,
    ),
)


def lacking(ask: Ask, capability: Capability) -> frozenset[Subject] | None:
    """The subjects of what the worker cannot do; None when one of them cannot be left out."""
    needed = ask.requirement.features
    if needed <= capability.features and needed.isdisjoint(capability.switched_off):
        return frozenset()
    found = {subject_of(ask, feature) for feature in needed if not capability.can(feature)}
    if None in found:
        return None
    if Subject.SAMPLER in found and not samplers_of(ask, capability):
        return None
    return frozenset(subject for subject in found if subject is not None)


def subject_of(ask: Ask, feature: str) -> Subject | None:
    """What has to be eased so that this feature is not needed; None when nothing would do.

    A source image that is painted into is never given up.
    """
    subject = OF_FEATURE.get(feature) or ask.own.get(feature)
    if subject is Subject.SOURCE_IMAGE and Feature.PAINTING in ask.requirement.features:
        return None
    return subject


def without_implied(subjects: Collection[Subject]) -> frozenset[Subject]:
    """Without those that go with others of them."""
    implied = {each for subject in subjects for each in GOES_TOO.get(subject, ())}
    return frozenset(subject for subject in subjects if subject not in implied)


# Easing


def relaxed(
    ask: Ask, subjects: Iterable[Subject], capabilities: Sequence[Capability]
) -> Ask | None:
    """The same with these subjects eased, so far that one of these workers may serve it.

    Where a subject has a value (a size, a sampler), it is the one nearest to what was asked for;
    None when there is none. `capabilities` are those that only these subjects keep from it.
    """
    eased: Ask | None = ask
    for subject in sorted(subjects):
        if eased is None:
            return None
        if subject in EASED_BY:
            eased = eased.needing(**EASED_BY[subject])
        elif subject in WITH_A_VALUE:
            eased = WITH_A_VALUE[subject](eased, capabilities)
        else:
            eased = without(eased, {subject, *GOES_TOO.get(subject, ())})
    return eased


EASED_BY: Mapping[Subject, Mapping[str, Any]] = {
    Subject.MODELS: {"models": frozenset()},
    Subject.NSFW: {"nsfw": False},
    Subject.SLOW_WORKERS: {"fast_only": False},
    Subject.EXTRA_SLOW_WORKERS: {"admits_extra_slow": True},
    Subject.TRUSTED_WORKERS: {"trusted_only": False},
    Subject.WORKERS: {"workers_allowed": frozenset(), "workers_denied": frozenset()},
}


def without(ask: Ask, subjects: Collection[Subject]) -> Ask:
    """The same without the features of these subjects."""
    kept = (
        feature for feature in ask.requirement.features if subject_of(ask, feature) not in subjects
    )
    return ask.needing(features=frozenset(kept))


def sized(ask: Ask, capabilities: Sequence[Capability]) -> Ask | None:
    """The same in the largest size that one of these workers draws."""
    most = max((capability.pixels_max for capability in capabilities), default=0)
    size = smaller(ask.width, ask.height, most)
    if size is None:
        return None
    eased = ask.needing(pixels=size[0] * size[1])
    return replace(eased, width=size[0], height=size[1])


def smaller(width: int, height: int, pixels_max: int) -> tuple[int, int] | None:
    """The largest size of about these proportions that has so many pixels and fewer than this.

    Sides are whole multiples of 64; None when there is none.
    """
    bound = min(pixels_max, width * height - 1)
    sizes = [
        (wide, high)
        for wide in range(SIDE_STEP, width + 1, SIDE_STEP)
        if wide * (high := nearest_side(wide * height / width)) <= bound and high <= height
    ]
    return max(sizes, key=lambda size: size[0] * size[1], default=None)


def nearest_side(side: float) -> int:
    """The whole multiple of 64 that is nearest; at least 64."""
    return max(SIDE_STEP, round(side / SIDE_STEP) * SIDE_STEP)


def with_few_steps(ask: Ask, _: Sequence[Capability]) -> Ask | None:
    """The same with no more steps than every worker takes."""
    if ask.steps_few is None:
        return None
    return replace(ask.needing(has_many_steps=False), steps=min(ask.steps, ask.steps_few))


def with_known_sampler(ask: Ask, capabilities: Sequence[Capability]) -> Ask | None:
    """The same with the sampler that most of these workers know."""
    features = ask.requirement.features
    before = next((each for each in features if ask.own.get(each) is Subject.SAMPLER), None)
    known = Counter(each for worker in capabilities for each in samplers_of(ask, worker))
    if before is None or not known:
        return None
    # Of several that as many know: the same one without karras, else the first of the alphabet.
    best = min(known, key=lambda each: (-known[each], not before.startswith(each), each))
    return replace(
        ask.needing(features=features - {before} | {best}), own={**ask.own, best: Subject.SAMPLER}
    )


def samplers_of(ask: Ask, capability: Capability) -> frozenset[str]:
    """The samplers of this kind that a worker knows."""
    return ask.samplers & capability.features


WITH_A_VALUE: Mapping[Subject, Callable[[Ask, Sequence[Capability]], Ask | None]] = {
    Subject.SIZE: sized,
    Subject.STEPS: with_few_steps,
    Subject.SAMPLER: with_known_sampler,
}


def models_offered(ask: Ask, capabilities: Iterable[Capability]) -> list[tuple[str, int]]:
    """The models that most of these workers could take it with, and how many workers have each."""
    usable = (usable_models(any_model(ask.requirement), each) for each in capabilities)
    many = Counter(model for models in usable for model in models)
    return sorted(many.items(), key=lambda each: (-each[1], each[0]))[:MODELS_NAMED_MAX]
