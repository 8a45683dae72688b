"""Reading picture requests and pops, and telling a worker what to draw."""

from typing import get_args

import msgspec
import pytest
from tests.builders import a_user

from ordu.kinds.catalogue import Catalogue, Model
from ordu.kinds.image import IMAGE, refusals
from ordu.kinds.image.costs import FACTORS
from ordu.kinds.image.drawing import decode
from ordu.protocol.errors import Refused
from ordu.protocol.jobs import PopInputStable
from ordu.protocol.requests import GenerationInput
from ordu.rules.matching import Feature, Reason, usable_models, why_not
from ordu.rules.money import Kudos
from ordu.settings import Baseline, Factor, ServerSettings

SETTINGS = ServerSettings()
NOTHING_LISTED = Catalogue()
STRANGER = a_user()


def wish(catalogue=NOTHING_LISTED, user=STRANGER, settings=SETTINGS, **body):
    request = msgspec.convert({"prompt": "a fox"} | body, GenerationInput)
    return IMAGE.wish(request, user, settings, catalogue)


def offer(catalogue=NOTHING_LISTED, user=STRANGER, **body):
    pop = msgspec.convert({"name": "attic"} | body, PopInputStable)
    return IMAGE.offer(pop, "w1", user, catalogue)


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
        ({"nsfw": False, "censor_nsfw": True}, Feature.CENSOR),
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
        {"nsfw": True, "censor_nsfw": True},
        {"nsfw": False, "censor_nsfw": False},
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


LISTED = Catalogue(
    {
        "first": Model(baseline="stable diffusion 1"),
        "second": Model(baseline="stable diffusion 2"),
        "xl": Model(baseline="stable_diffusion_xl"),
        "cascade": Model(baseline="stable_cascade"),
        "flux": Model(baseline="flux_1"),
        "qwen": Model(baseline="qwen_image"),
        "turbo": Model(baseline="z_image_turbo"),
        "brush": Model(inpainting=True),
        "canvas": Model(inpainting=False),
        "adult": Model(nsfw=True),
    }
)
CONTROLLED = {"source_image": "x", "params": {"control_type": "hed"}}
QR_CODE = {"workflow": "qr_code", "extra_texts": [{"text": "a", "reference": "qr_code"}]}


@pytest.mark.parametrize(
    ("body", "rc", "refused"),
    [
        ({"params": {"hires_fix": True}}, "HiResMismatch", "flux qwen turbo"),
        (
            {"params": {"transparent": True}},
            "InvalidTransparencyModel",
            "second cascade flux qwen turbo",
        ),
        ({"params": QR_CODE}, "ControlNetMismatch.", "second cascade flux qwen turbo"),
        (
            {"source_image": "x", "params": {"control_type": "normal"}},
            "ControlNetUnsupported",
            "second",
        ),
        (CONTROLLED, "ControlNetMismatch", "xl cascade flux qwen turbo"),
        ({"source_processing": "remix"}, "InvalidRemix", "first second xl flux qwen turbo"),
    ],
)
def test_what_a_listed_model_is_not_made_for_is_refused(body, rc, refused):
    for name in LISTED.models:
        if name in refused.split():
            with pytest.raises(Refused) as found:
                wish(LISTED, models=["unknown", name], **body)
            assert (found.value.rc, found.value.status) == (rc, 400), name
        elif not (rc == "ControlNetUnsupported" and LISTED.baselines([name])):
            wish(LISTED, models=[name], **body)
    wish(models=["flux"], **body)  # nothing is guessed about what is not listed


@pytest.mark.parametrize(
    ("body", "rc"),
    [
        (
            {"extra_source_images": [{"image": "x"}] * 2, "source_processing": "remix"},
            "MoreThanMinExtraSourceImage.",
        ),
        ({"disable_batching": True, "params": {"n": 2}}, "RequiresTrust"),
    ],
)
def test_what_takes_trust(body, rc):
    wish(user=a_user(is_trusted=True), **body)
    with pytest.raises(Refused) as refused:
        wish(**body)
    assert refused.value.rc == rc


def test_an_account_for_education_gets_nothing_that_is_not_for_everybody():
    asked = wish(user=a_user(is_education=True), nsfw=True, censor_nsfw=False)
    assert (asked.requirement.nsfw, asked.requirement.trusted_only) == (False, True)
    assert decode(asked.body).use_nsfw_censor is True


def test_minors_are_not_drawn_with_models_made_for_adults():
    wish(LISTED, prompt="a child with a kite", models=["xl"])
    with pytest.raises(Refused) as refused:
        wish(LISTED, prompt="a child with a kite", models=["xl", "adult"])
    assert refused.value.rc == "CorruptPrompt"


def test_an_operators_words_are_replaced_unless_the_request_forbids_it():
    settings = msgspec.structs.replace(SETTINGS, replaced_words={"knife": "spoon"})
    asked = wish(settings=settings, prompt="a Knife, knifes")
    assert decode(asked.body).prompt == "a spoon, knifes"
    with pytest.raises(Refused):
        wish(settings=settings, prompt="a knife", replacement_filter=False)
    teacher = a_user(is_education=True)
    assert wish(settings=settings, user=teacher, prompt="a knife", replacement_filter=False)


@pytest.mark.parametrize(
    ("models", "factors", "price"),
    [
        (["flux"], {}, 600),
        (["flux"], {"flux_1": 8}, 4800),
        (["xl", "flux"], {"flux_1": 8, "stable_diffusion_xl": 2}, 4800),
        (["unknown"], {"flux_1": 8}, 600),
        (["flux"], {"flux_1": 0.5}, 300),
        ([], {"flux_1": 8}, 600),
    ],
)
def test_prices_by_baseline(models, factors, price):
    settings = msgspec.structs.replace(SETTINGS, factors=factors)
    assert wish(LISTED, settings=settings, models=models).price == Kudos(price)


@pytest.mark.parametrize(
    ("body", "ttl_s"),
    [
        ({}, 150),
        ({"params": {"width": 1024, "height": 1024}}, 270),
        ({"params": {"width": 1024, "height": 1024}, "models": ["flux"]}, 810),
        ({"params": {"width": 1024, "height": 1024, "sampler_name": "k_heun"}}, 510),
        (
            {
                "params": {"width": 1024, "height": 1024, "control_type": "hed"},
                "source_image": "x",
            },
            540,
        ),
    ],
)
def test_how_long_a_worker_may_take(body, ttl_s):
    assert wish(LISTED, **body).ttl_ms == ttl_s * 1000


def test_large_models_make_small_batches():
    small = {"width": 512, "height": 512}
    usual = wish(LISTED, params=small).body
    large = wish(LISTED, params=small, models=["flux"]).body
    assert (IMAGE.batch(usual, 2048 * 2048, 4), IMAGE.batch(large, 2048 * 2048, 4)) == (4, 4)
    assert (IMAGE.batch(usual, 1024 * 1024, 4), IMAGE.batch(large, 1024 * 1024, 4)) == (4, 1)


@pytest.mark.parametrize(
    ("asked", "lighter"),
    [
        ({}, (512, 512, 30)),
        ({"width": 2048, "height": 1024, "steps": 400}, (1408, 704, 100)),
        ({"width": 3072, "height": 64}, (3072, 64, 30)),
        ({"width": 3072, "height": 3072}, (1024, 1024, 30)),
    ],
)
def test_a_lighter_request_is_not_heavy(asked, lighter):
    body = msgspec.convert(
        {"prompt": "a fox", "slow_workers": False, "params": asked}, GenerationInput
    )
    made = IMAGE.lighter(body)
    assert (made.params.width, made.params.height, made.params.steps) == lighter
    assert not IMAGE.wish(made, STRANGER, SETTINGS, NOTHING_LISTED).is_heavy


def test_many_steps_are_those_above_the_middle_of_the_models():
    listed = Catalogue({"quick": Model(min_steps=4, max_steps=8), "slow": Model(max_steps=80)})
    for models, most in ((["quick"], 6), (["slow"], 50), (["quick", "slow"], 6), (["x"], 30)):
        few = wish(listed, models=models, params={"steps": most})
        many = wish(listed, models=models, params={"steps": most + 1})
        assert not few.requirement.has_many_steps, models
        assert many.requirement.has_many_steps, models


def test_models_for_painting_only_and_for_all_else():
    can = offer(LISTED, models=["brush", "canvas", "other"], bridge_agent="Ordu:1:x").capability
    plain = wish(LISTED, models=[]).requirement
    painting = wish(LISTED, models=[], source_image="x", source_processing="inpainting").requirement
    assert usable_models(plain, can) == {"canvas", "other"}
    assert usable_models(painting, can) == {"brush", "other"}
    only = offer(LISTED, models=["brush"], bridge_agent="Ordu:1:x").capability
    assert why_not(plain, only) is Reason.MODELS
    assert why_not(painting, only) is None


def test_our_own_worker_can_what_its_pop_says():
    said = ["tiling", "sampler:k_euler", "sampler:k_euler+karras", "post:GFPGAN", "no such thing"]
    can = offer(LISTED, bridge_agent="Ordu:1:x", features=said).capability.features
    assert {Feature.TILING, "sampler:k_euler", "post:GFPGAN", Feature.IMG2IMG} <= can
    assert can.isdisjoint({Feature.HIRES_FIX, Feature.CENSOR, "sampler:k_lms", "post:CodeFormers"})
    assert (
        "sampler:k_lms" in offer(LISTED, bridge_agent="Ordu:1:x", features=[]).capability.features
    )
    assert (
        Feature.TILING not in offer(LISTED, bridge_agent="x:1:y", features=said).capability.features
    )


def test_where_only_listed_models_are_taken_others_are_left_out():
    strict = Catalogue(LISTED.models, only_listed=True)
    assert offer(strict, models=["xl", "mine"]).capability.models == {"xl"}
    customizer = a_user(is_customizer=True)
    assert offer(strict, customizer, models=["mine"]).capability.models == {"mine"}
    with pytest.raises(Refused) as refused:
        offer(strict, models=["mine"])
    assert refused.value.rc == "BadRequest"


@pytest.mark.parametrize(
    ("agent", "models"),
    [
        ("AI Horde Worker reGen:8:x", {"xl"}),
        ("AI Horde Worker reGen:9:x", {"xl", "flux"}),
        ("Ordu:1:x", {"xl", "flux"}),
        ("somebody:1:x", {"xl"}),
    ],
)
def test_flux_takes_a_program_of_its_time(agent, models):
    said = offer(LISTED, models=["xl", "flux"], bridge_agent=agent)
    assert said.capability.models == models


def test_every_refusal_of_the_table_is_tested():
    tests = (
        test_refusals,
        test_what_a_listed_model_is_not_made_for_is_refused,
        test_what_takes_trust,
    )
    tested = {each[1] for test in tests for mark in test.pytestmark for each in mark.args[1]}
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
    settings = msgspec.structs.replace(SETTINGS, factors=factors)
    assert wish(settings=settings, **body).price == Kudos(price)


def test_every_factor_of_the_settings_is_known():
    assert {*FACTORS, *get_args(Baseline)} == set(get_args(Factor))
