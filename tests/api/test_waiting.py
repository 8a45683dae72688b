"""`Prefer: wait=N` on pop, check and status: answered when there is something to say."""

import asyncio

import httpx
import msgspec
import pytest
from tests.api.conftest import ADMIN, POP

from ordu.engine.sweeper import Sweeper
from ordu.server import waiting
from ordu.server.app import make_app
from ordu.server.run import open_horde

pytestmark = pytest.mark.anyio

POPS = "/api/v2/generate/pop"
CHECK = "/api/v2/generate/check"
STATUS = "/api/v2/generate/status"
WAIT = {"Prefer": "wait=30"}


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
    await Sweeper(horde).sweep()
    clock.forward(s=290)
    assert [worker.name for worker in horde.presence.here(horde.now())] == ["attic"]
    await ask()
    await reply


async def test_a_server_that_stops_lets_no_post_job_pop_wait(waiting_pop, horde, api):
    reply = await waiting_pop()
    horde.stop()
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


# Versions


@pytest.mark.parametrize("path", [CHECK, STATUS], ids=["get_async_check", "get_async_status"])
async def test_get_async_check_and_get_async_status_have_versions(
    api, ask, pop, submit, path, opened
):
    placed = await ask(params={"n": 2})
    watch = f"{path}/{placed['id']}"
    seen = []

    async def changed() -> bool:
        """Whether it has another version now; what has the old one is told so, without a body."""
        reply = await api.get(watch)
        assert reply.headers["cache-control"] == "no-store"
        seen.append(reply.headers["etag"])
        again = await api.get(watch, headers={"If-None-Match": f'"x", {seen[-1]}'})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", seen[-1])
        assert not {"content-length", "content-type"} & set(again.headers)
        return seen.count(seen[-1]) == 1

    assert await changed()
    assert not await changed()
    job = await pop()
    assert await changed()
    await submit(job["id"], state="faulted")  # the same counts as at first
    assert await changed()
    job = await pop(name="another")
    await submit(job["id"])
    assert await changed()
    await api.delete(f"{STATUS}/{placed['id']}")
    assert await changed()
    assert all(each.startswith('W/"') for each in seen)


async def test_get_async_check_of_another_version_answers_at_once(api, ask, pop):
    placed = await ask()
    watch = f"{CHECK}/{placed['id']}"
    tag = (await api.get(watch)).headers["etag"]
    await pop()
    reply = await api.get(watch, headers=WAIT | {"If-None-Match": tag})
    assert (reply.status_code, reply.json()["processing"]) == (200, 1)


async def test_get_async_check_of_this_version_waits_for_another(api, ask, pop, horde):
    placed = await ask()
    watch = f"{CHECK}/{placed['id']}"
    tag = (await api.get(watch)).headers["etag"]
    call = asyncio.create_task(api.get(watch, headers=WAIT | {"If-None-Match": tag}))
    while not horde.wakeups.many:
        await asyncio.sleep(0)
    await pop()
    reply = await call
    assert (reply.status_code, reply.json()["processing"]) == (200, 1)
    assert reply.headers["etag"] != tag
    assert reply.headers["preference-applied"] == "wait=30"


@pytest.mark.parametrize("tag", [None, "*"], ids=["this version", "any"])
async def test_get_async_check_says_304_when_the_wait_is_over(api, ask, tag):
    placed = await ask()
    watch = f"{CHECK}/{placed['id']}"
    tag = tag or (await api.get(watch)).headers["etag"]
    reply = await api.get(watch, headers={"Prefer": "wait=1", "If-None-Match": tag})
    assert (reply.status_code, reply.headers["preference-applied"]) == (304, "wait=1")


async def test_get_async_check_with_tags_that_nobody_can_read_is_answered(api, ask):
    placed = await ask()
    reply = await api.get(f"{CHECK}/{placed['id']}", headers={"If-None-Match": "1.0.0"})
    assert reply.status_code == 200


async def test_get_async_check_tells_the_same_version_after_a_restart(api, ask, opened, settings):
    placed = await ask()
    tag = (await api.get(f"{CHECK}/{placed['id']}")).headers["etag"]
    async with open_horde(settings, "http://horde.test") as later:
        transport = httpx.ASGITransport(make_app(later.horde, later.secret))
        async with httpx.AsyncClient(transport=transport, base_url="http://horde.test") as client:
            reply = await client.get(f"{CHECK}/{placed['id']}", headers={"If-None-Match": tag})
    assert reply.status_code == 304


async def test_programs_in_browsers_may_use_versions(api):
    reply = await api.options(f"{CHECK}/x")
    allowed = reply.headers["access-control-allow-headers"]
    assert {"If-None-Match", "Last-Event-ID", "Prefer"} <= set(allowed.split(", "))
    told = (await api.get("/api/v2/status/heartbeat")).headers["access-control-expose-headers"]
    assert {"ETag", "Preference-Applied"} <= set(told.split(", "))


# Waiting costs nothing


async def test_a_post_job_pop_that_waits_looks_only_when_there_is_news(
    waiting_pop, ask, monkeypatch
):
    looks = []
    real = waiting.claim.pop

    async def counting(*given):
        looks.append(1)
        return await real(*given)

    reply = await waiting_pop()
    monkeypatch.setattr(waiting.claim, "pop", counting)
    await ask(models=["another"])
    assert not looks
    await ask()
    assert (await reply).json()["id"]
    assert len(looks) == 1


async def test_what_a_woken_post_job_pop_may_not_take_goes_to_the_next(
    ask, pop, submit, waiting_pop, horde
):
    """A word in a blacklist is no part of a requirement, so the first is woken in vain."""
    picky = await waiting_pop(name="picky", blacklist=["fox"])
    other = await waiting_pop(name="other")
    await ask()
    assert (await other).json()["id"]
    assert len(horde.idle.waiters) == 1
    await ask(prompt="an owl")
    assert (await picky).json()["id"]


async def test_what_nobody_may_take_is_looked_at_by_each_post_job_pop_once(
    ask, waiting_pop, horde, monkeypatch
):
    looks = []
    real = waiting.claim.pop

    async def counting(horde, worker, *given):
        looks.append(worker.name)
        return await real(horde, worker, *given)

    replies = [await waiting_pop(name=f"picky {n}", blacklist=["fox"]) for n in range(3)]
    monkeypatch.setattr(waiting.claim, "pop", counting)
    await ask()
    while len(looks) < 3:
        await asyncio.sleep(0)
    await ask(prompt="a fox again")
    while len(looks) < 6:
        await asyncio.sleep(0)
    assert sorted(looks) == [f"picky {n}" for n in (0, 0, 1, 1, 2, 2)]
    horde.stop()
    assert not any([(await reply).json()["id"] for reply in replies])


async def test_post_sync_generate_is_not_refused_because_of_checks_that_wait(
    opened, api, ask, pop, horde, settings
):
    await pop()
    horde.settings = msgspec.structs.replace(settings, sync_waiters=1)
    placed = await ask(models=["another"])
    check = asyncio.create_task(api.get(f"{CHECK}/{placed['id']}", headers=WAIT))
    while not horde.wakeups.many:
        await asyncio.sleep(0)
    call = asyncio.create_task(
        api.post("/api/v2/generate/sync", json={"prompt": "a"}, headers=ADMIN)
    )
    while not horde.sync_waits.taken:
        await asyncio.sleep(0)
    full = await api.post("/api/v2/generate/sync", json={"prompt": "a"}, headers=ADMIN)
    assert (full.status_code, full.json()["rc"]) == (429, "TooManyWaiters")
    horde.stop()
    await asyncio.gather(check, call)


async def test_a_post_job_pop_that_waits_is_noted_every_half_minute(waiting_pop, horde, clock):
    reply = await waiting_pop()
    (waiter,) = horde.idle.waiters
    began = waiter.worker.seen_at
    for seconds, seen in [(29, 0), (1, 30), (29, 30), (1, 60)]:
        clock.forward(s=seconds)
        await Sweeper(horde).sweep()
        assert waiter.worker.seen_at == began + seen * 1000
        assert not waiter.worker.is_unwritten
    assert waiter.worker.uptime_s == 60
    horde.stop()
    await reply
