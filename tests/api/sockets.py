"""A real server on a real socket, in the event loop of the test, for what only sockets do."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

import httpx
import msgspec

from ordu.client.events import Block, Blocks
from ordu.server.listening import listen
from ordu.server.run import Opened, configured, nothing
from ordu.server.stopping import Server

TURNS_MAX = 300_000  # of the event loop, a few seconds


async def until(look: Callable[[], object]) -> None:
    """Let others run until this is so."""
    for _ in range(TURNS_MAX):
        if look():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never came to that")


class InTest(Server):
    """A server that leaves signals to the test."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


@asynccontextmanager
async def served(opened: Opened) -> AsyncIterator["Served"]:
    """Serve this horde until the end of the block."""
    settings = msgspec.structs.replace(opened.horde.settings, port=0, grace_s=5)
    with listen(settings) as listener:
        server = InTest(configured(settings, opened), opened.horde, nothing)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        await until(lambda: server.started)
        try:
            yield Served(server, listener.getsockname()[1])
        finally:
            server.should_exit = True
            await serving


class Served:
    """A server on a port."""

    def __init__(self, server: Server, port: int) -> None:
        self.server = server
        self.port = port
        self.url = f"http://127.0.0.1:{port}"

    @property
    def connections(self) -> int:
        """How many connections the server knows."""
        return len(self.server.server_state.connections)

    async def call(
        self, method: str, path: str, body: bytes = b"", **headers: str
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Send a call on a connection of its own; nothing is read."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        lines = [f"{method} {path} HTTP/1.1", "Host: x", f"Content-Length: {len(body)}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        await writer.drain()
        return reader, writer

    async def hang_up(self, writer: asyncio.StreamWriter) -> None:
        """Close a connection, and wait until the server has seen it."""
        before = self.connections
        writer.transport.abort()
        await until(lambda: self.connections < before)


class Stream:
    """The events of a response, one after the other."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self.parts = response.aiter_bytes()
        self.blocks = Blocks()
        self.waiting: list[Block] = []
        self.raw = b""

    async def next(self) -> Block:
        """The next event."""
        while not self.waiting:
            part = await anext(self.parts)
            self.raw += part
            self.waiting = self.blocks.feed(part)
        return self.waiting.pop(0)

    async def rest(self) -> list[Block]:
        """All events until the end."""
        found = []
        try:
            while True:
                found.append(await self.next())
        except StopAsyncIteration:
            return found
