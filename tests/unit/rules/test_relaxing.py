"""What keeps a worker from a request, and the smallest change that would not."""

from dataclasses import replace

import hypothesis.strategies as st
import msgspec
import pytest
from hypothesis import given
from tests.builders import a_capability, a_requirement

from ordu.rules.matching import SWITCHED_OFF, Feature, WorkerId, why_not
from ordu.rules.relaxing import (
    OF_FEATURE,
    Ask,
    Subject,
    models_offered,
    obstacles,
    relaxed,
    smaller,
    without_implied,
)

K, K_KARRAS, DDIM = "sampler:k_euler", "sampler:k_euler+karras", "sampler:DDIM"
SAMPLERS = frozenset({K, K_KARRAS, DDIM})
OWN = dict.fromkeys(SAMPLERS, Subject.SAMPLER) | {"post:GFPGAN": Subject.POST_PROCESSING}
S = Subject


def an_ask(width=512, height=512, steps=50, steps_few=30, **change):
    requirement = a_requirement(pixels=width * height, **change)
    return Ask(requirement, width, height, steps, steps_few, OWN, SAMPLERS)


def those(*names):
    return frozenset(names)


@pytest.mark.parametrize(
    ("ask", "offer", "expected"),
    [
        pytest.param({}, {}, (), id="everything fits"),
        pytest.param({"models": those("sdxl")}, {}, (S.MODELS,), id="other models"),
        pytest.param({"width": 2048, "height": 2048}, {}, (S.SIZE,), id="too large"),
        pytest.param({}, {"pixels_max": 64 * 64 - 1}, None, id="no size is small enough"),
        pytest.param({"nsfw": True}, {"nsfw": False}, (S.NSFW,), id="nsfw"),
        pytest.param({"trusted_only": True}, {}, (S.TRUSTED_WORKERS,), id="not trusted"),
        pytest.param({"fast_only": True}, {"is_fast": False}, (S.SLOW_WORKERS,), id="slow"),
        pytest.param({}, {"is_extra_slow": True}, (S.EXTRA_SLOW_WORKERS,), id="extra slow"),
        pytest.param({"workers_denied": those("w1")}, {}, (S.WORKERS,), id="denied"),
        pytest.param({"workers_allowed": those("w2")}, {}, (S.WORKERS,), id="not allowed"),
        pytest.param(
            {"has_many_steps": True}, {"takes_many_steps": False}, (S.STEPS,), id="many steps"
        ),
        pytest.param(
            {"has_many_steps": True, "steps_few": None},
            {"takes_many_steps": False},
            None,
            id="many steps whatever is asked for",
        ),
        pytest.param(
            {"features": those(Feature.LORA)},
            {"switched_off": those(Feature.LORA)},
            (S.LORAS,),
            id="LoRAs are off",
        ),
        pytest.param(
            {"features": those(Feature.LORA, Feature.LORA_VERSIONS)},
            {"features": frozenset()},
            (S.LORAS,),
            id="versions of LoRAs go with LoRAs",
        ),
        pytest.param(
            {"features": those(Feature.POST_PROCESSING, "post:GFPGAN")},
            {},
            (S.POST_PROCESSING,),
            id="one post-processor is not known",
        ),
        pytest.param(
            {"features": those(K_KARRAS)},
            {"features": those(DDIM)},
            (S.SAMPLER,),
            id="another sampler",
        ),
        pytest.param(
            {"features": those(K_KARRAS)}, {"features": frozenset()}, None, id="no sampler at all"
        ),
        pytest.param(
            {"features": those(Feature.IMG2IMG)},
            {"switched_off": those(Feature.IMG2IMG)},
            (S.SOURCE_IMAGE,),
            id="source images are off",
        ),
        pytest.param(
            {"features": those(Feature.IMG2IMG, Feature.PAINTING)},
            {"switched_off": those(Feature.IMG2IMG)},
            None,
            id="what is painted into is not given up",
        ),
        pytest.param(
            {"features": those("of another kind")}, {}, None, id="a feature nobody can explain"
        ),
        pytest.param({}, {"kind": "text"}, None, id="another kind of work"),
        pytest.param(
            {"models": those("sdxl")},
            {"models": those("paint"), "models_only_for_painting": those("paint")},
            None,
            id="models for other jobs only",
        ),
        pytest.param(
            {"models": those("sdxl"), "nsfw": True, "width": 2048, "height": 1024},
            {"nsfw": False},
            (S.MODELS, S.NSFW, S.SIZE),
            id="several at once",
        ),
    ],
)
def test_obstacles(ask, offer, expected):
    found = obstacles(an_ask(**ask), a_capability(**offer))
    assert found == (None if expected is None else frozenset(expected))


@pytest.mark.parametrize(
    ("size", "pixels_max", "expected"),
    [
        ((1024, 1024), 512 * 512, (512, 512)),
        ((1024, 1024), 960 * 960, (960, 960)),
        ((1024, 1024), 960 * 960 - 1, (896, 896)),
        ((1024, 512), 512 * 512, (640, 320)),
        ((832, 1216), 832 * 1216 - 1, (768, 1152)),
        ((512, 512), 512 * 512, (448, 448)),
        ((64, 64), 10**9, None),
        ((512, 512), 64 * 64 - 1, None),
        ((3072, 64), 64 * 64, (64, 64)),
    ],
)
def test_smaller(size, pixels_max, expected):
    assert smaller(*size, pixels_max) == expected


def eased(ask, subject, **offer):
    return relaxed(ask, [subject], [a_capability(**offer)])


def test_a_size_is_the_largest_that_one_of_the_workers_draws():
    small, large = a_capability(pixels_max=512**2), a_capability(pixels_max=704**2)
    ask = relaxed(an_ask(1024, 1024), [S.SIZE], [small, large])
    assert (ask.width, ask.height, ask.requirement.pixels) == (704, 704, 704 * 704)
    assert ask.amount == 704 * 704 * 50


def test_fewer_steps_are_as_many_as_everybody_takes():
    ask = eased(an_ask(has_many_steps=True), S.STEPS)
    assert (ask.steps, ask.requirement.has_many_steps) == (30, False)


def test_another_sampler_is_the_one_most_workers_know():
    ask = an_ask(features=those(K_KARRAS, Feature.LORA))
    workers = [a_capability(features=those(DDIM, K)), a_capability(features=those(DDIM))]
    assert relaxed(ask, [S.SAMPLER], workers).requirement.features == {DDIM, Feature.LORA}
    (both, _) = workers
    assert relaxed(ask, [S.SAMPLER], [both]).requirement.features == {K, Feature.LORA}
    assert relaxed(ask, [S.SAMPLER], [a_capability(features=frozenset())]) is None


def test_what_needs_the_source_image_goes_with_it():
    wanted = those(Feature.IMG2IMG, Feature.CONTROLNET, Feature.RETURN_CONTROL_MAP, Feature.TILING)
    assert eased(an_ask(features=wanted), S.SOURCE_IMAGE).requirement.features == {Feature.TILING}
    assert without_implied([S.SOURCE_IMAGE, S.CONTROL, S.TIS]) == {S.SOURCE_IMAGE, S.TIS}


def test_models_offered():
    ask = an_ask(models=those("sdxl"))
    workers = [
        a_capability(models=those("b", "paint"), models_only_for_painting=those("paint")),
        a_capability(models=those("a", "b")),
    ]
    assert models_offered(ask, workers) == [("b", 2), ("a", 1)]


# Whatever is asked for and offered

FEATURES = st.frozensets(st.sampled_from([*Feature, "post:GFPGAN"]), max_size=3)
NAMES = st.frozensets(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=2)
WORKER_IDS = st.frozensets(st.sampled_from([WorkerId("w1"), WorkerId("w2")]), max_size=1)
SIDES = st.integers(1, 16).map(lambda times: 64 * times)


@st.composite
def asks(draw):
    width, height = draw(SIDES), draw(SIDES)
    return an_ask(
        width,
        height,
        steps_few=draw(st.sampled_from([None, 30])),
        models=draw(st.one_of(st.just(frozenset()), NAMES)),
        features=draw(FEATURES) | {draw(st.sampled_from(sorted(SAMPLERS)))},
        nsfw=draw(st.booleans()),
        trusted_only=draw(st.booleans()),
        fast_only=draw(st.booleans()),
        admits_extra_slow=draw(st.booleans()),
        has_many_steps=draw(st.booleans()),
        workers_allowed=draw(WORKER_IDS),
        workers_denied=draw(WORKER_IDS),
    )


@st.composite
def capabilities(draw):
    models = draw(NAMES)
    return a_capability(
        worker_id=draw(st.sampled_from(["w1", "w2", "w3"])),
        models=models,
        models_only_for_painting=draw(st.sampled_from([frozenset(), models])),
        models_not_for_painting=draw(st.sampled_from([frozenset(), models])),
        pixels_max=draw(st.integers(1, 2**20)),
        features=draw(FEATURES) | draw(st.frozensets(st.sampled_from(sorted(SAMPLERS)))),
        switched_off=draw(st.frozensets(st.sampled_from(sorted(SWITCHED_OFF)))),
        nsfw=draw(st.booleans()),
        is_trusted=draw(st.booleans()),
        is_fast=draw(st.booleans()),
        is_extra_slow=draw(st.booleans()),
        takes_many_steps=draw(st.booleans()),
    )


@given(asks(), capabilities())
def test_nothing_stands_in_the_way_just_when_the_worker_may_serve_it(ask, capability):
    assert (obstacles(ask, capability) == frozenset()) is (
        why_not(ask.requirement, capability) is None
    )


@given(asks(), capabilities())
def test_easing_all_that_stands_in_the_way_lets_the_worker_serve_it(ask, capability):
    subjects = obstacles(ask, capability)
    if subjects:
        ask = relaxed(ask, subjects, [capability])
        assert why_not(ask.requirement, capability) is None
        assert ask.requirement.pixels == ask.width * ask.height


@given(asks(), capabilities(), capabilities())
def test_whoever_served_a_request_serves_it_relaxed(ask, new, old):
    """All but one thing: another sampler must be known."""
    subjects = obstacles(ask, new)
    if not subjects or why_not(ask.requirement, old) is not None:
        return
    after = relaxed(ask, subjects, [new]).requirement
    if S.SAMPLER in subjects:
        old = msgspec.structs.replace(old, features=old.features | SAMPLERS)
    assert why_not(after, old) is None


@given(asks(), st.sampled_from(Subject), capabilities(), capabilities())
def test_each_subject_alone_only_lets_more_workers_in(ask, subject, new, old):
    """Also where it stood in nobody's way."""
    wants_painting = Feature.PAINTING in ask.requirement.features
    after = relaxed(ask, [subject], [new])
    if after is None or wants_painting or subject is S.SAMPLER:
        return
    if why_not(ask.requirement, old) is None:
        assert why_not(after.requirement, old) is None


def test_every_feature_can_be_left_out_but_two():
    """What is painted into is not given up, and nobody asks for Flux as such."""
    assert set(Feature) - OF_FEATURE.keys() == {Feature.PAINTING, Feature.FLUX}


def test_an_ask_is_a_plain_value():
    assert an_ask() == replace(an_ask())
