"""Source images by link: the door as a caller of the API sees it."""

import asyncio
import base64

import msgspec
import pytest
from tests.api.conftest import ANONYMOUS
from tests.builders import a_picture
from tests.foreign import a_foreign_server, answer

pytestmark = pytest.mark.anyio

ASYNC = "/api/v2/generate/async"
SYNC = "/api/v2/generate/sync"


@pytest.fixture
def settings(settings):
    return msgspec.structs.replace(
        settings, source_hosts=("files.test",), source_bytes_max=64 * 1024
    )


@pytest.fixture
def hosts():
    return {"files.test": ["127.0.0.1"], "inside.test": ["127.0.0.1"]}


@pytest.fixture
async def foreign():
    async with a_foreign_server() as server:
        server.answers["/fox.webp"] = answer(a_picture())
        yield server


async def test_post_async_generate_fetches_a_source_image(ask, pop, foreign):
    await ask(source_image=foreign.url())
    job = await pop()
    assert base64.b64decode(job["source_image"]) == a_picture()
    assert (job["source_processing"], foreign.connections) == ("img2img", 1)


async def test_post_sync_generate_fetches_a_source_image(api, pop, submit, foreign):
    await pop()  # so that a worker is known
    body = {"prompt": "x", "source_image": foreign.url()}
    calling = asyncio.create_task(api.post(SYNC, json=body, headers=ANONYMOUS))
    while not (job := await pop())["id"]:
        await asyncio.sleep(0.01)
    assert base64.b64decode(job["source_image"]) == a_picture()
    await submit(job["id"])
    assert (await calling).status_code == 200


@pytest.mark.parametrize("url", [ASYNC, SYNC])
async def test_a_dry_run_fetches_nothing(api, foreign, url):
    body = {"prompt": "x", "source_image": foreign.url(), "dry_run": True}
    assert (await api.post(url, json=body, headers=ANONYMOUS)).status_code == 200
    assert foreign.connections == 0


@pytest.mark.parametrize(
    ("said", "rc"),
    [
        pytest.param(answer(b"<p>", kind="text/html"), "SourceImageUrlInvalid", id="a page"),
        pytest.param(answer(b"no picture"), "SourceImageUnreadable", id="no picture"),
        pytest.param(answer(a_picture()[:40]), "SourceImageUnreadable", id="half a picture"),
        pytest.param(answer(b""), "SourceImageUnreadable", id="nothing"),
        pytest.param(answer(b"x" * 70_000), "SourceImageSizeExceeded", id="too many bytes"),
        pytest.param(
            answer(a_picture(3073, 3072)), "SourceImageResolutionExceeded", id="too many pixels"
        ),
        pytest.param(answer(status="404 Not Found"), "ImageValidationFailed", id="not there"),
    ],
)
@pytest.mark.parametrize("url", [ASYNC, SYNC])
async def test_a_bad_source_image_by_link_is_refused(api, pop, horde, foreign, said, rc, url):
    await pop()  # so that a worker is known
    foreign.answers["/x"] = said
    body = {"prompt": "x", "source_image": foreign.url("/x")}
    reply = await api.post(url, json=body, headers=ANONYMOUS)
    assert (reply.status_code, reply.json()["rc"]) == (400, rc)
    assert not horde.lanes.requests


@pytest.mark.parametrize(
    ("link", "rc"),
    [
        ("http://inside.test:{port}/fox.webp", "ImageValidationFailed"),
        ("http://127.0.0.1:{port}/fox.webp", "ImageValidationFailed"),
        ("ftp://files.test:{port}/fox.webp", "SourceImageUrlInvalid"),
        ("HTTP://u:p@files.test:{port}/fox.webp", "SourceImageUrlInvalid"),
    ],
)
async def test_a_link_to_where_we_do_not_go_is_refused(api, foreign, link, rc):
    body = {"prompt": "x", "source_image": link.format(port=foreign.port)}
    reply = await api.post(ASYNC, json=body, headers=ANONYMOUS)
    assert (reply.status_code, reply.json()["rc"]) == (400, rc)
    assert foreign.connections == 0
