"""The client and a worker before a server that means them ill."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
import pytest
from tests.hostile import pictures

from ordu.client import Horde, HordeError
from ordu.client.errors import BrokenHorde
from ordu.client.wire import MESSAGE_CHARACTERS_MAX
from ordu.protocol.decoding import REPLY_PARTS_MAX, decode_reply
from ordu.protocol.requests import RequestStatusCheck
from ordu.worker.backends import BackendError
from ordu.worker.pictures import read

DEEP = 100_000
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@contextmanager
def a_bad_server(said: bytes, then: bytes = b"") -> Iterator[str]:
    """A server that says this to everybody, and then this until they leave."""
    listener = socket.create_server(("127.0.0.1", 0))
    is_over = threading.Event()

    def serve() -> None:
        while not is_over.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(2)
                try:
                    connection.recv(65536)
                    connection.sendall(said)
                    while then and not is_over.is_set():
                        connection.sendall(then)
                except OSError:
                    continue

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        is_over.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def sized(body: bytes, head: bytes = OK) -> bytes:
    """A whole answer."""
    return head + b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body


ANSWERS = {
    "lists, 100,000 deep": sized(b"[" * DEEP + b"]" * DEEP),
    "objects, 100,000 deep": sized(b'{"a":' * DEEP + b"0" + b"}" * DEEP),
    "a list": sized(b"[]"),
    "a text": sized(b'"done"'),
    "wrong types": sized(b'{"done":[],"waiting":"many","queue_position":{}}'),
    "numbers too large": sized(b'{"waiting":1e999}'),
    "bytes that are no UTF-8": sized(b'{"\xff":"\xff'),
    "nothing": sized(b""),
    "a web page": sized(b"<html>" + b"a" * 100_000),
    "no HTTP": b"\x16\x03\x01" * 100,
    "half a head": b"HTTP/1.1 200",
    "a length that is not kept": OK + b"Content-Length: 1000\r\n\r\n{",
    "two lengths": OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
    "a gzip bomb that is none": sized(b"\x1f\x8b" + bytes(100), OK + b"Content-Encoding: gzip\r\n"),
    "a redirect inside": sized(
        b"", b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/latest\r\n"
    ),
    "a refusal with escapes": sized(
        json.dumps({"message": "\x1b[2J" + "a" * 100, "rc": ["x"], "errors": 5}).encode(),
        b"HTTP/1.1 400 Bad Request\r\n",
    ),
    "a time to wait of 400 digits": sized(
        b"{}", b"HTTP/1.1 400 Bad\r\nRetry-After: " + b"9" * 400 + b"\r\n"
    ),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_the_client_reads_no_answer_it_cannot_trust(name):
    with a_bad_server(ANSWERS[name]) as url:
        assert isinstance(refusal_at(url), HordeError)


def test_a_head_without_end_is_given_up():
    with a_bad_server(OK, b"X-A: b\r\n" * 1000) as url:
        assert isinstance(refusal_at(url), HordeError)


def refusal_at(url: str) -> HordeError:
    """What a client says of a server."""
    with Horde(url, attempts=1, timeout_s=5) as horde, pytest.raises(HordeError) as raised:
        horde.get_async_check("a")
    return raised.value


def test_an_answer_of_too_many_parts_is_not_read_without_its_type():
    bomb = b'{"done":1,"x":[' + b"{}," * REPLY_PARTS_MAX + b"{}]}"
    with pytest.raises(msgspec.ValidationError):
        decode_reply(RequestStatusCheck, bomb)


def test_what_is_shown_of_a_foreign_page_is_short_and_harmless():
    page = sized(b"\x1b[2J\x07" + b"a" * 10_000)
    with a_bad_server(page) as url:
        said = refusal_at(url)
    assert isinstance(said, BrokenHorde)
    assert str(said).isprintable()
    assert len(str(said)) < MESSAGE_CHARACTERS_MAX + 200


@pytest.mark.parametrize("name", sorted(pictures.BAD))
def test_a_worker_opens_no_picture_that_is_a_bomb(name):
    data = pictures.BAD[name]
    if name in TAKEN:
        assert read(data).width <= 65_536
        return
    with pytest.raises(BackendError):
        read(data)


# Of films the first picture is taken, and of a PNG without its end what is there.
TAKEN = {"a GIF that moves", "a WebP that moves", "half a PNG"}
