"""Requests and jobs over HTTP: success, each refusal, each form of delivery."""

import asyncio
import base64
import uuid

import msgspec
import pytest
from tests.api.conftest import ADMIN, ANONYMOUS, POP
from tests.builders import a_picture

from ordu.engine import end, sweeper
from ordu.rules.matching import Reason
from ordu.server.handlers.generate import nothing_payload

pytestmark = pytest.mark.anyio

ASYNC = "/api/v2/generate/async"
SYNC = "/api/v2/generate/sync"
CHECK = "/api/v2/generate/check"
STATUS = "/api/v2/generate/status"
POP_URL = "/api/v2/generate/pop"
SUBMIT = "/api/v2/generate/submit"

# What strict programs demand of check and status (protocol sheet 60 §1.7).
CHECK_FIELDS = {
    "finished", "processing", "restarted", "waiting", "done", "faulted", "wait_time",
    "queue_position", "kudos", "is_possible",
}  # fmt: skip
GENERATION_FIELDS = {
    "worker_id", "worker_name", "model", "img", "seed", "id", "state", "censored", "gen_metadata",
}  # fmt: skip


def base64_picture(**change):
    return base64.b64encode(a_picture(**change)).decode()


# The whole way


async def test_post_async_generate_to_get_async_status(api, ask, pop, submit):
    placed = await ask(params={"n": 2, "width": 512, "height": 512, "steps": 30})
    assert uuid.UUID(placed["id"]).version == 7
    assert placed["kudos"] == 12

    before = (await api.get(f"{CHECK}/{placed['id']}")).json()
    assert before.keys() >= CHECK_FIELDS
    assert (before["waiting"], before["queue_position"], before["done"]) == (2, 1, False)

    for _ in range(2):
        job = await pop()
        reply = await submit(job["id"])
        assert reply.json() == {"reward": 6.0}

    status = (await api.get(f"{STATUS}/{placed['id']}")).json()
    assert status.keys() >= CHECK_FIELDS
    assert (status["finished"], status["done"], status["wait_time"]) == (2, True, 0)
    assert all(picture.keys() >= GENERATION_FIELDS for picture in status["generations"])
    first = status["generations"][0]
    assert base64.b64decode(first["img"]) == a_picture()
    assert (first["worker_name"], first["model"], first["state"]) == (
        "attic",
        "stable_diffusion",
        "ok",
    )
    assert isinstance(first["seed"], str)


async def test_reading_a_finished_request_does_not_end_it(api, ask, pop, submit):
    placed = await ask()
    await submit((await pop())["id"])
    for _ in range(3):
        assert (await api.get(f"{STATUS}/{placed['id']}")).json()["finished"] == 1


async def test_get_async_check_needs_no_key_and_shows_no_pictures(api, ask):
    placed = await ask()
    assert (await api.get(f"{CHECK}/{placed['id']}")).status_code == 200
    assert "generations" not in (await api.get(f"{CHECK}/{placed['id']}")).json()


# post_async_generate


async def test_post_async_generate_says_when_nobody_can(ask, pop):
    warned = await ask()
    assert warned["warnings"][0]["code"] == "NoAvailableWorker"
    assert "No worker" in warned["message"]
    await pop()
    served = await ask()
    assert served.keys() == {"id", "kudos", "kudos_exact"}


async def test_post_async_generate_dry_run_tells_the_price_and_places_nothing(api, horde):
    reply = await api.post(
        ASYNC, json={"prompt": "a fox", "dry_run": True, "params": {"n": 3}}, headers=ANONYMOUS
    )
    told = reply.json()
    assert (reply.status_code, told["kudos"], told["kudos_exact"]) == (200, 18, 18.0)
    assert told.keys() == {"kudos", "kudos_exact", "outlook"}
    assert not horde.lanes.requests


@pytest.mark.parametrize(
    ("body", "field"),
    [
        pytest.param({}, "prompt", id="no prompt"),
        pytest.param({"prompt": ""}, "prompt", id="an empty prompt"),
        pytest.param({"prompt": 5}, "prompt", id="a number as prompt"),
        pytest.param(
            {"prompt": "x", "params": {"width": 100}}, "params.width", id="width off grid"
        ),
        pytest.param({"prompt": "x", "params": {"width": 4096}}, "params.width", id="too wide"),
        pytest.param({"prompt": "x", "params": {"width": "512"}}, "params.width", id="text width"),
        pytest.param(
            {"prompt": "x", "params": {"steps": 501}}, "params.steps", id="too many steps"
        ),
        pytest.param({"prompt": "x", "params": {"n": 21}}, "params.n", id="too many pictures"),
        pytest.param({"prompt": "x", "params": {"seed": 5}}, "params.seed", id="a number as seed"),
        pytest.param(
            {"prompt": "x", "params": {"sampler_name": "k_magic"}},
            "params.sampler_name",
            id="sampler",
        ),
        pytest.param({"prompt": "x", "params": []}, "params", id="a list as params"),
        pytest.param({"prompt": "x", "nsfw": "no"}, "nsfw", id="text as yes or no"),
        pytest.param({"prompt": "x", "workers": "w"}, "workers", id="text as list"),
    ],
)
async def test_post_async_generate_refuses_by_field(api, body, field):
    reply = await api.post(ASYNC, json=body, headers=ANONYMOUS)
    assert reply.status_code == 400
    assert reply.json()["rc"] == "ValidationFailed"
    assert field in reply.json()["errors"]


async def test_post_async_generate_names_all_faults_at_once(api):
    body = {"params": {"width": 100, "height": 9, "n": 0}, "nsfw": 3}
    reply = await api.post(ASYNC, json=body, headers=ANONYMOUS)
    assert reply.json()["errors"].keys() == {
        "prompt", "params.width", "params.height", "params.n", "nsfw",
    }  # fmt: skip


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"{", b"[]", b"5", b"null", b'"text"', b"\xff\xfe", b'{"prompt": "\\ud800"}',
        b'{"prompt": NaN}', b"[" * 100_000, b'{"prompt":' * 5_000, b'{"prompt": "a\\u0000b"}',
        b'{"prompt": "x", "params": {"cfg_scale": 1e999}}',
        b'{"prompt": "x", "params": {"n": 99999999999999999999999999}}',
    ],
    ids=lambda raw: repr(raw[:24]),
)  # fmt: skip
async def test_post_async_generate_refuses_what_is_no_body(api, raw):
    reply = await api.post(ASYNC, content=raw, headers=ANONYMOUS)
    assert 400 <= reply.status_code < 500
    assert reply.json()["message"]
    assert "Traceback" not in reply.text


async def test_post_async_generate_takes_nulls_and_unknown_fields_as_not_given(ask, pop):
    await ask(
        models=None,
        workers=None,
        source_image=None,
        made_up=5,
        params={"seed": None, "steps": None},
    )
    assert (await pop())["payload"]["ddim_steps"] == 30


async def test_post_async_generate_translates_the_words_of_2022(ask, pop):
    await ask(
        params={
            "sampler_name": "PLMS",
            "toggles": [1, 4],
            "use_gfpgan": True,
            "use_real_esrgan": True,
            "cfg_scale": -3.5,
        }
    )
    payload = (await pop())["payload"]
    assert payload["sampler_name"] == "PLMS"
    assert payload["post_processing"] == ["GFPGAN", "RealESRGAN_x4plus"]
    assert payload["cfg_scale"] == -3.5
    assert "toggles" not in payload


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({"style": "moody"}, "style"),
        ({"params": {"special": {"a": 1}}}, "params.special"),
    ],
)
async def test_post_async_generate_says_what_is_not_built_yet(api, body, name):
    reply = await api.post(ASYNC, json={"prompt": "x"} | body, headers=ANONYMOUS)
    assert (reply.status_code, reply.json()["rc"]) == (501, "NotImplemented")
    assert name in reply.json()["message"]


async def test_post_async_generate_takes_empty_lists_as_absent(ask, pop):
    await ask(params={"loras": [], "tis": [], "post_processing": []})
    payload = (await pop(bridge_agent=None))["payload"]
    assert {"loras", "tis", "post_processing"}.isdisjoint(payload)


async def test_what_a_picture_is_drawn_with_reaches_the_worker(ask, pop):
    params = {
        "loras": [{"name": "ink", "model": 0.5}, {"name": "123", "is_version": True}],
        "tis": [{"name": "moody", "inject_ti": "negprompt"}],
        "control_type": "canny",
        "image_is_control": True,
        "return_control_map": True,
    }
    await ask(params=params, source_image=base64_picture())
    assert (await pop(allow_controlnet=True))["skipped"]["lora"] == 1
    payload = (await pop(allow_controlnet=True, allow_lora=True))["payload"]
    assert payload["loras"] == [
        {"name": "ink", "model": 0.5, "clip": 1.0, "is_version": False},
        {"name": "123", "model": 1.0, "clip": 1.0, "is_version": True},
    ]
    assert payload["tis"] == [{"name": "moody", "inject_ti": "negprompt"}]
    assert (payload["control_type"], payload["image_is_control"]) == ("canny", True)
    assert payload["return_control_map"] is True


async def test_a_mask_and_extra_pictures_reach_the_worker_and_go_with_the_request(
    api, ask, pop, horde
):
    pictures = [base64_picture(colour=colour) for colour in ("teal", "white", "red", "blue")]
    placed = await ask(
        source_image=pictures[0], source_mask=pictures[1], source_processing="outpainting"
    )
    job = await pop()
    assert (job["source_image"], job["source_mask"]) == (pictures[0], pictures[1])
    assert job["source_processing"] == "outpainting"
    extras = [{"image": pictures[2]}, {"image": pictures[3], "strength": 0.5}]
    await ask(
        ADMIN, source_image=pictures[0], source_processing="remix", extra_source_images=extras
    )
    job = await pop()
    assert job["extra_source_images"] == [
        {"image": pictures[2], "strength": 1.0},
        {"image": pictures[3], "strength": 0.5},
    ]
    assert job["source_mask"] is None
    assert await horde.pictures.get(end.source_name(placed["id"], "msk")) is not None
    horde.clock.forward(s=1201)
    await end.expire(horde, placed["id"])
    assert await horde.pictures.get(end.source_name(placed["id"], "msk")) is None


async def test_inpainting_needs_to_know_where(api, ask):
    body = {"prompt": "x", "source_image": base64_picture(), "source_processing": "inpainting"}
    reply = await api.post(ASYNC, json=body, headers=ANONYMOUS)
    assert (reply.status_code, reply.json()["rc"]) == (400, "InpaintingMissingMask")
    await ask(**body | {"source_mask": base64_picture()})


@pytest.mark.parametrize(
    ("agent", "version", "skipped"),
    [
        pytest.param("AI Horde Worker reGen:10.0.0:x", 1, None, id="one of today"),
        pytest.param("AI Horde Worker reGen:0.9:x", 1, "bridge_version", id="too old a version"),
        pytest.param("AI Horde Worker~mine:24:x", 1, None, id="a relative"),
        pytest.param("nobody knows:1:x", 1, "bridge_version", id="an unknown program"),
        pytest.param(None, 2, None, id="one of 2022 that draws from pictures"),
        pytest.param(None, 1, "bridge_version", id="one of 2022 that does not"),
    ],
)
async def test_post_job_pop_goes_by_what_the_program_can(ask, pop, agent, version, skipped):
    await ask(source_image=base64_picture())
    job = await pop(bridge_agent=agent, bridge_version=version)
    if skipped is None:
        assert job["id"]
    else:
        assert (job["id"], job["skipped"][skipped]) == (None, 1)


async def test_post_async_generate_refuses_more_decimals_than_two(api):
    reply = await api.post(
        ASYNC, json={"prompt": "x", "params": {"cfg_scale": 7.125}}, headers=ANONYMOUS
    )
    assert (reply.status_code, reply.json()["rc"]) == (400, "BadCFGDecimals")


async def test_post_async_generate_refuses_too_many_waiting(api, ask, register):
    ferris = await register("ferris")
    await ask(ferris, params={"n": 20})
    reply = await api.post(ASYNC, json={"prompt": "x", "params": {"n": 11}}, headers=ferris)
    assert (reply.status_code, reply.json()["rc"]) == (429, "TooManyPrompts")


async def test_post_async_generate_in_maintenance(api):
    modes = {"maintenance": True}
    assert (await api.put("/api/v2/status/modes", json=modes, headers=ADMIN)).status_code == 200
    reply = await api.post(ASYNC, json={"prompt": "x"}, headers=ANONYMOUS)
    assert (reply.status_code, reply.json()["rc"]) == (503, "MaintenanceMode")


@pytest.mark.parametrize("url", [ASYNC, SYNC, POP_URL, SUBMIT])
@pytest.mark.parametrize(
    "headers", [{}, {"apikey": ""}, {"apikey": "x" * 22}, {"apikey": "\u00e9".encode("latin-1")}]
)
async def test_every_call_that_needs_a_key_refuses_others(api, url, headers):
    body = {"prompt": "x"} | POP | {"id": "x", "generation": "x"}
    reply = await api.post(url, json=body, headers=headers)
    assert (reply.status_code, reply.json()["rc"]) == (401, "InvalidAPIKey")


# Source images


async def test_a_source_image_reaches_the_worker_as_it_was_sent(ask, pop):
    picture = base64_picture(form="PNG")
    await ask(source_image=picture, params={"denoising_strength": 0})
    job = await pop()
    assert (job["source_image"], job["source_processing"]) == (picture, "img2img")
    assert job["payload"]["denoising_strength"] == 0


async def test_a_source_image_goes_to_workers_that_take_them(ask, pop):
    await ask(source_image=base64_picture())
    assert (await pop(allow_img2img=False))["skipped"]["img2img"] == 1
    assert (await pop())["id"]


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("!!!", id="no base64"),
        pytest.param(base64.b64encode(b"<svg/>").decode(), id="no picture"),
        pytest.param(base64.b64encode(a_picture()[:20]).decode(), id="cut off"),
    ],
)
async def test_a_bad_source_image_is_refused(api, source, horde):
    reply = await api.post(ASYNC, json={"prompt": "x", "source_image": source}, headers=ANONYMOUS)
    assert (reply.status_code, reply.json()["rc"]) == (400, "BadPicture")
    assert not horde.lanes.requests


# Watching


@pytest.mark.parametrize("url", [CHECK, STATUS])
@pytest.mark.parametrize("request_id", ["x", "00000000-0000-0000-0000-000000000000", "%00", "é"])
async def test_unknown_requests_are_not_found(api, url, request_id):
    reply = await api.get(f"{url}/{request_id}")
    assert (reply.status_code, reply.json()["rc"]) == (404, "RequestNotFound")


async def test_delete_async_status_shows_the_state_after_it(api, ask, pop, submit):
    placed = await ask(params={"n": 3})
    job = await pop()
    cancelled = (await api.delete(f"{STATUS}/{placed['id']}")).json()
    assert (cancelled["waiting"], cancelled["processing"], cancelled["done"]) == (0, 1, False)
    assert (await submit(job["id"])).status_code == 200
    status = (await api.get(f"{STATUS}/{placed['id']}")).json()
    assert (status["finished"], status["done"], len(status["generations"])) == (1, True, 1)


async def test_delete_async_status_of_nothing(api):
    reply = await api.delete(f"{STATUS}/nothing")
    assert (reply.status_code, reply.json()["rc"]) == (404, "RequestNotFound")


# post_job_pop


async def test_post_job_pop_answers_with_the_same_shape_without_a_job(ask, pop):
    empty = await pop()
    await ask()
    full = await pop()
    assert empty.keys() == full.keys()
    assert (empty["id"], empty["ids"], empty["source_processing"]) == (None, [], "img2img")
    assert empty["payload"]["ddim_steps"] == 30
    assert empty["skipped"]["post-processing"] == 0
    assert full["skipped"] == {}
    assert full["ids"] == [full["id"]]
    assert len(full["r2_uploads"]) == full["payload"]["n_iter"] == 1
    assert full["ttl"] == 150


async def test_post_job_pop_gives_payload_fields_that_bridges_demand(ask, pop):
    await ask(params={"seed": "cat"})
    payload = (await pop())["payload"]
    assert payload.keys() >= {
        "prompt", "ddim_steps", "n_iter", "seed", "sampler_name", "cfg_scale", "height", "width",
        "karras", "tiling",
    }  # fmt: skip
    assert payload["seed"] == "7627107"


async def test_post_job_pop_takes_the_body_of_2022(api, ask):
    await ask()
    body = {
        "name": "old", "max_pixels": 262144, "priority_usernames": [], "nsfw": True,
        "blacklist": [], "models": ["stable_diffusion"], "allow_img2img": True,
        "allow_unsafe_ip": True, "bridge_version": 3,
    }  # fmt: skip
    reply = await api.post(POP_URL, json=body, headers=ADMIN)
    assert reply.json()["id"]


async def test_post_job_pop_without_models_means_stable_diffusion(ask, pop):
    await ask(models=["stable_diffusion"])
    assert (await pop(models=[]))["id"]


async def test_post_job_pop_counts_what_was_passed_over(ask, pop):
    await ask(models=["sdxl"], nsfw=False)
    await ask(params={"width": 1024, "height": 1024}, nsfw=False)
    await ask(nsfw=True)
    skipped = (await pop(nsfw=False, max_pixels=512 * 512))["skipped"]
    assert (skipped["models"], skipped["max_pixels"], skipped["nsfw"]) == (1, 1, 1)


async def test_post_job_pop_settings_act_at_once(ask, pop):
    await ask(params={"width": 1024, "height": 1024})
    assert (await pop(max_pixels=512 * 512))["skipped"]["max_pixels"] == 1
    assert (await pop(max_pixels=1024 * 1024))["id"]


@pytest.mark.parametrize(
    ("headers", "status", "rc"),
    [
        pytest.param(ANONYMOUS, 403, "AnonForbiddenWorker", id="the anonymous user has no workers"),
        pytest.param({"apikey": str(uuid.uuid4())}, 501, "NotImplemented", id="a shared key"),
    ],
)
async def test_post_job_pop_refuses(api, headers, status, rc):
    reply = await api.post(POP_URL, json=POP, headers=headers)
    assert (reply.status_code, reply.json()["rc"]) == (status, rc)


async def test_post_job_pop_for_somebody_elses_worker(api, pop, register):
    await pop()
    reply = await api.post(POP_URL, json=POP, headers=await register("other"))
    assert (reply.status_code, reply.json()["rc"]) == (403, "WrongCredentials")
    assert "wrong credentials" in reply.json()["message"].lower()


async def test_post_job_pop_of_a_worker_in_maintenance(api, pop):
    await pop()
    worker = (await api.get("/api/v2/workers")).json()[0]
    body = {"maintenance": True}
    await api.put(f"/api/v2/workers/{worker['id']}", json=body, headers=ADMIN)
    reply = await api.post(POP_URL, json=POP, headers=ADMIN)
    assert (reply.status_code, reply.json()["rc"]) == (403, "WorkerMaintenance")
    assert "maintenance mode" in reply.json()["message"]


# post_job_submit


@pytest.mark.parametrize("seed", [5, "5", "0005", -1, None])
async def test_post_job_submit_takes_a_seed_in_any_form(ask, pop, submit, seed):
    await ask()
    assert (await submit((await pop())["id"], seed=seed)).status_code == 200


async def test_post_job_submit_ignores_fields_of_other_programs(ask, pop, submit):
    await ask()
    reply = await submit((await pop())["id"], api_key="x", max_pixels=5, censored=False)
    assert reply.status_code == 200


async def test_post_job_submit_of_an_uploaded_picture(api, ask, pop, submit):
    placed = await ask(r2=True)
    job = await pop()
    assert (await api.put(job["r2_upload"], content=a_picture(colour="red"))).status_code == 200
    # It may be replaced until it is submitted.
    assert (await api.put(job["r2_upload"], content=a_picture())).status_code == 200
    assert (await submit(job["id"], generation="R2")).status_code == 200
    status = (await api.get(f"{STATUS}/{placed['id']}")).json()
    link = status["generations"][0]["img"]
    assert link.startswith("http://horde.test/pictures/")
    picture = await api.get(link)
    assert picture.content == a_picture()
    assert picture.headers["content-type"] == "image/webp"
    late = await api.put(job["r2_upload"], content=a_picture(colour="red"))
    assert late.status_code == 400
    assert (await api.get(link)).content == a_picture()


async def test_post_job_submit_of_two_pictures_at_once(api, ask, pop, submit, horde):
    """The one that is paid for is the one that is shown, however long the other takes."""
    placed = await ask()
    job = await pop()
    pictures = {colour: base64_picture(colour=colour) for colour in ("red", "teal")}
    horde.pictures = held = Held(horde.pictures, base64.b64decode(pictures["red"]))
    slow = asyncio.create_task(submit(job["id"], generation=pictures["red"]))
    await held.entered.wait()
    quick = asyncio.create_task(submit(job["id"], generation=pictures["teal"]))
    await asyncio.wait({quick}, timeout=0.2)
    held.gate.set()
    replies = {"red": await slow, "teal": await quick}
    (paid,) = [colour for colour, reply in replies.items() if reply.status_code == 200]
    (refused,) = [reply for reply in replies.values() if reply.status_code != 200]
    assert refused.json()["rc"] == "DuplicateGen"
    status = (await api.get(f"{STATUS}/{placed['id']}")).json()
    assert status["generations"][0]["img"] == pictures[paid]


class Held:
    """A store of pictures that keeps one of them waiting."""

    def __init__(self, store, data):
        self.store, self.data = store, data
        self.entered, self.gate = asyncio.Event(), asyncio.Event()

    async def put(self, name, data, *, is_durable=True):
        if data == self.data:
            self.entered.set()
            await self.gate.wait()
        await self.store.put(name, data, is_durable=is_durable)

    async def get(self, name):
        return await self.store.get(name)


async def test_post_job_submit_of_a_picture_that_was_never_uploaded(ask, pop, submit):
    await ask()
    job = await pop()
    reply = await submit(job["id"], generation="R2")
    assert (reply.status_code, reply.json()["rc"]) == (400, "BadPicture")
    assert (await submit(job["id"])).status_code == 200


@pytest.mark.parametrize("generation", ["", "???", base64.b64encode(b"GIF89a").decode()])
async def test_post_job_submit_of_what_is_no_picture(ask, pop, submit, generation):
    await ask()
    job = await pop()
    reply = await submit(job["id"], generation=generation)
    assert (reply.status_code, reply.json()["rc"]) == (400, "BadPicture")
    assert (await submit(job["id"])).status_code == 200


async def test_post_job_pop_says_what_a_worker_failed_and_another_may_try(api, ask, pop, submit):
    await pop(name="attic")
    await pop(name="cellar")  # is here too, and could do it
    await ask()
    failed = await pop(name="attic")
    await submit(failed["id"], state="faulted", generation="faulted", seed=-1)
    skipped = (await pop(name="attic"))["skipped"]
    assert skipped["failed_before"] == 1
    assert (await pop(name="cellar"))["id"]


@pytest.mark.parametrize("reason", Reason)
def test_a_pop_can_say_every_reason_to_pass_a_worker_over(reason):
    told = nothing_payload({reason: 3}).skipped
    fields = msgspec.to_builtins(told)
    assert reason is Reason.KIND or fields[reason.value] == 3


async def test_post_job_submit_faulted_hands_the_job_out_again(api, ask, pop, submit):
    placed = await ask()
    reply = await submit((await pop())["id"], state="faulted", generation="faulted", seed=-1)
    assert (reply.status_code, reply.json()) == (200, {"reward": 0})
    check = (await api.get(f"{CHECK}/{placed['id']}")).json()
    assert (check["waiting"], check["restarted"]) == (1, 1)
    assert (await submit((await pop())["id"])).status_code == 200


async def test_post_job_submit_twice(ask, pop, submit):
    await ask()
    job = await pop()
    await submit(job["id"])
    reply = await submit(job["id"])
    assert (reply.status_code, reply.json()["rc"]) == (400, "DuplicateGen")
    assert "already submitted" in reply.json()["message"]


async def test_post_job_submit_twice_at_once_pays_once(api, ask, pop, submit, register):
    owner = await register("owner")
    await ask()
    job = await pop(owner, name="theirs")
    replies = await asyncio.gather(*(submit(job["id"], owner) for _ in range(4)))
    assert sorted(reply.status_code for reply in replies) == [200, 400, 400, 400]
    user = (await api.get("/api/v2/find_user", headers=owner)).json()
    assert (user["kudos"], user["evaluating_kudos"]) == (3.0, 3.0)


async def test_post_job_submit_for_somebody_elses_job(ask, pop, submit, register):
    await ask()
    job = await pop()
    reply = await submit(job["id"], await register("thief"))
    assert (reply.status_code, reply.json()["rc"]) == (403, "WrongCredentials")


async def test_post_job_submit_of_an_unknown_job(submit):
    reply = await submit("nothing")
    assert (reply.status_code, reply.json()["rc"]) == (404, "InvalidJobID")
    assert "Processing Job with ID" in reply.json()["message"]
    assert "does not exist" in reply.json()["message"]


async def test_post_job_submit_after_its_time(ask, pop, submit, horde, clock):
    await ask()
    job = await pop()
    clock.forward(s=151)
    await sweeper.fail_overdue(horde)
    reply = await submit(job["id"])
    assert (reply.status_code, reply.json()["rc"]) == (400, "AbortedGen")
    assert "Please check your worker speed" in reply.json()["message"]


async def test_post_job_submit_keeps_remarks_and_censorship(api, ask, pop, submit):
    placed = await ask()
    remarks = [{"type": "censorship", "value": "nsfw"}]
    await submit((await pop())["id"], gen_metadata=remarks)
    picture = (await api.get(f"{STATUS}/{placed['id']}")).json()["generations"][0]
    assert picture["censored"] is True
    assert picture["gen_metadata"][0]["value"] == "nsfw"


# post_sync_generate


async def test_post_sync_generate_waits_for_its_pictures(api, pop, submit):
    await pop()
    call = asyncio.create_task(api.post(SYNC, json={"prompt": "a fox"}, headers=ANONYMOUS))
    job = {"id": None}
    while not job["id"]:
        await asyncio.sleep(0)
        job = await pop()
    await submit(job["id"])
    reply = await call
    assert (reply.status_code, reply.json()["done"]) == (200, True)
    assert base64.b64decode(reply.json()["generations"][0]["img"]) == a_picture()


async def test_post_sync_generate_without_workers_places_nothing(api, horde):
    reply = await api.post(SYNC, json={"prompt": "a fox"}, headers=ANONYMOUS)
    assert (reply.status_code, reply.json()["rc"]) == (503, "NoValidWorkers")
    assert not horde.lanes.requests


async def test_post_sync_generate_that_expires(api, pop, horde, clock):
    await pop()
    call = asyncio.create_task(api.post(SYNC, json={"prompt": "a fox"}, headers=ANONYMOUS))
    while not horde.lanes.requests:
        await asyncio.sleep(0)
    clock.forward(s=1201)
    await sweeper.expire_requests(horde)
    reply = await call
    assert (reply.status_code, reply.json()["rc"]) == (410, "RequestExpired")


async def test_post_sync_generate_while_the_server_stops(api, pop, horde):
    await pop()
    call = asyncio.create_task(api.post(SYNC, json={"prompt": "a fox"}, headers=ANONYMOUS))
    while not horde.lanes.requests:
        await asyncio.sleep(0)
    horde.stop()
    reply = await call
    assert (reply.status_code, reply.json()["rc"]) == (503, "Unavailable")
    assert not horde.lanes.requests


async def test_post_sync_generate_whose_caller_leaves_is_cancelled(api, pop, horde):
    await pop()
    call = asyncio.create_task(api.post(SYNC, json={"prompt": "a fox"}, headers=ANONYMOUS))
    while not horde.lanes.requests:
        await asyncio.sleep(0)
    call.cancel()
    while horde.lanes.requests:
        await asyncio.sleep(0)


# X-Fields


async def test_x_fields_on_check_and_status(api, ask):
    placed = await ask()
    reply = await api.get(f"{CHECK}/{placed['id']}", headers={"X-Fields": "{done, waiting}"})
    assert reply.json() == {"done": False, "waiting": 1}


async def test_a_bad_mask_is_refused_before_anything_happens(api, horde):
    reply = await api.post(ASYNC, json={"prompt": "x"}, headers=ANONYMOUS | {"X-Fields": "{a"})
    assert (reply.status_code, reply.json()["rc"]) == (400, "BadMask")
    assert not horde.lanes.requests


# Pace, steps and means


async def test_a_slow_worker_gets_no_request_for_fast_ones(api, ask, pop, submit, clock):
    await ask(n=1)
    job = await pop()
    clock.forward(s=60)  # 7.9 megapixelsteps in a minute
    await submit(job["id"])
    await api.put("/api/v2/users/1", json={"kudos": 100}, headers=ADMIN)
    await ask(ADMIN, slow_workers=False)
    await ask(slow_workers=True)
    register = await api.post("/register", json={"username": "other"})
    assert register.is_success
    worker = (await api.get("/api/v2/workers")).json()[0]
    assert worker["performance"] == "0.1 megapixelsteps per second"
    assert (await pop())["id"], "what takes slow workers"
    assert (await pop())["skipped"]["performance"] == 1


async def test_a_worker_that_is_extra_slow_gets_three_times_as_long(ask, pop, api, clock):
    await ask()
    assert (await pop(extra_slow_worker=True))["skipped"]["performance"] == 1
    placed = await ask(extra_slow_workers=True)
    job = await pop(extra_slow_worker=True)
    assert job["ttl"] == 450
    clock.forward(s=1300)
    assert (await api.get(f"/api/v2/generate/check/{placed['id']}")).status_code == 200


async def test_a_worker_that_limits_steps(ask, pop):
    await ask(params={"steps": 50})
    assert (await pop(limit_max_steps=True))["skipped"]["step_count"] == 1
    assert (await pop())["id"]


async def test_a_worker_that_wants_requesters_who_can_pay(api, ask, pop, register):
    ferris = await register("ferris")
    await ask(ferris)
    await ask(ANONYMOUS)
    assert (await pop(require_upfront_kudos=True))["skipped"]["kudos"] == 2
    await api.put("/api/v2/users/2", json={"kudos": 6}, headers=ADMIN)
    assert (await pop(require_upfront_kudos=True))["id"]
    assert (await pop(require_upfront_kudos=True))["skipped"]["kudos"] == 1
    assert (await pop())["id"]


async def test_a_batch_is_popped_at_once_and_delivered_one_by_one(api, ask, pop, submit):
    placed = await ask(params={"n": 4, "seed": "cat"})
    job = await pop(amount=3)
    assert job["payload"]["n_iter"] == 3
    assert job["payload"]["seed"] == "7627107"
    assert (len(set(job["ids"])), job["ids"][0]) == (3, job["id"])
    assert (len(set(job["r2_uploads"])), job["r2_uploads"][0]) == (3, job["r2_upload"])
    check = (await api.get(f"/api/v2/generate/check/{placed['id']}")).json()
    assert (check["processing"], check["waiting"]) == (3, 1)
    for number, job_id in enumerate(job["ids"]):
        assert (await submit(job_id, seed=7627107 + number)).json()["reward"] == 6
    last = await pop(amount=3)
    assert (last["payload"]["n_iter"], len(last["ids"])) == (1, 1)
    await submit(last["id"])
    status = (await api.get(f"/api/v2/generate/status/{placed['id']}")).json()
    seeds = {each["seed"] for each in status["generations"]}
    assert (status["done"], len(status["generations"])) == (True, 4)
    assert {"7627107", "7627108", "7627109"} <= seeds


@pytest.mark.parametrize(
    ("body", "popped", "many"),
    [
        pytest.param({}, {"amount": 4, "max_pixels": 1048576}, 4, id="small ones"),
        pytest.param({}, {"amount": 2, "max_pixels": 1048576}, 2, id="two of many"),
        pytest.param(
            {"params": {"width": 1024, "height": 1024, "n": 9}}, {"amount": 4}, 1, id="large ones"
        ),
        pytest.param({"disable_batching": True}, {"amount": 4}, 1, id="not wanted"),
        pytest.param({"params": {"seed_variation": 2, "n": 9}}, {"amount": 4}, 1, id="own seeds"),
        pytest.param({}, {}, 1, id="a worker that takes one"),
    ],
)
async def test_how_large_a_batch_is(ask, pop, body, popped, many):
    await ask(ADMIN, **{"params": {"n": 9}} | body)
    job = await pop(**popped)
    assert (job["payload"]["n_iter"], len(job["ids"])) == (many, many)


async def test_a_prompt_that_is_not_drawn_here(api, horde):
    reply = await api.post(ASYNC, json={"prompt": "naked child"}, headers=ANONYMOUS)
    assert (reply.status_code, reply.json()["rc"]) == (400, "CorruptPrompt")
    assert not horde.lanes.requests
