"""What strangers deliver: what is refused, what is counted, and who sees it."""

import base64
from itertools import count
from typing import Any, NamedTuple

import msgspec
import pytest
from tests.api.conftest import ADMIN, ANONYMOUS
from tests.builders import a_damaged_picture, a_picture, an_ordinary_picture

from ordu.engine import sweeper
from ordu.engine.results import write_refusals
from ordu.images.headers import PictureFormat

pytestmark = pytest.mark.anyio

WORKERS = "/api/v2/workers"
SEEDS = count(1)
PICTURE = an_ordinary_picture()
SOURCE = an_ordinary_picture(7, 256, 256, "PNG")
REDRAWN = {"source_image": base64.b64encode(SOURCE).decode(), "source_processing": "img2img"}
DAMAGED = a_damaged_picture()
CENSORED = {"gen_metadata": [{"type": "censorship", "value": "csam"}]}


def as_text(data: bytes) -> str:
    return base64.b64encode(data).decode()


class Case(NamedTuple):
    """A picture, what it was asked with, what is said of it, and what is counted."""

    title: str
    picture: bytes
    found: set[str]
    params: dict[str, Any] | None = None
    wish: dict[str, Any] | None = None
    said: dict[str, Any] | None = None


COUNTED = [
    Case("an ordinary one", an_ordinary_picture(1), set()),
    Case("one of one colour", a_picture(), {"blank"}),
    Case("a tiny one", an_ordinary_picture(2, 64, 64), {"other_size"}),
    Case("a tiny one of one colour", a_picture(64, 64), {"other_size", "blank"}),
    Case("a stand-in", a_picture(64, 64), {"censored"}, said=CENSORED),
    Case("a stand-in of 2022", a_picture(64, 64), set(), said={"state": "censored"}),
    Case(
        "what an upscaler made",
        an_ordinary_picture(3, 1024, 1024),
        set(),
        params={"post_processing": ["RealESRGAN_x2plus"]},
    ),
    Case("the source", an_ordinary_picture(7, 512, 512, "JPEG"), {"source"}, wish=REDRAWN),
    Case("another than the source", an_ordinary_picture(8), set(), wish=REDRAWN),
    Case("the first one again", an_ordinary_picture(1, 512, 512, "PNG"), {"repeat"}),
]


@pytest.fixture
async def stranger(register):
    return await register("stranger")


@pytest.fixture
def deliver(ask, pop, submit, stranger):
    """Have a stranger's machine deliver a picture."""

    async def bring(picture, params=None, wish=None, said=None, headers=None):
        headers = headers or stranger
        given = {"seed": str(next(SEEDS))} | (params or {})
        await ask(ADMIN, params=given, **(wish or {}))
        job = await pop(headers, name="loft", allow_img2img=True, allow_post_processing=True)
        assert job["id"], job
        return await submit(job["id"], headers, generation=as_text(picture), **(said or {}))

    return bring


@pytest.fixture
def results(api, horde, stranger):
    """What is told of the machine that is here, without what it never did."""

    async def told(headers=None):
        await write_refusals(horde)
        await sweeper.fold_statistics(horde)
        (worker,) = (await api.get(WORKERS, headers=headers or stranger)).json()
        return {name: many for name, many in worker["results"].items() if many}

    return told


async def test_post_job_submit_counts_what_is_odd_and_pays(deliver, results):
    before = {"days": 7}
    for case in COUNTED:
        reply = await deliver(case.picture, case.params, case.wish, case.said)
        assert reply.status_code == 200, (case.title, reply.text)
        assert reply.json()["reward"] > 0, case.title
        now = await results()
        changed = {name for name in now if now[name] != before.get(name)}
        assert changed == {"delivered", "looked_at"} | case.found, case.title
        before = now


REFUSED = [
    Case("damaged WebP", DAMAGED, {"cannot be decoded"}),
    Case("damaged PNG", a_damaged_picture(PictureFormat.PNG), {"cannot be decoded"}),
    Case("text", b"no picture at all", {"text"}),
    Case("half a file", PICTURE[: len(PICTURE) // 2], {"ends too early"}),
]


async def test_post_job_submit_refuses_what_is_no_picture(deliver, results, submit, pop, stranger):
    for case in REFUSED:
        reply = await deliver(case.picture)
        assert (reply.status_code, reply.json()["rc"]) == (400, "BadPicture"), case.title
        (words,) = case.found
        assert words in reply.json()["message"], case.title
    assert await results() == {"days": 7, "refused": 4}
    job = await pop(stranger, name="loft")
    assert not job["id"], "the jobs are still the worker's, which may bring them again"


async def test_a_damaged_upload_is_refused_and_deleted(api, ask, pop, submit, stranger, horde):
    await ask(ADMIN)
    job = await pop(stranger, name="loft")
    for data, status in ((a_damaged_picture(PictureFormat.PNG), 400), (PICTURE, 200)):
        assert (await api.put(job["r2_upload"], content=data)).status_code == 200
        reply = await submit(job["id"], stranger, generation="R2")
        assert reply.status_code == status, reply.text
        kept = [name async for name, _ in horde.pictures.older_than(horde.now() + 1_000)]
        assert len(kept) == (0 if status == 400 else 2 if horde.settings.is_postgres else 1)
    reply = await submit(job["id"], stranger, generation="R2")
    assert reply.json()["rc"] == "DuplicateGen"
    assert horde.refused.total() == 1


async def test_strict_results_refuses_what_is_odd(deliver, results, horde, api, stranger):
    horde.settings = msgspec.structs.replace(horde.settings, strict_results=True)
    odd = [case for case in COUNTED if case.found - {"censored"}]
    for case in COUNTED:
        reply = await deliver(case.picture, case.params, case.wish, case.said)
        assert (reply.status_code == 200) is (case not in odd), (case.title, reply.text)
    counted = await results()
    assert counted["refused"] == len(odd)
    assert counted["delivered"] == counted["looked_at"] == len(COUNTED) - len(odd)
    assert counted.keys().isdisjoint({"other_size", "blank", "source", "repeat"})
    found = (await api.get("/api/v2/find_user", headers=stranger)).json()
    assert found["contributions"]["fulfillments"] == counted["delivered"]


async def test_owners_and_moderators_see_results_and_nobody_else(deliver, results, api, register):
    await deliver(PICTURE)
    told = {"days": 7, "delivered": 1, "looked_at": 1}
    assert await results() == await results(ADMIN) == told
    for headers in ({}, ANONYMOUS, await register("other")):
        (worker,) = (await api.get(WORKERS, headers=headers)).json()
        assert "results" not in worker


async def test_of_the_trusted_some_are_looked_at(deliver, results, horde):
    horde.looker.trusted_share = 0
    assert (await deliver(DAMAGED, headers=ADMIN)).status_code == 200
    assert (await deliver(a_picture(64, 64), headers=ADMIN)).status_code == 200
    assert await results(ADMIN) == {"days": 7, "delivered": 2, "other_size": 1}
    horde.looker.trusted_share = 1
    assert (await deliver(DAMAGED, headers=ADMIN)).status_code == 400
