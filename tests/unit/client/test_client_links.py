"""Where links are followed: servers on loopback, one address of which plays the Internet."""

import inspect
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ordu.cli.hordes import connect, connect_plainly
from ordu.client import AsyncHorde, BrokenHorde, Horde, links
from ordu.settings import ClientSettings, WorkerSettings

pytestmark = pytest.mark.anyio
PUBLIC, PRIVATE = "127.0.0.1", "127.0.0.2"
NAMES = {"horde.test": PUBLIC, "storage.test": PRIVATE}


class Place(ThreadingHTTPServer):
    """A server that notes what it is asked, and sends on to `leads_to` when that is set."""

    def __init__(self, address: str) -> None:
        super().__init__((address, 0), Answering)
        self.url = f"http://{address}:{self.server_port}"
        self.asked: list[str] = []
        self.leads_to = ""


class Answering(BaseHTTPRequestHandler):
    server: Place
    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.server.asked.append(f"{self.command} {self.path}")
        body = b'{"version": "1"}'
        if self.server.leads_to:
            self.send_response(302)
            self.send_header("Location", self.server.leads_to)
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_PUT = answer  # noqa: N815 - the names that the base class calls

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def place(address: str) -> Iterator[Place]:
    with Place(address) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def outside():
    with place(PUBLIC) as server:
        yield server


@pytest.fixture
def inside():
    with place(PRIVATE) as server:
        yield server


@pytest.fixture(autouse=True)
def internet(monkeypatch):
    """One address of loopback is public and the others are not; two names lead to them."""
    looked_up = socket.getaddrinfo

    def look_up(host, *more, **named):
        name = host.decode() if isinstance(host, bytes) else host
        return looked_up(NAMES.get(name, name), *more, **named)

    monkeypatch.setattr(links, "is_public_text", lambda text: text == PUBLIC)
    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)


class Either:
    """A client of either form with all methods awaitable."""

    def __init__(self, horde) -> None:
        self.horde = horde

    def __getattr__(self, name):
        method = getattr(self.horde, name)

        async def call(*arguments):
            result = method(*arguments)
            return await result if inspect.isawaitable(result) else result

        return call


@pytest.fixture(params=[AsyncHorde, Horde])
async def client(request):
    """Makes clients, and closes them."""
    made = []

    def make(url, **more):
        made.append(Either(request.param(url, attempts=1, **more)))
        return made[-1]

    yield make
    for each in made:
        await (each.aclose() if request.param is AsyncHorde else each.close())


async def test_a_horde_on_the_internet_leads_nobody_into_their_own_network(client, outside, inside):
    horde = client(outside.url)
    await horde.get_heartbeat()
    with pytest.raises(BrokenHorde, match=rf"private network, to {PRIVATE}:\d+; .* private_links"):
        await horde.fetch(f"{inside.url}/secret")
    with pytest.raises(BrokenHorde, match="private network"):
        await horde.upload(f"{inside.url}/router", b"picture")
    assert inside.asked == []  # looked at before anything was sent


async def test_nor_by_a_redirect(client, outside, inside):
    with place(PUBLIC) as storage:
        storage.leads_to = f"{inside.url}/secret"
        horde = client(outside.url)
        await horde.get_heartbeat()
        with pytest.raises(BrokenHorde, match="private network"):
            await horde.fetch(f"{storage.url}/picture")
        assert storage.asked == ["GET /picture"]
    assert inside.asked == []


async def test_nor_by_a_name_that_resolves_otherwise_now(client, outside, inside, monkeypatch):
    horde = client(f"http://horde.test:{outside.server_port}")
    await horde.get_heartbeat()
    monkeypatch.setitem(NAMES, "horde.test", PRIVATE)
    with pytest.raises(BrokenHorde, match=r"private network, to horde\.test"):
        await horde.fetch(f"http://horde.test:{inside.server_port}/secret")
    assert inside.asked == []


async def test_it_leads_to_itself_and_to_other_public_places(client, outside):
    with place(PUBLIC) as storage:
        horde = client(outside.url)
        await horde.get_heartbeat()
        await horde.fetch(f"{outside.url}/picture")
        await horde.fetch(f"{storage.url}/picture")
        await horde.upload(f"{storage.url}/place", b"picture")
        assert storage.asked == ["GET /picture", "PUT /place"]


async def test_a_horde_in_a_private_network_leads_anywhere(client, inside):
    with place("127.0.0.3") as storage:
        horde = client(inside.url)
        await horde.get_heartbeat()
        await horde.fetch(f"{storage.url}/picture")
        assert storage.asked == ["GET /picture"]


@pytest.mark.parametrize(("host", "is_followed"), [(PUBLIC, False), (PRIVATE, True)])
async def test_where_a_horde_is_that_was_not_asked_yet_is_looked_up(
    client, inside, host, is_followed
):
    horde = client(f"http://{host}:9")
    if is_followed:
        await horde.fetch(f"http://storage.test:{inside.server_port}/picture")
    else:
        with pytest.raises(BrokenHorde, match=r"private network, to storage\.test"):
            await horde.fetch(f"http://storage.test:{inside.server_port}/picture")
    assert bool(inside.asked) is is_followed


async def test_one_that_cannot_be_found_is_taken_to_be_outside(client, inside, monkeypatch):
    monkeypatch.setitem(NAMES, "nowhere.test", "not an address")
    horde = client("http://nowhere.test")
    with pytest.raises(BrokenHorde, match="private network"):
        await horde.fetch(f"{inside.url}/picture")


async def test_a_proxy_may_be_in_the_private_network(client, inside, monkeypatch):
    monkeypatch.setenv("http_proxy", inside.url)
    horde = client("http://horde.test")
    await horde.fetch("http://pictures.test/picture")
    assert inside.asked == ["GET http://pictures.test/picture"]


async def test_past_a_proxy_it_is_looked_at_again(client, inside, monkeypatch):
    monkeypatch.setenv("http_proxy", inside.url)
    monkeypatch.setenv("no_proxy", "127.0.0.3")
    with place("127.0.0.3") as secret:
        horde = client("http://storage.test")  # where its name leads here says nothing
        with pytest.raises(BrokenHorde, match="private network"):
            await horde.fetch(f"{secret.url}/secret")
        assert secret.asked == []


def test_what_is_reached_without_a_proxy_is_none(monkeypatch):
    monkeypatch.setenv("no_proxy", "192.168.0.1,*.local,10.0.0.0/8,::1")
    assert links.proxies() == set()
    monkeypatch.setenv("http_proxy", "proxy.local:3128")
    monkeypatch.setenv("all_proxy", "socks5://[fd00::1]")
    assert links.proxies() == {("proxy.local", 3128), ("fd00::1", 1080)}


async def test_whoever_knows_better_allows_it(client, outside, inside):
    horde = client(outside.url, private_links=True)
    await horde.get_heartbeat()
    await horde.fetch(f"{inside.url}/picture")
    assert inside.asked == ["GET /picture"]


@pytest.mark.parametrize("allowed", [False, True])
@pytest.mark.parametrize("kind", [ClientSettings, WorkerSettings])
async def test_commands_and_workers_have_a_setting_for_it(outside, inside, kind, allowed):
    async with connect(kind(url=outside.url, private_links=allowed)) as horde:
        await fetched(horde, f"{inside.url}/picture", allowed=allowed)
    assert bool(inside.asked) is allowed


@pytest.mark.parametrize("allowed", [False, True])
async def test_so_have_commands_that_ask_one_thing_after_the_other(outside, inside, allowed):
    with connect_plainly(ClientSettings(url=outside.url, private_links=allowed)) as horde:
        await fetched(Either(horde), f"{inside.url}/picture", allowed=allowed)
    assert bool(inside.asked) is allowed


async def fetched(horde, link, *, allowed):
    if allowed:
        await horde.fetch(link)
    else:
        with pytest.raises(BrokenHorde, match="private network"):
            await horde.fetch(link)
