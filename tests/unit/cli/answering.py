"""A horde that answers what it is told to, and remembers what it was asked."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, NamedTuple

API = "/api/v2"


class Asked(NamedTuple):
    """One call."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any


class Breaks:
    """Instead of an answer: the connection is closed."""


@dataclass
class Answering:
    """What `METHOD /path` is answered with: answers in turn, the last for ever."""

    url: str
    answers: dict[str, list[Any]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    def to(self, call: str, *answers: Any, status: int = 200) -> None:
        self.answers[call] = [
            each if isinstance(each, Breaks) else (status, each) for each in answers
        ]

    def next(self, call: str) -> Any:
        waiting = self.answers.get(call, [(404, {"message": f"nobody expected {call}"})])
        return waiting.pop(0) if len(waiting) > 1 else waiting[0]


@contextmanager
def answering() -> Iterator[Answering]:
    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            text = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            path = self.path.removeprefix(API)
            body = json.loads(text) if text else None
            horde.asked.append(Asked(self.command, path, dict(self.headers), body))
            answer = horde.next(f"{self.command} {path}")
            if isinstance(answer, Breaks):
                return
            data = json.dumps(answer[1]).encode()
            self.send_response(answer[0])
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_PUT = do_POST = do_DELETE = answer  # noqa: N815 - names of the library

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    horde = Answering(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield horde
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
