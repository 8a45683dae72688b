"""How many connections a client opens: counted by a server on loopback that is a fake horde."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from ordu.client import AsyncHorde, Horde
from ordu.client.testing import FakeHorde

pytestmark = pytest.mark.anyio


class Counting(ThreadingHTTPServer):
    """A server that counts connections and answers with a fake."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.fake = FakeHorde(looks=0)
        self.lock = threading.Lock()
        self.connections = 0
        self.url = f"http://127.0.0.1:{self.server_port}"

    def process_request(self, request, client_address):
        self.connections += 1
        super().process_request(request, client_address)


class Answering(BaseHTTPRequestHandler):
    server: Counting
    protocol_version = "HTTP/1.1"  # connections are kept
    disable_nagle_algorithm = True  # head and body go out apart

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = dict(self.headers.items())
        request = httpx.Request(
            self.command, self.server.url + self.path, headers=headers, content=body
        )
        with self.server.lock:
            response = self.server.fake.handle_request(request)
        content = response.read()
        self.send_response(response.status_code)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_DELETE = answer  # noqa: N815 - the names that the base class calls

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def counted() -> Iterator[Counting]:
    with Counting() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def test_ten_pictures_in_turn_need_one_connection():
    with counted() as server:
        with Horde(server.url) as horde:
            for _ in range(10):
                assert horde.generate("a fox", r2=False)
        assert len(server.fake.calls) == 30
        assert server.connections == 1


async def test_ten_pictures_in_turn_need_one_connection_async():
    with counted() as server:
        async with AsyncHorde(server.url) as horde:
            for _ in range(10):
                assert await horde.generate("a fox", r2=False)
        assert len(server.fake.calls) == 30
        assert server.connections == 1


async def test_many_need_as_many_connections_as_are_made_at_once():
    with counted() as server:
        async with AsyncHorde(server.url) as horde:
            made = [each async for each in horde.generate_many(["a fox"] * 20, at_once=4, r2=False)]
        assert len(made) == 20
        assert {each.error for each in made} == {None}
        assert server.connections <= 4


def test_many_without_threads_need_one_connection():
    with counted() as server:
        with Horde(server.url) as horde:
            made = list(horde.generate_many(["a fox"] * 20, at_once=4, r2=False))
        assert len(made) == 20
        assert server.connections == 1
