"""The load: keep-alive connections that each send one call after the other.

Written by hand because it shares the machine's cores with the server: a general HTTP client takes
more of them than the server does. Calls are bytes that are made before anything is measured, an
answer is looked at no closer than needed to find its end. `python bench/load.py` measures the load
itself, against a program that answers with bytes that never change.
"""

import asyncio
import contextlib
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

import uvloop

CANNED = b"HTTP/1.1 200 OK\r\ncontent-length: 600\r\n\r\n" + b"x" * 600
LENGTH = b"content-length:"
OPEN_AT_ONCE = 200  # fewer than a server's line of connections that it has not taken yet

T = TypeVar("T")


class Answer(NamedTuple):
    """What came back."""

    status: int
    head: bytes
    body: bytes


class Connection(asyncio.Protocol):
    """One keep-alive connection, with one call at a time on it."""

    def __init__(self) -> None:
        self.transport: Any  # uvloop's is no asyncio.Transport, it only behaves like one
        self.answer: asyncio.Future[Answer] | None = None
        self.read = b""
        self.missing = 0  # how many bytes of the answer are still to come

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.read += data
        self.missing -= len(data)
        if self.missing > 0:
            return
        head_end = self.read.find(b"\r\n\r\n") + 4
        if head_end < 4:
            return
        head = self.read[:head_end]
        self.missing = head_end + length_of(head) - len(self.read)
        if self.missing <= 0 and self.answer is not None:
            answer = Answer(int(head[9:12]), head, self.read[head_end:])
            self.read = b""
            self.answer.set_result(answer)

    def connection_lost(self, error: Exception | None) -> None:
        if self.answer is not None and not self.answer.done():
            self.answer.set_exception(error or ConnectionError("the server hung up"))

    def send(self, call: bytes) -> "asyncio.Future[Answer]":
        """Send a call; its answer comes in the future."""
        self.answer = asyncio.get_running_loop().create_future()
        self.transport.write(call)
        return self.answer

    async def ask(self, call: bytes) -> Answer:
        """Send a call and wait for its answer, which must not be a refusal."""
        answer = await self.send(call)
        assert answer.status < 300, (call[:300], answer.status, answer.body[:300])
        return answer

    def close(self) -> None:
        """Hang up, whatever is on the way."""
        self.answer = None
        self.transport.close()


def length_of(head: bytes) -> int:
    """How long the body is after this head."""
    at = head.find(LENGTH)
    if at < 0:
        at = head.lower().find(LENGTH)
        assert at >= 0, f"an answer without Content-Length cannot be read: {head!r}"
    at += len(LENGTH)
    return int(head[at : head.index(b"\r", at)])


@dataclass(frozen=True)
class Address:
    """Where a server is."""

    host: str
    port: int

    def call(
        self, method: str, path: str, *, key: str = "", body: bytes = b"", more: str = ""
    ) -> bytes:
        """The bytes of a call; `more` are headers, each with its line end."""
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: {self.host}:{self.port}\r\n"
            f"{f'apikey: {key}' + chr(13) + chr(10) if key else ''}{more}"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body

    async def connect(self) -> Connection:
        """Open a connection."""
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(Connection, self.host, self.port)
        return connection

    @contextlib.asynccontextmanager
    async def connections(self, many: int) -> AsyncIterator[list[Connection]]:
        """So many connections, closed again at the end."""
        opened: list[Connection] = []
        try:
            while len(opened) < many:
                few = min(OPEN_AT_ONCE, many - len(opened))
                opened += await asyncio.gather(*(self.connect() for _ in range(few)))
            yield opened
        finally:
            for connection in opened:
                connection.close()
            await asyncio.sleep(0)


async def rate(
    address: Address,
    connections: int,
    seconds: float,
    work: Callable[[Connection, int], Awaitable[object]],
) -> float:
    """How much work is done a second by all connections together, each doing it again and again.

    `work` is told the number of its connection.
    """
    async with address.connections(connections) as opened:
        start = time.perf_counter()
        end = start + seconds

        async def keep_on(connection: Connection, number: int) -> int:
            done = 0
            while time.perf_counter() < end:
                await work(connection, number)
                done += 1
            return done

        done = sum(await asyncio.gather(*(keep_on(c, number) for number, c in enumerate(opened))))
        return done / (time.perf_counter() - start)


async def latencies_ms(
    address: Address,
    connections: int,
    per_s: int,
    seconds: float,
    work: Callable[[Connection, int], Awaitable[float | None]],
) -> list[float]:
    """How long work takes that is begun at a fixed rate, whether the server keeps up or not.

    `work` says how many of its seconds do not count, or None when nothing of it does. Waiting for
    a free connection counts: a slow server is not asked less.
    """
    # In turns, so that none is idle for long: servers hang up on those after some seconds.
    free: asyncio.Queue[Connection] = asyncio.Queue()
    took_ms: list[float] = []

    async def do(number: int) -> None:
        begun = time.perf_counter()
        connection = await free.get()
        not_counted = await work(connection, number)
        if not_counted is not None:
            took_ms.append((time.perf_counter() - begun - not_counted) * 1000)
        free.put_nowait(connection)

    async with address.connections(min(connections, per_s)) as opened:
        for connection in opened:
            free.put_nowait(connection)
        start = time.perf_counter()
        tasks = []
        for number in range(max(1, int(per_s * seconds))):
            await asyncio.sleep(max(0, start + number / per_s - time.perf_counter()))
            tasks.append(asyncio.create_task(do(number)))
        await asyncio.gather(*tasks)
    return took_ms


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run on the quickest event loop there is."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


# The load itself


class Canned(asyncio.Protocol):
    """A server that answers whatever it gets with the same bytes."""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.transport.write(CANNED)


async def serve_canned() -> None:
    """Serve on a free loopback port, say which, and go on until standard input ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Canned, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


@contextlib.contextmanager
def beside(*command: str) -> Iterator[Address]:
    """A program of ours that prints its port and serves until its standard input ends."""
    with subprocess.Popen(
        [sys.executable, *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            yield Address("127.0.0.1", int(process.stdout.readline()))
        finally:
            process.stdin.close()
            process.wait(20)


async def own_rate(connections: int, seconds: float) -> float:
    """How many calls a second this load can make."""
    with beside(__file__, "--canned") as address:
        body = b'{"name": "worker", "models": ["m"], "bridge_agent": "bench:1:-"}'
        call = address.call("POST", "/api/v2/generate/pop", key="k" * 22, body=body)
        return await rate(address, connections, seconds, lambda each, _: each.ask(call))


if __name__ == "__main__":
    if sys.argv[1:] == ["--canned"]:
        run(serve_canned())
    else:
        seconds = 0.2 if "--quick" in sys.argv else 3
        print(f"the load itself: {run(own_rate(20, seconds)):,.0f} calls/s")
