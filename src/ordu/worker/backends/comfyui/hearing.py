"""Hearing how far a picture is: ComfyUI tells that over a WebSocket only (RFC 6455).

httpx hands over the connection after an upgrade, so what is needed of a WebSocket is little: frames
come in whole from a server and unmasked, texts are read, everything else is passed over, and a
ping is answered. Where there is no WebSocket (a proxy that has none), nothing is heard, and the
picture is made all the same.
"""

import base64
import hashlib
import secrets
import struct
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Protocol, Self

import httpcore
import httpx
import msgspec

from ordu.worker.backends import BackendError
from ordu.worker.backends.comfyui.graphs import Nodes
from ordu.worker.backends.programs import Program

HANDSHAKE = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # of every WebSocket
FRAME_BYTES_MAX = 16 * 1024 * 1024  # previews are pictures
READ_BYTES = 64 * 1024
TEXT, CLOSE, PING = 0x1, 0x8, 0x9
WHOLE = 0x80
PONG = 0x8A
SAMPLING_SHARE = 0.95  # of the work; what follows takes little


class Stream(Protocol):
    """A connection after its upgrade."""

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """What has come, at most so much; nothing at the end."""
        ...

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send all of this."""
        ...


class Progressing(msgspec.Struct):
    """How far one node is."""

    value: float = 0.0
    max: float = 1.0
    node: str | None = None  # old versions do not say


class Message(msgspec.Struct):
    """What ComfyUI tells."""

    type: str = ""
    data: Any = None


class Hearing:
    """Hears how far the picture of one client is, as long as the context lasts."""

    def __init__(self, program: Program, client_id: str, graph: Nodes) -> None:
        self.share = 0.0
        self._program = program
        self._client_id = client_id
        self._stages = dict.fromkeys(sampling_nodes(graph), 0.0)  # the share of each
        self._reply: httpx.Response | None = None
        self._stream: Stream | None = None
        self._received = bytearray()

    def __enter__(self) -> Self:
        with suppress(BackendError):
            key = base64.b64encode(secrets.token_bytes(16)).decode()
            headers = {
                "Upgrade": "websocket",
                "Connection": "Upgrade",
                "Sec-WebSocket-Version": "13",
                "Sec-WebSocket-Key": key,
            }
            self._reply = self._program.upgraded("/ws", {"clientId": self._client_id}, headers)
            if self._reply.headers.get("Sec-WebSocket-Accept") == accept_of(key):
                self._stream = self._reply.extensions["network_stream"]
        return self

    def __exit__(self, *_: object) -> None:
        if self._reply is not None:
            self._reply.close()

    def listen(self, seconds: float) -> None:
        """Wait for so long, and hear meanwhile."""
        ends_s = time.monotonic() + seconds
        while (left_s := ends_s - time.monotonic()) > 0:
            if self._stream is None:
                time.sleep(left_s)
                return
            try:
                self._hear(self._stream, left_s)
            except httpcore.ReadTimeout:
                return
            except (httpcore.NetworkError, httpcore.TimeoutException, ValueError):
                self._stream = None

    def _hear(self, stream: Stream, timeout_s: float) -> None:
        """Take what has come; a ValueError when there will be nothing more to understand."""
        data = stream.read(READ_BYTES, timeout_s)
        if not data:
            raise ValueError("closed")
        self._received += data
        for kind, content in frames(self._received):
            if kind == CLOSE:
                raise ValueError("closed")
            if kind == PING:
                stream.write(pong(content), timeout_s)
            elif kind == TEXT:
                self._take(content)

    def _take(self, content: bytes) -> None:
        try:
            message = msgspec.json.decode(content, type=Message)
            if message.type != "progress":
                return
            progress = msgspec.convert(message.data, Progressing)
        except (msgspec.DecodeError, UnicodeDecodeError):  # extensions tell things of their own
            return
        node = next(iter(self._stages), "") if progress.node is None else progress.node
        if node in self._stages and progress.max > 0:
            self._stages[node] = min(1.0, max(0.0, progress.value / progress.max))
            done = sum(self._stages.values()) / len(self._stages)
            self.share = max(self.share, done * SAMPLING_SHARE)


def sampling_nodes(graph: Nodes) -> list[str]:
    """The nodes of a graph that take steps."""
    return [
        name
        for name, node in graph.items()
        if node.class_type.startswith(("KSampler", "SamplerCustom"))
        and node.class_type != "KSamplerSelect"
    ]


def accept_of(key: str) -> str:
    """What a server of WebSockets answers to a key."""
    digest = hashlib.sha1((key + HANDSHAKE).encode(), usedforsecurity=False).digest()
    return base64.b64encode(digest).decode()


def frames(received: bytearray) -> Iterator[tuple[int, bytes]]:
    """Take each whole frame off what was received: its kind and content.

    Of a message in several frames the kind is 0, which nobody here asks for: ComfyUI sends none.

    Raises:
        ValueError: a frame is larger than any should be.
    """
    while len(received) >= 2:
        size, start = received[1] & 0x7F, 2
        if size >= 126:
            form = "!H" if size == 126 else "!Q"
            start += struct.calcsize(form)
            if len(received) < start:
                return
            (size,) = struct.unpack(form, received[2:start])
        if size > FRAME_BYTES_MAX:
            raise ValueError("too large")
        if len(received) < start + size:
            return
        kind = received[0] & 0x0F if received[0] & WHOLE else 0
        content = bytes(received[start : start + size])
        del received[: start + size]
        yield kind, content


def pong(content: bytes) -> bytes:
    """The answer to a ping; masked, as everything a client sends, with a mask of zeros."""
    short = content[:125]
    return bytes((PONG, 0x80 | len(short))) + bytes(4) + short
