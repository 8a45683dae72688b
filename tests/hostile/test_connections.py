"""Callers who hold on to what they have: slow ones, silent ones, thousands, endless ones."""

import contextlib
import socket
import time
from collections.abc import Iterator

import pytest
from tests.hostile.conftest import CONNECTIONS_EACH, CONNECTIONS_MAX, Besieged
from tests.hostile.wire import Wire, ask, call, memory_mb
from tests.system.processes import until

HEARTBEAT = call("GET", "/api/v2/status/heartbeat")
HEAD = b"GET /api/v2/status/heartbeat HTTP/1.1\r\nHost: x\r\n"
POST = b"POST /api/v2/generate/async HTTP/1.1\r\nHost: x\r\napikey: 0000000000\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
MANY = 512  # times 64 KB are 32 MB

SLOW = [
    pytest.param(b"", 0, id="says nothing"),
    pytest.param(b"\r\n", 408, id="says an empty line"),
    pytest.param(b"GET /api/v2", 408, id="stops within an address"),
    pytest.param(HEAD + b"X-A: b\r\n", 408, id="stops within a head"),
    pytest.param(POST + b"Content-Length: 10\r\n\r\n{", 408, id="stops within a body"),
    pytest.param(CHUNKED + b"5\r\n{", 408, id="stops within a chunk"),
    pytest.param(
        CHUNKED + b"1\r\n{\r\n0\r\nX-A: b\r\n", 408, id="stops within what follows a body"
    ),
    pytest.param(POST + b"Content-Length: 9000000\r\n\r\n{", 413, id="stops after a refusal"),
    pytest.param(HEAD + b"\r\n", 200, id="keeps a connection for nothing"),
]

ENDLESS = [
    pytest.param(b"GET /", b"a" * 65536, 431, id="address"),
    pytest.param(HEAD + b"X-A: ", b"a" * 65536, 431, id="header"),
    pytest.param(HEAD, b"X-A: b\r\n" * 8192, 431, id="headers"),
    pytest.param(HEAD, b"a" * 65536, 431, id="name of a header"),
    pytest.param(CHUNKED + b"1;", b"a" * 65536, 431, id="extension of a chunk"),
    pytest.param(CHUNKED + b"1\r\n{\r\n0\r\n", b"X-A: b\r\n" * 8192, 431, id="trailers"),
    pytest.param(CHUNKED + b"1\r\n{\r\n0\r\nX-A: ", b"a" * 65536, 431, id="trailer"),
    pytest.param(CHUNKED, b"10000\r\n" + b"a" * 65536 + b"\r\n", 413, id="body in chunks"),
    pytest.param(CHUNKED, b"1\r\na\r\n" * 10923, 400, id="body in chunks of one byte"),
    pytest.param(POST + b"Content-Length: 99999999\r\n\r\n", b"a" * 65536, 413, id="body"),
    pytest.param(b"", b"\r\n" * 32768, 431, id="empty lines"),
    pytest.param(b"", bytes(range(128, 256)) * 512, 400, id="bytes that are no HTTP"),
]


@pytest.mark.parametrize(("begin", "piece", "status"), ENDLESS)
def test_what_does_not_end_is_cut_off(siege: Besieged, begin, piece, status):
    with siege.bounded(24), Wire(siege.url) as wire:
        wire.say(begin)
        for _ in range(MANY):
            if not wire.say(piece):
                break
        else:
            pytest.fail("all of it was taken")
        # Who still sends when it is hung up on may lose the answer to that.
        assert wire.hear().status in {0, status}
        assert wire.is_hung_up()


@pytest.mark.parametrize(("begin", "piece", "status"), ENDLESS)
def test_who_stops_sending_is_told_why(siege: Besieged, begin, piece, status):
    too_much = 20 if status == 413 else 3  # pieces: above the limit of a body, or of a head
    with Wire(siege.url) as wire:
        wire.say(begin)
        for _ in range(too_much):
            wire.say(piece)
        assert wire.hear().status == status


@pytest.fixture(scope="module")
def slow(siege: Besieged) -> Iterator[dict[str, Wire]]:
    """All who are slow, at the same time."""
    with contextlib.ExitStack() as stack:
        wires = {}
        for each in SLOW:
            wires[str(each.id)] = wire = stack.enter_context(Wire(siege.url))
            wire.say(each.values[0])
        yield wires


@pytest.mark.parametrize(("begin", "status"), SLOW)
def test_who_is_slow_is_hung_up_on(slow, begin, status, request):
    wire = slow[request.node.callspec.id]
    answer = wire.hear()
    assert answer.status == status
    assert wire.is_hung_up()


def test_who_dribbles_is_hung_up_on_too(siege: Besieged):
    with Wire(siege.url) as head, Wire(siege.url) as body:
        head.say(HEAD + b"X-A: ")
        body.say(POST + b"Content-Length: 1000\r\n\r\n")
        open_ = {head, body}
        for _ in range(100):
            for wire in list(open_):
                wire.socket.settimeout(0.1)
                wire.say(b"a")
                with contextlib.suppress(TimeoutError):
                    part = wire.socket.recv(65536)
                    assert b" 408 " in part or not part
                    open_.remove(wire)
        assert not open_


def test_who_takes_no_answer_is_hung_up_on(siege: Besieged):
    document = call("GET", "/openapi.json")
    with siege.bounded(), contextlib.ExitStack() as stack:
        wires = [stack.enter_context(Wire(siege.url, "127.2.0.1")) for _ in range(10)]
        for wire in wires:
            wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            wire.say(document * 100)
        for wire in wires:
            assert not wire.say(document) or cannot_be_kept(wire)


def cannot_be_kept(wire: Wire) -> bool:
    """Send on until the server is gone."""
    wire.socket.settimeout(1)
    for _ in range(30):
        try:
            wire.socket.send(b"\r\n")
        except TimeoutError:
            continue
        except OSError:
            return True
        time.sleep(0.2)
    return False


def test_who_shuts_its_half_is_answered_or_hung_up_on(siege: Besieged):
    with Wire(siege.url) as wire:
        wire.say(HEARTBEAT)
        wire.socket.shutdown(socket.SHUT_WR)
        assert wire.hear().status in {0, 200}
        assert wire.is_hung_up()


def test_one_address_has_only_so_many_connections(siege: Besieged):
    with contextlib.ExitStack() as stack:
        wires = [stack.enter_context(Wire(siege.url, "127.3.0.1")) for _ in range(CONNECTIONS_EACH)]
        for wire in wires:
            wire.say(HEARTBEAT)
            assert wire.hear().status == 200
        refused = ask(siege.url, HEARTBEAT, source="127.3.0.1")
        assert (refused.status, refused.rc) == (429, "RateLimited")
        assert b"retry-after: " in refused.head
        assert ask(siege.url, HEARTBEAT, source="127.3.0.2").status == 200
        wires[0].socket.close()
        until(lambda: ask(siege.url, HEARTBEAT, source="127.3.0.1").status == 200, "its place")


def test_a_crowd_of_idle_connections_makes_room(siege: Besieged):
    before = memory_mb(siege.pid)
    with siege.bounded(), contextlib.ExitStack() as stack:
        for number in range(3 * CONNECTIONS_MAX):
            with contextlib.suppress(ConnectionError):
                stack.enter_context(Wire(siege.url, f"127.4.{number // 10}.1"))
        until(lambda: ask(siege.url, HEARTBEAT).status == 200, "room for one more")
    assert memory_mb(siege.pid) - before < 32
    siege.is_serving()
