"""What the stand-ins for other programs have in common: a small HTTP server with routes."""

import base64
import contextlib
import hashlib
import io
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, Self
from urllib.parse import parse_qsl, unquote, urlsplit

from PIL import Image

MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # of RFC 6455


class Call(NamedTuple):
    """One call to the program."""

    method: str
    path: str
    params: dict[str, str]
    headers: dict[str, str]
    data: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.data) if self.data else None


class Reply(NamedTuple):
    """Its answer; what is no bytes is sent as JSON."""

    body: object = b""
    status: int = 200
    type: str = "application/json"


class Gone(Exception):  # noqa: N818 - no error: it is what happens
    """Instead of an answer the connection is closed: the program died."""


class Serving:
    """A program that serves HTTP on loopback, until it is stopped; it can be started again."""

    has_sockets = False

    def __init__(self, port: int = 0) -> None:
        self.port = port
        self.asked: list[Call] = []
        self.changed = threading.Condition()  # guards what a program keeps
        self.is_stopped = True
        self.overrides: dict[str, Callable[[Call], Reply]] = {}  # `GET /path` to another answer

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answer(self, call: Call) -> Reply:
        raise NotImplementedError

    def frames(self, call: Call) -> Iterator[bytes]:
        """What is sent over a WebSocket, until the program stops."""
        raise NotImplementedError

    def start(self) -> Self:
        program = self

        class Handler(BaseHTTPRequestHandler):
            def serve(self) -> None:
                data = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                parts = urlsplit(self.path)
                params = dict(parse_qsl(parts.query))
                headers = {name.lower(): value for name, value in self.headers.items()}
                call = Call(self.command, unquote(parts.path), params, headers, data)
                program.asked.append(call)
                if "upgrade" in headers and program.has_sockets:
                    self.close_connection = True
                    self.send_response(101)
                    self.send_header("Upgrade", "websocket")
                    self.send_header("Connection", "Upgrade")
                    accept = hashlib.sha1((headers["sec-websocket-key"] + MAGIC).encode())
                    self.send_header("Sec-WebSocket-Accept", as_base64(accept.digest()))
                    self.end_headers()
                    with contextlib.suppress(OSError):
                        for frame in program.frames(call):
                            self.wfile.write(frame)
                            self.wfile.flush()
                    return
                other = program.overrides.get(f"{call.method} {call.path}", program.answer)
                try:
                    reply = other(call)
                except Gone:
                    return
                body = reply.body if isinstance(reply.body, bytes) else _json(reply.body)
                try:
                    self.send_response(reply.status)
                    self.send_header("Content-Type", reply.type)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                except OSError:
                    """Nobody waits for the answer any more."""

            do_GET = do_POST = serve  # noqa: N815 - names of the library

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self.port = self._server.server_port
        self.is_stopped = False
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        return self

    def stop(self) -> None:
        with self.changed:
            if self.is_stopped:
                return
            self.is_stopped = True
            self.changed.notify_all()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def calls(self, method: str, path: str) -> list[Call]:
        return [each for each in self.asked if (each.method, each.path) == (method, path)]

    def wait_until(self, is_so: Callable[[], bool]) -> None:
        """Wait for what this program is about to do."""
        with self.changed:
            assert self.changed.wait_for(is_so, 20)


def colour_of(*values: object) -> tuple[int, int, int]:
    """A colour that is another one for other values."""
    digest = hashlib.sha256(repr(values).encode()).digest()
    return digest[0], digest[1], digest[2]


def png(image: Image.Image) -> bytes:
    with io.BytesIO() as out:
        image.save(out, "PNG")
        return out.getvalue()


def picture_in(text: str) -> Image.Image:
    """The picture in a Base64 text."""
    with Image.open(io.BytesIO(base64.b64decode(text, validate=True))) as image:
        return image.convert("RGB")


def as_text(image: Image.Image) -> str:
    return as_base64(png(image))


def as_base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def frame(content: bytes, kind: int = 1) -> bytes:
    """A frame of a WebSocket; the kind is that of a text."""
    size = len(content)
    if size < 126:
        return bytes((0x80 | kind, size)) + content
    if size < 2**16:
        return bytes((0x80 | kind, 126)) + size.to_bytes(2, "big") + content
    return bytes((0x80 | kind, 127)) + size.to_bytes(8, "big") + content


def serve_for_ever(program: Serving, name: str) -> None:
    """Serve until Ctrl-C."""
    with program:
        print(f"A stand-in for {name}, which draws colours, at {program.url}")
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            return


def _json(body: object) -> bytes:
    return json.dumps(body).encode()
