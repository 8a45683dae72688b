"""The events of a request: how a stream is read, and what becomes of one that breaks off."""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
from tests.unit.client.test_client_generate import DONE, LINK, PROCESSING, WAITING, WEBP, Far

from ordu.client import (
    BrokenHorde,
    Ended,
    Moved,
    NotFound,
    PictureReady,
    Processing,
    Progress,
    Queued,
    Stage,
    TookTooLong,
    Unreachable,
)
from ordu.client.events import BLOCK_BYTES_MAX, Block, Blocks

pytestmark = pytest.mark.anyio

STREAM = {"content-type": "text/event-stream; charset=utf-8"}
PICTURE = {"img": LINK, "id": "job", "seed": "7", "model": "sdxl", "worker_id": "w"}


def an_event(name: str, id_: str, data: dict[str, Any]) -> bytes:
    return f"event: {name}\nid: {id_}\ndata: {json.dumps(data)}\n\n".encode()


QUEUED = an_event("queued", "1", WAITING)
MOVED = an_event("position", "2", {"position": 2, "wait_time": 9})
STARTED = an_event("processing", "3", PROCESSING)
DRAWN = an_event("picture", "4", {**PICTURE, "worker_name": "attic", "censored": True})
OVER = an_event("done", "5", {**DONE, "state": "done"})
WHOLE = b"retry: 2000\n\n" + QUEUED + b": still here\n\n" + MOVED + STARTED + DRAWN + OVER


class Broken(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A stream that breaks off."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def __iter__(self) -> Iterator[bytes]:
        yield self.data
        raise httpx.ReadError("cut")

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self.data
        raise httpx.ReadError("cut")


def streamed(data: bytes) -> httpx.Response:
    return httpx.Response(200, headers=STREAM, content=data)


def cut(data: bytes) -> httpx.Response:
    return httpx.Response(200, headers=STREAM, stream=Broken(data))


class Telling(Far):
    """A horde that offers to tell what happens, and answers with these streams."""

    def __init__(self, *streams: Any, checks: tuple[Any, ...] = ()) -> None:
        super().__init__(*checks)
        self.streams = iter(streams)
        self.listened: list[httpx.Request] = []

    def __call__(self, call: httpx.Request) -> httpx.Response:
        if call.url.path.endswith("/events"):
            self.listened.append(call)
            return self.answer(next(self.streams))
        reply = super().__call__(call)
        if call.method == "POST":
            reply.headers["Link"] = '</api/v2/generate/status/r/events>; rel="monitor"'
        return reply


async def all_of(events: Any) -> list[Any]:
    """What either form gives."""
    return [each async for each in events] if hasattr(events, "__aiter__") else list(events)


@pytest.mark.parametrize("size", [1, 3, 7, 10_000])
def test_blocks_come_together_however_they_are_cut(size):
    blocks = Blocks()
    parts = [WHOLE[at : at + size] for at in range(0, len(WHOLE), size)]
    found = [block for part in parts for block in blocks.feed(part)]
    assert [(each.name, each.id) for each in found] == [
        ("queued", "1"), ("position", "2"), ("processing", "3"), ("picture", "4"), ("done", "5"),
    ]  # fmt: skip


def test_blocks_of_other_servers_are_read_too():
    said = b"id:7\r\nevent: news\r\ndata: a\r\ndata:b\r\nfoo: bar\r\n\r\n\r\nevent: empty\r\n\r\n"
    assert Blocks().feed(said) == [Block("7", "news", b"a\nb")]


def test_an_event_without_end_is_a_broken_horde():
    with pytest.raises(BrokenHorde):
        Blocks().feed(b"x" * (BLOCK_BYTES_MAX + 1))


async def test_events_are_values(connect):
    client = connect(lambda call: streamed(WHOLE + an_event("later", "6", {})))
    events = await all_of(client.horde.events("r"))
    assert [type(each) for each in events] == [Queued, Moved, Processing, PictureReady, Ended]
    assert events[0].progress.position == 3
    assert (events[1].position, events[1].wait_s) == (2, 9)
    assert events[3] == PictureReady("4", LINK, "job", "7", "sdxl", "w", "attic", censored=True)
    assert (events[4].state, events[4].progress.stage, events[4].id) == ("done", Stage.DONE, "5")
    (call,) = client.sent
    assert call.url.path == "/api/v2/generate/status/r/events"
    assert call.headers["accept"] == "text/event-stream"
    assert "last-event-id" not in call.headers


async def test_what_is_not_known_is_passed_over(connect):
    client = connect(lambda call: streamed(an_event("weather", "0", {"rain": 1}) + OVER))
    assert [type(each) for each in await all_of(client.horde.events("r"))] == [Ended]


async def test_events_go_on_after_the_last_when_the_connection_breaks(connect):
    streams = iter([cut(QUEUED + MOVED), httpx.ConnectError("no"), streamed(STARTED + OVER)])
    client = connect(lambda call: Far.answer(None, next(streams)))  # type: ignore[arg-type]
    events = await all_of(client.horde.events("r", after="0"))
    assert [each.id for each in events] == ["1", "2", "3", "5"]
    assert [each.headers["last-event-id"] for each in client.sent] == ["0", "2", "2"]
    assert client.slept == [0.5, 1.0]


async def test_events_end_when_there_is_nothing_more(connect):
    client = connect(lambda call: httpx.Response(204))
    assert await all_of(client.horde.events("r", after="5")) == []


async def test_events_of_a_horde_that_stays_away_are_given_up(connect):
    client = connect(lambda call: Far.answer(None, httpx.ConnectError("no")))  # type: ignore[arg-type]
    with pytest.raises(Unreachable):
        await all_of(client.horde.events("r"))
    assert 60 <= sum(client.slept) < 70


@pytest.mark.parametrize(
    ("status", "said", "error"),
    [
        (404, {"json": {"message": "No.", "rc": "RequestNotFound"}}, NotFound),
        (404, {"content": b"<html>"}, BrokenHorde),
        (200, {"html": "<html>"}, BrokenHorde),
    ],
    ids=["no such request", "no such place", "a page for everything"],
)
async def test_events_where_there_are_none(connect, status, said, error):
    client = connect(lambda call: httpx.Response(status, **said))
    with pytest.raises(error):
        await all_of(client.horde.events("r"))


async def test_what_cannot_be_read_is_a_broken_horde(connect):
    said = b"event: queued\ndata: {]\n\n"
    with pytest.raises(BrokenHorde):
        await all_of(connect(lambda call: streamed(said)).horde.events("r"))


async def test_a_prompt_becomes_a_picture_without_asking(connect):
    far = Telling(streamed(WHOLE))
    client = connect(far)
    told: list[Progress] = []
    (picture,) = await client.generate("a fox", on_progress=told.append, timeout_s=100)
    assert picture.data == WEBP
    assert [each.stage for each in told] == [
        Stage.WAITING, Stage.WAITING, Stage.PROCESSING, Stage.DONE,
    ]  # fmt: skip
    assert [each.position for each in told[:2]] == [3, 2]
    assert told[1].wait_s == 9
    assert far.listened[0].headers["prefer"] == "wait=100"
    assert client.slept == []


async def test_a_stream_that_breaks_off_is_listened_to_again(connect):
    far = Telling(cut(QUEUED), streamed(OVER), checks=(WAITING,))
    assert len(await connect(far).generate("a fox")) == 1
    assert [each.headers.get("last-event-id") for each in far.listened] == [None, "1"]


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (404, {"content": b"<html>"}),
        (405, {"json": {"message": "No.", "rc": "MethodNotAllowed"}}),
        (429, {"json": {"message": "Too many.", "rc": "TooManyWaiters"}}),
        (200, {"html": "<html>"}),
    ],
    ids=["404", "405", "too many", "a page"],
)
async def test_a_stream_that_is_refused_is_tried_once(connect, status, said):
    far = Telling(httpx.Response(status, **said), checks=(WAITING, PROCESSING, DONE))
    assert len(await connect(far).generate("a fox")) == 1
    assert len(far.listened) == 1


async def test_a_stream_that_does_not_get_through_is_tried_once(connect):
    far = Telling(httpx.ReadTimeout("a proxy gathers it"), checks=(WAITING, PROCESSING, DONE))
    assert len(await connect(far).generate("a fox")) == 1
    assert len(far.listened) == 1


async def test_out_of_time_while_listening_cancels(connect):
    far = Telling(*[streamed(QUEUED)] * 100, checks=(WAITING,) * 100)
    with pytest.raises(TookTooLong):
        await connect(far).generate("a fox", timeout_s=5)
    assert far.is_cancelled


async def test_a_horde_of_another_kind_is_asked_nothing_odd(connect):
    client = connect(Far(WAITING, PROCESSING, DONE))
    await client.generate("a fox")
    places = {(each.method, each.url.path) for each in client.sent if each.url.host == "horde.test"}
    assert places == {
        ("POST", "/api/v2/generate/async"),
        ("GET", "/api/v2/generate/check/r"),
        ("GET", "/api/v2/generate/status/r"),
    }
    assert not any("if-none-match" in each.headers for each in client.sent)


async def test_a_version_is_said_and_what_did_not_change_is_not_told(connect):
    tagged = httpx.Response(200, json=WAITING, headers={"ETag": 'W/"1"'})
    client = connect(Far(tagged, httpx.Response(304), {**WAITING, "queue_position": 2}, DONE))
    told: list[Progress] = []
    await client.generate("a fox", on_progress=told.append)
    checks = [each for each in client.sent if "/check/" in each.url.path]
    assert [each.headers.get("if-none-match") for each in checks] == [None, 'W/"1"', None, None]
    assert [each.headers.get("prefer") for each in checks] == [None, "wait=10", None, "wait=10"]
    assert [each.position for each in told] == [3, 2, 0]
