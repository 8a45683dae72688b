"""The door of /sdapi/v1: programs for a local AUTOMATIC1111 use a horde instead."""

import asyncio
import base64
import io
import json

import httpx
import pytest
from PIL import Image
from tests.api.conftest import ADMIN, ANONYMOUS
from tests.builders import a_picture
from tests.conftest import ADMIN_KEY

from ordu.images import pixels
from ordu.server.app import make_app
from ordu.server.run import open_horde
from ordu.settings import ServerSettings

pytestmark = pytest.mark.anyio

TEXT, PICTURE = "/sdapi/v1/txt2img", "/sdapi/v1/img2img"
PROGRESS, INTERRUPT, OPTIONS = (
    f"/sdapi/v1/{name}" for name in ("progress", "interrupt", "options")
)
TASK = "/internal/progress"
CAN_ALL = {
    "features": ["censor", "tiling", "hires_fix", "clip_skip", "post:GFPGAN", "post:CodeFormers"],
    "allow_img2img": True,
    "allow_painting": True,
    "allow_lora": True,
    "allow_post_processing": True,
    "max_pixels": 4194304,
    "nsfw": True,
}


def in_text(data):
    return base64.b64encode(data).decode()


def opened_image(text):
    return Image.open(io.BytesIO(base64.b64decode(text)))


def basic(key):
    return {"Authorization": f"Basic {base64.b64encode(f'me:{key}'.encode()).decode()}"}


@pytest.fixture
def worker(pop, submit):
    """A worker that does the next jobs, and what it was given."""

    class Worker:
        def __init__(self):
            self.jobs = []

        async def come(self, **offer):
            """Be here, so that something can be asked for."""
            self.offer = CAN_ALL | offer
            await pop(**self.offer)

        async def take(self):
            job = None
            async with asyncio.timeout(20):
                while not job or not job["id"]:
                    job = await pop(**self.offer)
                    await asyncio.sleep(0.005)
            self.jobs.append(job)
            return job

        async def bring(self, job, ordinal=0):
            seed = int(job["payload"]["seed"])
            reply = await submit(job["ids"][ordinal], seed=seed + ordinal)
            assert reply.status_code == 200, reply.text

        async def draw(self, many=1):
            for _ in range(many):
                await self.bring(await self.take())

    return Worker()


@pytest.fixture
def drawn(api, worker):
    """Send a body, have it drawn, and return the answer and the job that the worker had."""

    async def call(path=TEXT, headers=ADMIN, *, many=1, **body):
        if not hasattr(worker, "offer"):
            await worker.come()
        asked = asyncio.create_task(
            api.post(path, json={"prompt": "a fox"} | body, headers=headers)
        )
        drawing = asyncio.create_task(worker.draw(many))
        await asyncio.wait({asked, drawing}, return_when=asyncio.FIRST_COMPLETED)
        if asked.done() and not drawing.done() and asked.result().status_code != 200:
            drawing.cancel()
            raise AssertionError(asked.result().text)
        await drawing
        reply = await asked
        assert reply.status_code == 200, reply.text
        return reply.json(), worker.jobs[-1]

    return call


async def test_txt2img_answers_with_a_png_that_says_how_it_was_drawn(drawn):
    reply, job = await drawn(
        negative_prompt="rain",
        seed=42,
        steps=20,
        sampler_name="DPM++ 2M Karras",
        cfg_scale=6.5,
        width=576,
        height=448,
    )
    payload = job["payload"]
    assert payload["prompt"] == "a fox###rain"
    assert (payload["ddim_steps"], payload["cfg_scale"], payload["seed"]) == (20, 6.5, "42")
    assert (payload["width"], payload["height"]) == (576, 448)
    assert (payload["sampler_name"], payload["karras"]) == ("k_dpmpp_2m", True)
    image = opened_image(reply["images"][0])
    assert image.format == "PNG"
    infotext = image.info["parameters"]
    assert infotext.startswith("a fox\nNegative prompt: rain\nSteps: 20, Sampler: DPM++ 2M, ")
    info = json.loads(reply["info"])
    assert info["infotexts"] == [infotext]
    assert (info["seed"], info["all_seeds"]) == (42, [42])
    assert info["sd_model_name"] == "stable_diffusion"
    assert reply["parameters"]["negative_prompt"] == "rain"


async def test_what_is_not_said_has_the_usual_values_of_that_api(drawn):
    _, job = await drawn()
    payload = job["payload"]
    assert (payload["ddim_steps"], payload["cfg_scale"]) == (50, 7.0)
    assert (payload["width"], payload["height"]) == (512, 512)
    assert (payload["sampler_name"], payload["karras"]) == ("k_euler", False)
    assert not {"clip_skip", "loras", "post_processing", "denoising_strength"} & payload.keys()


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param({"sampler_name": "Euler a"}, {"sampler_name": "k_euler_a"}, id="a sampler"),
        pytest.param({"sampler_index": "DDIM"}, {"sampler_name": "DDIM"}, id="the older field"),
        pytest.param({"sampler_name": "k_heun"}, {"sampler_name": "k_heun"}, id="our own name"),
        pytest.param(
            {"sampler_name": "DPM++ 2M"},
            {"sampler_name": "k_dpmpp_2m", "karras": True},
            id="a sampler that is usually with Karras",
        ),
        pytest.param(
            {"sampler_name": "DPM++ 2M", "scheduler": "Uniform"}, {"karras": False}, id="without"
        ),
        pytest.param(
            {"sampler_name": "Euler a", "scheduler": "karras"}, {"karras": True}, id="a schedule"
        ),
        pytest.param(
            {"sampler_name": "DDIM", "scheduler": "Karras"}, {"karras": False}, id="never Karras"
        ),
        pytest.param({"tiling": True}, {"tiling": True}, id="tiling"),
        pytest.param(
            {"override_settings": {"CLIP_stop_at_last_layers": 2}}, {"clip_skip": 2}, id="clip skip"
        ),
        pytest.param(
            {"restore_faces": True}, {"post_processing": ["CodeFormers"]}, id="faces as usual"
        ),
        pytest.param(
            {"restore_faces": True, "override_settings": {"face_restoration_model": "GFPGAN"}},
            {"post_processing": ["GFPGAN"]},
            id="faces by another",
        ),
        pytest.param(
            {"enable_hr": True, "hr_scale": 1.5, "hr_upscaler": "Latent"},
            {"hires_fix": True, "width": 768, "hires_fix_denoising_strength": 0.75},
            id="two passes by a factor",
        ),
        pytest.param(
            {"enable_hr": True, "hr_resize_x": 1024, "denoising_strength": 0.4},
            {"width": 1024, "height": 1024, "hires_fix_denoising_strength": 0.4},
            id="two passes to a width",
        ),
        pytest.param(
            {"prompt": "a <lora:ink:0.7> fox <lora:Moon Light:1:0.5>"},
            {
                "prompt": "a  fox",
                "loras": [
                    {"name": "ink", "model": 0.7, "clip": 0.7, "is_version": False},
                    {"name": "Moon Light", "model": 0.5, "clip": 1.0, "is_version": False},
                ],
            },
            id="LoRAs in the prompt",
        ),
        pytest.param(
            {"prompt": "a fox ### x", "negative_prompt": "rain"},
            {"prompt": "a fox ## x###rain"},
            id="our separator in the prompt is none",
        ),
        pytest.param(
            {
                "eta": 1.0,
                "s_churn": 0,
                "s_tmax": 0,
                "s_noise": 1,
                "styles": [],
                "subseed": -1,
                "subseed_strength": 0,
                "script_name": None,
                "script_args": [],
                "alwayson_scripts": {},
                "hr_upscaler": "R-ESRGAN 4x+",
                "hr_second_pass_steps": 0,
                "save_images": True,
                "do_not_save_grid": True,
                "override_settings": {"sd_vae": "Automatic", "samples_format": "jpg"},
                "nobody_knows_this": 5,
            },
            {"prompt": "a fox"},
            id="what programs send as usual",
        ),
    ],
)
async def test_txt2img_translates(drawn, body, expected):
    _, job = await drawn(**body)
    assert {name: job["payload"].get(name) for name in expected} == expected


async def test_what_was_drawn_is_told_in_the_words_of_that_api(drawn):
    override = {"CLIP_stop_at_last_layers": 2, "face_restoration_model": "GFPGAN"}
    reply, _ = await drawn(restore_faces=True, tiling=True, override_settings=override, steps=9)
    info = json.loads(reply["info"])
    assert (info["face_restoration_model"], info["clip_skip"], info["steps"]) == ("GFPGAN", 2, 9)
    expected = "Clip skip: 2, Face restoration: GFPGAN, Tiling: True, Worker: attic, Version: Ordu"
    assert expected in info["infotexts"][0]


async def test_several_pictures_have_one_seed_after_the_other(drawn, worker):
    reply, _ = await drawn(batch_size=2, n_iter=2, seed=7, many=4)
    assert len(reply["images"]) == 4
    assert json.loads(reply["info"])["all_seeds"] == [7, 8, 9, 10]
    assert [job["payload"]["seed"] for job in worker.jobs] == ["7", "8", "9", "10"]


async def test_a_picture_too_large_to_decode_comes_as_it_was_sent(drawn, monkeypatch):
    monkeypatch.setattr(pixels, "PIXELS_MAX", 512 * 512 - 1)
    reply, _ = await drawn()
    assert base64.b64decode(reply["images"][0]) == a_picture()


async def test_pictures_are_left_out_where_they_are_not_wanted(drawn):
    reply, _ = await drawn(send_images=False)
    assert reply["images"] == []
    assert len(json.loads(reply["info"])["infotexts"]) == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        pytest.param({"steps": 0}, "steps", id="no steps"),
        pytest.param({"steps": "20"}, "steps", id="steps as text"),
        pytest.param({"width": 600}, "width", id="a width off the grid"),
        pytest.param({"width": 4096}, "width", id="too wide"),
        pytest.param({"seed": -2}, "seed", id="a seed below zero"),
        pytest.param({"batch_size": 21}, "batch_size", id="too many at once"),
        pytest.param({"batch_size": 7, "n_iter": 3}, "n_iter", id="too many in all"),
        pytest.param({"styles": ["anime"]}, "styles", id="styles"),
        pytest.param({"subseed_strength": 0.3}, "subseed_strength", id="a variation seed"),
        pytest.param({"seed_resize_from_w": 512}, "seed_resize_from_w", id="a seed's width"),
        pytest.param({"seed_resize_from_h": 512}, "seed_resize_from_h", id="a seed's height"),
        pytest.param({"eta": 0.3}, "eta", id="eta"),
        pytest.param({"s_min_uncond": 1}, "s_min_uncond", id="s_min_uncond"),
        pytest.param({"s_churn": 1}, "s_churn", id="s_churn"),
        pytest.param({"s_tmin": 1}, "s_tmin", id="s_tmin"),
        pytest.param({"s_tmax": 1}, "s_tmax", id="s_tmax"),
        pytest.param({"s_noise": 0.9}, "s_noise", id="s_noise"),
        pytest.param({"refiner_checkpoint": "xl"}, "refiner_checkpoint", id="a refiner"),
        pytest.param({"firstpass_image": "AA"}, "firstpass_image", id="a first pass"),
        pytest.param({"infotext": "Steps: 5"}, "infotext", id="an infotext"),
        pytest.param({"script_name": "x/y plot"}, "script_name", id="a script"),
        pytest.param(
            {"alwayson_scripts": {"ControlNet": {"args": []}}},
            "alwayson_scripts.ControlNet",
            id="an extension",
        ),
        pytest.param({"scheduler": "Exponential"}, "scheduler", id="a schedule nobody has"),
        pytest.param({"prompt": "<hypernet:x:1> fox"}, "prompt", id="a hypernetwork"),
        pytest.param({"prompt": "<lora:x:9> fox"}, "prompt", id="a LoRA too strong"),
        pytest.param({"prompt": "<lora:x:nan> fox"}, "prompt", id="a LoRA of no weight"),
        pytest.param({"prompt": "<lora:x:strong> fox"}, "prompt", id="a LoRA of a word"),
        pytest.param({"prompt": "<lora:x:te=1> fox"}, "prompt", id="a LoRA with names"),
        pytest.param(
            {"override_settings": {"CLIP_stop_at_last_layers": 13}},
            "override_settings.CLIP_stop_at_last_layers",
            id="too much clip skip",
        ),
        pytest.param(
            {"override_settings": {"sd_vae": "other.pt"}}, "override_settings.sd_vae", id="a VAE"
        ),
        pytest.param(
            {"override_settings": {"sd_model_checkpoint": "nothing"}},
            "override_settings.sd_model_checkpoint",
            id="a model nobody has",
        ),
        pytest.param(
            {"override_settings": {"sd_model_checkpoint": 5}},
            "override_settings.sd_model_checkpoint",
            id="a model that is a number",
        ),
        pytest.param(
            {"override_settings": {"face_restoration_model": "Other"}},
            "override_settings.face_restoration_model",
            id="another face restorer",
        ),
        pytest.param(
            {"override_settings": {"sd_vae": ["a"]}}, "override_settings.sd_vae", id="a list"
        ),
        pytest.param({"enable_hr": True, "hr_scale": 1.7}, "hr_scale", id="a size off the grid"),
        pytest.param(
            {"enable_hr": True, "hr_resize_y": 700}, "hr_resize_y", id="a height off the grid"
        ),
        pytest.param(
            {"enable_hr": True, "hr_upscaler": "R-ESRGAN 4x+"}, "hr_upscaler", id="an upscaler"
        ),
        pytest.param(
            {"enable_hr": True, "hr_second_pass_steps": 5}, "hr_second_pass_steps", id="its steps"
        ),
        pytest.param({"enable_hr": True, "hr_prompt": "a dog"}, "hr_prompt", id="its prompt"),
        pytest.param(
            {"enable_hr": True, "hr_negative_prompt": "a dog"},
            "hr_negative_prompt",
            id="its negative prompt",
        ),
        pytest.param(
            {"enable_hr": True, "hr_checkpoint_name": "x"}, "hr_checkpoint_name", id="its model"
        ),
        pytest.param(
            {"enable_hr": True, "hr_sampler_name": "LMS"}, "hr_sampler_name", id="its sampler"
        ),
        pytest.param({"enable_hr": True, "hr_scheduler": "Karras"}, "hr_scheduler", id="schedule"),
        pytest.param({"enable_hr": True, "hr_cfg": 3}, "hr_cfg", id="its guidance"),
        pytest.param(
            {"enable_hr": True, "firstphase_width": 256}, "firstphase_width", id="its width"
        ),
        pytest.param(
            {"enable_hr": True, "firstphase_height": 256}, "firstphase_height", id="its height"
        ),
    ],
)
async def test_txt2img_refuses_by_field(api, worker, body, field):
    await worker.come()
    reply = await api.post(TEXT, json={"prompt": "a fox"} | body, headers=ADMIN)
    assert reply.status_code == 422, reply.text
    found = {".".join(each["loc"]): each["msg"] for each in reply.json()["detail"]}
    assert found.keys() == {f"body.{field}"}
    assert found[f"body.{field}"]


async def test_all_that_cannot_be_drawn_is_told_at_once(api):
    body = {"styles": ["a"], "eta": 5, "alwayson_scripts": {"ADetailer": {"args": [True]}}}
    reply = await api.post(TEXT, json=body, headers=ADMIN)
    told = [each["loc"][1:] for each in reply.json()["detail"]]
    assert told == [["styles"], ["eta"], ["alwayson_scripts", "ADetailer"]]


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b'{"prompt": "a\\u0000"}'])
async def test_txt2img_refuses_what_is_no_body(api, raw):
    reply = await api.post(TEXT, content=raw, headers=ADMIN)
    assert reply.status_code == 422
    assert reply.json()["detail"][0]["loc"] == ["body"]
    assert reply.json()["detail"][0]["msg"]


@pytest.mark.parametrize(
    ("body", "status", "rc"),
    [
        pytest.param({"sampler_name": "UniPC"}, 404, "NotFound", id="sampler"),
        pytest.param({"prompt": ""}, 400, "MissingPrompt", id="no prompt"),
        pytest.param({"cfg_scale": 7.123}, 400, "BadCFGDecimals", id="decimals"),
        pytest.param({"tiling": True}, 503, "NoValidWorkers", id="nobody can"),
        pytest.param({"prompt": "a naked child"}, 400, "CorruptPrompt", id="what nobody draws"),
    ],
)
async def test_other_refusals_have_the_shape_of_that_program(api, worker, body, status, rc):
    await worker.come(features=["censor"])
    reply = await api.post(TEXT, json={"prompt": "a fox"} | body, headers=ADMIN)
    assert reply.status_code == status
    told = reply.json()
    assert told["error"] == rc
    assert told["detail"]
    assert (told["body"], told["errors"]) == ("", "")


async def test_what_is_not_there_and_wrong_methods_are_told_in_that_shape(api):
    for method, path, status in (
        ("GET", "/sdapi/v1/nothing", 404),
        ("POST", "/sdapi/v1/extra-single-image", 404),
        ("GET", TEXT, 405),
        ("POST", "/internal/nothing", 404),
    ):
        reply = await api.request(method, path)
        assert (reply.status_code, reply.json().keys()) == (
            status,
            {"error", "detail", "body", "errors"},
        )


# From a picture


async def test_img2img_sends_the_picture_to_the_worker(drawn):
    source = a_picture(form="PNG")
    reply, job = await drawn(PICTURE, init_images=[in_text(source)], denoising_strength=0.3)
    assert base64.b64decode(job["source_image"]) == source
    assert (job["source_processing"], job["payload"]["denoising_strength"]) == ("img2img", 0.3)
    assert reply["parameters"]["init_images"] is None
    assert "Denoising strength: 0.3" in opened_image(reply["images"][0]).info["parameters"]


async def test_img2img_takes_a_data_address_and_shows_it_again_where_wanted(drawn):
    address = f"data:image/webp;base64,{in_text(a_picture())}"
    reply, job = await drawn(PICTURE, init_images=[address], include_init_images=True)
    assert base64.b64decode(job["source_image"]) == a_picture()
    assert job["payload"]["denoising_strength"] == 0.75
    assert reply["parameters"]["init_images"] == [address]


@pytest.mark.parametrize(
    ("fill", "processing"),
    [(None, "inpainting"), (1, "inpainting"), (0, "outpainting")],
)
async def test_img2img_paints_where_the_mask_is_white(drawn, fill, processing):
    mask = a_picture(colour="white", form="PNG")
    body = {} if fill is None else {"inpainting_fill": fill}
    _, job = await drawn(PICTURE, init_images=[in_text(a_picture())], mask=in_text(mask), **body)
    assert base64.b64decode(job["source_mask"]) == mask
    assert job["source_processing"] == processing


async def test_img2img_turns_a_mask_round(drawn):
    mask = in_text(a_picture(colour="white", form="PNG"))
    sources = {"init_images": [in_text(a_picture())], "mask": mask, "inpainting_mask_invert": 1}
    _, job = await drawn(PICTURE, **sources)
    assert opened_image(job["source_mask"]).getextrema() == (0, 0)


@pytest.mark.parametrize(("mode", "size"), [(0, (512, 512)), (1, (640, 512))])
async def test_img2img_fits_pictures_of_other_proportions(drawn, mode, size):
    source = a_picture(640, 512, form="PNG")
    _, job = await drawn(PICTURE, init_images=[in_text(source)], resize_mode=mode)
    assert opened_image(job["source_image"]).size == size


@pytest.mark.parametrize(
    ("body", "field"),
    [
        pytest.param({"init_images": ["!!!"]}, "init_images", id="no picture"),
        pytest.param({"init_images": ["http://x/y.png"]}, "init_images", id="a link"),
        pytest.param({"init_images": [5]}, "init_images", id="a number"),
        pytest.param({"init_images": [in_text(b"x" * 99)]}, "init_images", id="other bytes"),
        pytest.param({"init_images": [in_text(a_picture())] * 2}, "init_images", id="two"),
        pytest.param({"mask": "!!!"}, "mask", id="no mask"),
        pytest.param({"latent_mask": "AA"}, "latent_mask", id="a latent mask"),
        pytest.param({"resize_mode": 4}, "resize_mode", id="no way to resize"),
        pytest.param(
            {"resize_mode": 2, "width": 576}, "resize_mode", id="a way that is not done here"
        ),
        pytest.param(
            {"initial_noise_multiplier": 0.5}, "initial_noise_multiplier", id="other noise"
        ),
        pytest.param({"denoising_strength": 2}, "denoising_strength", id="too strong"),
        pytest.param(
            {"mask": in_text(a_picture()), "inpainting_fill": 2}, "inpainting_fill", id="noise"
        ),
        pytest.param(
            {"mask": in_text(a_picture()), "inpaint_full_res": True},
            "inpaint_full_res",
            id="only what is masked",
        ),
    ],
)
async def test_img2img_refuses_by_field(api, worker, body, field):
    await worker.come()
    asked = {"prompt": "a fox", "init_images": [in_text(a_picture())]} | body
    reply = await api.post(PICTURE, json=asked, headers=ADMIN)
    assert reply.status_code == 422, reply.text
    assert {each["loc"][1] for each in reply.json()["detail"]} == {field}


async def test_img2img_refuses_a_broken_picture_that_has_to_be_fitted(api, worker):
    await worker.come()
    broken = a_picture(640, 512, form="PNG")[:100]
    asked = {"prompt": "a fox", "init_images": [in_text(broken)]}
    reply = await api.post(PICTURE, json=asked, headers=ADMIN)
    assert (reply.status_code, reply.json()["detail"][0]["loc"]) == (422, ["body", "init_images"])


async def test_img2img_without_a_picture_is_answered_as_that_program_does(api):
    reply = await api.post(PICTURE, json={"prompt": "a fox"}, headers=ADMIN)
    assert reply.status_code == 404
    assert reply.json()["detail"].startswith("Init image not found")


# Who calls


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"apikey": ADMIN_KEY}, id="the horde's header"),
        pytest.param({"Authorization": f"Bearer {ADMIN_KEY}"}, id="bearer"),
        pytest.param(basic(ADMIN_KEY), id="basic"),
    ],
)
async def test_a_key_may_come_in_three_ways(drawn, horde, headers):
    await drawn(headers=headers, n_iter=1)
    rows = await horde.read(lambda tx: tx.all("SELECT user_id FROM requests"))
    assert [row[0] for row in rows] == [1]


@pytest.mark.parametrize("headers", [{}, ANONYMOUS, basic("0000000000"), basic("")])
async def test_without_a_key_the_caller_is_anonymous(drawn, horde, headers):
    await drawn(headers=headers)
    rows = await horde.read(lambda tx: tx.all("SELECT user_id FROM requests"))
    assert [row[0] for row in rows] == [0]


@pytest.mark.parametrize(
    "authorization", ["Basic !!!", basic("wrong")["Authorization"], "Bearer wrong", "wrong"]
)
@pytest.mark.parametrize(("method", "path"), [("POST", TEXT), ("GET", OPTIONS), ("GET", PROGRESS)])
async def test_a_wrong_key_is_refused(api, method, path, authorization):
    headers = {"Authorization": authorization}
    reply = await api.request(method, path, json={"prompt": "a fox"}, headers=headers)
    assert reply.status_code == 401
    assert reply.json()["error"] == "InvalidAPIKey"
    assert reply.headers["www-authenticate"] == "Basic"
    assert "wrong" not in reply.text


# How far it is


async def test_progress_is_that_of_the_callers_newest_call(api, worker, clock, register):
    await worker.come()
    idle = (await api.get(PROGRESS, headers=ADMIN)).json()
    assert (idle["progress"], idle["state"]["job"], idle["current_image"]) == (0, "", None)

    body = {"prompt": "a fox", "n_iter": 2, "steps": 20, "force_task_id": "task(1)"}
    asked = asyncio.create_task(api.post(TEXT, json=body, headers=ADMIN))
    before = await until(api, lambda reply: reply["state"]["job_count"] == 2)
    assert before["progress"] == 0
    assert before["state"]["job"] == "txt2img"
    assert before["textinfo"].startswith("0 of 2 done, place 1 in line; about ")
    assert before["eta_relative"] > 0
    assert await task(api, "task(1)") == (False, True, False)

    job = await worker.take()
    clock.forward(s=3)
    running = (await api.get(PROGRESS, headers=ADMIN)).json()
    assert 0 < running["progress"] < 0.5
    assert 0 < running["state"]["sampling_step"] <= running["state"]["sampling_steps"] == 20
    assert await task(api, "task(1)") == (True, False, False)
    clock.forward(s=3600 * 24)

    other = await register("ferris")
    assert (await api.get(PROGRESS, headers=other)).json()["state"]["job_count"] == 0
    assert await task(api, "task(1)", other) == (False, False, False)

    await worker.bring(job)
    half = await until(api, lambda reply: reply["state"]["job_no"] == 1)
    assert half["progress"] >= 0.5
    await worker.draw()
    assert (await asked).status_code == 200
    after = (await api.get(PROGRESS, headers=ADMIN)).json()
    assert (after["progress"], after["state"]["job"], after["state"]["job_count"]) == (0, "", 0)
    assert await task(api, "task(1)") == (False, False, True)
    assert await task(api, "task(2)") == (False, False, False)


async def until(api, is_so):
    """What `progress` says as soon as it says this."""
    async with asyncio.timeout(20):
        while True:
            reply = (await api.get(PROGRESS, headers=ADMIN)).json()
            if is_so(reply):
                return reply
            await asyncio.sleep(0.005)


async def task(api, task_id, headers=ADMIN):
    """Whether a call is drawn, waits, or is done, by its id."""
    reply = (await api.post(TASK, json={"id_task": task_id}, headers=headers)).json()
    return reply["active"], reply["queued"], reply["completed"]


async def test_interrupt_drops_what_waits_and_the_call_ends_with_what_is_there(api, worker):
    await worker.come()
    body = {"prompt": "a fox", "n_iter": 3}
    asked = asyncio.create_task(api.post(TEXT, json=body, headers=ADMIN))
    job = await worker.take()
    assert (await api.post(INTERRUPT, headers=ADMIN)).json() == {}
    await worker.bring(job)
    reply = await asked
    assert (reply.status_code, len(reply.json()["images"])) == (200, 1)
    state = (await api.get(PROGRESS, headers=ADMIN)).json()["state"]
    assert (state["interrupted"], state["job_count"]) == (True, 0)


async def test_interrupt_before_anything_was_drawn(api, worker):
    await worker.come()
    asked = asyncio.create_task(api.post(TEXT, json={"prompt": "a fox"}, headers=ADMIN))
    await until(api, lambda reply: reply["state"]["job_count"])
    await api.post(INTERRUPT, headers=ADMIN)
    reply = await asked
    assert (reply.status_code, reply.json()["error"]) == (503, "NoValidWorkers")
    assert "cancelled" in reply.json()["detail"]


async def test_interrupt_is_for_ones_own_calls(api, worker, register):
    await worker.come()
    asked = asyncio.create_task(api.post(TEXT, json={"prompt": "a fox"}, headers=ADMIN))
    await until(api, lambda reply: reply["state"]["job_count"])
    for headers in (await register("ferris"), {}):
        assert (await api.post(INTERRUPT, headers=headers)).status_code == 200
    await worker.draw()
    assert (await asked).status_code == 200


# Options and lists


async def test_options_are_kept_for_the_caller_for_a_day(api, worker, drawn, clock, register):
    await worker.come(models=["stable_diffusion", "Dreams 1.5"])
    assert (await api.get(OPTIONS, headers=ADMIN)).json()["sd_model_checkpoint"] == "Dreams 1.5"
    options = {"sd_model_checkpoint": "stable_diffusion", "CLIP_stop_at_last_layers": 2}
    reply = await api.post(OPTIONS, json=options, headers=ADMIN)
    assert (reply.status_code, reply.json()) == (200, None)

    kept = (await api.get(OPTIONS, headers=ADMIN)).json()
    assert {name: kept[name] for name in options} == options
    other = (await api.get(OPTIONS, headers=await register("ferris"))).json()
    assert other["sd_model_checkpoint"] == "Dreams 1.5"
    assert (await api.post(OPTIONS, json=kept, headers=ADMIN)).status_code == 200

    reply, job = await drawn()
    assert (job["model"], job["payload"]["clip_skip"]) == ("stable_diffusion", 2)
    override = {"sd_model_checkpoint": "dreams 1.5.safetensors [0123456789]"}
    _, job = await drawn(override_settings=override)
    assert job["model"] == "Dreams 1.5"
    clock.forward(s=25 * 3600)
    await worker.come(models=["stable_diffusion", "Dreams 1.5"])
    assert (await api.get(OPTIONS, headers=ADMIN)).json()["sd_model_checkpoint"] == "Dreams 1.5"


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"sd_model_checkpoint": "nothing"}, "sd_model_checkpoint"),
        ({"CLIP_stop_at_last_layers": 0}, "CLIP_stop_at_last_layers"),
        ({"face_restoration_model": "GFPGAN"}, "face_restoration_model"),
        ({"sd_vae": "other.pt"}, "sd_vae"),
    ],
)
async def test_options_that_cannot_be_followed_are_refused(api, worker, options, field):
    await worker.come()
    reply = await api.post(OPTIONS, json=options, headers=ADMIN)
    assert (reply.status_code, reply.json()["detail"][0]["loc"]) == (422, ["body", field])


async def test_the_models_are_those_that_workers_offer_now(api, worker):
    assert (await api.get("/sdapi/v1/sd-models")).json() == []
    await worker.come(models=["Dreams 1.5"])
    (model,) = (await api.get("/sdapi/v1/sd-models")).json()
    assert (model["title"], model["model_name"]) == ("Dreams 1.5", "Dreams 1.5")
    assert model["filename"] == "Dreams 1.5.safetensors"


async def test_interfaces_find_the_lists_they_ask_for_when_they_start(api):
    async def get(path):
        reply = await api.get(f"/sdapi/v1/{path}")
        assert reply.status_code == 200, path
        return reply.json()

    samplers = {each["name"]: each["aliases"] for each in await get("samplers")}
    assert "k_euler_a" in samplers["Euler a"]
    assert [each["label"] for each in await get("schedulers")] == ["Automatic", "Uniform", "Karras"]
    assert await get("latent-upscale-modes") == [{"name": "Latent"}]
    for path in ("upscalers", "sd-vae", "loras", "hypernetworks", "prompt-styles", "script-info"):
        assert await get(path) == []
    assert await get("face-restorers") == []
    assert await get("embeddings") == {"loaded": {}, "skipped": {}}
    assert (await get("memory")).keys() == {"ram", "cuda"}
    assert isinstance(await get("cmd-flags"), dict)
    assert (await api.get("/internal/ping")).json() == {}
    assert (await api.post("/sdapi/v1/refresh-checkpoints")).status_code == 200


async def test_every_sampler_that_is_listed_can_be_asked_for(api, drawn, worker):
    await worker.come()
    for sampler in (await api.get("/sdapi/v1/samplers")).json():
        _, job = await drawn(sampler_name=sampler["name"])
        assert job["payload"]["sampler_name"] in sampler["aliases"] + [sampler["name"]]


async def test_png_info_reads_what_this_door_wrote(api, drawn):
    reply, _ = await drawn(
        prompt='a "red: fox",\nrunning', negative_prompt="rain", seed=5, steps=12
    )
    told = (await api.post("/sdapi/v1/png-info", json={"image": reply["images"][0]})).json()
    assert told["info"] == json.loads(reply["info"])["infotexts"][0]
    assert told["items"] == {"parameters": told["info"]}
    expected = {"Prompt": 'a "red: fox",\nrunning', "Negative prompt": "rain", "Steps": "12"}
    expected |= {"Seed": "5", "Size": "512x512", "Model": "stable_diffusion"}
    assert expected.items() <= told["parameters"].items()


async def test_png_info_of_a_picture_without_a_text_is_empty(api):
    body = {"image": in_text(a_picture(form="PNG"))}
    told = (await api.post("/sdapi/v1/png-info", json=body)).json()
    assert (told["info"], told["parameters"]) == ("", {})


async def test_png_info_refuses_what_is_no_picture(api):
    reply = await api.post("/sdapi/v1/png-info", json={"image": "AAAA"})
    assert (reply.status_code, reply.json()["detail"][0]["loc"]) == (422, ["body", "image"])


# Bounds


async def test_progress_may_be_asked_for_ten_times_a_second(tmp_path, clock):
    settings = ServerSettings(data=str(tmp_path / "counted"), admin_key=ADMIN_KEY)
    async with open_horde(settings, "http://horde.test", clock=clock) as opened:
        transport = httpx.ASGITransport(make_app(opened.horde, opened.secret))
        async with httpx.AsyncClient(transport=transport, base_url="http://horde.test") as api:
            statuses = [(await api.get(PROGRESS, headers=ADMIN)).status_code for _ in range(11)]
            last = await api.get(PROGRESS, headers=ADMIN)
    assert statuses == [200] * 10 + [429]
    assert (last.json()["error"], last.headers["retry-after"]) == ("RateLimited", "1")


async def test_a_body_that_is_too_large_is_refused(api, horde):
    content = b" " * (horde.settings.request_body_bytes_max + 1)
    reply = await api.post(TEXT, content=content, headers=ADMIN)
    assert (reply.status_code, reply.json()["error"]) == (413, "BodyTooLarge")
