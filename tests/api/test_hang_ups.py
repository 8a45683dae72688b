"""Callers that hang up: noticed without looking, and what they were to be given goes back."""

import asyncio
import base64

import httpx
import pytest
from starlette.responses import Response
from tests.api.conftest import ADMIN, POP
from tests.api.sockets import served, until
from tests.builders import a_picture

from ordu.server.app import make_app
from ordu.server.hangups import Unless, is_gone
from ordu.store import jobs

pytestmark = pytest.mark.anyio

POPS = "/api/v2/generate/pop"
KEY = ADMIN["apikey"]


def body_of(**changes):
    return httpx.Request("POST", "http://x", json=POP | changes).content


class Held:
    """A store of pictures in which something happens before a picture is given."""

    def __init__(self, pictures, happens):
        self.pictures = pictures
        self.happens = happens

    async def get(self, name):
        await self.happens()
        return await self.pictures.get(name)

    def __getattr__(self, name):
        return getattr(self.pictures, name)


async def an_edit(ask):
    """A request whose worker is sent a picture with its job."""
    return await ask(source_image=base64.b64encode(a_picture()).decode())


async def is_back(horde, placed):
    """Wait until all of a request waits again, and nobody is held to have failed it."""
    await until(lambda: not horde.errands and placed["id"] in horde.lanes.requests)
    assert horde.lanes.requests[placed["id"]].is_free
    assert not horde.running.by_worker
    assert not horde.failures
    assert not await horde.read(lambda tx: jobs.of_request(tx, placed["id"]))


async def test_a_post_job_pop_that_waits_and_hangs_up_is_noticed(opened, horde):
    async with served(opened) as server:
        _, writer = await server.call("POST", POPS, body_of(), apikey=KEY, Prefer="wait=30")
        await until(lambda: horde.idle.waiters)
        await server.hang_up(writer)
        await until(lambda: not horde.idle.waiters)


async def test_a_get_async_check_that_waits_and_hangs_up_is_noticed(opened, horde, ask):
    placed = await ask()
    async with served(opened) as server:
        path = f"/api/v2/generate/check/{placed['id']}"
        _, writer = await server.call("GET", path, Prefer="wait=30")
        await until(lambda: horde.wakeups.many)
        await server.hang_up(writer)
        await until(lambda: not horde.wakeups.many)


async def test_a_post_sync_generate_that_hangs_up_is_cancelled(opened, horde, pop):
    await pop()
    async with served(opened) as server:
        body = httpx.Request("POST", "http://x", json={"prompt": "a fox"}).content
        _, writer = await server.call("POST", "/api/v2/generate/sync", body, apikey=KEY)
        await until(lambda: horde.wakeups.many)
        await server.hang_up(writer)
        await until(lambda: not horde.lanes.requests)


@pytest.mark.parametrize("prefer", ["", "wait=30"])
async def test_a_post_job_pop_cut_off_before_its_answer_was_written_gives_the_job_back(
    opened, horde, ask, pop, prefer
):
    async with served(opened) as server:
        cut = asyncio.Event()

        async def hang_up():
            horde.pictures = pictures
            await server.hang_up(writer)
            cut.set()

        pictures = horde.pictures
        placed = await an_edit(ask)
        horde.pictures = Held(pictures, hang_up)
        _, writer = await server.call("POST", POPS, body_of(), apikey=KEY, Prefer=prefer)
        await cut.wait()
        await is_back(horde, placed)
        assert (await pop())["id"]


async def test_a_job_that_post_job_pop_cannot_describe_goes_back(horde, ask, api):
    async def fails():
        raise OSError("the disk is broken")

    pictures = horde.pictures
    placed = await an_edit(ask)
    horde.pictures = Held(pictures, fails)
    reply = await api.post(POPS, json=POP, headers=ADMIN)
    assert (reply.status_code, reply.json()["rc"]) == (500, "InternalError")
    await is_back(horde, placed)


@pytest.fixture
async def popping(opened):
    """A call of post_job_pop as a task, without a connection."""

    def begin():
        app = make_app(opened.horde, opened.secret)

        async def post():
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
                return await client.post(POPS, json=POP, headers=ADMIN)

        return asyncio.create_task(post())

    return begin


def asked_for(horde):
    """A write that has not begun; on PostgreSQL each begins in the next turn of the loop."""
    return getattr(horde.database, "pending", horde.database.waiting)


async def ended(task):
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_post_job_pop_cancelled_before_its_claim_was_written_takes_nothing(
    horde, ask, pop, popping
):
    await pop()
    placed = await ask()
    task = popping()
    await until(lambda: asked_for(horde))
    task.cancel()
    await ended(task)
    await until(lambda: not horde.database.waiting)
    await is_back(horde, placed)


async def test_a_post_job_pop_cancelled_while_its_claim_is_committed_gives_the_job_back(
    horde, ask, pop, popping
):
    await pop()
    placed = await ask()
    task = popping()
    await until(lambda: horde.database.waiting and not getattr(horde.database, "pending", ()))
    task.cancel()
    await ended(task)
    await until(lambda: not horde.database.waiting)
    await is_back(horde, placed)


class Cancels:
    """Cancels a task when something happens to a request, at once or a moment later."""

    def __init__(self, soon):
        self.soon = soon
        self.task = None

    def set(self):
        task, self.task = self.task, None
        if task is not None:
            loop = asyncio.get_running_loop()
            loop.call_soon(task.cancel) if self.soon else task.cancel()


@pytest.mark.parametrize("soon", [False, True], ids=["as it is told", "before it is heard"])
async def test_a_post_job_pop_cancelled_when_its_claim_was_committed_gives_the_job_back(
    horde, ask, pop, popping, soon
):
    await pop()
    placed = await ask()
    cancels = Cancels(soon)
    horde.wakeups.add(placed["id"], cancels)
    cancels.task = popping()
    task = cancels.task
    await ended(task)
    await is_back(horde, placed)


async def test_a_claim_that_is_dropped_wakes_a_post_job_pop_that_waits(
    horde, ask, pop, popping, api
):
    """What one had reserved when the other looked is there for it after all."""
    await pop(name="patient")
    waits = asyncio.create_task(
        api.post(POPS, json=POP | {"name": "patient"}, headers=ADMIN | {"Prefer": "wait=30"})
    )
    await until(lambda: horde.idle.waiters)
    await pop()
    (waiter,) = horde.idle.waiters
    waiter.worker.is_paused = True  # it may not take it yet
    placed = await ask()
    waiter.worker.is_paused = False
    task = popping()
    await until(lambda: asked_for(horde))
    task.cancel()
    await ended(task)
    assert (await waits).json()["id"]
    assert placed["id"] not in horde.lanes.requests


class Wire:
    """A connection by hand: hangs up after so many messages were sent."""

    def __init__(self, hangs_up_after):
        self.left = hangs_up_after
        self.sent = []
        self.lost = 0

    async def receive(self):
        if len(self.sent) >= self.left:
            return {"type": "http.disconnect"}
        return await asyncio.Event().wait()

    async def send(self, message):
        self.sent.append(message["type"])

    def lose(self):
        self.lost += 1


@pytest.mark.parametrize(
    ("after", "sent", "lost"),
    [
        (0, [], 1),
        (1, ["http.response.start"], 1),
        (2, ["http.response.start", "http.response.body"], 0),
    ],
    ids=["before all of it", "before its body", "after it"],
)
async def test_an_answer_is_lost_when_it_could_not_be_sent(after, sent, lost):
    wire = Wire(after)
    answer = Unless(Response(b"a job"), wire.lose)
    await answer({"type": "http"}, wire.receive, wire.send)
    assert (wire.sent, wire.lost) == (sent, lost)


async def test_whether_a_caller_is_gone_is_seen_without_waiting():
    assert not is_gone(Wire(1).receive)
    assert is_gone(Wire(0).receive)
