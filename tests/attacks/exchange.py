"""One call to the whole application, in process: handed over as the server would (ASGI).

The horde lives in an event loop of its own thread, because what generates calls is not
asynchronous. Nothing of a client's library stands between, so that odd bytes arrive as they are.
"""

import asyncio
import threading
from collections import Counter
from collections.abc import Coroutine
from contextlib import AbstractAsyncContextManager
from typing import Any, NamedTuple, TypeVar
from urllib.parse import unquote, urlsplit

import requests
from starlette.types import ASGIApp, Message

T = TypeVar("T")
# Who listens whether the caller is still there waits for news: then the caller goes away.
GOES_AWAY_S = 0.05
ENDS_S = 30.0  # within which every call must be over
CLOSED = 499  # what is "answered" to a caller who has gone
# How all calls of this process were answered, by status.
ANSWERS: Counter[str] = Counter()


class Loop:
    """An event loop in a thread."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """What this gives."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    def enter(self, context: AbstractAsyncContextManager[T]) -> T:
        """Enter a context there."""
        return self.run(context.__aenter__())

    def leave(self, context: AbstractAsyncContextManager[Any]) -> None:
        """Leave it, and end the loop."""
        self.run(context.__aexit__(None, None, None))
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
        self.loop.close()


class Answered(NamedTuple):
    """What came back."""

    status: int
    headers: list[tuple[str, str]]
    content: bytes


class Exchange:
    """A call, and what comes back."""

    def __init__(self, app: ASGIApp, sent: requests.PreparedRequest) -> None:
        self.app = app
        self.scope, body = scope_of(sent)
        self.incoming: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]
        self.parts: list[Message] = []
        self.has_gone = False

    async def run(self) -> Answered:
        """Make the call; CLOSED when the caller went away before all of the answer had come."""
        await asyncio.wait_for(self.app(self.scope, self.receive, self.send), ENDS_S)
        if self.has_gone and not self.is_whole():
            ANSWERS[str(CLOSED)] += 1
            return Answered(CLOSED, [], b"")
        start, *rest = self.parts
        ANSWERS[str(start["status"])] += 1
        headers = [
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in start["headers"]
        ]
        return Answered(start["status"], headers, b"".join(part.get("body", b"") for part in rest))

    def is_whole(self) -> bool:
        """Whether all of an answer came."""
        if not self.parts or self.parts[0]["status"] == CLOSED:
            return False
        return not self.parts[-1].get("more_body", self.parts[-1] is self.parts[0])

    async def receive(self) -> Message:
        if self.incoming:
            return self.incoming.pop()
        await asyncio.sleep(GOES_AWAY_S)
        self.has_gone = True
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        self.parts.append(message)


def scope_of(sent: requests.PreparedRequest) -> tuple[dict[str, Any], bytes]:
    """A call as the server hands it to the application, and its body."""
    assert sent.url is not None
    url = urlsplit(sent.url)
    headers = [(as_bytes(name).lower(), as_bytes(value)) for name, value in sent.headers.items()]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": sent.method,
        "scheme": "http",
        "path": unquote(url.path),
        "raw_path": url.path.encode(),
        "query_string": url.query.encode(),
        "root_path": "",
        "headers": [(b"host", b"horde.test"), *headers],
        "client": ("127.0.0.1", 50000),
        "server": ("horde.test", 80),
    }
    body = sent.body or b""
    return scope, body.encode() if isinstance(body, str) else bytes(body)


def as_bytes(text: str | bytes) -> bytes:
    """A header as it is sent."""
    return text if isinstance(text, bytes) else text.encode("latin-1")
