"""Raw bytes to a server and what comes back, as somebody speaks who keeps to nothing.

No HTTP library is used: it would refuse to send most of what is tried here.
"""

import contextlib
import itertools
import json
import socket
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

BOUND_S = 20.0  # whatever is tried, the server has answered or hung up by then
ADDRESSES = itertools.cycle(f"127.1.{x}.{y}" for x in range(256) for y in range(1, 255))


@dataclass(frozen=True)
class Answer:
    """What came back; status 0: the server hung up and said nothing."""

    status: int
    head: bytes
    body: bytes

    @property
    def is_refusal(self) -> bool:
        """Whether it is a clear "no", or a connection that was closed."""
        return self.status == 0 or 400 <= self.status < 500

    @property
    def is_closed(self) -> bool:
        """Whether the server said that it hangs up, or did."""
        return self.status == 0 or b"\r\nconnection: close" in self.head.lower()

    def json(self) -> Any:
        """The body."""
        return json.loads(self.body)

    @property
    def rc(self) -> str | None:
        """The code of a refusal; None where there is none."""
        with contextlib.suppress(ValueError, KeyError, TypeError):
            return str(self.json()["rc"])
        return None


NOTHING = Answer(0, b"", b"")


class Wire:
    """One connection, from an address of 127.0.0.0/8 of its own."""

    def __init__(self, url: str, source: str | None = None, within_s: float = BOUND_S) -> None:
        place = urlsplit(url)
        self.socket = socket.create_connection(
            (place.hostname or "", place.port or 0), within_s, (source or next(ADDRESSES), 0)
        )
        self.within_s = within_s
        self.read = b""

    def __enter__(self) -> "Wire":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def say(self, raw: bytes) -> bool:
        """Send this; whether the server took it."""
        try:
            self.socket.sendall(raw)
        except (BrokenPipeError, ConnectionError):
            return False
        return True

    def hear(self, *, of: str = "GET") -> Answer:
        """The next answer, or that the server hung up.

        Raises:
            TimeoutError: neither came in time, which no server may do.
        """
        deadline = time.monotonic() + self.within_s
        while True:
            if (answer := self.taken(of)) is not None:
                return answer
            self.socket.settimeout(max(0.001, deadline - time.monotonic()))
            try:
                part = self.socket.recv(262_144)
            except ConnectionError:
                part = b""
            if not part:
                return self.last()
            self.read += part

    def taken(self, of: str) -> Answer | None:
        """A whole answer from what was read, if it is there."""
        while True:
            head, blank, rest = self.read.partition(b"\r\n\r\n")
            if not blank:
                return None
            status = int(head.split(b" ", 2)[1])
            if status != 100:
                break
            self.read = rest
        if of == "HEAD" or status in {204, 304}:
            body, self.read = b"", rest
            return Answer(status, head, body)
        lower = head.lower()
        if b"transfer-encoding: chunked" in lower:
            end = rest.find(b"0\r\n\r\n")
            if end < 0:
                return None
            body, self.read = rest[:end], rest[end + 5 :]
            return Answer(status, head, body)
        length = int(lower.split(b"content-length:")[1].split(b"\r\n")[0])
        if len(rest) < length:
            return None
        body, self.read = rest[:length], rest[length:]
        return Answer(status, head, body)

    def last(self) -> Answer:
        """What was left when the server hung up."""
        return NOTHING

    def is_hung_up(self) -> bool:
        """Wait until the server hangs up; what it still says is dropped."""
        self.socket.settimeout(self.within_s)
        try:
            while self.socket.recv(262_144):
                pass
        except ConnectionError:
            pass
        except TimeoutError:
            return False
        return True


def call(
    method: str,
    path: str,
    body: bytes = b"",
    headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
    *,
    has_length: bool = True,
) -> bytes:
    """A call as bytes; nothing in it is made safe."""
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    lines = [f"{method} {path} HTTP/1.1", "Host: horde.test", *(f"{n}: {v}" for n, v in pairs)]
    if has_length and (body or method in {"POST", "PUT"}):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape") + body


def ask(url: str, raw: bytes, *, of: str = "GET", source: str | None = None) -> Answer:
    """What a server answers to these bytes on a connection of their own."""
    with Wire(url, source) as wire:
        wire.say(raw)
        return wire.hear(of=of)


def memory_mb(pid: int) -> float:
    """How much memory a process has in use now."""
    return kilobytes(pid, "VmRSS") / 1024


def peak_mb(pid: int) -> float:
    """The most it has had in use since it was last forgotten."""
    return kilobytes(pid, "VmHWM") / 1024


def forget_peak(pid: int) -> None:
    """From now on the peak counts anew."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def kilobytes(pid: int, name: str) -> int:
    """A line of what the system says of a process."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return int(next(line for line in lines if line.startswith(f"{name}:")).split()[1])
