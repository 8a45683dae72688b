"""What a request is warned of."""

import msgspec
import pytest

from ordu.kinds.catalogue import Catalogue, Model
from ordu.kinds.image.warnings import MISMATCHES, warnings
from ordu.protocol.requests import GenerationInput

LISTED = Catalogue(
    {
        "strict": Model(
            clip_skip=2,
            cfg_scale=7,
            samplers=("k_euler", "k_heun"),
            schedulers=("simple",),
        ),
        "quick": Model(min_steps=4, max_steps=8, min_cfg_scale=1, max_cfg_scale=2),
    }
)
FITTING = {
    "strict": {"clip_skip": 2, "cfg_scale": 7, "sampler_name": "k_heun", "karras": False},
    "quick": {"steps": 6, "cfg_scale": 1.5},
}


def found(model, **params):
    body = {"prompt": "a fox", "models": [model, "unknown"], "params": FITTING[model] | params}
    return warnings(msgspec.convert(body, GenerationInput), LISTED)


CASES = [
    ("strict", {"clip_skip": 1}, "ClipSkipMismatch", "a clip_skip of 2"),
    ("strict", {"cfg_scale": 6.5}, "CfgScaleMismatch", "a cfg_scale of 7"),
    ("strict", {"sampler_name": "lcm"}, "SamplerMismatch", "k_euler, k_heun"),
    ("strict", {"karras": True}, "SchedulerMismatch", "karras off"),
    ("quick", {"steps": 3}, "StepsTooFew", "at least 4 steps"),
    ("quick", {"steps": 9}, "StepsTooMany", "at most 8 steps"),
    ("quick", {"cfg_scale": 0.9}, "CfgScaleTooSmall", "at least 1"),
    ("quick", {"cfg_scale": 2.1}, "CfgScaleTooLarge", "at most 2"),
]


@pytest.mark.parametrize(("model", "params", "code", "words"), CASES)
def test_a_mismatch_is_told(model, params, code, words):
    [warning] = found(model, **params)
    assert warning.code == code
    assert warning.message.startswith(f"{model} is made for ")
    assert words in warning.message


@pytest.mark.parametrize("model", list(FITTING))
def test_what_fits_is_not_warned_of(model):
    assert found(model) == []


def test_bounds_themselves_fit():
    for steps, cfg_scale in ((4, 1), (8, 2)):
        assert found("quick", steps=steps, cfg_scale=cfg_scale) == []


def test_every_code_is_tested():
    assert [each.code for each in MISMATCHES] == [
        *("ClipSkipMismatch", "StepsTooFew", "StepsTooMany", "CfgScaleMismatch"),
        *("CfgScaleTooSmall", "CfgScaleTooLarge", "SamplerMismatch", "SchedulerMismatch"),
    ]
    assert {each.code for each in MISMATCHES} == {code for _, _, code, _ in CASES}
