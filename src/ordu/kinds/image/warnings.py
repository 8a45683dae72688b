"""What a picture request is warned of: it asks a listed model for what that was not made for.

It is served all the same. The codes are those of protocol sheet 10 §1.6; what a request does not
say counts with the value that is really used.
"""

from collections.abc import Callable

import msgspec

from ordu.kinds.catalogue import Catalogue, Model
from ordu.kinds.image.reading import scheduler
from ordu.protocol.params import ModelGenerationInputStable as Params
from ordu.protocol.requests import GenerationInput, RequestWarning


class Mismatch(msgspec.Struct, frozen=True):
    """A way in which a request does not fit a model: its code, the test, and the words."""

    code: str
    holds: Callable[[Params, Model], bool]
    words: Callable[[Model], str]


MISMATCHES: tuple[Mismatch, ...] = (
    Mismatch(
        "ClipSkipMismatch",
        lambda params, model: (
            model.clip_skip is not None and (params.clip_skip or 1) != model.clip_skip
        ),
        lambda model: f"a clip_skip of {model.clip_skip}",
    ),
    Mismatch(
        "StepsTooFew",
        lambda params, model: model.min_steps is not None and params.steps < model.min_steps,
        lambda model: f"at least {model.min_steps} steps",
    ),
    Mismatch(
        "StepsTooMany",
        lambda params, model: model.max_steps is not None and params.steps > model.max_steps,
        lambda model: f"at most {model.max_steps} steps",
    ),
    Mismatch(
        "CfgScaleMismatch",
        lambda params, model: model.cfg_scale is not None and params.cfg_scale != model.cfg_scale,
        lambda model: f"a cfg_scale of {model.cfg_scale:g}",
    ),
    Mismatch(
        "CfgScaleTooSmall",
        lambda params, model: (
            model.min_cfg_scale is not None and params.cfg_scale < model.min_cfg_scale
        ),
        lambda model: f"a cfg_scale of at least {model.min_cfg_scale:g}",
    ),
    Mismatch(
        "CfgScaleTooLarge",
        lambda params, model: (
            model.max_cfg_scale is not None and params.cfg_scale > model.max_cfg_scale
        ),
        lambda model: f"a cfg_scale of at most {model.max_cfg_scale:g}",
    ),
    Mismatch(
        "SamplerMismatch",
        lambda params, model: bool(model.samplers) and params.sampler_name not in model.samplers,
        lambda model: f"one of the samplers {', '.join(model.samplers)}",
    ),
    Mismatch(
        "SchedulerMismatch",
        lambda params, model: bool(model.schedulers) and scheduler(params) not in model.schedulers,
        lambda model: "karras " + ("on" if "karras" in model.schedulers else "off"),
    ),
)


def warnings(body: GenerationInput, catalogue: Catalogue) -> list[RequestWarning]:
    """What the author of a request should know, model by model."""
    return [
        RequestWarning(code=each.code, message=f"{name} is made for {each.words(model)}.")
        for name, model in catalogue.of(body.models).items()
        for each in MISMATCHES
        if each.holds(body.params, model)
    ]
