"""Whole jobs with pictures on S3: the links lead there, and the server carries no bytes."""

import base64
from dataclasses import dataclass, field
from typing import Any

import httpx
import msgspec
import pytest
from tests.api.conftest import ADMIN, ANONYMOUS
from tests.builders import a_damaged_picture, a_picture, an_ordinary_picture

from ordu.engine import end, sweeper
from ordu.images.headers import PictureFormat
from ordu.images.s3 import PICTURES, UPLOAD_AGE_S_MAX, UPLOADS
from ordu.store import jobs

pytestmark = pytest.mark.anyio

PICTURE = a_picture()
SIDE = 320  # of a PNG that has more bytes than are read at first, and not too many
LARGE = an_ordinary_picture(0, SIDE, SIDE, "PNG")
BYTES_MAX = 128 * 1024


@pytest.fixture
def bucket(s3):
    return s3.bucket()


@pytest.fixture
def settings(settings, s3, bucket):
    url = f"s3://{bucket}?endpoint={s3.url}"
    return msgspec.structs.replace(
        settings, images=url, picture_bytes_max=BYTES_MAX, picture_pixels_max=2**20
    )


@pytest.fixture
async def web():
    """What stands outside: no server of ours, only the network."""
    async with httpx.AsyncClient() as client:
        yield client


@dataclass
class Carried:
    """A store that notes which bytes went through the server."""

    inner: Any
    bytes_many: list[int] = field(default_factory=list)

    def __getattr__(self, name):
        return getattr(self.inner, name)

    async def put(self, name, data, *, is_durable=True):
        self.bytes_many.append(len(data))
        await self.inner.put(name, data, is_durable=is_durable)

    async def get(self, name):
        data = await self.inner.get(name)
        self.bytes_many.append(len(data or b""))
        return data


@pytest.fixture
def carried(horde):
    horde.pictures = Carried(horde.pictures)
    return horde.pictures


@pytest.fixture
def status(api):
    async def look(request_id):
        return (await api.get(f"/api/v2/generate/status/{request_id}")).json()

    return look


async def uploaded(web, job, data=PICTURE):
    assert (await web.put(job["r2_upload"], content=data)).status_code == 200


async def test_a_whole_job_by_links_goes_past_the_server(
    carried, s3, bucket, ask, pop, submit, status, web
):
    placed = await ask(r2=True)
    job = await pop()
    assert job["r2_upload"].startswith(f"{s3.url}/{bucket}/uploads/")
    assert job["r2_uploads"] == [job["r2_upload"]]
    await uploaded(web, job)
    reply = await submit(job["id"], generation="R2")
    assert (reply.status_code, reply.json()["reward"] > 0) == (200, True)
    done = await status(placed["id"])
    [made] = done["generations"]
    assert done["done"]
    assert made["img"].startswith(f"{s3.url}/{bucket}/pictures/")
    answer = await web.get(made["img"])
    assert (answer.status_code, answer.content) == (200, PICTURE)
    assert carried.bytes_many == [], "no picture went through the server"


async def test_a_large_picture_of_the_trusted_is_taken_by_its_beginning(
    s3, ask, pop, submit, web, horde
):
    horde.looker.trusted_share = 0
    await ask(r2=True)
    job = await pop()
    await uploaded(web, job, PICTURE + bytes(100_000))
    s3.calls.clear()
    assert (await submit(job["id"], generation="R2")).status_code == 200
    reads = [asked for method, _, asked in s3.calls if method == "GET"]
    assert reads == ["bytes=0-65535"]


async def test_a_large_picture_of_a_stranger_is_fetched_and_decoded(
    s3, ask, pop, submit, web, register
):
    stranger = await register("stranger")
    for data, status in ((a_damaged_picture(PictureFormat.PNG, SIDE), 400), (LARGE, 200)):
        await ask(ADMIN, r2=True)
        job = await pop(stranger, name="loft")
        assert len(data) > 65_536
        await uploaded(web, job, data)
        s3.calls.clear()
        assert (await submit(job["id"], stranger, generation="R2")).status_code == status
        reads = [asked for method, _, asked in s3.calls if method == "GET"]
        assert reads == ["bytes=0-65535", ""]


async def test_a_whole_job_in_base64_works_as_ever(carried, ask, pop, submit, status):
    placed = await ask()
    job = await pop()
    assert (await submit(job["id"])).status_code == 200
    [made] = (await status(placed["id"]))["generations"]
    assert base64.b64decode(made["img"]) == PICTURE
    assert carried.bytes_many == [len(PICTURE)] * 2


async def test_an_upload_is_read_whole_for_who_wants_base64(carried, ask, pop, submit, status, web):
    placed = await ask()
    job = await pop()
    await uploaded(web, job)
    await submit(job["id"], generation="R2")
    [made] = (await status(placed["id"]))["generations"]
    assert base64.b64decode(made["img"]) == PICTURE
    assert carried.bytes_many == [len(PICTURE)]


async def test_a_picture_in_base64_is_read_by_its_link(ask, pop, submit, status, web):
    placed = await ask(r2=True)
    await submit((await pop())["id"])
    [made] = (await status(placed["id"]))["generations"]
    assert (await web.get(made["img"])).content == PICTURE


async def test_events_have_links_past_the_server(s3, api, ask, pop, submit, web):
    placed = await ask(r2=True)
    job = await pop()
    await uploaded(web, job)
    await submit(job["id"], generation="R2")
    stream = await api.get(f"/api/v2/generate/status/{placed['id']}/events")
    [told] = [block for block in stream.text.split("\n\n") if block.startswith("event: picture")]
    made = msgspec.json.decode(told.partition("data: ")[2])
    assert (await web.get(made["img"])).content == PICTURE


@pytest.mark.parametrize(
    ("data", "words"),
    [
        pytest.param(PICTURE + bytes(BYTES_MAX), "at most 131,072 are allowed", id="too large"),
        pytest.param(b"<html>", "an HTML or XML page", id="no picture"),
        pytest.param(b"", "is empty", id="empty"),
        pytest.param(a_picture(1025, 1024), "pixels", id="too many pixels"),
    ],
)
async def test_a_bad_upload_is_refused_and_deleted(s3, bucket, ask, pop, submit, web, data, words):
    await ask(r2=True)
    job = await pop()
    await uploaded(web, job, data)
    reply = await submit(job["id"], generation="R2")
    assert (reply.status_code, reply.json()["rc"]) == (400, "BadPicture")
    assert words in reply.json()["message"]
    assert s3.keys(bucket) == []
    await uploaded(web, job)
    assert (await submit(job["id"], generation="R2")).status_code == 200


async def test_what_was_never_uploaded_is_refused(ask, pop, submit):
    await ask(r2=True)
    reply = await submit((await pop())["id"], generation="R2")
    assert (reply.status_code, reply.json()["rc"]) == (400, "BadPicture")
    assert "never uploaded" in reply.json()["message"]


async def test_an_upload_may_be_replaced_until_the_submit_and_not_after(
    ask, pop, submit, status, web
):
    placed = await ask(r2=True)
    job = await pop()
    await uploaded(web, job, a_picture(colour="red"))
    await uploaded(web, job)
    await submit(job["id"], generation="R2")
    await uploaded(web, job, a_picture(colour="red"))  # S3 knows nothing of jobs
    again = await submit(job["id"], generation="R2")
    assert again.json()["rc"] == "DuplicateGen"
    [made] = (await status(placed["id"]))["generations"]
    assert (await web.get(made["img"])).content == PICTURE


async def kept_as(horde, job):
    """The name under which the picture of a settled job is kept."""
    return end.picture_name(await horde.read(lambda tx: jobs.by_id(tx, job["id"])))


async def test_the_pictures_of_a_request_go_with_it(
    horde, clock, s3, bucket, ask, pop, submit, web
):
    source = base64.b64encode(PICTURE).decode()
    placed = await ask(r2=True, source_image=source)
    job = await pop(allow_img2img=True)
    assert base64.b64decode(job["source_image"]) == PICTURE
    await uploaded(web, job)
    await submit(job["id"], generation="R2")
    names = [await kept_as(horde, job), end.source_name(placed["id"])]
    upload = UPLOADS + end.upload_name(job["id"])
    assert s3.keys(bucket) == sorted([*(PICTURES + each for each in names), upload])
    clock.forward(s=3600)
    await sweeper.expire_requests(horde)
    assert s3.keys(bucket) == []


async def test_what_belongs_to_nothing_is_swept(horde, clock, s3, bucket, ask, pop, submit, web):
    await ask(r2=True)
    job = await pop()
    await uploaded(web, job)
    await submit(job["id"], generation="R2")
    await horde.pictures.put("orphan.webp", PICTURE)
    kept = PICTURES + await kept_as(horde, job)
    old = [PICTURES + "orphan.webp", kept, UPLOADS + f"{job['id']}.webp"]
    before_s = (await s3_now_ms(horde) - horde.now()) / 1000  # the two clocks are not one here
    for key in old:
        s3.make_older(bucket, key, before_s + UPLOAD_AGE_S_MAX)
    await sweeper.remove_orphans(horde)
    assert s3.keys(bucket) == [old[1]]


async def s3_now_ms(horde):
    """The latest time at which S3 wrote something."""
    return max([written async for _, written in horde.pictures.older_than(2**45)])


@pytest.mark.parametrize("wanted", [True, False])
async def test_links_need_https_looks_at_the_address_of_s3(horde, ask, pop, submit, status, wanted):
    horde.settings = msgspec.structs.replace(horde.settings, links_need_https=wanted)
    placed = await ask(r2=True)
    await submit((await pop())["id"])
    [made] = (await status(placed["id"]))["generations"]
    assert made["img"].startswith("http://") is not wanted


async def test_s3_that_is_away_is_503_and_the_job_goes_on_after_it(s3, ask, pop, submit, web):
    await ask(r2=True)
    job = await pop()
    await uploaded(web, job)
    s3.is_broken = True
    for said in ({"generation": "R2"}, {}):
        reply = await submit(job["id"], **said)
        assert (reply.status_code, reply.json()["rc"]) == (503, "Unavailable")
        assert reply.headers["retry-after"] == "30"
    s3.is_broken = False
    assert (await submit(job["id"], generation="R2")).status_code == 200


async def test_links_of_the_server_itself_are_answered_still(horde, api, ask, pop, submit):
    """Those that were given before the pictures moved to S3."""
    await ask(r2=True)
    job = await pop()
    await submit(job["id"])
    link = await horde.server_links.get_url(await kept_as(horde, job))
    assert (await api.get(link, headers=ANONYMOUS)).content == PICTURE


async def test_the_page_ask_may_show_pictures_from_where_they_lie_and_from_nowhere_else(api, s3):
    reply = await api.get("/", headers={"accept": "text/html"})
    rules = dict(
        rule.strip().split(" ", 1) for rule in reply.headers["content-security-policy"].split(";")
    )
    assert rules["img-src"] == f"'self' data: blob: {s3.url}"
    assert rules["connect-src"] == f"'self' {s3.url}"
    assert {rules[name] for name in ("script-src", "style-src", "font-src")} == {"'self'"}
    other = await api.get("/horde", headers={"accept": "text/html"})
    assert s3.url not in other.headers["content-security-policy"]
