"""A receiver of webhooks on loopback: keeps what came, and answers what a test tells it to."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, NamedTuple

import msgspec

Reply = bytes | Callable[[asyncio.StreamWriter], Awaitable[None]]

OK = b"HTTP/1.1 204 No Content\r\n\r\n"


class Message(NamedTuple):
    """One POST that came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)


class Receiver:
    """Answers each path with the next of its replies; without any, that all is well."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.replies: dict[str, list[Reply]] = {}
        self.came = asyncio.Event()
        self.port = 0

    def url(self, path: str = "/hook", host: str = "bot.test") -> str:
        return f"http://{host}:{self.port}{path}"

    async def wait_for(self, many: int) -> None:
        """Wait until so many messages have come."""
        while len(self.messages) < many:
            self.came.clear()
            await self.came.wait()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                message = await read(reader)
                self.messages.append(message)
                self.came.set()
                replies = self.replies.get(message.path, [])
                reply = replies.pop(0) if replies else OK
                if isinstance(reply, bytes):
                    writer.write(reply)
                    await writer.drain()
                else:
                    await reply(writer)
        finally:
            writer.close()


async def read(reader: asyncio.StreamReader) -> Message:
    """A whole POST."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    first, *lines = head.strip().split("\r\n")
    method, path, _ = first.split(" ")
    assert method == "POST"
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    return Message(path, headers, await reader.readexactly(int(headers["content-length"])))


def status(line: str, **fields: str) -> bytes:
    """An answer without a body."""
    lines = [f"HTTP/1.1 {line}", "content-length: 0"]
    lines += [f"{name}: {value}" for name, value in fields.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


@contextlib.asynccontextmanager
async def a_receiver() -> AsyncIterator[Receiver]:
    """Run one; what it still says when the test is over is cut off."""
    receiver = Receiver()
    talks: set[asyncio.Task[None]] = set()

    def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talks.add(asyncio.create_task(receiver.serve(reader, writer)))

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
        for task in talks:
            task.cancel()
        await asyncio.gather(*talks, return_exceptions=True)
