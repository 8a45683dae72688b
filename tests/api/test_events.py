"""`GET /generate/status/{id}/events`: what happens to a request, told as it happens."""

import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import pytest
from tests.api.sockets import Served, Stream, served, until
from tests.builders import a_picture, only_sqlite

from ordu.engine import end, following
from ordu.engine.sweeper import Sweeper
from ordu.server import streams, waiting

pytestmark = pytest.mark.anyio


@pytest.fixture
async def server(opened) -> AsyncIterator[Served]:
    async with served(opened) as server:
        yield server


@pytest.fixture
async def client(server) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=server.url) as client:
        yield client


def events_of(placed):
    return f"/api/v2/generate/status/{placed['id']}/events"


def data_of(block):
    return json.loads(block.data)


@pytest.fixture
def follow(client):
    """Open a stream of the events of a request."""

    def opened(placed, **headers):
        return client.stream("GET", events_of(placed), headers=headers)

    return opened


async def everything(follow, placed, **headers):
    """All events until the end of the stream."""
    async with follow(placed, **headers) as response:
        return await Stream(response).rest()


async def test_get_async_events_tells_what_happens_to_the_end(follow, ask, pop, submit, client):
    placed = await ask()
    async with follow(placed) as response:
        assert response.status_code == 200
        assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert response.headers["cache-control"] == "no-store"
        stream = Stream(response)
        queued = await stream.next()
        assert (queued.name, data_of(queued)["waiting"]) == ("queued", 1)
        place = await stream.next()
        assert place.name == "position"
        assert data_of(place).keys() == {"position", "wait_time"}
        job = await pop()
        processing = await stream.next()
        assert (processing.name, data_of(processing)["processing"]) == ("processing", 1)
        (running,) = data_of(processing)["jobs"]
        assert (running["id"], running["worker_name"]) == (job["id"], "attic")
        assert running.keys() == {"id", "worker_id", "worker_name", "model"}
        await submit(job["id"], seed=77)
        picture, done = await stream.rest()
    said = data_of(picture)
    assert (picture.name, said["id"], said["seed"]) == ("picture", job["id"], "77")
    assert (said["worker_name"], said["model"], said["censored"]) == (
        "attic", "stable_diffusion", False,
    )  # fmt: skip
    path = said["img"].removeprefix("http://horde.test")
    assert (await client.get(path)).content == a_picture()
    told = data_of(done)
    assert (done.name, told["state"], told["finished"], told["done"]) == ("done", "done", 1, True)
    assert stream.raw.startswith(b"retry: 2000\n\n")


async def test_get_async_events_after_a_restart_sends_exactly_what_was_missed(
    opened, follow, ask, pop, submit
):
    placed = await ask(params={"n": 3})
    first = await pop()
    await submit(first["id"])
    async with follow(placed) as response:
        stream = Stream(response)
        seen = [await stream.next() for _ in range(3)]
    assert [each.name for each in seen] == ["picture", "queued", "position"]
    second = await pop()
    await submit(second["id"])
    third = await pop()
    async with served(opened) as another, httpx.AsyncClient(base_url=another.url) as client:
        headers = {"Last-Event-ID": seen[-1].id}
        async with client.stream("GET", events_of(placed), headers=headers) as response:
            stream = Stream(response)
            missed = [await stream.next() for _ in range(2)]
            assert [each.name for each in missed] == ["picture", "processing"]
            assert data_of(missed[0])["id"] == second["id"]
            await submit(third["id"])
            picture, done = await stream.rest()
    assert data_of(picture)["id"] == third["id"]
    assert (done.name, data_of(done)["finished"]) == ("done", 3)


async def test_get_async_events_has_ids_that_each_go_on_after_it(follow, ask, pop, submit):
    placed = await ask(params={"n": 2})
    for _ in range(2):
        job = await pop()
        await submit(job["id"])
    whole = await everything(follow, placed)
    assert [each.name for each in whole] == ["picture", "picture", "done"]
    for number, event in enumerate(whole[:-1], 1):
        after = await everything(follow, placed, **{"Last-Event-ID": event.id})
        assert after == whole[number:]


@pytest.mark.parametrize("strange", ["", "7", "x/y/z", "1/1.0/2/" + "9" * 40, "-1/a/0/0", "é"])
async def test_get_async_events_begins_anew_after_an_id_that_is_not_ours(follow, ask, strange):
    placed = await ask()
    headers = {"Last-Event-ID": strange.encode()}
    async with follow(placed, **headers) as response:
        assert (await Stream(response).next()).name == "queued"


async def test_get_async_events_of_what_was_seen_to_the_end_are_204(follow, ask, client, api):
    placed = await ask()
    await api.delete(f"/api/v2/generate/status/{placed['id']}")
    (done,) = await everything(follow, placed)
    again = await client.get(events_of(placed), headers={"Last-Event-ID": done.id})
    assert (again.status_code, again.content) == (204, b"")


async def test_get_async_events_says_that_it_was_cancelled(follow, ask, api):
    placed = await ask()
    async with follow(placed) as response:
        stream = Stream(response)
        await stream.next()
        await api.delete(f"/api/v2/generate/status/{placed['id']}")
        assert data_of((await stream.rest())[-1])["state"] == "cancelled"


async def test_get_async_events_says_that_it_faulted(follow, ask, pop, submit):
    placed = await ask()
    async with follow(placed) as response:
        stream = Stream(response)
        await stream.next()
        for number in range(3):
            job = await pop(name=f"weak {number}")
            await submit(job["id"], state="faulted")
        said = data_of((await stream.rest())[-1])
    assert (said["state"], said["faulted"], said["done"]) == ("faulted", True, True)


async def test_get_async_events_says_that_it_expired(follow, ask, clock, horde, client):
    placed = await ask()
    async with follow(placed) as response:
        stream = Stream(response)
        await stream.next()
        clock.forward(s=1300)
        await Sweeper(horde).sweep()
        last = (await stream.rest())[-1]
    assert (last.name, data_of(last)["state"], data_of(last)["done"]) == ("done", "expired", True)
    assert (await client.get(events_of(placed))).status_code == 404


async def test_get_async_events_of_no_request(api):
    reply = await api.get("/api/v2/generate/status/nothing/events")
    assert (reply.status_code, reply.json()["rc"]) == (404, "RequestNotFound")


async def test_get_async_events_tells_that_it_moves_up_when_a_chore_has_seen_it(
    follow, ask, pop, api, horde
):
    await pop()  # somebody is here
    before = [await ask() for _ in range(2)]
    placed = await ask()
    async with follow(placed) as response:
        stream = Stream(response)
        assert data_of(await stream.next())["queue_position"] == 3
        assert data_of(await stream.next())["position"] == 3
        for each in before:
            await api.delete(f"/api/v2/generate/status/{each['id']}")
        await Sweeper(horde).sweep()
        moved = await stream.next()  # one event for both
        assert (moved.name, data_of(moved)["position"]) == ("position", 1)
        await Sweeper(horde).sweep()  # nothing moved: nothing is told
        await end.cancel(horde, placed["id"])
        assert [each.name for each in await stream.rest()] == ["done"]


@only_sqlite  # where a look takes no time; elsewhere those who look together share one read
async def test_get_async_events_looks_once_for_all_who_follow(client, ask, pop, monkeypatch, horde):
    placed = await ask()
    looks = []
    real = following.progress_of

    async def counting(horde, request_id):
        looks.append(request_id)
        return await real(horde, request_id)

    async with httpx.AsyncClient(base_url=client.base_url) as many, asyncio.TaskGroup() as group:

        async def one():
            async with many.stream("GET", events_of(placed)) as response:
                await Stream(response).rest()

        for _ in range(5):
            group.create_task(one())
        await until(lambda: horde.followed.many == 5)
        monkeypatch.setattr(following, "progress_of", counting)
        await end.cancel(horde, placed["id"])
    assert looks == [placed["id"]]
    assert not horde.followed.requests
    assert not horde.wakeups.waiters


async def test_a_round_of_the_chore_looks_at_so_many_and_then_at_the_others(
    follow, ask, horde, monkeypatch
):
    monkeypatch.setattr(following, "LOOKS_MAX", 1)
    first, second = await ask(), await ask()
    async with follow(first) as one, follow(second) as other:
        streams = [Stream(one), Stream(other)]
        for stream in streams:
            await stream.next()
        await ask()  # something happened
        rounds = [each.rounds for each in horde.followed.requests.values()]
        for left in (1, 0):
            await following.look_at_places(horde)
            assert len(horde.followed.due) == left
        await following.look_at_places(horde)  # nothing has happened since
        assert not horde.followed.due
    assert rounds == [0, 0]


async def test_get_async_events_ends_with_the_server(follow, ask, horde):
    placed = await ask()
    async with follow(placed) as response:
        stream = Stream(response)
        await stream.next()
        horde.stop()
        assert [each.name for each in await stream.rest()] == ["position"]


async def test_get_async_events_is_as_long_as_was_asked_for(follow, ask):
    placed = await ask()
    async with follow(placed, Prefer="wait=1") as response:
        assert response.headers["preference-applied"] == "wait=1"
        assert [each.name for each in await Stream(response).rest()] == ["queued", "position"]


async def test_get_async_events_shows_that_it_is_there(follow, ask, horde, monkeypatch):
    monkeypatch.setattr(streams, "HEARTBEAT_S", 0)
    placed = await ask()
    async with follow(placed) as response:
        stream = Stream(response)
        while streams.HEARTBEAT not in stream.raw:
            stream.raw += await anext(stream.parts)
        monkeypatch.setattr(streams, "HEARTBEAT_S", 15)


async def test_get_async_events_that_hangs_up_is_followed_no_more(server, ask, horde):
    placed = await ask()
    _, writer = await server.call("GET", events_of(placed))
    await until(lambda: horde.followed.many)
    await server.hang_up(writer)
    await until(lambda: not horde.followed.many)


async def test_get_async_events_with_too_many_that_wait(api, ask, monkeypatch):
    monkeypatch.setattr(waiting, "WAITERS_MAX", 0)
    placed = await ask()
    reply = await api.get(events_of(placed))
    assert (reply.status_code, reply.json()["rc"]) == (429, "TooManyWaiters")
    assert int(reply.headers["retry-after"]) > 0


async def test_the_head_of_get_async_events_does_not_wait(client, ask):
    placed = await ask()
    reply = await client.head(events_of(placed))
    assert (reply.status_code, reply.content) == (200, b"")


async def test_a_reader_that_takes_nothing_is_given_up(opened, horde, ask, monkeypatch):
    monkeypatch.setattr(streams, "SEND_S_MAX", 0)
    placed = await ask()
    sent = []

    async def send(message):
        sent.append(message)
        if message["type"] == "http.response.body":
            await asyncio.Event().wait()  # the connection is full

    async def receive():
        await asyncio.Event().wait()

    progress = await following.progress_of(horde, placed["id"])
    stream = streams.EventStream(horde, progress, streams.Seen(), 60, {})
    await stream({"method": "GET"}, receive, send)
    assert [each["type"] for each in sent] == ["http.response.start", "http.response.body"]
    assert not horde.followed.many


async def test_post_async_generate_says_where_its_events_are(api):
    reply = await api.post(
        "/api/v2/generate/async", json={"prompt": "a fox"}, headers={"apikey": "0000000000"}
    )
    where = f"/api/v2/generate/status/{reply.json()['id']}/events"
    assert reply.headers["link"] == f'<{where}>; rel="monitor"'
    assert "Link" in reply.headers["access-control-expose-headers"]
