"""A stranger's server on loopback, which answers what a test tells it to, byte by byte."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import httpcore

Answer = bytes | Callable[[asyncio.StreamWriter], Awaitable[None]]


class Foreign:
    """Answers by path; remembers what it was asked, and how often anybody connected."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.heads: list[bytes] = []
        self.connections = 0
        self.port = 0

    def url(self, path: str = "/fox.webp", host: str = "files.test") -> str:
        return f"http://{host}:{self.port}{path}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                head = await reader.readuntil(b"\r\n\r\n")
                self.heads.append(head)
                answer = self.answers[head.split(b" ")[1].decode()]
                if isinstance(answer, bytes):
                    writer.write(answer)
                    await writer.drain()
                else:
                    await answer(writer)
        finally:
            writer.close()


@contextlib.asynccontextmanager
async def a_foreign_server() -> AsyncIterator[Foreign]:
    """Run one; what it still says when the test is over is cut off."""
    foreign = Foreign()
    talks: set[asyncio.Task[None]] = set()

    def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talks.add(asyncio.create_task(foreign.serve(reader, writer)))

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    foreign.port = server.sockets[0].getsockname()[1]
    try:
        yield foreign
    finally:
        server.close()
        for task in talks:
            task.cancel()
        await asyncio.gather(*talks, return_exceptions=True)


def answer(
    body: bytes = b"", status: str = "200 OK", kind: str | None = "image/webp", **fields: str
) -> bytes:
    """A whole answer; a field given twice is a lie the test wants."""
    head = {"content-length": str(len(body))} | ({} if kind is None else {"content-type": kind})
    head |= {name.replace("_", "-"): value for name, value in fields.items()}
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in head.items()), "", ""]
    return "\r\n".join(lines).encode() + body


class LoopbackOnly(httpcore.AnyIOBackend):
    """Dials for the door, remembers whom, and never leaves this machine."""

    def __init__(self) -> None:
        self.dialled: list[str] = []

    async def connect_tcp(self, host, port, *others, **options):  # type: ignore[no-untyped-def]
        self.dialled.append(host)
        if host not in {"127.0.0.1", "::1"}:
            raise httpcore.ConnectError("not in a test")
        return await super().connect_tcp(host, port, *others, **options)
