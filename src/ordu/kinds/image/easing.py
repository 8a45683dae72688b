"""Easing: what of a placed picture request could be changed so that more workers take it."""

from collections.abc import Iterable

from ordu.kinds.catalogue import Catalogue
from ordu.kinds.image import bridges
from ordu.kinds.image.asking import many_steps
from ordu.kinds.image.drawing import decode
from ordu.kinds.image.reading import passes
from ordu.rules.explaining import SET_TO
from ordu.rules.matching import Requirement
from ordu.rules.relaxing import Ask, Subject, Value

SAMPLERS = bridges.ALL_SAMPLERS
OWN = dict.fromkeys(SAMPLERS, Subject.SAMPLER) | dict.fromkeys(
    bridges.posts(*bridges.POST_PROCESSORS), Subject.POST_PROCESSING
)


def ask(body: bytes, requirement: Requirement, catalogue: Catalogue) -> Ask:
    """What of a stored picture request can be eased."""
    drawing = decode(body)
    each = passes(drawing.sampler_name)
    few = None if each is None else int(many_steps(requirement.models, catalogue) // each)
    return Ask(
        requirement=requirement,
        width=drawing.width,
        height=drawing.height,
        steps=drawing.steps,
        steps_few=few or None,
        own=OWN,
        samplers=SAMPLERS,
    )


def settings(subjects: Iterable[Subject], eased: Ask) -> dict[str, Value]:
    """What these subjects are in the body of the eased request, by dotted name."""
    said: dict[str, Value] = {}
    for subject in subjects:
        match subject:
            case Subject.SIZE:
                said |= {"params.width": eased.width, "params.height": eased.height}
            case Subject.STEPS:
                said["params.steps"] = eased.steps
            case Subject.SAMPLER:
                name, karras = bridges.sampler_of(eased.requirement.features)
                said |= {"params.sampler_name": name, "params.karras": karras}
            case _:
                said |= SET_TO.get(subject, {})
    return said
