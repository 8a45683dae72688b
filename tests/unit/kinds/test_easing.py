"""What of a stored picture request can be eased, and what its body says then."""

import msgspec
import pytest
from tests.builders import a_capability, a_user

from ordu.kinds.catalogue import Catalogue, Model
from ordu.kinds.image import IMAGE
from ordu.protocol.decoding import decode
from ordu.protocol.requests import GenerationInput
from ordu.rules.matching import why_not
from ordu.rules.relaxing import Subject, obstacles, relaxed
from ordu.settings import ServerSettings

CATALOGUE = Catalogue({"quick": Model(min_steps=1, max_steps=9)})


def an_ask(**body):
    text = msgspec.json.encode({"prompt": "a fox", **body})
    wish = IMAGE.wish(decode(GenerationInput, text), a_user(), ServerSettings(), CATALOGUE)
    return IMAGE.ask(wish.body, wish.requirement, CATALOGUE)


def test_an_ask_has_the_size_and_steps_of_the_request():
    ask = an_ask(params={"width": 640, "height": 448, "steps": 12})
    assert (ask.width, ask.height, ask.steps, ask.steps_few) == (640, 448, 12, 30)
    assert ask.requirement.pixels == 640 * 448


@pytest.mark.parametrize(
    ("params", "models", "few"),
    [
        pytest.param({}, ["any"], 30, id="usual"),
        pytest.param({"sampler_name": "k_heun"}, ["any"], 15, id="two passes for each step"),
        pytest.param({"sampler_name": "k_dpm_adaptive"}, ["any"], None, id="as many as it likes"),
        pytest.param({}, ["quick"], 5, id="as the model needs"),
    ],
)
def test_how_many_steps_are_few(params, models, few):
    assert an_ask(params=params, models=models).steps_few == few


@pytest.mark.parametrize(
    ("body", "offer", "subjects", "said"),
    [
        ({"models": ["x"]}, {}, {Subject.MODELS}, {"models": []}),
        (
            {"params": {"width": 2048, "height": 1024}},
            {"pixels_max": 1024 * 512},
            {Subject.SIZE},
            {"params.width": 1024, "params.height": 512},
        ),
        (
            {"params": {"steps": 50}},
            {"takes_many_steps": False},
            {Subject.STEPS},
            {"params.steps": 30},
        ),
        (
            {"params": {"sampler_name": "k_euler", "karras": True}},
            {"features": frozenset({"sampler:k_euler", "sampler:DDIM"})},
            {Subject.SAMPLER},
            {"params.sampler_name": "k_euler", "params.karras": False},
        ),
        (
            {"params": {"post_processing": ["GFPGAN"]}},
            {"switched_off": frozenset({"post_processing"})},
            {Subject.POST_PROCESSING},
            {"params.post_processing": []},
        ),
        (
            {"nsfw": True, "slow_workers": False},
            {"nsfw": False, "is_fast": False},
            {Subject.NSFW, Subject.SLOW_WORKERS},
            {"nsfw": False, "censor_nsfw": False, "slow_workers": True},
        ),
        ({"censor_nsfw": True}, {}, {Subject.CENSOR}, {"censor_nsfw": False}),
    ],
)
def test_a_body_with_the_change_is_served(body, offer, subjects, said):
    usual = {"models": ["any"], "nsfw": False, "censor_nsfw": False}
    capability = a_capability(**{"models": frozenset({"any"}), "features": IMAGE_FEATURES} | offer)
    ask = an_ask(**usual | body)
    assert obstacles(ask, capability) == subjects
    settings = IMAGE.settings(sorted(subjects), relaxed(ask, subjects, [capability]))
    assert settings == said
    changed = an_ask(**applied(usual | body, settings))
    assert why_not(changed.requirement, capability) is None


IMAGE_FEATURES = frozenset(
    {*an_ask().own, "post_processing", "img2img", "lora", "controlnet", "hires_fix"}
)


def applied(body, settings):
    params = dict(body.get("params", {}))
    for name, value in settings.items():
        outer, _, inner = name.partition(".")
        if inner:
            params[inner] = value
        else:
            body = {**body, outer: value}
    return {**body, "params": params}
