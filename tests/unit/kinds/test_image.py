"""Reading picture requests and pops, and telling a worker what to draw."""

import msgspec
import pytest

from ordu.kinds.image import IMAGE, refusals
from ordu.kinds.image.drawing import decode
from ordu.protocol.errors import Refused
from ordu.protocol.jobs import PopInputStable
from ordu.protocol.requests import GenerationInput
from ordu.rules.matching import Feature
from ordu.rules.money import Kudos
from ordu.settings import ServerSettings

SETTINGS = ServerSettings()


def wish(**body):
    request = msgspec.convert({"prompt": "a fox"} | body, GenerationInput)
    return IMAGE.wish(request, SETTINGS)


def offer(**body):
    pop = msgspec.convert({"name": "attic"} | body, PopInputStable)
    return IMAGE.offer(pop, "w1", False)


def test_the_real_defaults_are_used():  # protocol sheet 13 §11.1
    asked = wish()
    assert asked.requirement.nsfw is True
    assert asked.requirement.trusted_only is False
    assert asked.requirement.models == {"stable_diffusion"}
    assert (asked.n, asked.work, asked.price) == (1, 512 * 512 * 30, Kudos(600))
    drawing = decode(asked.body)
    assert (drawing.karras, drawing.cfg_scale, drawing.sampler_name) == (True, 5.0, "k_euler_a")
    assert asked.wants_links is False


def test_an_explicit_empty_list_of_models_means_any():
    assert wish(models=[]).requirement.models == frozenset()


@pytest.mark.parametrize(
    ("body", "feature"),
    [
        ({"source_image": "x"}, Feature.IMG2IMG),
        ({"source_image": "x", "source_processing": "inpainting"}, Feature.PAINTING),
        ({"params": {"post_processing": ["GFPGAN"]}}, Feature.POST_PROCESSING),
        ({"params": {"use_gfpgan": True}}, Feature.POST_PROCESSING),
        ({"params": {"tiling": True}}, Feature.TILING),
        ({"params": {"hires_fix": True}}, Feature.HIRES_FIX),
        ({"params": {"clip_skip": 2}}, Feature.CLIP_SKIP),
    ],
)
def test_what_not_every_worker_can_do_is_required(body, feature):
    assert feature in wish(**body).requirement.features


@pytest.mark.parametrize(
    "body",
    [
        {"source_image": ""},
        {"source_processing": "inpainting"},
        {"params": {"post_processing": []}},
        {"params": {"clip_skip": 1}},
    ],
)
def test_what_is_not_asked_for_is_not_required(body):
    assert wish(**body).requirement.features == {"sampler:k_euler_a+karras"}


def test_a_list_of_workers_allows_or_denies():
    assert wish(workers=["a"]).requirement.workers_allowed == {"a"}
    assert wish(workers=["a"], worker_blacklist=True).requirement.workers_denied == {"a"}


def test_a_censor_is_asked_for_only_where_nsfw_is_not_wanted():
    assert decode(wish(nsfw=False).body).use_nsfw_censor is True
    assert decode(wish(nsfw=True).body).use_nsfw_censor is False
    assert decode(wish(nsfw=False, censor_nsfw=False).body).use_nsfw_censor is False


def test_seeds():
    assert wish().seed is None
    assert wish(params={"seed": ""}).seed is None
    asked = wish(params={"seed": "cat", "seed_variation": 3})
    assert (asked.seed, asked.seed_step) == (7627107, 3)


@pytest.mark.parametrize(
    ("body", "rc", "status"),
    [
        ({"prompt": "  \n"}, "MissingPrompt", 400),
        ({"style": "moody"}, "NotImplemented", 501),
        ({"params": {"cfg_scale": 1.234}}, "BadCFGDecimals", 400),
        ({"params": {"loras": [{"name": "x"}] * 6}}, "TooManyLoras", 400),
        ({"params": {"loras": [{"name": "v2", "is_version": True}]}}, "BadLoraVersion", 400),
        ({"params": {"tis": [{"name": "x"}] * 21}}, "TooManyTIs", 400),
        ({"prompt": "fox " * 7501}, "InvalidPromptSize", 400),
        ({"models": ["sdxl", "GFPGAN"]}, "UnexpectedModelName", 400),
        (
            {"params": {"post_processing": ["NMKD_Siax", "RealESRGAN_x2plus"]}},
            "TooManyUpscalers",
            400,
        ),
        ({"source_mask": "x"}, "SourceMaskUnnecessary", 400),
        (
            {"source_image": "x", "models": ["pix2pix"], "params": {"control_type": "hed"}},
            "ControlNetUnsupported",
            400,
        ),
        ({"params": {"control_type": "hed"}}, "ControlNetSourceMissing", 400),
        (
            {
                "source_image": "x",
                "source_processing": "inpainting",
                "params": {"control_type": "hed"},
            },
            "ControlNetInpaintingMismatch",
            400,
        ),
        (
            {"source_image": "x", "params": {"transparent": True, "control_type": "hed"}},
            "InvalidTransparencyCN",
            400,
        ),
        (
            {
                "source_image": "x",
                "source_processing": "remix",
                "extra_source_images": [{"image": "y"}],
                "params": {"transparent": True},
            },
            "InvalidTransparencyImg2Img",
            400,
        ),
        ({"extra_source_images": [{"image": "y"}]}, "InvalidExtraSourceImages.", 400),
        ({"extra_source_images": [{"image": "y"}] * 6}, "TooManyExtraSourceImages.", 400),
        (
            {"params": {"extra_texts": [{"text": "a", "reference": "abc"}]}},
            "InvalidExtraTexts.",
            400,
        ),
        ({"params": {"workflow": "qr_code"}}, "MissingExtraTexts.", 400),
        ({"models": ["pix2pix"]}, "SourceImageRequiredForModel", 400),
    ],
)
def test_refusals(body, rc, status):
    with pytest.raises(Refused) as refused:
        wish(**body)
    assert (refused.value.rc, refused.value.status) == (rc, status)


def test_every_refusal_of_the_table_is_tested():
    tested = {
        mark.args[1][index][1]
        for mark in test_refusals.pytestmark
        for index in range(len(mark.args[1]))
    }
    assert {rule.rc for rule in refusals.RULES} <= tested


def test_the_payload_leaves_out_what_was_not_asked_for():
    payload = msgspec.to_builtins(IMAGE.payload(wish().body, 7))
    assert payload["seed"] == "7"
    assert payload["ddim_steps"] == 30
    assert payload["n_iter"] == 1
    absent = {"clip_skip", "denoising_strength", "post_processing", "use_nsfw_censor", "loras"}
    assert absent.isdisjoint(payload)


def test_the_payload_keeps_a_zero():
    body = wish(source_image="x", params={"denoising_strength": 0}).body
    assert msgspec.to_builtins(IMAGE.payload(body, 7))["denoising_strength"] == 0


def test_a_stored_request_says_only_what_differs_from_its_defaults():
    assert b"hires" not in wish().body


def test_a_pop_offers_what_it_says():
    said = offer(
        models=["sdxl"],
        max_pixels=1024,
        nsfw=False,
        threads=4,
        allow_img2img=False,
        blacklist=["  ", "w" * 40],
        priority_usernames=["ferris#42", "no number"],
        bridge_agent="x:1:y",
    )
    assert said.capability.models == {"sdxl"}
    assert (said.capability.pixels_max, said.capability.nsfw, said.threads) == (1024, False, 4)
    assert Feature.IMG2IMG not in said.capability.features
    assert said.blacklist == ("w" * 15,)
    assert said.priority_user_ids == (42,)
    assert said.agent == "x:1:y"


def test_an_empty_list_of_models_offers_the_usual_one():
    assert offer().capability.models == {"stable_diffusion"}
    assert offer().agent is None


@pytest.mark.parametrize(
    ("words", "found"), [(["FOX"], True), (["wolf"], False), (["wolf", "a f"], True), ([], False)]
)
def test_has_word(words, found):
    assert IMAGE.has_word(wish().body, words) is found


@pytest.mark.parametrize(
    ("params", "many"),
    [
        ({"steps": 30}, False),
        ({"steps": 31}, True),
        ({"steps": 16, "sampler_name": "k_heun"}, True),
        ({"steps": 15, "sampler_name": "k_heun"}, False),
        ({"steps": 1, "sampler_name": "k_dpm_adaptive"}, True),
    ],
)
def test_steps_count_as_the_sampler_does_them(params, many):
    assert wish(params=params).requirement.has_many_steps is many


@pytest.mark.parametrize(
    ("factors", "body", "price"),
    [
        ({}, {"source_image": "x"}, 600),
        ({"source_image": 1.3}, {"source_image": "x"}, 780),
        ({"source_image": 1.3}, {}, 600),
        ({"post_processing": 1.5}, {"params": {"post_processing": ["GFPGAN", "NMKD_Siax"]}}, 1350),
        ({"loras": 2}, {"params": {"loras": [{"name": "a"}, {"name": "b"}]}}, 2400),
        ({"fast_workers": 1.2, "hires_fix": 2}, {"slow_workers": False}, 720),
        ({"worker_blacklist": 1.1}, {"workers": ["a"], "worker_blacklist": True}, 660),
        ({"worker_blacklist": 1.1}, {"worker_blacklist": True}, 600),
    ],
)
def test_an_operators_factors(factors, body, price):
    request = msgspec.convert({"prompt": "a fox"} | body, GenerationInput)
    settings = msgspec.structs.replace(SETTINGS, factors=factors)
    assert IMAGE.wish(request, settings).price == Kudos(price)


def test_every_factor_of_the_settings_is_known():
    from typing import get_args

    from ordu.kinds.image.asking import FACTORS
    from ordu.settings import Factor

    assert set(FACTORS) == set(get_args(Factor))
