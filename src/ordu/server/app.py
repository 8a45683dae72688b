"""HTTP: rows become routes, calls become replies. The one place where errors become answers.

A call is read in this order: route, limits on its address, size, form of the body, mask, key,
limits on the key. Then its handler runs one verb or one read and returns a reply, which is shaped
(null rule, `X-Fields`) and sent.
"""

from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Scope

from ordu.engine.horde import Horde
from ordu.engine.tidings import Counted
from ordu.protocol import operations
from ordu.protocol.decoding import decode
from ordu.protocol.errors import Refused
from ordu.protocol.fields import compile_mask, shape
from ordu.protocol.operations import Operation
from ordu.protocol.operations.later import LATER
from ordu.server import auth, handlers, missteps, pages, refusals
from ordu.server.bodies import Held, read_body
from ordu.server.call import HANDLERS, Answer, Call, Handler, header
from ordu.server.doors.routes import route_of as door_route
from ordu.server.doors.table import doors
from ordu.server.edge import Edge, Endpoint, Reply, Routes
from ordu.server.hangups import Unless
from ordu.server.headers import usual
from ordu.server.missteps import Missteps
from ordu.server.pages.mistakes import with_pages
from ordu.server.paths import pattern_of
from ordu.server.ratelimits import RateLimits, as_set
from ordu.server.secret import Secret

JSON = "application/json"


def make_app(horde: Horde, secret: Secret) -> ASGIApp:
    """The whole application.

    Raises:
        LookupError: an operation has no handler, or a handler no operation.
    """
    handlers.load()
    check_bound()
    limits = rate_limits(horde)
    routes = [
        *(route_of(row, HANDLERS[row.name], horde, secret, limits) for row in operations.TABLE),
        *(route_of_later(row, horde, limits) for row in LATER),
    ]
    opened = [door_route(door, horde, secret, limits) for door in doors(horde)]
    app = Starlette(
        routes=[*pages.routes(horde, secret, limits), *opened, *merged(routes)],
        exception_handlers={
            Refused: with_pages(horde, answer_refusal),
            HTTPException: with_pages(horde, answer_http_error),
            ClientDisconnect: answer_nobody,
            Exception: with_pages(horde, answer_fault),
        },
    )
    app.router.redirect_slashes = False
    base_url = horde.server_links.base_url
    return Edge(app, Routes(routes), answer_error, Missteps(horde).done, usual(base_url))


def check_bound() -> None:
    """Every row has a handler and every handler a row."""
    rows = {row.name for row in operations.TABLE}
    if rows != HANDLERS.keys():
        missing, extra = sorted(rows - HANDLERS.keys()), sorted(HANDLERS.keys() - rows)
        raise LookupError(f"Operations without a handler: {missing}; handlers without one: {extra}")


# Routes


def rate_limits(horde: Horde) -> RateLimits | None:
    """The counters of calls, shared by the processes of a horde; None where nothing is counted."""
    if not horde.settings.rate_limits:
        return None
    limits = RateLimits(
        tell=None if horde.tidings is None else horde.tidings.tell, limits=as_set(horde.settings)
    )
    horde.hears[Counted] = limits.hear
    horde.forgets.append(lambda _: limits.forget_over(horde.now()))
    return limits


def route_of(
    operation: Operation,
    handler: Handler,
    horde: Horde,
    secret: Secret,
    limits: RateLimits | None,
) -> tuple[str, str, Endpoint]:
    """Path, method and endpoint of one row; without `limits` nothing is counted."""

    async def endpoint(http: HttpRequest) -> Response:
        held = Held(horde.bodies)
        try:
            return await answered(http, held)
        finally:
            held.release()

    async def answered(http: HttpRequest, held: Held) -> Response:
        mask = header(http, b"x-fields")
        state = http.scope["state"]
        state["operation"] = operation.name
        if limits is not None and operation.limits:
            limits.check_address(operation, http, horde.now())
        raw = await read_body(http, body_limit(operation, horde), held)
        body = None if operation.request is None else decode(operation.request, raw)
        if mask:
            compile_mask(operation, mask)  # refused before anything happens
        caller = await auth.identify(horde, secret, header(http, b"apikey"), operation)
        state["user_id"] = None if caller is None else caller.id
        if limits is not None and operation.limits and caller is not None:
            limits.check_key(operation, http, caller.id, horde.now())
        call: Call[Any] = Call(
            horde, secret, operation, caller, body, raw, http, state["request_id"]
        )
        return respond(operation, await handler(call), mask)

    return operation.path, operation.method, endpoint


def route_of_later(
    operation: Operation, horde: Horde, limits: RateLimits | None
) -> tuple[str, str, Endpoint]:
    """Path, method and endpoint of an operation that is not served yet: counted, then refused."""

    async def endpoint(http: HttpRequest) -> Response:
        http.scope["state"]["operation"] = operation.name
        if limits is not None:
            limits.check_address(operation, http, horde.now())
        raise Refused("NotImplemented", operation.summary)

    return operation.path, operation.method, endpoint


def merged(routes: list[tuple[str, str, Endpoint]]) -> list[Route]:
    """One route for each path, so that a wrong method is told which ones there are.

    Those that are answered with 501 are among them: their answer is not "wrong method".
    """
    by_path: dict[str, dict[str, Endpoint]] = {}
    for path, method, endpoint in routes:
        by_path.setdefault(path, {})[method] = endpoint

    def make(path: str, endpoints: dict[str, Endpoint]) -> Route:
        async def endpoint(http: HttpRequest) -> Response:
            method = "GET" if http.method == "HEAD" else http.method
            return await endpoints[method](http)

        pattern = pattern_of(path)
        # A path outside the API may be shared with a page.
        kind = WholeRoute if path.startswith("/api/") else Route
        return kind(pattern, endpoint, methods=list(endpoints))

    # Fixed paths win over parameters: /workers/name/x is never read as a worker's id.
    ordered = sorted(by_path, key=lambda path: ("{" in path, path))
    return [make(path, by_path[path]) for path in ordered]


class WholeRoute(Route):
    """A path that no later route is asked about, even when the method is wrong.

    Otherwise PUT /workers/messages would be read as PUT /workers/{worker_id}.
    """

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether the path is this one's."""
        match, inner = super().matches(scope)
        return (Match.NONE if match is Match.NONE else Match.FULL), inner


def body_limit(operation: Operation, horde: Horde) -> int:
    """How many bytes a body may have."""
    if operation.name == "put_picture":
        return horde.settings.picture_bytes_max
    return horde.settings.request_body_bytes_max


# Answers


def respond(operation: Operation, result: Any, mask: str | None) -> Response:
    """The response for what a handler returned."""
    if isinstance(result, Response):
        return result
    answer = result if isinstance(result, Answer) else Answer(reply=result)
    if answer.content is not None:
        content, media_type = answer.content, answer.media_type
    else:
        content, media_type = shape(operation, answer.reply, mask) + b"\n", JSON
    reply = Reply(content, answer.status or operation.status, media_type, answer.headers)
    return reply if answer.lost is None else Unless(reply, answer.lost)


async def answer_error(http: HttpRequest, error: Exception) -> Response:
    """What is answered when an operation's endpoint raises."""
    if isinstance(error, Refused):
        return await answer_refusal(http, error)
    if isinstance(error, ClientDisconnect):
        return await answer_nobody(http, error)
    return await answer_fault(http, error)


async def answer_refusal(http: HttpRequest, error: Exception) -> Response:
    """An expected "no"."""
    assert isinstance(error, Refused)
    return refusals.answer(http, error)


async def answer_http_error(http: HttpRequest, error: Exception) -> Response:
    """What the router refuses: an unknown path, a wrong method."""
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "")
        message = f"{http.method} is not allowed here; {allowed} is."
        refused = Refused("MethodNotAllowed", message)
    else:
        refused = Refused(
            "NotFound", f"There is nothing at {http.url.path}. See /api/ for what is."
        )
    response = await answer_refusal(http, refused)
    response.headers.update(error.headers or {})
    return response


async def answer_fault(http: HttpRequest, error: Exception) -> Response:
    """Our own mistake: logged with the request's id, told without its details."""
    return refusals.answer(http, missteps.broken(http, error))


async def answer_nobody(http: HttpRequest, _: Exception) -> Response:
    """The caller hung up: nobody reads this."""
    missteps.note(http, missteps.HUNG_UP)
    return Response(status_code=499)
