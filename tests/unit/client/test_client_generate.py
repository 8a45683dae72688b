"""From a prompt to pictures, over everything that can happen on the way."""

import asyncio
import base64
from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
import pytest

from ordu.client import (
    AsyncHorde,
    BadInput,
    BrokenHorde,
    Picture,
    Progress,
    RequestFaulted,
    Stage,
    TookTooLong,
    Unreachable,
)

pytestmark = pytest.mark.anyio

WEBP = b"RIFF\x00\x00\x00\x00WEBPVP8 "
MASK = b"\x89PNG\r\n\x1a\n"
LINK = "https://pictures.test/job.webp?signature=s"
WAITING = {"waiting": 1, "processing": 0, "finished": 0, "done": False, "queue_position": 3}
PROCESSING = {"waiting": 0, "processing": 1, "finished": 0, "done": False, "queue_position": 0}
DONE = {"waiting": 0, "processing": 0, "finished": 1, "done": True, "faulted": False}


def a_generation(**changes: Any) -> dict[str, Any]:
    plain = {"img": LINK, "seed": "7", "id": "job", "model": "sdxl", "state": "ok"}
    return {**plain, "worker_name": "attic", "worker_id": "w", "censored": False, **changes}


class Far:
    """A horde that answers checks from a list and remembers what it was told."""

    def __init__(self, *checks: Any, generations: list[dict[str, Any]] | None = None) -> None:
        self.checks: Iterator[Any] = iter(checks)
        self.generations = [a_generation()] if generations is None else generations
        self.faulted = False
        self.placed: dict[str, Any] = {}
        self.is_cancelled = False
        self.statuses = 0

    def __call__(self, call: httpx.Request) -> httpx.Response:
        match call.method, call.url.host, call.url.path.rpartition("/")[0]:
            case "POST", _, "/api/v2/generate":
                self.placed = msgspec.json.decode(call.content)
                return httpx.Response(202, json={"id": "r", "kudos": 10})
            case "GET", _, "/api/v2/generate/check":
                return self.answer(next(self.checks))
            case "GET", _, "/api/v2/generate/status":
                self.statuses += 1
                body = {**DONE, "generations": self.generations, "faulted": self.faulted}
                return httpx.Response(200, json=body)
            case "DELETE", _, "/api/v2/generate/status":
                self.is_cancelled = True
                return httpx.Response(200, json=DONE)
            case "GET", "pictures.test", _:
                assert "apikey" not in call.headers
                return httpx.Response(200, content=WEBP)
        raise AssertionError(call)

    def answer(self, check: Any) -> httpx.Response:
        if isinstance(check, Exception):
            raise check
        return check if isinstance(check, httpx.Response) else httpx.Response(200, json=check)


async def test_a_prompt_becomes_a_picture(connect):
    far = Far(WAITING, {**PROCESSING, "is_possible": False, "wait_time": 9}, {**DONE, "kudos": 10})
    client = connect(far)
    told: list[Progress] = []
    pictures = await client.generate("a fox", on_progress=told.append)
    assert pictures == [
        Picture(WEBP, id="job", seed="7", model="sdxl", worker_name="attic", worker_id="w")
    ]
    assert [each.stage for each in told] == [Stage.WAITING, Stage.PROCESSING, Stage.DONE]
    assert (told[0].position, told[0].waiting, told[0].is_possible) == (3, 1, True)
    assert (told[1].processing, told[1].wait_s, told[1].is_possible) == (1, 9, False)
    assert (told[2].finished, told[2].kudos, told[2].request_id) == (1, 10.0, "r")
    assert far.statuses == 1
    assert not far.is_cancelled


async def test_every_wish_is_sent(connect):
    far = Far(DONE)
    await connect(far).generate(
        "a fox",
        models=["sdxl"],
        width=640,
        height=704,
        steps=12,
        n=2,
        seed=7,
        negative_prompt="rain",
        sampler_name="DDIM",
        cfg_scale=7.5,
        karras=False,
        tiling=True,
        post_processing=["GFPGAN"],
        source_image=WEBP,
        source_mask=MASK,
        source_processing="inpainting",
        denoising_strength=0.5,
        nsfw=True,
        censor_nsfw=True,
        trusted_workers=True,
    )
    assert far.placed == {
        "prompt": "a fox###rain",
        "models": ["sdxl"],
        "params": {
            "width": 640,
            "height": 704,
            "steps": 12,
            "n": 2,
            "seed": "7",
            "sampler_name": "DDIM",
            "cfg_scale": 7.5,
            "karras": False,
            "tiling": True,
            "post_processing": ["GFPGAN"],
            "denoising_strength": 0.5,
        },
        "source_image": base64.b64encode(WEBP).decode(),
        "source_mask": base64.b64encode(MASK).decode(),
        "source_processing": "inpainting",
        "nsfw": True,
        "censor_nsfw": True,
        "trusted_workers": True,
        "r2": True,
    }


async def test_without_models_any_will_do_and_it_is_not_nsfw(connect):
    far = Far(DONE)
    await connect(far).generate("a fox")
    assert (far.placed["models"], far.placed["nsfw"]) == ([], False)


@pytest.mark.parametrize(
    "img",
    [
        pytest.param(base64.b64encode(WEBP).decode(), id="as text"),
        pytest.param(base64.encodebytes(WEBP).decode(), id="as text in lines"),
        pytest.param("data:image/webp;base64," + base64.b64encode(WEBP).decode(), id="as data:"),
        pytest.param(LINK, id="as a link"),
    ],
)
async def test_pictures_come_in_any_form(connect, img):
    (picture,) = await connect(Far(DONE, generations=[a_generation(img=img)])).generate("a fox")
    assert picture.data == WEBP


async def test_a_picture_of_2022_has_no_id(connect):
    old = {"img": base64.b64encode(WEBP).decode(), "seed": "7", "worker_name": "attic"}
    (picture,) = await connect(Far(DONE, generations=[old])).generate("a fox")
    assert (picture.id, picture.censored) == ("", False)


async def test_what_is_no_picture_is_a_broken_horde(connect):
    client = connect(Far(DONE, generations=[a_generation(img="N/A")]))
    with pytest.raises(BrokenHorde, match="Base64"):
        await client.generate("a fox")


async def test_it_looks_less_often_with_time_but_as_often_as_it_takes(connect):
    client = connect(Far(*[WAITING] * 9, {**WAITING, "wait_time": 1}, DONE))
    await client.generate("a fox")
    assert client.slept[:3] == pytest.approx([0.2, 0.3, 0.45])
    assert client.slept[8] == 3.0
    assert client.slept[9] == 1.0


async def test_what_faulted_raises_with_what_was_finished(connect):
    far = Far({**DONE, "faulted": True})
    far.faulted = True
    with pytest.raises(RequestFaulted, match="1 of its pictures") as caught:
        await connect(far).generate("a fox", n=2)
    assert [picture.data for picture in caught.value.pictures] == [WEBP]
    assert not far.is_cancelled


async def test_done_without_any_picture_is_a_failure_too(connect):
    with pytest.raises(RequestFaulted):
        await connect(Far(DONE, generations=[])).generate("a fox")


async def test_out_of_time_it_cancels(connect):
    far = Far(*[WAITING] * 1000)
    with pytest.raises(TookTooLong):
        await connect(far).generate("a fox", timeout_s=30)
    assert far.is_cancelled
    assert far.statuses == 0


async def test_what_on_progress_raises_cancels(connect):
    def interrupt(progress: Progress) -> None:
        raise KeyboardInterrupt

    far = Far(WAITING)
    client = connect(far)
    with pytest.raises(KeyboardInterrupt):
        await client.generate("a fox", on_progress=interrupt)
    assert far.is_cancelled


async def test_a_cancelled_task_cancels_its_request():
    far = Far(*[WAITING] * 1000)
    waiting = asyncio.Event()

    async def sleep(seconds: float) -> None:
        waiting.set()
        await asyncio.Event().wait()

    horde = AsyncHorde(transport=httpx.MockTransport(far), sleep=sleep)
    task = asyncio.create_task(horde.generate("a fox"))
    await waiting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert far.is_cancelled


async def test_a_refused_request_is_not_waited_for(connect):
    client = connect(
        lambda call: httpx.Response(400, json={"message": "No.", "rc": "TooManySteps"})
    )
    with pytest.raises(BadInput):
        await client.generate("a fox")
    assert len(client.sent) == 1


async def test_an_answer_without_an_id_is_a_broken_horde(connect):
    client = connect(lambda call: httpx.Response(200, json={"kudos": 10}))
    with pytest.raises(BrokenHorde, match="id"):
        await client.fulfil({"prompt": "a fox", "dry_run": True})


async def test_a_restart_of_the_horde_is_survived(connect):
    away = [httpx.ConnectError("refused"), httpx.ReadError("cut"), httpx.Response(503), WAITING]
    client = connect(Far(WAITING, *away, DONE))
    assert len(await client.generate("a fox")) == 1
    assert client.slept[1:4] == [0.5, 1.0, 2.0]


async def test_a_horde_that_stays_away_is_given_up_after_a_minute(connect):
    far = Far(WAITING, *[httpx.ConnectError("refused")] * 100)
    client = connect(far)
    with pytest.raises(Unreachable):
        await client.generate("a fox")
    assert 60 <= sum(client.slept) < 70


async def test_it_comes_back_when_told_to(connect):
    limited = httpx.Response(429, json={"message": "90 per minute"}, headers={"Retry-After": "4"})
    client = connect(Far(limited, DONE))
    await client.generate("a fox")
    assert client.slept == [4.0]


async def test_a_request_that_is_gone_ends_the_wait(connect):
    gone = httpx.Response(404, json={"message": "No.", "rc": "RequestNotFound"})
    with pytest.raises(Exception, match="No") as caught:
        await connect(Far(gone)).generate("a fox")
    assert caught.value.rc == "RequestNotFound"


async def test_a_download_is_tried_again(connect):
    far, failures = Far(DONE), iter([httpx.ReadError("cut")])

    def sometimes(call: httpx.Request) -> httpx.Response:
        if call.url.host == "pictures.test" and (failure := next(failures, None)):
            raise failure
        return far(call)

    assert len(await connect(sometimes).generate("a fox")) == 1


async def test_fulfil_takes_a_request_made_by_hand(connect):
    far = Far(DONE)
    assert len(await connect(far).fulfil({"prompt": "a fox", "shared": True})) == 1
    assert far.placed == {"prompt": "a fox", "shared": True}


async def test_upload_puts_bytes_without_key_or_type(connect):
    client = connect(lambda call: httpx.Response(200))
    await client.upload(LINK, WEBP)
    (call,) = client.sent
    assert (call.method, str(call.url), call.content) == ("PUT", LINK, WEBP)
    assert not {"apikey", "content-type"} & set(call.headers)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (WEBP, "job.webp"),
        (b"\x89PNG\r\n\x1a\n", "job.png"),
        (b"\xff\xd8\xff", "job.jpg"),
        (b"?", "job.bin"),
    ],
)
def test_a_picture_is_saved_under_its_id_or_where_told(tmp_path, data, name):
    picture = Picture(data, id="job")
    assert picture.save(tmp_path) == tmp_path / name
    assert picture.save(str(tmp_path / "fox.webp")).read_bytes() == data


def test_a_picture_with_a_strange_id_stays_in_its_folder(tmp_path):
    assert Picture(WEBP, id="../../etc/x").save(tmp_path) == tmp_path / "x.webp"
    assert Picture(WEBP).save(tmp_path) == tmp_path / "picture.webp"
