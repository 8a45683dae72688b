"""A small HTTP load: keep-alive connections that each send one call after the other.

Written by hand because the load shares the machine's cores with the server: a general client would
take more of them than the server does.
"""

import asyncio
import contextlib
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

ADMIN_KEY = "administrator-key-0022"
START_TIMEOUT_S = 30


class Connection:
    """One keep-alive connection."""

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port
        self.reader: asyncio.StreamReader
        self.writer: asyncio.StreamWriter

    async def open(self) -> "Connection":
        self.reader, self.writer = await asyncio.open_connection(self.host, self.port)
        return self

    async def call(
        self, method: str, path: str, body: bytes = b"", key: str = ADMIN_KEY, more: str = ""
    ) -> tuple[int, bytes]:
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: {self.host}\r\napikey: {key}\r\n{more}"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self.writer.write(head.encode() + body)
        header = await self.reader.readuntil(b"\r\n\r\n")
        status = int(header[9:12])
        at = header.lower().index(b"content-length:") + 15
        length = int(header[at : header.index(b"\r\n", at)])
        return status, await self.reader.readexactly(length)

    async def json(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        data = b"" if body is None else json.dumps(body).encode()
        status, answer = await self.call(method, path, data, **more)
        assert status < 300, (method, path, status, answer[:300])
        return json.loads(answer)

    def close(self) -> None:
        self.writer.close()


@contextlib.asynccontextmanager
async def a_server(*options: str) -> AsyncIterator[tuple[str, int, subprocess.Popen[bytes]]]:
    """A server process on a free loopback port with a fresh data folder."""
    with tempfile.TemporaryDirectory(prefix="ordu-bench-") as data:
        ready = Path(data) / "ready.json"
        command = [
            sys.executable, "-m", "ordu.cli", "serve", "--data", data, "--port", "0",
            "--rate-limits", "off", "--ready-file", str(ready), *options,
        ]  # fmt: skip
        environment = os.environ | {"ORDU_ADMIN_KEY": ADMIN_KEY, "ORDU_LOG_LEVEL": "warning"}
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment)
        try:
            deadline = time.monotonic() + START_TIMEOUT_S
            while not ready.exists():
                assert process.poll() is None, "the server did not start"
                assert time.monotonic() < deadline, "the server took too long to start"
                await asyncio.sleep(0.02)
            url = json.loads(ready.read_text())["url"]
            host, port = url.removeprefix("http://").split(":")
            yield host, int(port), process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(20)


@contextlib.contextmanager
def an_edge() -> Iterator[tuple[str, int]]:
    """The bare routes of `edge.py` in a process of their own."""
    command = [sys.executable, str(Path(__file__).with_name("edge.py"))]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield "127.0.0.1", int(process.stdout.readline())
        finally:
            process.terminate()


async def rate(
    host: str,
    port: int,
    connections: int,
    seconds: float,
    work: Callable[[Connection, int], Awaitable[int]],
) -> float:
    """Units of work a second of all connections together; `work` returns how many it did."""
    opened = [await Connection(host, port).open() for _ in range(connections)]
    start = time.perf_counter()
    end = start + seconds

    async def keep_on(connection: Connection, number: int) -> int:
        done = 0
        while time.perf_counter() < end:
            done += await work(connection, number)
        return done

    done = sum(await asyncio.gather(*(keep_on(c, number) for number, c in enumerate(opened))))
    elapsed = time.perf_counter() - start
    for connection in opened:
        connection.close()
    return done / elapsed


def tell(name: str, figures: list[float]) -> None:
    """Print a figure as its median with the range."""
    print(
        f"{name:<46} {statistics.median(figures):>10,.0f} /s"
        f"   ({min(figures):,.0f} to {max(figures):,.0f}, {len(figures)} runs)"
    )
