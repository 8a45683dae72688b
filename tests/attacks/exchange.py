"""One call to the whole application, in process: handed over as the server would (ASGI).

The horde lives in an event loop of its own thread, because what generates calls is not
asynchronous. Nothing of a client's library stands between, so that odd bytes arrive as they are.
"""

import asyncio
import threading
from collections.abc import Coroutine
from contextlib import AbstractAsyncContextManager
from typing import Any, NamedTuple, TypeVar
from urllib.parse import unquote, urlsplit

import requests
from starlette.types import ASGIApp, Message

T = TypeVar("T")
GOES_AWAY_S = 0.1  # a caller who waits longer goes away: some answers come when there is news
ENDS_S = 5.0  # within which a call must be over when its caller has gone
CLOSED = 499  # what is "answered" to a caller who has gone


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
        self.gone = asyncio.Event()

    async def run(self) -> Answered | None:
        """Make the call; None when nothing was answered before the caller went away."""
        call = asyncio.ensure_future(self.app(self.scope, self.receive, self.send))
        await asyncio.wait([call], timeout=GOES_AWAY_S)
        self.gone.set()
        await asyncio.wait_for(call, ENDS_S)
        start, *rest = self.parts
        if start["status"] == CLOSED:
            return None
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in start["headers"]]
        return Answered(start["status"], headers, b"".join(part.get("body", b"") for part in rest))

    async def receive(self) -> Message:
        if self.incoming:
            return self.incoming.pop()
        await self.gone.wait()
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
