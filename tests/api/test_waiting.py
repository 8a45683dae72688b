"""`Prefer: wait=N` on pop, check and status: answered when there is something to say."""

import asyncio

import httpx
import pytest
from tests.api.conftest import ADMIN, POP

from ordu.server import waiting
from ordu.server.app import make_app

pytestmark = pytest.mark.anyio

POPS = "/api/v2/generate/pop"
CHECK = "/api/v2/generate/check"
STATUS = "/api/v2/generate/status"
WAIT = {"Prefer": "wait=30"}


@pytest.fixture(autouse=True)
def looks_often(monkeypatch):
    monkeypatch.setattr(waiting, "LOOK_AGAIN_S", 0.05)


@pytest.fixture
def waiting_pop(api, horde):
    """Begin a pop that waits, and return it once it does."""

    async def begin(headers=ADMIN, wait="wait=30", **body):
        before = len(horde.idle.waiters)
        reply = asyncio.create_task(
            api.post(POPS, json=POP | body, headers=headers | {"Prefer": wait})
        )
        while len(horde.idle.waiters) == before:
            await asyncio.sleep(0)
        return reply

    return begin


async def test_post_job_pop_waits_for_what_is_placed(ask, waiting_pop):
    reply = await waiting_pop()
    placed = await ask()
    job = await reply
    assert job.headers["Preference-Applied"] == "wait=30"
    assert job.json()["id"]
    assert placed["id"]


async def test_post_job_pop_without_the_wish_is_answered_at_once(api, horde):
    reply = await api.post(POPS, json=POP, headers=ADMIN)
    assert reply.json()["id"] is None
    assert "Preference-Applied" not in reply.headers


@pytest.mark.parametrize(
    ("prefer", "waits_s"),
    [
        ("wait=30", 30),
        ("respond-async, wait=5", 5),
        ("WAIT=7;x", 7),
        ("wait=100000", 60),
        ("wait=0", 0),
        ("await=5", 0),
        ("wait=-1", 0),
        ("wait=", 0),
        ("wait=5s", 0),
    ],
)
async def test_what_post_job_pop_reads_of_a_wish(api, monkeypatch, prefer, waits_s):
    waited = []

    async def pop(call, worker, wait_s):
        waited.append(wait_s)
        return waiting.Nothing({})

    monkeypatch.setattr(waiting, "pop", pop)
    await api.post(POPS, json=POP, headers=ADMIN | {"Prefer": prefer})
    assert waited == [waits_s]


async def test_post_job_pop_that_waited_for_nothing_says_why(api, ask, horde):
    await ask(models=["another"])
    headers = ADMIN | {"Prefer": "wait=1"}
    reply = await api.post(POPS, json=POP, headers=headers)
    assert (reply.json()["id"], reply.json()["skipped"]["models"]) == (None, 1)
    assert not horde.idle.waiters


async def test_one_picture_wakes_one_post_job_pop_the_first_that_can(ask, waiting_pop, horde):
    other = await waiting_pop(name="other", models=["another"])
    first = await waiting_pop(name="first")
    second = await waiting_pop(name="second")
    await ask()
    assert (await first).json()["id"]
    assert len(horde.idle.waiters) == 2
    await ask(params={"n": 1})
    assert (await second).json()["id"]
    await ask(models=["another"])
    assert (await other).json()["id"]


async def test_a_job_that_failed_goes_to_a_post_job_pop_that_waits(ask, pop, submit, waiting_pop):
    await ask()
    job = await pop(name="weak")
    reply = await waiting_pop(name="strong")
    await submit(job["id"], state="faulted")
    assert (await reply).json()["id"]


async def test_a_post_job_pop_that_hangs_up_leaves_the_job_to_the_next(opened, ask, waiting_pop):
    """The picture wakes the one that came first, which is gone before it looks."""
    gone = await hung_up_pop(opened)
    reply = await waiting_pop(name="patient")
    await ask()
    assert (await reply).json()["id"]
    await gone


async def hung_up_pop(opened):
    """A pop that waits and whose caller hangs up as soon as it does."""
    sent = []
    body = httpx.Request("POST", "http://x", json=POP | {"name": "hasty"}).content
    events = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive():
        if events:
            return events.pop(0)
        while not opened.horde.lanes.requests:  # it hangs up as late as can be
            await asyncio.sleep(0)
        return {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": POPS,
        "raw_path": POPS.encode(),
        "query_string": b"",
        "headers": [(b"apikey", ADMIN["apikey"].encode()), (b"prefer", b"wait=30")],
        "client": ("127.0.0.1", 1),
        "http_version": "1.1",
        "scheme": "http",
        "server": ("127.0.0.1", 1),
        "root_path": "",
    }
    app = make_app(opened.horde, opened.secret)
    task = asyncio.create_task(app(scope, receive, send))
    while not opened.horde.idle.waiters:
        await asyncio.sleep(0)
    return task


async def test_a_post_job_pop_that_waits_is_here(waiting_pop, horde, clock, ask):
    reply = await waiting_pop()
    clock.forward(s=290)
    await asyncio.sleep(0.2)
    clock.forward(s=290)
    assert [worker.name for worker in horde.presence.here(horde.now())] == ["attic"]
    await ask()
    await reply


async def test_a_server_that_stops_lets_no_post_job_pop_wait(waiting_pop, horde, api):
    reply = await waiting_pop()
    horde.is_stopping = True
    assert (await reply).json()["id"] is None
    at_once = await api.post(POPS, json=POP, headers=ADMIN | WAIT)
    assert "Preference-Applied" not in at_once.headers


async def test_with_too_many_that_wait_post_job_pop_is_answered_at_once(
    waiting_pop, api, ask, monkeypatch
):
    reply = await waiting_pop()
    monkeypatch.setattr(waiting, "WAITERS_MAX", 1)
    at_once = await api.post(POPS, json=POP | {"name": "late"}, headers=ADMIN | WAIT)
    assert "Preference-Applied" not in at_once.headers
    await ask()
    await reply


@pytest.mark.parametrize("path", [CHECK, STATUS], ids=["get_async_check", "get_async_status"])
async def test_get_async_check_and_get_async_status_wait_for_a_change(
    api, ask, pop, submit, path, horde
):
    placed = await ask()
    watch = f"{path}/{placed['id']}"

    async def change():
        before = horde.wakeups.many
        reply = asyncio.create_task(api.get(watch, headers=WAIT))
        while horde.wakeups.many == before:
            await asyncio.sleep(0)
        return reply

    reply = await change()
    job = await pop()
    seen = await reply
    assert (seen.json()["processing"], seen.headers["Preference-Applied"]) == (1, "wait=30")
    reply = await change()
    await submit(job["id"])
    assert (await reply).json()["done"]
    at_once = await api.get(watch, headers=WAIT)  # nothing more will come
    assert at_once.json()["done"]


async def test_get_async_check_says_after_its_time_that_nothing_changed(api, ask):
    placed = await ask()
    reply = await api.get(f"{CHECK}/{placed['id']}", headers={"Prefer": "wait=1"})
    assert reply.json()["waiting"] == 1
    unknown = await api.get(f"{CHECK}/nothing", headers=WAIT)
    assert (unknown.status_code, unknown.json()["rc"]) == (404, "RequestNotFound")
