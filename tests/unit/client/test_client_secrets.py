"""The client shows its key to the horde and to nobody else: no log and no error has it."""

import logging
import socket
import threading
import traceback
from collections.abc import Iterator

import httpx
import pytest

from ordu.client import AsyncHorde, Horde, HordeError

CANARY = "canary-of-the-client-1"

REPLIES = {
    "refused": b'HTTP/1.1 401 No\r\nContent-Length: 35\r\n\r\n{"message":"No.","rc":"NotMine"}   ',
    "nonsense": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{",
    "broken": b"HTTP/1.1 500 Oh\r\nContent-Length: 2\r\n\r\noh",
    "no HTTP": b"SSH-2.0-OpenSSH\r\n\r\n",
    "hung up": b"",
    "half": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
}


@pytest.fixture
def log(caplog):
    """What is logged with everything on, whatever level another test's command has set."""
    for name in ("", "httpcore", "httpx"):
        caplog.set_level(logging.DEBUG, name or None)
    return caplog


@pytest.fixture
def server(request) -> Iterator[str]:
    """A server that answers each call with the same bytes and hangs up."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(10)

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(10)
                connection.recv(65536)
                connection.sendall(REPLIES[request.param])

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(10)


def told(error: BaseException) -> str:
    """All that a program shows of an error that nobody caught."""
    chain = "".join(traceback.format_exception(error))
    return f"{error} {error!r} {vars(error)} {chain}"


@pytest.mark.parametrize("server", REPLIES, indirect=True)
def test_whatever_a_server_does_the_key_is_not_told(server, log):
    with Horde(server, CANARY, attempts=1) as horde, pytest.raises(HordeError) as caught:
        horde.get_find_user()
    assert CANARY not in told(caught.value)
    assert CANARY not in log.text
    assert CANARY not in repr(horde) + str(horde)
    assert any(record.name.startswith("httpcore") for record in log.records)  # talkative enough


def test_nor_where_nobody_listens(log):
    horde = Horde("http://127.0.0.1:9", CANARY, attempts=1)
    with horde, pytest.raises(HordeError) as caught:
        horde.get_find_user()
    assert CANARY not in told(caught.value) + log.text


NO_KEYS = [
    pytest.param(f"{CANARY}\n", id="with the end of a line"),
    pytest.param(f"{CANARY}\r\nX-More: 1", id="with another header"),
    pytest.param(f"{CANARY}ä", id="with an umlaut"),
    pytest.param(f"{CANARY}\u2026", id="cut by an editor"),
    pytest.param(f"{CANARY}\0", id="with a NUL"),
    pytest.param(f" {CANARY}", id="with a blank"),
]


@pytest.mark.parametrize("key", NO_KEYS)
def test_a_key_that_is_none_is_refused_without_being_told(key, log):
    horde = Horde("http://127.0.0.1:9", key, attempts=1)
    with horde, pytest.raises(HordeError, match="API key") as caught:
        horde.get_find_user()
    assert CANARY not in told(caught.value) + log.text


@pytest.mark.anyio
@pytest.mark.parametrize("key", NO_KEYS)
async def test_so_it_is_of_a_single_call(key):
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json={}))
    horde = AsyncHorde("http://horde.test", transport=transport)
    with pytest.raises(HordeError, match="API key") as caught:
        await horde.get_find_user(key)
    await horde.aclose()
    assert CANARY not in told(caught.value)


def test_a_password_in_the_address_is_not_told_either():
    horde = Horde(f"http://me:{CANARY}@127.0.0.1:9", attempts=1)
    with horde, pytest.raises(HordeError) as caught:
        horde.get_heartbeat()
    assert CANARY not in told(caught.value)
