"""The door of programs made for OpenAI's images API."""

import asyncio
import base64
import io
import json
import struct
import zlib
from contextlib import suppress

import httpx
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.api.conftest import ADMIN
from tests.api.sockets import served, until
from tests.builders import a_picture
from tests.conftest import ADMIN_KEY

from ordu.engine import sweeper
from ordu.images.check import Picture
from ordu.images.headers import PictureFormat
from ordu.kinds.catalogue import Catalogue, Model
from ordu.protocol.errors import Refused
from ordu.server.app import make_app
from ordu.server.doors.openai import forms, pixels
from ordu.server.doors.openai.asking import size_like, steps_of
from ordu.store import requests

pytestmark = pytest.mark.anyio

GENERATIONS = "/v1/images/generations"
EDITS = "/v1/images/edits"
VARIATIONS = "/v1/images/variations"
BEARER = {"authorization": f"Bearer {ADMIN_KEY}"}
WEBP = a_picture()
ABLE = dict.fromkeys(
    ("allow_img2img", "allow_painting", "allow_lora", "allow_controlnet", "allow_sdxl_controlnet"),
    True,
)


def png(width=128, height=64, colour=(10, 200, 30), hole=None):
    """A picture, or a mask with a hole: the box is fully transparent."""
    image = Image.new("RGBA", (width, height), (*colour, 255))
    if hole:
        image.paste((0, 0, 0, 0), hole)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def draw(api, horde, pop, submit):
    """Make a call, and the pictures of what it places by hand; the answer and what was popped."""

    async def work(*calls, n=1, generation=WEBP, headers=BEARER, worker=None, **request):
        worker = ABLE | (worker or {})
        await pop(**worker)  # somebody is here
        calling = asyncio.create_task(api.post(*calls, headers=headers, **request))
        await until(lambda: horde.sync_waits.taken or calling.done())
        assert not calling.done(), calling.result().text
        jobs = []
        for _ in range(n):
            job = await pop(**worker)
            reply = await submit(job["id"], generation=base64.b64encode(generation).decode())
            assert reply.status_code == 200, reply.text
            jobs.append(job)
        return await calling, jobs

    return work


def refusal(reply, status):
    """The error of an answer, whose shape is checked."""
    assert reply.status_code == status, reply.text
    assert reply.headers["content-type"] == "application/json"
    error = reply.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    return error


# Generations


async def test_a_call_with_a_prompt_alone_is_answered_with_a_picture(draw, horde, api, register):
    key = (await register("artist"))["apikey"]
    await api.put("/api/v2/users/2", json={"kudos": 1000}, headers=ADMIN)
    headers = {"authorization": f"Bearer {key}"}
    reply, (job,) = await draw(GENERATIONS, json={"prompt": "a fox"}, headers=headers)
    assert reply.status_code == 200, reply.text
    answer = reply.json()
    (image,) = answer.pop("data")
    assert base64.b64decode(image.pop("b64_json")) == WEBP
    assert image == {
        "id": job["id"],
        "model": "stable_diffusion",
        "seed": "1",
        "worker_name": "attic",
        "censored": False,
    }
    usage = answer.pop("usage")
    assert usage.pop("kudos") > 0
    details = {"image_tokens": 0, "text_tokens": 0}
    assert usage == {
        "input_tokens": 0,
        "input_tokens_details": details,
        "output_tokens": 0,
        "output_tokens_details": details,
        "total_tokens": 0,
    }
    assert answer == {
        "created": horde.now() // 1000,
        "background": "opaque",
        "output_format": "webp",
        "quality": "medium",
        "size": "512x512",
    }
    assert reply.headers["x-request-id"]
    assert job["payload"]["prompt"] == "a fox"
    assert (job["payload"]["width"], job["payload"]["ddim_steps"]) == (512, 30)


async def test_several_pictures_come_in_the_order_of_their_seeds(draw):
    reply, jobs = await draw(GENERATIONS, json={"prompt": "a fox", "n": 3}, n=3)
    assert [each["id"] for each in reply.json()["data"]] == [job["id"] for job in jobs]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        pytest.param({"size": "256x128"}, {"width": 256, "height": 128}, id="size"),
        pytest.param({"size": "auto"}, {"width": 512, "height": 512}, id="any size"),
        pytest.param({"quality": "low"}, {"ddim_steps": 15}, id="low quality"),
        pytest.param({"quality": "hd"}, {"ddim_steps": 45}, id="quality of old"),
        pytest.param({"quality": "max", "steps": 8}, {"ddim_steps": 8}, id="steps win"),
        pytest.param({"seed": 7}, {"seed": "7"}, id="seed"),
        pytest.param({"cfg_scale": 3.5}, {"cfg_scale": 3.5}, id="cfg_scale"),
        pytest.param({"sampler_name": "k_lms"}, {"sampler_name": "k_lms"}, id="sampler"),
        pytest.param({"negative_prompt": "fog"}, {"prompt": "a fox ### fog"}, id="negative prompt"),
        pytest.param(
            {"prompt": "a fox ### dogs", "negative_prompt": "fog"},
            {"prompt": "a fox ### dogs, fog"},
            id="two negative prompts",
        ),
        pytest.param(
            {
                "user": "u",
                "safety_identifier": "s",
                "style": "vivid",
                "background": "opaque",
                "moderation": "auto",
                "output_compression": 100,
                "partial_images": 2,
                "stream": False,
                "model": None,
            },
            {"width": 512},
            id="what changes nothing",
        ),
        pytest.param({"background": "transparent"}, {"transparent": True}, id="transparent"),
    ],
)
async def test_a_field_reaches_the_worker(draw, fields, expected):
    reply, (job,) = await draw(GENERATIONS, json={"prompt": "a fox"} | fields)
    assert reply.status_code == 200, reply.text
    told = job["payload"]
    assert {name: told[name] for name in expected} == expected


async def test_loras_reach_the_worker(draw):
    wanted = [{"name": "clay", "model": 0.5}]
    _, (job,) = await draw(GENERATIONS, json={"prompt": "a fox", "loras": wanted})
    assert job["payload"]["loras"][0]["name"] == "clay"


async def test_low_moderation_goes_to_workers_that_draw_for_adults_only(draw, api, pop):
    await pop(nsfw=False)
    reply = await api.post(GENERATIONS, json={"prompt": "a fox", "moderation": "low"})
    assert refusal(reply, 503)["code"] == "NoValidWorkers"
    reply, _ = await draw(GENERATIONS, json={"prompt": "a fox"}, worker={"nsfw": False})
    assert reply.status_code == 200


@pytest.mark.parametrize("form", ["png", "jpeg", "webp"])
async def test_a_picture_comes_in_the_format_that_is_asked_for(draw, form):
    reply, _ = await draw(GENERATIONS, json={"prompt": "a fox", "output_format": form})
    answer = reply.json()
    data = base64.b64decode(answer["data"][0]["b64_json"])
    assert answer["output_format"] == form
    assert Image.open(io.BytesIO(data)).format == form.upper()
    assert (data == WEBP) is (form == "webp")


async def test_a_compressed_picture_is_smaller(draw):
    noisy = io.BytesIO()
    Image.effect_noise((256, 256), 90).convert("RGB").save(noisy, "WEBP", quality=95)
    sizes = [
        len(
            (
                await draw(
                    GENERATIONS,
                    json={
                        "prompt": "a fox",
                        "output_format": "webp",
                        "output_compression": compression,
                    },
                    generation=noisy.getvalue(),
                )
            )[0].json()["data"][0]["b64_json"]
        )
        for compression in (100, 10)
    ]
    assert sizes[1] < sizes[0] / 2


async def test_a_picture_that_cannot_be_converted_is_given_as_it_is():
    whole = a_picture(form="PNG")
    start = whole.index(b"IDAT") + 4
    broken = whole[:start] + bytes(len(whole) - start - 12) + whole[-12:]
    assert await pixels.converted(broken, "jpeg", 90) == broken


async def test_a_link_leads_to_the_picture(draw, api):
    reply, _ = await draw(GENERATIONS, json={"prompt": "a fox", "response_format": "url"})
    (image,) = reply.json()["data"]
    assert "b64_json" not in image
    picture = await api.get(image["url"].removeprefix("http://horde.test"))
    assert picture.content == WEBP


@pytest.mark.parametrize(
    ("fields", "param", "code", "words"),
    [
        pytest.param(
            {"prompt": None}, "prompt", "missing_required_parameter", "required", id="no prompt"
        ),
        pytest.param({"prompt": ""}, "prompt", "invalid_value", "prompt", id="empty prompt"),
        pytest.param({"prompt": " "}, "prompt", "MissingPrompt", "empty", id="blank prompt"),
        pytest.param(
            {"prompt": "x" * 32_001}, "prompt", "invalid_value", "32000", id="long prompt"
        ),
        pytest.param({"n": 11}, "n", "invalid_value", "10", id="too many"),
        pytest.param({"n": "two"}, "n", "invalid_value", "two", id="n in words"),
        pytest.param({"size": "large"}, "size", "invalid_value", "large", id="size in words"),
        pytest.param({"size": "1000x1000"}, "size", "invalid_value", "1024x1024", id="odd size"),
        pytest.param({"size": "99999x64"}, "size", "invalid_value", "3072x64", id="huge size"),
        pytest.param({"style": "natural"}, "style", "invalid_value", "vivid", id="style"),
        pytest.param({"quality": "superb"}, "quality", "invalid_value", "superb", id="quality"),
        pytest.param({"output_format": "gif"}, "output_format", "invalid_value", "webp", id="gif"),
        pytest.param(
            {"output_compression": 50},
            "output_compression",
            "invalid_value",
            "jpeg",
            id="compressed to nothing",
        ),
        pytest.param(
            {"response_format": "url", "output_format": "png"},
            "output_format",
            "invalid_value",
            "WebP",
            id="link to a PNG",
        ),
        pytest.param(
            {"response_format": "url", "stream": True},
            "response_format",
            "invalid_value",
            "b64_json",
            id="stream of links",
        ),
        pytest.param(
            {"background": "transparent", "output_format": "jpeg"},
            "output_format",
            "invalid_value",
            "JPEG",
            id="transparent JPEG",
        ),
        pytest.param(
            {"partial_images": 4},
            "partial_images",
            "invalid_value",
            "3",
            id="too many partial ones",
        ),
        pytest.param(
            {"moderation": "none"}, "moderation", "invalid_value", "low", id="no moderation"
        ),
        pytest.param(
            {"svg": {"model": "x"}},
            "svg",
            "unsupported_parameter",
            "Leave it out",
            id="what no horde can",
        ),
        pytest.param(
            {"colour": "red"}, "colour", "unknown_parameter", "colour", id="unknown field"
        ),
        pytest.param(
            {"cfg_scale": 1.234},
            "cfg_scale",
            "BadCFGDecimals",
            "decimals",
            id="a rule of the horde",
        ),
        pytest.param(
            {"loras": [{"name": "x"}] * 6}, "loras", "TooManyLoras", "5", id="too many LoRAs"
        ),
        pytest.param(
            {"loras": [{"strength": 1}]},
            "loras.0.name",
            "missing_required_parameter",
            "required",
            id="a LoRA without a name",
        ),
        pytest.param({"steps": 501}, "steps", "invalid_value", "500", id="too many steps"),
        pytest.param(
            {"sampler_name": "x"}, "sampler_name", "invalid_value", "k_euler", id="unknown sampler"
        ),
        pytest.param(
            {"prompt": "naked child"},
            "prompt",
            "moderation_blocked",
            "minors",
            id="what nobody draws",
        ),
    ],
)
async def test_a_field_that_cannot_be_served_is_named(api, horde, pop, fields, param, code, words):
    await pop()
    reply = await api.post(GENERATIONS, json={"prompt": "a fox"} | fields, headers=BEARER)
    error = refusal(reply, 400)
    assert (error["param"], error["code"]) == (param, code)
    assert error["type"] == "invalid_request_error"
    assert words in error["message"]
    assert not horde.lanes.requests


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        pytest.param(b"", "MalformedBody", id="nothing"),
        pytest.param(b"{", "MalformedBody", id="half of it"),
        pytest.param(b"[]", "MalformedBody", id="a list"),
        pytest.param(b'{"prompt":"a\\u0000"}', "NulByteInPayload", id="NUL"),
        pytest.param(b"[" * 100_000, "MalformedBody", id="deep"),
        pytest.param(b"\xff\xfe", "MalformedBody", id="no text"),
    ],
)
async def test_a_body_that_is_no_message_is_refused(api, raw, code):
    assert refusal(await api.post(GENERATIONS, content=raw), 400)["code"] == code


async def test_a_body_above_the_limit_is_refused(api, horde):
    raw = b" " * (horde.settings.request_body_bytes_max + 1)
    assert refusal(await api.post(GENERATIONS, content=raw), 413)["code"] == "BodyTooLarge"


async def test_nobody_online_is_told_at_once_and_not_asked_again_by_the_package(api, horde):
    reply = await api.post(GENERATIONS, json={"prompt": "a fox"})
    error = refusal(reply, 503)
    assert (error["code"], error["type"]) == ("NoValidWorkers", "server_error")
    assert reply.headers["x-should-retry"] == "false"
    assert not horde.lanes.requests


async def test_a_request_that_every_worker_fails_is_refused(api, horde, pop, submit):
    await pop()
    calling = asyncio.create_task(api.post(GENERATIONS, json={"prompt": "a fox"}, headers=BEARER))
    await until(lambda: horde.sync_waits.taken)
    for _ in range(horde.settings.faults_max):
        await submit((await pop())["id"], state="faulted", generation="faulted")
    error = refusal(await calling, 503)
    assert (error["code"], "could not make it" in error["message"]) == ("NoValidWorkers", True)


async def test_what_is_too_heavy_for_a_balance_says_so(api, register, pop):
    await pop(max_pixels=4 * 1024 * 1024)
    poor = {"authorization": f"Bearer {(await register('poor'))['apikey']}"}
    wanted = {"prompt": "a fox", "size": "2048x2048"}
    error = refusal(await api.post(GENERATIONS, json=wanted, headers=poor), 403)
    assert (error["code"], error["type"]) == ("insufficient_quota", "insufficient_quota")


async def test_whoever_hangs_up_cancels(opened, horde, pop):
    await pop()
    async with served(opened) as server:
        body = json.dumps({"prompt": "a fox"}).encode()
        _, writer = await server.call(
            "POST", GENERATIONS, body, Authorization=f"Bearer {ADMIN_KEY}"
        )
        await until(lambda: horde.wakeups.many)
        await server.hang_up(writer)
        await until(lambda: not horde.lanes.requests)


async def test_too_many_that_wait_are_told_to_come_back(api, horde, pop, monkeypatch):
    await pop()
    monkeypatch.setattr(horde.sync_waits, "taken", horde.settings.sync_waiters)
    reply = await api.post(GENERATIONS, json={"prompt": "a fox"})
    error = refusal(reply, 429)
    assert (error["code"], error["type"]) == ("rate_limit_exceeded", "rate_limit_error")
    assert reply.headers["retry-after"] == "5"
    assert "x-should-retry" not in reply.headers


# Who calls


async def owner_of(horde):
    (request_id,) = horde.lanes.requests
    request = await horde.read(lambda tx: requests.by_id(tx, request_id))
    return request.user_id


@pytest.mark.parametrize(
    ("headers", "user_id"),
    [
        pytest.param(BEARER, 1, id="bearer"),
        pytest.param({"authorization": f"bearer  {ADMIN_KEY} "}, 1, id="small letters"),
        pytest.param({}, 0, id="nobody"),
        pytest.param({"authorization": "Bearer 0000000000"}, 0, id="anonymous by key"),
        pytest.param({"authorization": "Bearer "}, 0, id="empty key"),
        pytest.param(ADMIN, 0, id="the horde's own header is not looked at"),
    ],
)
async def test_the_key_says_who_asks(api, horde, pop, headers, user_id):
    await pop()
    calling = asyncio.create_task(api.post(GENERATIONS, json={"prompt": "a fox"}, headers=headers))
    await until(lambda: horde.sync_waits.taken)
    assert await owner_of(horde) == user_id
    calling.cancel()
    await asyncio.gather(calling, return_exceptions=True)
    await until(lambda: not horde.lanes.requests)


@pytest.mark.parametrize(("method", "path"), [("POST", GENERATIONS), ("GET", "/v1/models")])
async def test_an_unknown_key_is_refused(api, method, path):
    headers = {"authorization": "Bearer sk-not-a-key-of-this-horde"}
    error = refusal(await api.request(method, path, headers=headers), 401)
    assert (error["code"], error["type"]) == ("invalid_api_key", "invalid_request_error")
    assert "sk-not" not in error["message"]


async def test_where_nobody_is_anonymous_a_key_is_asked_for(opened, horde):
    horde.settings = msgspec.structs.replace(horde.settings, anonymous=False)
    transport = httpx.ASGITransport(make_app(horde, opened.secret))
    async with httpx.AsyncClient(transport=transport, base_url="http://horde.test") as client:
        error = refusal(await client.get("/v1/models"), 401)
    assert error["code"] == "invalid_api_key"


# Paths


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        pytest.param("GET", "/v1/nothing", 404, "unknown_url", id="unknown"),
        pytest.param("GET", "/v1/", 404, "unknown_url", id="the root"),
        pytest.param("POST", "/v1/chat/completions", 404, "unknown_url", id="another API"),
        pytest.param("GET", GENERATIONS, 405, "MethodNotAllowed", id="wrong method"),
        pytest.param("DELETE", "/v1/models", 405, "MethodNotAllowed", id="another wrong method"),
        pytest.param("PATCH", "/v1/models/x", 405, "MethodNotAllowed", id="a third"),
    ],
)
async def test_the_router_s_no_has_this_protocol_s_shape(api, method, path, status, code):
    reply = await api.request(method, path, headers={"accept": "text/html"})
    assert refusal(reply, status)["code"] == code


async def test_a_fault_of_ours_is_told_without_its_details(api, horde, pop, monkeypatch):
    await pop()

    def fails(*_):
        raise RuntimeError("the details")

    monkeypatch.setattr("ordu.server.doors.openai.choosing.online_models", fails)
    reply = await api.post(GENERATIONS, json={"prompt": "a fox"})
    error = refusal(reply, 500)
    assert (error["code"], error["type"]) == ("InternalError", "server_error")
    assert "details" not in error["message"]
    assert reply.headers["x-request-id"] in error["message"]


async def test_a_browser_may_send_what_the_packages_send(api):
    reply = await api.options(GENERATIONS, headers={"origin": "http://x"})
    allowed = ", ".join(reply.headers.get_list("access-control-allow-headers")).lower()
    assert {"authorization", "content-type", "x-stainless-lang"} <= set(allowed.split(", "))


async def test_calls_are_counted(opened, horde, monkeypatch):
    horde.settings = msgspec.structs.replace(horde.settings, rate_limits=True)
    transport = httpx.ASGITransport(make_app(horde, opened.secret))
    async with httpx.AsyncClient(transport=transport, base_url="http://horde.test") as client:
        replies = [await client.post(GENERATIONS, json={}, headers=BEARER) for _ in range(3)]
    assert [reply.status_code for reply in replies] == [400, 400, 429]
    error = refusal(replies[-1], 429)
    assert (error["code"], error["type"]) == ("rate_limit_exceeded", "rate_limit_error")
    assert int(replies[-1].headers["retry-after"]) >= 1
    assert replies[0].headers["x-ratelimit-limit"]


# Models


async def test_no_model_is_listed_while_nobody_is_here(api):
    assert (await api.get("/v1/models")).json() == {"data": [], "object": "list"}
    assert refusal(await api.get("/v1/models/best"), 404)["code"] == "model_not_found"


async def test_the_models_that_are_online_are_listed(api, horde, pop):
    await pop(models=["flux/dev", "sketch"])
    reply = (await api.get("/v1/models", headers=BEARER)).json()
    since = horde.now() // 1000
    assert reply == {
        "object": "list",
        "data": [
            {"id": name, "created": since, "object": "model", "owned_by": "horde"}
            for name in ("best", "fast", "flux/dev", "sketch")
        ],
    }
    for path in ("sketch", "flux/dev", "flux%2Fdev", "fast"):
        one = (await api.get(f"/v1/models/{path}")).json()
        assert one["id"] == path.replace("%2F", "/")


async def test_a_model_that_is_not_online_is_not_found(api, pop):
    await pop()
    error = refusal(await api.get("/v1/models/gpt-image-2"), 404)
    assert (error["param"], error["code"]) == ("model", "model_not_found")
    assert "stable_diffusion" in error["message"]


async def test_a_model_that_nobody_knows_is_not_found(api, pop):
    await pop()
    wanted = {"prompt": "a fox", "model": "dream"}
    error = refusal(await api.post(GENERATIONS, json=wanted), 404)
    assert (error["param"], error["code"]) == ("model", "model_not_found")


async def test_a_listed_model_that_nobody_offers_now_is_another_matter(api, horde, pop):
    await pop()
    horde.catalogue = Catalogue({"away": Model()})
    wanted = {"prompt": "a fox", "model": "away"}
    assert refusal(await api.post(GENERATIONS, json=wanted), 503)["code"] == "NoValidWorkers"


KNOWN = Catalogue(
    {
        "small": Model(baseline="stable diffusion 1"),
        "large": Model(baseline="flux_1", max_steps=8, cfg_scale=1.0, samplers=("k_dpmpp_sde",)),
        "adult": Model(baseline="qwen_image", nsfw=True),
        "painter": Model(baseline="qwen_image", inpainting=True),
    }
)
HERE = ["small", "large", "adult", "painter", "unheard of"]


@pytest.mark.parametrize(
    ("fields", "model"),
    [
        pytest.param({}, "large", id="without a name"),
        pytest.param({"model": "best"}, "large", id="best"),
        pytest.param({"model": "dall-e-3"}, "large", id="a model of OpenAI's"),
        pytest.param({"model": "gpt-image-1-mini"}, "large", id="another of OpenAI's"),
        pytest.param({"model": "best", "moderation": "low"}, "adult", id="best for adults"),
        pytest.param({"model": "small"}, "small", id="by name"),
        pytest.param({"model": "fast", "size": "512x512"}, "large", id="fewest steps"),
        pytest.param({"model": "fast"}, "small", id="smallest picture"),
    ],
)
async def test_an_alias_is_chosen_from_what_is_online(draw, horde, fields, model):
    horde.catalogue = KNOWN
    worker = {"models": HERE, "max_pixels": 1024 * 1024}
    reply, (job,) = await draw(GENERATIONS, json={"prompt": "a fox"} | fields, worker=worker)
    assert job["model"] == model
    assert reply.json()["data"][0]["model"] == model


async def test_best_leaves_out_what_nobody_here_could_draw(draw, horde):
    horde.catalogue = KNOWN
    worker = {"models": HERE, "max_pixels": 512 * 512}  # flux_1 draws four times as large
    _, (job,) = await draw(GENERATIONS, json={"prompt": "a fox"}, worker=worker)
    assert job["model"] == "small"


async def test_best_of_models_nobody_knows_is_what_most_offer(draw, pop):
    await pop(name="shed", models=["rare", "usual"])
    _, (job,) = await draw(GENERATIONS, json={"prompt": "a fox"}, worker={"models": ["usual"]})
    assert job["model"] == "usual"


async def test_fast_prefers_the_model_for_which_less_waits(draw, ask):
    await ask(models=["busy"], params={"n": 1})
    worker = {"models": ["idle"]}
    _, (job,) = await draw(GENERATIONS, json={"prompt": "a fox", "model": "fast"}, worker=worker)
    assert job["model"] == "idle"


async def test_a_model_gets_the_steps_that_it_was_made_for(draw, horde):
    horde.catalogue = KNOWN
    worker = {"models": HERE, "max_pixels": 1024 * 1024}
    _, (job,) = await draw(GENERATIONS, json={"prompt": "x", "quality": "high"}, worker=worker)
    told = job["payload"]
    assert (told["ddim_steps"], told["cfg_scale"]) == (8, 1.0)
    assert (told["sampler_name"], told["width"], told["height"]) == ("k_dpmpp_sde", 1024, 1024)


@pytest.mark.parametrize(
    ("quality", "known", "steps"),
    [
        pytest.param("auto", {}, 30, id="usual"),
        pytest.param("low", {"min_steps": 20}, 20, id="no fewer than the model needs"),
        pytest.param("max", {}, 90, id="thrice"),
        pytest.param("max", {"max_steps": 40}, 40, id="no more than the model takes"),
        pytest.param("medium", {"max_steps": 4}, 4, id="a model of few steps"),
    ],
)
async def test_a_quality_is_a_number_of_steps(quality, known, steps):
    assert steps_of(quality, Model(**known)) == steps


# Edits and variations


def mask_of(job):
    return Image.open(io.BytesIO(base64.b64decode(job["source_mask"]))).convert("L")


async def test_an_edit_draws_anew_what_is_transparent_in_the_mask(draw):
    image, mask = png(), png(hole=(0, 0, 64, 64))
    reply, (job,) = await draw(
        EDITS,
        data={"prompt": "a fox", "n": "1", "size": "auto"},
        files={"image": ("a.png", image, "image/png"), "mask": ("m.png", mask, "image/png")},
    )
    assert reply.status_code == 200, reply.text
    assert job["source_processing"] == "inpainting"
    assert base64.b64decode(job["source_image"]) == image
    drawn = mask_of(job)
    assert drawn.size == (128, 64)
    assert (drawn.getpixel((10, 10)), drawn.getpixel((100, 10))) == (255, 0)
    assert (job["payload"]["width"], job["payload"]["height"]) == (128, 64)
    assert reply.json()["size"] == "128x64"


@pytest.mark.parametrize(
    ("fields", "denoising"),
    [
        pytest.param({}, 0.75, id="usual"),
        pytest.param({"input_fidelity": "high"}, 0.5, id="close to the picture"),
        pytest.param({"input_fidelity": "high", "denoising_strength": "0.9"}, 0.9, id="by number"),
    ],
)
async def test_an_edit_without_a_mask_goes_over_all_of_it(draw, fields, denoising):
    reply, (job,) = await draw(
        EDITS,
        data={"prompt": "a fox", "seed": "5", "loras": '[{"name": "clay"}]'} | fields,
        files={"image[]": ("a.webp", WEBP)},
    )
    assert reply.status_code == 200, reply.text
    assert job["source_processing"] == "img2img"
    assert job["source_mask"] is None
    assert job["payload"]["denoising_strength"] == denoising
    assert job["payload"]["seed"] == "5"
    assert job["payload"]["loras"][0]["name"] == "clay"


async def test_a_variation_stays_near_its_picture(draw):
    reply, (job,) = await draw(
        VARIATIONS,
        data={"n": "1", "size": "256x256", "response_format": "b64_json", "user": "u"},
        files={"image": ("a.png", png(256, 256))},
    )
    assert reply.status_code == 200, reply.text
    assert (job["source_processing"], job["payload"]["denoising_strength"]) == ("img2img", 0.6)
    assert job["payload"]["width"] == 256


IMAGE = {"image": ("a.png", png(), "image/png")}


@pytest.mark.parametrize(
    ("data", "files", "param", "code"),
    [
        pytest.param(
            {"prompt": "x"},
            {"mask": ("m.png", png())},
            "image",
            "missing_required_parameter",
            id="no picture",
        ),
        pytest.param({}, IMAGE, "prompt", "missing_required_parameter", id="no prompt"),
        pytest.param(
            {"prompt": "x"}, {"image": ("a.png", b"")}, "image", "invalid_value", id="an empty file"
        ),
        pytest.param(
            {"prompt": "x"}, {"image": ("a.png", b"GIF89a")}, "image", "invalid_value", id="a GIF"
        ),
        pytest.param(
            {"prompt": "x"},
            {"image": ("a.png", png()[:60])},
            "image",
            "invalid_value",
            id="half a picture",
        ),
        pytest.param(
            {"prompt": "x"},
            [("image[]", IMAGE["image"])] * 2,
            "image",
            "invalid_value",
            id="two pictures",
        ),
        pytest.param(
            {"prompt": "x"},
            IMAGE | {"mask": ("m.png", png(64, 64, hole=(0, 0, 9, 9)))},
            "mask",
            "invalid_value",
            id="a mask of another size",
        ),
        pytest.param(
            {"prompt": "x"},
            IMAGE | {"mask": ("m.png", a_picture(128, 64, form="PNG"))},
            "mask",
            "invalid_value",
            id="a mask without alpha",
        ),
        pytest.param(
            {"prompt": "x"},
            IMAGE | {"mask": ("m.jpg", a_picture(128, 64, form="JPEG"))},
            "mask",
            "invalid_value",
            id="a mask as JPEG",
        ),
        pytest.param(
            {"prompt": "x"},
            IMAGE | {"mask": ("m.png", png())},
            "mask",
            "InpaintingMissingMask",
            id="a mask without a hole",
        ),
        pytest.param(
            {"prompt": "x"},
            IMAGE | {"markup": ("m.png", png())},
            "markup",
            "invalid_value",
            id="a file of another kind",
        ),
        pytest.param(
            {"prompt": "x", "mask": "text"}, IMAGE, "mask", "invalid_value", id="a mask as text"
        ),
        pytest.param({"prompt": "x", "n": "0"}, IMAGE, "n", "invalid_value", id="none"),
        pytest.param({"prompt": "x", "n": "many"}, IMAGE, "n", "invalid_value", id="n in words"),
        pytest.param(
            {"prompt": "x", "svg[model]": "y"},
            IMAGE,
            "svg[model]",
            "unknown_parameter",
            id="a nested field",
        ),
        pytest.param({"prompt": ["x", "y"]}, IMAGE, "prompt", "invalid_value", id="twice"),
        pytest.param(
            {"prompt": "x", "style": "vivid"},
            IMAGE,
            "style",
            "unknown_parameter",
            id="a field of another call",
        ),
        pytest.param(
            {"prompt": "x", "loras": "{"},
            IMAGE,
            "loras",
            "invalid_value",
            id="LoRAs that are no JSON",
        ),
        pytest.param(
            {"prompt": "x", "loras": '[{"name": 3}]'},
            IMAGE,
            "loras[0].name",
            "invalid_value",
            id="a LoRA of another kind",
        ),
        pytest.param(
            {"prompt": "x", "input_fidelity": "some"},
            IMAGE,
            "input_fidelity",
            "invalid_value",
            id="fidelity",
        ),
        pytest.param(
            {"prompt": "x", "size": "100x100"}, IMAGE, "size", "invalid_value", id="odd size"
        ),
    ],
)
async def test_a_form_that_cannot_be_served_is_refused_by_field(
    api, horde, pop, data, files, param, code
):
    await pop()
    reply = await api.post(EDITS, data=data, files=files, headers=BEARER)
    error = refusal(reply, 400)
    assert (error["param"], error["code"]) == (param, code), error
    assert not horde.lanes.requests


async def test_a_damaged_mask_is_refused(api, pop):
    await pop()
    whole = png(hole=(0, 0, 9, 9))
    start = whole.index(b"IDAT") + 8
    damaged = whole[:start] + bytes(len(whole) - start - 20) + whole[-20:]
    files = IMAGE | {"mask": ("m.png", damaged)}
    reply = await api.post(EDITS, data={"prompt": "x"}, files=files)
    assert refusal(reply, 400)["param"] == "mask"


async def test_an_unknown_size_of_picture_is_refused_before_it_is_decoded(api, horde, pop):
    await pop()
    side = int(horde.settings.picture_pixels_max**0.5) + 64
    header = a_picture(64, 64, form="PNG")
    ihdr = b"IHDR" + struct.pack(">II", side, side) + header[24:29]
    bomb = header[:12] + ihdr + struct.pack(">I", zlib.crc32(ihdr)) + header[33:]
    reply = await api.post(EDITS, data={"prompt": "x"}, files={"image": ("a.png", bomb)})
    error = refusal(reply, 400)
    assert (error["param"], "pixels" in error["message"]) == ("image", True)


@pytest.mark.parametrize("path", [EDITS, VARIATIONS])
async def test_a_call_with_pictures_is_a_form(api, path):
    reply = await api.post(path, json={"prompt": "a fox"})
    error = refusal(reply, 400)
    assert (error["code"], "multipart/form-data" in error["message"]) == ("MalformedBody", True)


FORM = "multipart/form-data; boundary=x"
PART = b'--x\r\nContent-Disposition: form-data; name="%s"\r\n\r\nv\r\n'


@pytest.mark.parametrize(
    ("media_type", "raw"),
    [
        pytest.param("multipart/form-data", PART % b"a", id="no boundary"),
        pytest.param(FORM, b"nothing like it", id="no form"),
        pytest.param(
            FORM, b"--x\r\nContent-Disposition: form-data\r\n\r\nv\r\n--x--", id="no name"
        ),
        pytest.param(FORM, b"--x\r\nno header at all\r\n\r\nv\r\n--x--", id="no header"),
        pytest.param(FORM, b"".join(PART % b"f%d" % i for i in range(60)) + b"--x--", id="many"),
        pytest.param(
            FORM, (PART % b"prompt").replace(b"v", b"v" * 300_000) + b"--x--", id="a long text"
        ),
        pytest.param(
            FORM,
            b"".join(
                (PART % b"image").replace(b'"image"', b'"image"; filename="a"') for _ in range(20)
            )
            + b"--x--",
            id="many files",
        ),
        pytest.param("multipart/form-data; boundary=" + "y" * 5000, b"--y", id="a long boundary"),
    ],
)
async def test_a_hostile_form_is_refused(api, media_type, raw):
    reply = await api.post(EDITS, content=raw, headers={"content-type": media_type})
    error = refusal(reply, 400)
    assert error["code"] == "MalformedBody", error


async def test_a_form_that_was_cut_off_lacks_what_was_not_whole(api):
    raw = PART % b"prompt" + (PART % b"image").replace(b'"image"', b'"image"; filename="a"')[:-1]
    reply = await api.post(EDITS, content=raw, headers={"content-type": FORM})
    assert refusal(reply, 400)["param"] == "image"


class _Call:
    def __init__(self, media_type, raw):
        self.media_type, self.raw = media_type, raw

    def header(self, name):
        return self.media_type


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    raw=st.lists(
        st.one_of(
            st.binary(max_size=20),
            st.sampled_from(
                [
                    b"--x",
                    b"\r\n",
                    b"--x--",
                    b"\r\n--x\r\n",
                    b'Content-Disposition: form-data; name="',
                    b'"; filename="a"',
                    b"\r\n\r\n",
                    b"prompt",
                    b"image",
                    b":",
                    b"%00",
                    b"\0",
                    b"charset",
                ]
            ),
        ),
        max_size=30,
    ).map(b"".join),
    media_type=st.sampled_from([FORM, f"{FORM}; charset=utf-7", "multipart/form-data; boundary=é"]),
)
def test_whatever_a_form_is_it_is_read_or_refused(raw, media_type):
    async def read():
        with suppress(Refused):
            await forms.read_form(_Call(media_type, raw), frozenset({"image", "mask"}))

    asyncio.run(read())


@pytest.mark.parametrize(
    ("width", "height", "size"),
    [
        pytest.param(512, 512, (512, 512), id="as it is"),
        pytest.param(500, 300, (512, 320), id="near it"),
        pytest.param(10, 10, (64, 64), id="tiny"),
        pytest.param(4000, 3000, (1152, 896), id="large"),
        pytest.param(6000, 40, (3072, 64), id="a strip"),
    ],
)
async def test_a_size_follows_the_picture(width, height, size):
    found = size_like(Picture(PictureFormat.PNG, width, height, 1, has_alpha=False))
    assert found == size
    assert found[0] * found[1] <= 1024 * 1024


# Streams


def events(text):
    found = []
    for block in text.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if lines:
            found.append((lines["event"], json.loads(lines["data"])))
    return found


@pytest.mark.parametrize("partial", [0, 3])
async def test_a_stream_brings_each_picture_and_no_partial_ones(draw, horde, partial):
    wanted = {"prompt": "a fox", "n": 2, "stream": True, "partial_images": partial}
    reply, jobs = await draw(GENERATIONS, json=wanted, n=2)
    assert reply.headers["content-type"] == "text/event-stream; charset=utf-8"
    told = events(reply.text)
    assert [name for name, _ in told] == ["image_generation.completed"] * 2
    assert [data["id"] for _, data in told] == [job["id"] for job in jobs]
    data = told[0][1]
    assert base64.b64decode(data["b64_json"]) == WEBP
    assert (data["type"], data["size"]) == ("image_generation.completed", "512x512")
    assert (data["output_format"], data["quality"], data["background"]) == (
        "webp",
        "medium",
        "opaque",
    )
    assert data["created_at"] == horde.now() // 1000
    assert data["usage"]["total_tokens"] == 0


async def test_a_stream_sends_a_picture_before_the_next_is_drawn(opened, horde, pop, submit):
    await pop()
    async with served(opened) as server, httpx.AsyncClient(base_url=server.url) as client:
        wanted = {"prompt": "a fox", "n": 2, "stream": True}
        async with client.stream("POST", GENERATIONS, json=wanted, headers=BEARER) as reply:
            lines = reply.aiter_lines()
            for _ in range(2):
                job = await pop()
                await submit(job["id"])
                while not (line := await anext(lines)).startswith("data: "):
                    pass
                assert json.loads(line[6:])["id"] == job["id"]


async def test_a_stream_of_an_edit_is_named_after_it(draw):
    data = {"prompt": "a fox", "stream": "true"}
    reply, _ = await draw(EDITS, data=data, files=IMAGE)
    assert [name for name, _ in events(reply.text)] == ["image_edit.completed"]


async def test_a_stream_that_is_refused_at_first_is_an_answer_like_any(api):
    wanted = {"prompt": "a fox", "stream": True}
    assert refusal(await api.post(GENERATIONS, json=wanted), 503)["code"] == "NoValidWorkers"


async def test_a_stream_says_what_went_wrong_later(api, horde, pop, submit):
    await pop()
    wanted = {"prompt": "a fox", "stream": True}
    calling = asyncio.create_task(api.post(GENERATIONS, json=wanted, headers=BEARER))
    await until(lambda: horde.sync_waits.taken)
    for _ in range(horde.settings.faults_max):
        await submit((await pop())["id"], state="faulted", generation="faulted")
    ((name, data),) = events((await calling).text)
    assert (name, data["error"]["code"]) == ("error", "NoValidWorkers")


async def test_a_stream_that_breaks_says_so_without_details(api, horde, pop, submit, monkeypatch):
    await pop()
    wanted = {"prompt": "a fox", "stream": True}
    calling = asyncio.create_task(api.post(GENERATIONS, json=wanted, headers=BEARER))
    await until(lambda: horde.sync_waits.taken)

    async def fails(*_):
        raise RuntimeError("the details")

    monkeypatch.setattr("ordu.server.doors.openai.answering.content", fails)
    await submit((await pop())["id"])
    ((name, data),) = events((await calling).text)
    assert (name, data["error"]["code"]) == ("error", "InternalError")
    assert "details" not in data["error"]["message"]


async def test_a_stream_that_is_hung_up_cancels(opened, horde, pop):
    await pop()
    async with served(opened) as server:
        body = json.dumps({"prompt": "a fox", "stream": True}).encode()
        _, writer = await server.call(
            "POST", GENERATIONS, body, Authorization=f"Bearer {ADMIN_KEY}"
        )
        await until(lambda: horde.wakeups.many)
        await server.hang_up(writer)
        await until(lambda: not horde.lanes.requests and not horde.wakeups.many)


async def test_a_request_whose_time_is_over_is_told(api, horde, pop, clock):
    await pop()
    calling = asyncio.create_task(api.post(GENERATIONS, json={"prompt": "a fox"}, headers=BEARER))
    await until(lambda: horde.sync_waits.taken)
    clock.forward(s=horde.settings.request_lifetime_s + 1)
    await sweeper.expire_requests(horde)
    assert refusal(await calling, 410)["code"] == "RequestExpired"
