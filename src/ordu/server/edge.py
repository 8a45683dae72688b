"""The edge: where a call comes in and its answer goes out.

Whatever is answered here has the headers of `server.headers` and a request id, and says how often
may be called yet. It is counted (`engine.tally`), and what was refused is logged in one line
(`server.missteps`). What is known of a call stands in its `state`: `operation`, `user_id`, `rc`,
`waits`.

Nearly all calls go to operations whose path is fixed or ends in one parameter. For these a look
into a table finds the endpoint; the framework's router, which tries one pattern after the other,
its middleware and its responses took longer than the calls themselves. Everything else (pages,
other paths, wrong methods) goes to the framework.
"""

import itertools
import secrets
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from contextlib import suppress
from typing import Any, TypeAlias

from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ordu.server.headers import Headers, complete

Endpoint: TypeAlias = Callable[[HttpRequest], Awaitable[Response]]

# What a browser asks before it sends something; nobody reads these in other answers.
PREFLIGHT_HEADERS: Headers = (
    (b"access-control-allow-methods", b"POST, GET, OPTIONS, PUT, DELETE, PATCH"),
    (
        b"access-control-allow-headers",
        (
            b"Accept, Content-Type, Content-Length, Accept-Encoding, X-CSRF-Token, apikey,"
            b" Client-Agent, Idempotency-Key, If-None-Match, Last-Event-ID, Prefer, X-Fields,"
            b" X-Forwarded-For, Proxied-For, Proxy-Authorization"
        ),
    ),
    # The same of the programs that come through a door (`server.doors`).
    (
        b"access-control-allow-headers",
        (
            b"Authorization, OpenAI-Beta, OpenAI-Organization, OpenAI-Project, X-Stainless-Arch,"
            b" X-Stainless-Helper-Method, X-Stainless-Lang, X-Stainless-OS,"
            b" X-Stainless-Package-Version, X-Stainless-Retry-Count, X-Stainless-Runtime,"
            b" X-Stainless-Runtime-Version, X-Stainless-Timeout"
        ),
    ),
)


class Reply(Response):
    """An answer whose bytes are there already; the framework's own takes half as long again."""

    def __init__(
        self, content: bytes, status: int, media_type: str, headers: Mapping[str, str]
    ) -> None:
        self.status_code = status
        self.body = content
        self.background = None
        self.raw_headers = [
            (b"content-type", media_type.encode()),
            (b"content-length", str(len(content)).encode()),
        ]
        if headers:
            self.raw_headers += [
                (name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()
            ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Send it."""
        start = {
            "type": "http.response.start",
            "status": self.status_code,
            "headers": self.raw_headers,
        }
        await send(start)
        await send({"type": "http.response.body", "body": self.body})


class Routes:
    """The endpoints that are found at once: by method and path, or by all of it but its end."""

    def __init__(self, routes: Iterable[tuple[str, str, Endpoint]]) -> None:
        self.fixed: dict[tuple[str, str], Endpoint] = {}
        self.by_start: dict[tuple[str, str], tuple[Endpoint, str]] = {}
        for path, method, endpoint in routes:
            start, _, end = path.rpartition("/")
            if not path.startswith("/api/") or "{" in start:
                continue  # a page may have the same path; two parameters are the framework's
            if "{" not in end:
                self.fixed[method, path] = endpoint
            elif not end.endswith("_name}"):  # a name may have slashes in it
                self.by_start[method, start] = (endpoint, end[1:-1])
        self.fixed_paths = {path for _, path in self.fixed}

    def find(self, method: str, path: str) -> tuple[Endpoint, dict[str, str]] | None:
        """The endpoint of a call and what stands in its path, if it is found here."""
        endpoint = self.fixed.get((method, path))
        if endpoint is not None:
            return endpoint, {}
        start, _, end = path.rpartition("/")
        found = self.by_start.get((method, start))
        if found is None or not end or path in self.fixed_paths:
            return None
        return found[0], {found[1]: end}


class Edge:
    """The outermost application."""

    def __init__(
        self,
        app: ASGIApp,
        routes: Routes,
        answer_error: Callable[[HttpRequest, Exception], Awaitable[Response]],
        done: Callable[[Scope, int, float], None],
        defaults: Headers,
    ) -> None:
        self.done = done  # told of each call that was answered: its status, how many seconds
        self.app = app
        self.routes = routes
        self.answer_error = answer_error
        self.defaults = defaults  # headers of answers that say nothing else
        self.lifetime = secrets.token_hex(8)  # ids of another one begin otherwise
        self.calls = itertools.count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection event."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began_s = time.perf_counter()
        status = 0
        request_id = f"{self.lifetime}{next(self.calls):016x}"
        state = scope.setdefault("state", {})
        state["request_id"] = request_id

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = complete(message.get("headers", ()), self.defaults)
                headers.append((b"x-request-id", request_id.encode()))
                headers += state.get("limit_headers", ())
                message["headers"] = headers
            await send(message)

        method = scope["method"]
        if method == "OPTIONS":
            await answer_options(send_with_headers)
            return
        found = self.routes.find(method, scope["path"])
        try:
            if found is not None:
                await self.answer(found, scope, receive, send_with_headers)
                return
            # A fault of ours was answered and logged already; the framework raises it again.
            with suppress(Exception):
                await self.app(scope, receive, send_with_headers)
        finally:
            self.done(scope, status, time.perf_counter() - began_s)

    async def answer(
        self, found: tuple[Endpoint, dict[str, str]], scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Answer the call of an operation."""
        endpoint, scope["path_params"] = found
        http = HttpRequest(scope, receive)
        try:
            response = await endpoint(http)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is answered and logged
            response = await self.answer_error(http, error)
        await response(scope, receive, send)


async def answer_options(send: Callable[[MutableMapping[str, Any]], Awaitable[None]]) -> None:
    """The answer to a browser that asks what it may send."""
    allow = (b"allow", b"GET, POST, PUT, DELETE, HEAD, OPTIONS")
    start = {"type": "http.response.start", "status": 200}
    await send({**start, "headers": [allow, (b"content-length", b"0"), *PREFLIGHT_HEADERS]})
    await send({"type": "http.response.body", "body": b""})
