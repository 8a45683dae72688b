import pytest

from ordu.kinds.image.bridges import (
    EVERYTHING,
    SAMPLERS,
    UNKNOWN,
    abilities,
    post_feature,
    sampler_feature,
)
from ordu.rules.matching import Feature


@pytest.mark.parametrize(
    ("agent", "can", "cannot"),
    [
        (
            "AI Horde Worker reGen:13.1.0:https://x",
            {Feature.TRANSPARENT, Feature.QR_CODE, post_feature("RestoreFormer")},
            {sampler_feature("PLMS", karras=False)},
        ),
        ("AI Horde Worker reGen:1:x", {Feature.CONTROLNET}, {Feature.LORA, "sampler:lcm+karras"}),
        ("AI Horde Worker reGen:3:x", {"sampler:lcm", Feature.LORA_VERSIONS}, {Feature.QR_CODE}),
        (
            "AI Horde Worker:24:x",
            {Feature.LORA, Feature.TEXTUAL_INVERSION, "sampler:DDIM"},
            {Feature.TILING, Feature.LORA_VERSIONS, "sampler:lcm"},
        ),
        ("AI Horde Worker~a fork:4:x", {Feature.PAINTING}, {Feature.POST_PROCESSING}),
        ("AI Horde Worker:3.2:x", {Feature.IMG2IMG}, {Feature.PAINTING, "sampler:k_dpmpp_sde"}),
        (
            "HordeAutoWebBridge:1:x",
            {"sampler:k_euler", "sampler:k_lms+karras"},
            {"sampler:k_euler+karras", Feature.TILING},
        ),
        ("SD-WebUI Stable Horde Worker Bridge:4:x", {Feature.CLIP_SKIP}, {"sampler:dpmsolver"}),
        ("Ordu:0.1:local", EVERYTHING, set()),
    ],
)
def test_what_a_program_can(agent, can, cannot):
    has = abilities(agent, 1)
    assert can <= has
    assert has.isdisjoint(cannot)


@pytest.mark.parametrize(
    "agent",
    ["unknown:0:unknown", "", "x", "AI Horde Worker", "AI Horde Worker:new:x", "AI Horde Worker:x"],
)
def test_an_unknown_program_draws_from_text_only(agent):
    assert abilities(agent, 3) == UNKNOWN
    assert UNKNOWN & frozenset(Feature) == {Feature.CENSOR}


def test_programs_of_2022_go_by_their_number():
    assert Feature.IMG2IMG not in abilities(None, 1)
    assert Feature.IMG2IMG in abilities(None, 2)
    assert sampler_feature("DDIM", karras=True) not in abilities(None, 2)
    assert {sampler_feature(name, karras=True) for name in SAMPLERS} <= abilities(None, 3)
    assert abilities(None, -5) == abilities(None, 1)


def test_ddim_and_plms_know_no_karras():
    assert sampler_feature("DDIM", karras=True) == sampler_feature("DDIM", karras=False)
    assert sampler_feature("k_lms", karras=True) != sampler_feature("k_lms", karras=False)
