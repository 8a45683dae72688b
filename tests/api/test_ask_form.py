"""The form of the page Ask, as a browser without scripts posts it."""

import re

import pytest

from ordu.engine.progress import progress_of

pytestmark = pytest.mark.anyio

FORM = {
    "prompt": "a fox", "n": "2", "width": "512", "height": "768", "steps": "20", "seed": "",
    "slow_workers": "true", "replacement_filter": "true",
}  # fmt: skip
BROWSER = {"accept": "text/html"}


async def test_a_guest_asks_and_is_led_to_a_page_that_looks_again(api, pop, submit):
    reply = await api.post("/", data=FORM, headers=BROWSER)
    assert reply.status_code == 303
    place = reply.headers["location"]
    waits = (await api.get(place, headers=BROWSER)).text
    assert '<meta http-equiv="refresh" content="5">' in waits
    assert "No machine here can make this." in waits
    first = await pop()
    assert "In line" not in (await api.get(place, headers=BROWSER)).text
    assert "A machine is at it" in (await api.get(place, headers=BROWSER)).text
    for job_id in [first["id"], (await pop())["id"]]:
        assert (await submit(job_id)).status_code == 200
    done = (await api.get(place, headers=BROWSER)).text
    assert "2 pictures are done." in done
    assert "http-equiv" not in done
    assert len(re.findall(r'src="data:image/webp;base64,[\w+/=]+"', done)) == 2


async def test_a_form_says_what_a_body_would(api, pop):
    form = FORM | {
        "negative": "text", "seed": "7", "seed_variation": "5", "sampler_name": "k_heun",
        "cfg_scale": "7.5", "tiling": "true", "nsfw": "true", "post_processing": "GFPGAN",
    }  # fmt: skip
    assert (await api.post("/", data=form, headers=BROWSER)).status_code == 303
    able = {"features": ["tiling", "post:GFPGAN", "sampler:k_heun"]}
    job = (await pop(**able))["payload"]
    assert job["prompt"] == "a fox ### text"
    assert (await pop(features=["tiling", "post:GFPGAN", "sampler:k_heun"]))["payload"][
        "seed"
    ] == "12"
    assert (job["width"], job["height"], job["ddim_steps"], job["seed"]) == (512, 768, 20, "7")
    assert (job["sampler_name"], job["cfg_scale"], job["tiling"]) == ("k_heun", 7.5, True)
    assert (job["karras"], job["post_processing"]) == (False, ["GFPGAN"])


async def test_a_key_in_the_form_says_who_asks(api, register, horde):
    key = (await register("ferris"))["apikey"]
    reply = await api.post("/", data=FORM | {"key": key}, headers=BROWSER)
    progress = await progress_of(horde, reply.headers["location"].rpartition("/")[2])
    user = (await api.get("/api/v2/find_user", headers={"apikey": key})).json()
    assert progress.request.user_id == user["id"]


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        pytest.param({"key": "a" * 22}, 401, "does not know that key", id="a wrong key"),
        pytest.param({"prompt": " "}, 400, "prompt", id="no prompt"),
        pytest.param({"steps": "many"}, 400, "many", id="steps that are no number"),
        pytest.param({"width": "500"}, 400, "steps of 64", id="a width off the grid"),
        pytest.param({"width": "2048", "height": "2048"}, 403, "up front", id="a guest's heavy"),
    ],
)
async def test_what_is_wrong_is_said_and_what_was_typed_stays(api, change, status, words):
    reply = await api.post("/", data=FORM | {"negative": "fog & mist"} | change, headers=BROWSER)
    assert reply.status_code == status
    assert words in reply.text
    assert 'value="fog &amp; mist"' in reply.text


async def test_a_request_that_nobody_knows_has_no_page(api):
    reply = await api.get("/asked/nobodys", headers=BROWSER)
    assert reply.status_code == 404
    assert reply.headers["content-type"].startswith("text/html")


async def test_a_form_that_is_too_large_is_refused(api):
    assert (await api.post("/", data={"prompt": "x" * 70_000}, headers=BROWSER)).status_code == 413
