import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders import a_capability, a_requirement

from ordu.rules.matching import Feature, Reason, Requirement, lane_key, model_for, why_not


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param({}, None, id="everything fits"),
        pytest.param({"kind": "text"}, Reason.KIND, id="another kind of work"),
        pytest.param({"models": frozenset({"sdxl"})}, Reason.MODELS, id="a model it does not have"),
        pytest.param({"models": frozenset()}, None, id="any model will do"),
        pytest.param(
            {"models": frozenset({"sdxl", "stable_diffusion"})}, None, id="one of several models"
        ),
        pytest.param({"pixels": 1024 * 1024}, None, id="exactly its largest picture"),
        pytest.param({"pixels": 1024 * 1024 + 1}, Reason.MAX_PIXELS, id="picture too large"),
        pytest.param({"trusted_only": True}, Reason.UNTRUSTED, id="trusted workers only"),
        pytest.param({"workers_allowed": frozenset({"w1", "w2"})}, None, id="it is on the list"),
        pytest.param(
            {"workers_allowed": frozenset({"w2"})}, Reason.WORKER_ID, id="not on the list"
        ),
        pytest.param({"workers_denied": frozenset({"w1"})}, Reason.WORKER_ID, id="on the denylist"),
        pytest.param({"workers_denied": frozenset({"w2"})}, None, id="another one is denied"),
    ],
)
def test_why_not_by_requirement(change, reason):
    assert why_not(a_requirement(**change), a_capability()) is reason


@pytest.mark.parametrize(
    ("needs", "offers", "reason"),
    [
        pytest.param({"nsfw": True}, {"nsfw": False}, Reason.NSFW, id="no nsfw here"),
        pytest.param({"nsfw": False}, {"nsfw": False}, None, id="nsfw is not asked for"),
        pytest.param({"fast_only": True}, {"is_fast": False}, Reason.PERFORMANCE, id="too slow"),
        pytest.param({"trusted_only": True}, {"is_trusted": True}, None, id="it is trusted"),
        pytest.param(
            {"features": frozenset({Feature.IMG2IMG})},
            {"switched_off": frozenset({Feature.IMG2IMG})},
            Reason.IMG2IMG,
            id="no source images",
        ),
        pytest.param(
            {"features": frozenset({Feature.POST_PROCESSING, Feature.PAINTING})},
            {"switched_off": frozenset({Feature.POST_PROCESSING, Feature.PAINTING})},
            Reason.PAINTING,
            id="the first of several that are switched off counts",
        ),
        pytest.param(
            {"admits_extra_slow": False},
            {"is_extra_slow": True},
            Reason.PERFORMANCE,
            id="a worker that calls itself extra slow",
        ),
        pytest.param(
            {"admits_extra_slow": True}, {"is_extra_slow": True}, None, id="it is admitted"
        ),
        pytest.param(
            {"has_many_steps": True},
            {"takes_many_steps": False},
            Reason.STEP_COUNT,
            id="more steps than it takes",
        ),
        pytest.param(
            {"features": frozenset({Feature.IMG2IMG, "sampler:k_lms"})},
            {"features": frozenset({Feature.IMG2IMG})},
            Reason.BRIDGE_VERSION,
            id="a program that cannot",
        ),
        pytest.param(
            {"features": frozenset({Feature.LORA, Feature.TILING})},
            {"features": frozenset(), "switched_off": frozenset({Feature.LORA})},
            Reason.LORA,
            id="what is switched off counts before what the program cannot",
        ),
    ],
)
def test_why_not_by_both(needs, offers, reason):
    assert why_not(a_requirement(**needs), a_capability(**offers)) is reason


requirements = st.builds(
    Requirement,
    kind=st.sampled_from(["image", "text"]),
    models=st.frozensets(st.text(max_size=3), max_size=3),
    pixels=st.integers(0, 2**24),
    features=st.frozensets(st.sampled_from(Feature)),
    nsfw=st.booleans(),
    workers_allowed=st.frozensets(st.sampled_from(["w1", "w2"])),
)


@given(requirements, requirements)
def test_equal_requirements_and_no_others_share_a_lane(one, other):
    assert (lane_key(one) == lane_key(other)) == (one == other)


def test_a_lane_key_is_the_same_after_every_start():
    # Kept in databases: when this changes, LANE_KEY_VERSION must change too.
    assert lane_key(a_requirement()).hex() == "02fa9285d24d95534de4238706cf7814"


def test_the_model_is_one_that_both_name():
    requirement = a_requirement(models=frozenset({"b", "c"}))
    capability = a_capability(models=frozenset({"a", "b", "c"}))
    assert {model_for(requirement, capability, choice) for choice in range(9)} == {"b", "c"}


def test_any_model_means_one_of_the_workers():
    requirement = a_requirement(models=frozenset())
    capability = a_capability(models=frozenset({"a", "b"}))
    assert {model_for(requirement, capability, choice) for choice in range(9)} == {"a", "b"}
