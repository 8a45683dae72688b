"""What the worker asks for, what it reads, what it delivers."""

import base64
import dataclasses
from typing import Any

import msgspec
import pytest

from ordu.client.wire import body_of
from ordu.protocol.jobs import GenerationPayload
from ordu.protocol.params import Lora, TextualInversion
from ordu.settings import WorkerSettings
from ordu.worker.backends import Drawing, Offer, Picture
from ordu.worker.jobs import (
    BRIDGE_AGENT,
    Job,
    ask_for,
    faulted,
    finished,
    name_of,
    read_job,
    reasons,
    seed_of,
)

OFFER = Offer(models=("sdxl", "sd15"), max_pixels=1024 * 1024)


def settings(**changes: Any) -> WorkerSettings:
    return WorkerSettings(**{"name": "attic", **changes})


def a_reply(payload: dict[str, Any] | None = None, **changes: Any) -> GenerationPayload:
    plain = {"id": "j", "payload": {"prompt": "a fox", **(payload or {})}, "model": "sdxl"}
    return msgspec.convert({**plain, **changes}, GenerationPayload)


# -- asking ------------------------------------------------------------------------------------


def test_the_pop_says_exactly_what_is_offered():
    offer = Offer(
        ("sdxl",),
        4096,
        img2img=True,
        lora=True,
        samplers=("k_euler", "DDIM"),
        features=frozenset({"tiling"}),
    )
    mine = settings(blacklist=("rain",), priority_usernames=("ada#2",), nsfw=True)
    assert msgspec.json.decode(body_of(ask_for(offer, mine, 2)) or b"") == {
        "name": "attic",
        "models": ["sdxl"],
        "max_pixels": 4096,
        "nsfw": True,
        "threads": 2,
        "blacklist": ["rain"],
        "priority_usernames": ["ada#2"],
        "bridge_agent": BRIDGE_AGENT,
        "bridge_version": 3,
        "allow_img2img": True,
        "allow_painting": False,
        "allow_post_processing": False,
        "allow_lora": True,
        "allow_controlnet": False,
        "allow_sdxl_controlnet": False,
        "limit_max_steps": False,
        "features": ["sampler:DDIM", "sampler:k_euler", "sampler:k_euler+karras", "tiling"],
        "extra_slow_worker": False,
    }


@pytest.mark.parametrize(
    ("change", "field", "value"),
    [
        pytest.param({}, "models", ["sdxl", "sd15"], id="all models when none are chosen"),
        pytest.param({"models": ("sd15",)}, "models", ["sd15"], id="only the chosen models"),
        pytest.param({"models": ("sd15", "x")}, "models", ["sd15"], id="only those there are"),
        pytest.param({}, "max_pixels", 1024 * 1024, id="as large as the backend can"),
        pytest.param({"max_pixels": 4096}, "max_pixels", 4096, id="as large as the owner wants"),
        pytest.param({"max_pixels": 2**24}, "max_pixels", 2**20, id="never larger than it can"),
        pytest.param({"without": ("lora",)}, "allow_lora", False, id="no LoRAs"),
        pytest.param({"extra_slow": True}, "extra_slow_worker", True, id="very slow"),
        pytest.param({"bridge_agent": "x:1:y"}, "bridge_agent", "x:1:y", id="another name"),
        pytest.param({"nsfw": False}, "nsfw", False, id="no nsfw when the owner does not want it"),
    ],
)
def test_the_owners_settings_narrow_the_offer(change, field, value):
    assert getattr(ask_for(OFFER, settings(**change)), field) == value


def test_a_backend_that_makes_nothing_nsfw_is_not_offered_for_it():
    offer = dataclasses.replace(OFFER, nsfw=False)
    assert ask_for(offer, settings(nsfw=True)).nsfw is False


def test_a_wish_for_models_that_are_not_there_is_an_error():
    with pytest.raises(LookupError, match="none of the models x; it has sdxl, sd15"):
        ask_for(OFFER, settings(models=("x",)))


def test_the_horde_hears_its_own_names_of_models():
    mine = settings(model_names={"SDXL 1.0": "sdxl"}, models=("SDXL 1.0",))
    assert ask_for(OFFER, mine).models == ["SDXL 1.0"]
    job = read_job(a_reply(model="SDXL 1.0"), "j", 1, mine.model_names)
    assert (job.model, job.drawing.model) == ("SDXL 1.0", "sdxl")


def test_a_worker_without_a_name_has_that_of_its_machine(monkeypatch):
    monkeypatch.setattr("platform.node", lambda: "attic")
    assert name_of(WorkerSettings()) == "attic"
    monkeypatch.setattr("platform.node", lambda: "")
    assert name_of(WorkerSettings()) == "worker"


# -- reading -----------------------------------------------------------------------------------


def test_every_field_of_a_job_is_read():
    payload = {
        "prompt": "a fox ### rain ### snow",
        "ddim_steps": 12,
        "width": 640,
        "height": 704,
        "cfg_scale": 7.5,
        "seed": "7",
        "sampler_name": "DDIM",
        "karras": False,
        "tiling": True,
        "denoising_strength": 0.5,
        "post_processing": ["CodeFormers"],
        "clip_skip": 2,
        "hires_fix": True,
        "hires_fix_denoising_strength": 0.4,
        "loras": [{"name": "ink", "model": 0.5}],
        "tis": [{"name": "moon"}],
        "control_type": "canny",
        "image_is_control": True,
        "return_control_map": True,
        "facefixer_strength": 0.3,
        "use_nsfw_censor": True,
    }
    reply = a_reply(
        payload,
        source_image="abc",
        source_mask="def",
        source_processing="inpainting",
        r2_upload="http://up",
        ttl=150,
    )
    job = read_job(reply, "j", 1, {})
    drawing = Drawing(
        prompt="a fox",
        negative_prompt="rain ### snow",
        width=640,
        height=704,
        steps=12,
        cfg_scale=7.5,
        seed=7,
        sampler="DDIM",
        karras=False,
        tiling=True,
        model="sdxl",
        denoising_strength=0.5,
        post_processing=("CodeFormers",),
        source_processing="inpainting",
        clip_skip=2,
        hires_fix=True,
        hires_fix_denoising_strength=0.4,
        loras=(Lora(name="ink", model=0.5),),
        tis=(TextualInversion(name="moon"),),
        control_type="canny",
        image_is_control=True,
        return_control_map=True,
        facefixer_strength=0.3,
        censor_nsfw=True,
    )
    assert job == Job(
        id="j",
        model="sdxl",
        drawing=drawing,
        source="abc",
        mask="def",
        upload_url="http://up",
        ttl_s=150,
    )


def test_a_job_of_2022_gets_the_usual_values():
    old = {"use_gfpgan": True, "use_real_esrgan": True, "karras": None}
    job = read_job(a_reply(old, source_image=None), "j", 2**32 + 5, {})
    assert job.drawing == Drawing(
        prompt="a fox",
        seed=5,
        model="sdxl",
        post_processing=("GFPGAN", "RealESRGAN_x4plus"),
    )
    assert (job.source, job.mask, job.upload_url, job.ttl_s) == (None, None, None, None)


@pytest.mark.parametrize(
    ("text", "seed"),
    [
        ("0", 0),
        ("4294967295", 2**32 - 1),
        ("4294967296", 1),
        ("cat", 7627107),
        ("abcd", 1684234849),
        ("abcde", 101),
        ("hello world", 6581362),
        ("-5", 13613),
        ("²", int.from_bytes("²".encode(), "little")),
        ("", 42),
    ],
)
def test_a_seed_is_a_number_however_it_is_written(text, seed):
    assert seed_of(text, 42) == seed


def test_reasons_are_those_that_count():
    reply = a_reply(skipped={"nsfw": 2, "models": 0, "post-processing": 1})
    assert reasons(reply) == {"nsfw": 2, "post-processing": 1}
    assert reasons(GenerationPayload()) == {}


# -- delivering --------------------------------------------------------------------------------


def test_a_picture_goes_inside_the_message_or_by_its_link():
    job = read_job(a_reply({"seed": "7"}), "j", 1, {})
    inside = finished(job, Picture(b"picture"), uploaded=False)
    assert (inside.id, inside.seed, inside.state) == ("j", 7, "ok")
    assert base64.b64decode(inside.generation) == b"picture"
    assert finished(job, Picture(b"picture"), uploaded=True).generation == "R2"
    censored = finished(job, Picture(b"grey", is_censored=True), uploaded=False)
    assert censored.state == "censored"
    assert [(each.type, each.value) for each in censored.gen_metadata] == [("censorship", "nsfw")]


def test_a_failure_says_so_in_every_field():
    said = msgspec.to_builtins(faulted("j"))
    assert (
        said.items() >= {"id": "j", "generation": "faulted", "seed": -1, "state": "faulted"}.items()
    )
