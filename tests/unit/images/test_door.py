"""The door: what it lets in, and that nothing connects where it refuses."""

import asyncio
import gzip
import socket

import pytest
from tests.builders import a_picture
from tests.foreign import LoopbackOnly, a_foreign_server, answer

from ordu.images import door as doors
from ordu.images.door import Door
from ordu.protocol.errors import Refused

pytestmark = pytest.mark.anyio

PICTURE = a_picture(64, 64)
PUBLIC = "93.184.216.34"


class Names:
    """A resolver with a table; each look-up takes the next of a name's answers."""

    def __init__(self, **table):
        self.table = {name.replace("_", "."): iter(answers) for name, answers in table.items()}
        self.asked = []

    async def __call__(self, host, port):
        self.asked.append(host)
        try:
            return next(self.table[host])
        except (KeyError, StopIteration):
            raise socket.gaierror("unknown") from None


@pytest.fixture
async def foreign():
    async with a_foreign_server() as server:
        server.answers["/fox.webp"] = answer(PICTURE)
        yield server


@pytest.fixture
def network():
    return LoopbackOnly()


def a_door(network, names=None, **change):
    if names is None:
        names = Names(files_test=[["127.0.0.1"]] * 100)
    values = {"timeout_s": 5, "bytes_max": 100_000, "hosts": ["files.test"], "resolver": names}
    return Door(**values | change, network=network)


async def refusal_of(door, link):
    with pytest.raises(Refused) as caught:
        await door.fetch(link)
    assert "\n" not in caught.value.message
    return caught.value


# What comes in


async def test_fetch_brings_the_bytes_and_sends_nothing_of_ours(foreign, network):
    foreign.answers["/a?b=c"] = answer(PICTURE)
    assert await a_door(network).fetch(foreign.url("/a?b=c#d")) == PICTURE
    assert foreign.heads == [
        f"GET /a?b=c HTTP/1.1\r\nHost: files.test:{foreign.port}\r\nUser-Agent: ordu\r\n"
        "Accept: image/*\r\nAccept-Encoding: identity\r\nConnection: close\r\n\r\n".encode()
    ]


async def test_fetch_knows_no_proxies(foreign, network, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    assert await a_door(network).fetch(foreign.url()) == PICTURE


@pytest.mark.parametrize("kind", [None, "image/png", "Image/PNG; x=y", "application/octet-stream"])
async def test_fetch_takes_what_may_be_a_picture(foreign, network, kind):
    foreign.answers["/x"] = answer(PICTURE, kind=kind)
    assert await a_door(network).fetch(foreign.url("/x")) == PICTURE


async def test_fetch_takes_a_body_in_chunks(foreign, network):
    head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-type: image/webp\r\n\r\n"
    foreign.answers["/x"] = head + b"3\r\nfox\r\n2\r\nes\r\n0\r\n\r\n"
    assert await a_door(network).fetch(foreign.url("/x")) == b"foxes"


async def test_fetch_takes_an_address_that_the_operator_allows(foreign, network):
    door = a_door(network, hosts=["127.0.0.1"])
    assert await door.fetch(foreign.url(host="127.0.0.1")) == PICTURE


async def test_fetch_tries_the_next_address_of_a_host(foreign, network):
    names = Names(files_test=[["::1", "127.0.0.1"]])
    assert await a_door(network, names).fetch(foreign.url()) == PICTURE
    assert network.dialled == ["::1", "127.0.0.1"]


async def test_fetch_follows_redirects(foreign, network):
    foreign.answers["/a"] = answer(status="302 Found", location="b/c")
    foreign.answers["/b/c"] = answer(status="308 Permanent Redirect", location=foreign.url("/d"))
    foreign.answers["/d"] = answer(status="307 Temporary Redirect", location="/fox.webp")
    assert await a_door(network).fetch(foreign.url("/a")) == PICTURE


async def test_fetch_dials_the_address_that_was_looked_at_and_asks_once(foreign, network):
    names = Names(shop_test=[[PUBLIC], ["127.0.0.1"]])
    refusal = await refusal_of(a_door(network, names), foreign.url(host="shop.test"))
    assert refusal.rc == "ImageValidationFailed"
    assert (names.asked, network.dialled) == (["shop.test"], [PUBLIC])
    assert foreign.connections == 0


async def test_fetch_speaks_tls_with_the_name_of_the_link(network):
    hellos = []

    async def listen(reader, writer):
        hellos.append(await reader.read(4096))
        writer.close()

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        refusal = await refusal_of(a_door(network), f"https://files.test:{port}/x")
    assert refusal.rc == "ImageValidationFailed"
    assert b"files.test" in hellos[0]


# Where it does not go


@pytest.mark.parametrize(
    ("host", "rc"),
    [
        pytest.param("127.0.0.1", "ImageValidationFailed", id="loopback"),
        pytest.param("127.0.0.1.", "ImageValidationFailed", id="loopback with a dot"),
        pytest.param("[::1]", "ImageValidationFailed", id="loopback in IPv6"),
        pytest.param("[::ffff:127.0.0.1]", "ImageValidationFailed", id="loopback mapped"),
        pytest.param("[64:ff9b::7f00:1]", "ImageValidationFailed", id="loopback in NAT64"),
        pytest.param("[2002:7f00:1::]", "ImageValidationFailed", id="loopback in 6to4"),
        pytest.param("0.0.0.0", "ImageValidationFailed", id="this machine"),
        pytest.param("10.0.0.1", "ImageValidationFailed", id="private"),
        pytest.param("169.254.169.254", "ImageValidationFailed", id="the cloud's own"),
        pytest.param("[fd00::1]", "ImageValidationFailed", id="private in IPv6"),
        pytest.param("localhost", "ImageValidationFailed", id="localhost"),
        pytest.param("LOCALHOST.", "ImageValidationFailed", id="localhost in capitals"),
        pytest.param("both.test", "ImageValidationFailed", id="a public and a private address"),
        pytest.param("mapped.test", "ImageValidationFailed", id="a mapped address"),
        pytest.param("odd.test", "ImageValidationFailed", id="an answer that is no address"),
        pytest.param("none.test", "ImageValidationFailed", id="no address at all"),
        pytest.param("unknown.test", "ImageValidationFailed", id="an unknown name"),
        pytest.param("x.files.test", "ImageValidationFailed", id="below an allowed name"),
        pytest.param("2130706433", "SourceImageUrlInvalid", id="one number"),
        pytest.param("0x7f.1", "SourceImageUrlInvalid", id="hex"),
        pytest.param("0177.0.0.1", "SourceImageUrlInvalid", id="octal"),
        pytest.param("ferris:secret@files.test", "SourceImageUrlInvalid", id="a password"),
    ],
)
@pytest.mark.parametrize("way", ["straight", "by a redirect"])
async def test_nothing_connects_to_a_private_host(foreign, network, host, rc, way):
    names = Names(
        files_test=[["127.0.0.1"]],
        localhost=[["127.0.0.1"]],
        both_test=[[PUBLIC, "10.0.0.7"]],
        mapped_test=[["::ffff:10.0.0.7"]],
        odd_test=[["/run/socket"]],
        none_test=[[]],
        x_files_test=[["10.0.0.7"]],
    )
    link = foreign.url(host=host)
    foreign.answers["/on"] = answer(status="302 Found", location=link)
    allowed = [] if way == "straight" else ["127.0.0.1"]
    refusal = await refusal_of(a_door(network, names), foreign.url("/on") if allowed else link)
    assert refusal.rc == rc
    assert "10.0.0.7" not in refusal.message
    assert (network.dialled, foreign.connections) == (allowed, len(allowed))


@pytest.mark.parametrize(
    "location",
    ["file:///etc/passwd", "ftp://files.test/x", "http://files.test:0/", "http://[", "é"],
)
async def test_a_redirect_to_no_link_is_not_followed(foreign, network, location):
    foreign.answers["/on"] = answer(status="302 Found", location=location)
    refusal = await refusal_of(a_door(network), foreign.url("/on"))
    assert refusal.rc in {"SourceImageUrlInvalid", "ImageValidationFailed"}
    assert foreign.connections <= 2


async def test_redirects_have_an_end(foreign, network):
    foreign.answers["/loop"] = answer(status="301 Moved Permanently", location="/loop")
    refusal = await refusal_of(a_door(network), foreign.url("/loop"))
    assert refusal.rc == "ImageValidationFailed"
    assert foreign.connections == 1 + doors.REDIRECTS_MAX


# What it does not take


@pytest.mark.parametrize(
    ("said", "rc"),
    [
        pytest.param(answer(b"<p>", kind="text/html"), "SourceImageUrlInvalid", id="a page"),
        pytest.param(answer(b"x", status="404 Not Found"), "ImageValidationFailed", id="not there"),
        pytest.param(answer(status="302 Found"), "ImageValidationFailed", id="redirect to nowhere"),
        pytest.param(
            answer(gzip.compress(b"\0" * 1_000_000), content_encoding="gzip"),
            "ImageValidationFailed",
            id="gzip",
        ),
        pytest.param(
            answer(b"x" * 100_001), "SourceImageSizeExceeded", id="one byte more than allowed"
        ),
        pytest.param(
            answer(b"x", content_length="99999999999999999999"),
            "SourceImageSizeExceeded",
            id="announced too large",
        ),
        pytest.param(
            answer(b"x", content_length="50"), "ImageValidationFailed", id="less than announced"
        ),
        pytest.param(
            answer(b"x", content_length="-1"), "ImageValidationFailed", id="a negative length"
        ),
        pytest.param(b"SSH-2.0-x\r\n", "ImageValidationFailed", id="no HTTP"),
        pytest.param(b"", "ImageValidationFailed", id="nothing"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 100_000, "ImageValidationFailed", id="long head"
        ),
    ],
)
async def test_fetch_refuses(foreign, network, said, rc):
    foreign.answers["/x"] = said
    refusal = await refusal_of(a_door(network), foreign.url("/x"))
    assert (refusal.rc, refusal.status) == (rc, 400)


async def test_more_than_was_announced_is_not_read(foreign, network):
    foreign.answers["/x"] = answer(PICTURE, content_length="5")
    assert await a_door(network).fetch(foreign.url("/x")) == PICTURE[:5]


async def test_a_body_without_end_is_cut_off(foreign, network):
    sent = []

    async def pour(writer):
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: image/webp\r\n\r\n")
        while True:
            writer.write(b"x" * 10_000)
            await writer.drain()
            sent.append(10_000)

    foreign.answers["/x"] = pour
    refusal = await refusal_of(a_door(network), foreign.url("/x"))
    assert refusal.rc == "SourceImageSizeExceeded"
    assert sum(sent) < 50_000_000  # what fits into the buffers of sockets


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\ncontent-type: image/webp\r\n\r\nx"])
async def test_a_slow_server_is_given_up(foreign, network, head):
    async def wait(writer):
        writer.write(head)
        await asyncio.Event().wait()

    foreign.answers["/x"] = wait
    refusal = await refusal_of(a_door(network, timeout_s=0.2), foreign.url("/x"))
    assert refusal.rc == "ImageValidationFailed"
    assert "0.2 seconds" in refusal.message


async def test_a_server_that_never_begins_tls_is_hung_up_on(network):
    hung_up = asyncio.Event()

    async def listen(reader, writer):
        while await reader.read(4096):
            pass
        hung_up.set()
        writer.close()

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        door = a_door(network, timeout_s=0.2)
        refusal = await refusal_of(door, f"https://files.test:{port}/x")
        await asyncio.wait_for(hung_up.wait(), 5)
    assert "0.2 seconds" in refusal.message


async def test_a_slow_look_up_is_given_up(network):
    async def never(host, port):
        await asyncio.Event().wait()

    refusal = await refusal_of(a_door(network, never, timeout_s=0.05), "http://files.test/")
    assert (refusal.rc, network.dialled) == ("ImageValidationFailed", [])


# How many at once


async def test_more_fetches_than_seats_wait_and_then_are_told(foreign, network, monkeypatch):
    monkeypatch.setattr(doors, "WAITING_MAX", 2)
    go = asyncio.Event()

    async def hold(writer):
        await go.wait()
        writer.write(answer(PICTURE))
        await writer.drain()

    foreign.answers["/slow"] = hold
    door = a_door(network)
    first = [asyncio.create_task(door.fetch(foreign.url("/slow"))) for _ in range(10)]
    while len(foreign.heads) < doors.FETCHES_MAX:
        await asyncio.sleep(0)
    assert foreign.connections == doors.FETCHES_MAX
    refusal = await refusal_of(door, foreign.url())  # eight have a seat and two wait
    assert (refusal.rc, refusal.status, refusal.retry_after_s) == ("Unavailable", 503, 5)
    go.set()
    assert await asyncio.gather(*first) == [PICTURE] * 10
    assert await door.fetch(foreign.url()) == PICTURE


async def test_who_waits_too_long_is_told(network):
    go = asyncio.Event()

    async def slow(host, port):
        await go.wait()
        return []

    door = a_door(network, slow)
    first = [asyncio.create_task(refusal_of(door, "http://files.test/")) for _ in range(8)]
    await asyncio.sleep(0)
    door.timeout_s = 0.05
    refusal = await refusal_of(door, "http://files.test/")
    assert (refusal.rc, refusal.status, refusal.retry_after_s) == ("Unavailable", 503, 5)
    go.set()
    assert {each.rc for each in await asyncio.gather(*first)} == {"ImageValidationFailed"}
