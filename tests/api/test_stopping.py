"""A server that is told to stop: what a drain says, and who is still answered; on real sockets."""

import asyncio
import signal
from contextlib import asynccontextmanager

import httpx
import msgspec
import pytest
from tests.api.conftest import ADMIN, POP
from tests.api.sockets import Stream, served, until

from ordu.server import stopping
from ordu.server.listening import HAND_OVER

pytestmark = pytest.mark.anyio

LIVEZ = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
ASK = {"prompt": "a fox", "models": ["none has it"]}
WAIT = {"Prefer": "wait=60"}


@pytest.fixture
async def server(opened):
    """A server that drains for as long as it takes."""
    drains_for(opened.horde, 600)
    async with served(opened) as server:
        yield server


@pytest.fixture
async def client(server):
    async with httpx.AsyncClient(base_url=server.url, headers=ADMIN, timeout=30) as client:
        yield client


def drains_for(horde, drain_s):
    horde.settings = msgspec.structs.replace(horde.settings, drain_s=drain_s)


def receive(server, number=signal.SIGTERM):
    server.server.handle_exit(number, None)


@asynccontextmanager
async def connected(server):
    """A connection that says nothing yet."""
    before = server.connections
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    await until(lambda: server.connections > before)
    yield reader, writer
    writer.close()


async def test_before_a_drain_connections_are_kept(client):
    reply = await client.get("/readyz")
    assert reply.status_code == 200
    assert "connection" not in reply.headers


async def test_a_drain_sends_callers_elsewhere_and_answers_them(server, client):
    await client.get("/livez")
    receive(server)
    for path, status in [("/readyz", 503), ("/livez", 200), ("/api/v2/find_user", 200)]:
        reply = await client.get(path)  # the first on a kept connection, the others on new ones
        assert (reply.status_code, reply.headers["connection"]) == (status, "close")
    assert not server.server.should_exit


async def test_it_does_so_however_long_the_drain_is(server, client):
    receive(server)
    dates = set()
    while len(dates) < 2:  # uvicorn makes its list of headers anew once a second
        reply = await client.get("/livez")
        dates.add(reply.headers["date"])
        assert reply.headers["connection"] == "close"


async def test_a_drain_answers_pops_and_checks_that_wait(server, client, horde):
    placed = (await client.post("/api/v2/generate/async", json=ASK)).json()["id"]
    pop = asyncio.create_task(client.post("/api/v2/generate/pop", json=POP, headers=WAIT))
    check = asyncio.create_task(client.get(f"/api/v2/generate/check/{placed}", headers=WAIT))
    await until(lambda: horde.idle.waiters and horde.wakeups.many)
    receive(server)
    for reply in await asyncio.gather(pop, check):
        assert (reply.status_code, reply.headers["connection"]) == (200, "close")
    again = await client.get(f"/api/v2/generate/check/{placed}", headers=WAIT)
    assert "preference-applied" not in again.headers


async def test_a_drain_ends_events_and_a_new_reader_is_told_what_there_is(server, client):
    placed = (await client.post("/api/v2/generate/async", json=ASK)).json()["id"]
    path = f"/api/v2/generate/status/{placed}/events"
    async with client.stream("GET", path) as response:
        stream = Stream(response)
        assert (await stream.next()).name == "queued"
        receive(server)
        assert [each.name for each in await stream.rest()] == ["position"]
    async with client.stream("GET", path) as response:
        assert [each.name for each in await Stream(response).rest()] == ["queued", "position"]


async def test_calls_that_placed_their_request_go_on_until_the_stop(server, client, horde):
    await client.post("/api/v2/generate/pop", json=POP)
    call = asyncio.create_task(client.post("/api/v2/generate/sync", json={"prompt": "a fox"}))
    await until(lambda: horde.sync_waits.taken)
    receive(server)
    await client.get("/livez")
    assert not call.done()
    receive(server)
    reply = await call
    assert (reply.status_code, reply.json()["rc"]) == (503, "Unavailable")


async def test_a_second_signal_ends_a_drain(server, client):
    receive(server)
    assert (await client.get("/livez")).status_code == 200
    assert not server.server.should_exit
    receive(server)
    assert server.server.should_exit


async def test_a_drain_ends_by_itself(server, horde):
    drains_for(horde, 1)
    receive(server)
    assert not server.server.should_exit
    async with asyncio.timeout(30):
        while not server.server.should_exit:
            await asyncio.sleep(0.01)


async def test_a_hand_over_leaves_new_connections_to_others_and_stays_ready(server, client):
    await client.get("/livez")
    receive(server, HAND_OVER)
    with pytest.raises(OSError, match="Connect"):  # there are no others here
        await asyncio.open_connection("127.0.0.1", server.port)
    reply = await client.get("/readyz")  # on a connection that was kept
    assert (reply.status_code, reply.headers["connection"]) == (200, "close")
    assert not server.server.should_exit
    receive(server)
    assert server.server.should_exit


async def test_without_time_to_drain_a_hand_over_is_a_stop(server, horde):
    drains_for(horde, 0)
    receive(server, HAND_OVER)
    await until(lambda: server.server.should_exit)


@pytest.mark.parametrize(
    ("number", "drain_s"),
    [
        pytest.param(signal.SIGINT, 600, id="Ctrl-C"),
        pytest.param(signal.SIGTERM, 0, id="no time for it"),
    ],
)
async def test_without_a_drain_the_stop_is_at_once(server, horde, number, drain_s):
    drains_for(horde, drain_s)
    receive(server, number)
    assert server.server.should_exit


async def test_who_has_just_connected_is_answered_before_the_end(server, horde, monkeypatch):
    monkeypatch.setattr(stopping, "FIRST_CALL_S_MAX", 60)
    async with connected(server) as (reader, writer):
        receive(server, signal.SIGINT)
        await until(lambda: horde.is_stopping)
        with pytest.raises(OSError, match="Connect"):
            await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(LIVEZ)
        answer = (await reader.read()).lower()
        assert answer.startswith(b"http/1.1 200")
        assert b"connection: close" in answer


async def test_who_connected_and_says_nothing_holds_nobody_up(server, horde, monkeypatch):
    monkeypatch.setattr(stopping, "FIRST_CALL_S_MAX", 0.05)
    async with connected(server) as (reader, _):
        receive(server, signal.SIGINT)
        assert await reader.read() == b""


async def test_an_answer_that_has_begun_keeps_its_connection_for_one_more_call(server, client):
    """Its caller was not told that the connection is closed, and may send on it at once."""
    placed = (await client.post("/api/v2/generate/async", json=ASK)).json()["id"]
    reader, writer = await server.call("GET", f"/api/v2/generate/status/{placed}/events")
    head = await reader.readuntil(b"\r\n\r\n")
    assert b"connection" not in head.lower().replace(b"access-control", b"")
    await reader.readuntil(b"event: position")
    receive(server)
    await reader.readuntil(b"\r\n0\r\n\r\n")
    writer.write(LIVEZ)
    assert b"connection: close" in (await reader.read()).lower()
    writer.close()


async def test_how_long_a_stop_may_take_is_more_than_its_parts(settings):
    longer = msgspec.structs.replace(settings, drain_s=600, grace_s=600)
    assert stopping.stops_within_s(longer) > 1200
