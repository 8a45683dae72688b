"""Documents and pages: the two API descriptions, the pages for people, and their files.

What a page looks like is decided in `ordu.web`; here pages get their paths and headers. The page
`/register` shares its path with an operation: a form is the page's, anything else the operation's.
"""

from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from urllib.parse import parse_qs

import msgspec
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request as HttpRequest
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Scope

from ordu import __version__
from ordu.engine.horde import Horde
from ordu.protocol import openapi, operations
from ordu.protocol.errors import RC, Refused
from ordu.protocol.registration import RegistrationInput
from ordu.server.call import Call
from ordu.server.handlers import register
from ordu.server.ratelimits import RateLimits
from ordu.server.secret import Secret
from ordu.web import assets, negotiation, pages
from ordu.web.document import Document
from ordu.web.site import Site
from ordu.web.standing import standing_of

TITLE = "Ordu"
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
FORM_BYTES_MAX = 64 * 1024

ASK_AGAIN = "no-cache"  # kept, but only used after asking whether it has changed
A_DAY = "public, max-age=86400"
A_YEAR = "public, max-age=31536000, immutable"  # the name changes with the content
NOWHERE = "no-store"

ErrorAnswer = Callable[[HttpRequest, Exception], Awaitable[Response]]


def routes(horde: Horde, secret: Secret, limits: RateLimits | None) -> list[BaseRoute]:
    """What is served beside the operations; they come first, so that forms find their page."""
    people = Pages(horde, secret, limits)
    return [
        Route("/", people.get_home),
        FormRoute("/register", people.at_register, methods=["GET", "POST"]),
        Route("/api/", people.get_api),
        Route("/api/swagger.json", get_swagger),
        Route("/openapi.json", get_openapi),
        Route("/problems/{rc}", people.get_problem),
        Route("/favicon.svg", get_favicon),
        Route("/static/{name}", get_static),
    ]


# Pages


class FormRoute(Route):
    """A path that an operation has too: what is posted and no form is the operation's."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether a call is for the page."""
        if scope["type"] == "http" and scope["method"] == "POST" and not is_form(scope):
            return Match.NONE, {}
        return super().matches(scope)


def is_form(scope: Scope) -> bool:
    """Whether the body is a form."""
    media_type = Headers(scope=scope).get("content-type", "")
    return media_type.partition(";")[0].strip().lower() == FORM


class Pages:
    """The pages of one horde."""

    def __init__(self, horde: Horde, secret: Secret, limits: RateLimits | None) -> None:
        self.horde = horde
        self.secret = secret
        self.limits = limits
        self.site = site_of(horde)

    async def get_home(self, http: HttpRequest) -> Response:  # noqa: ARG002 - the shape of a route
        """GET /."""
        takes_guests = self.horde.settings.anonymous
        return page(pages.home(self.site, standing_of(self.horde), takes_guests=takes_guests))

    async def at_register(self, http: HttpRequest) -> Response:
        """The page `/register`: the form, and what becomes of it."""
        if http.method == "POST":
            return await self.post_form(http)
        return page(pages.register(self.site))

    async def post_form(self, http: HttpRequest) -> Response:
        """A page with the key, or the form again with what is wrong; JSON for who asks for it."""
        raw = await read_form(http)
        username = field_of(raw, "username")
        wants_json = negotiation.prefers_json(http.headers.get("accept", ""))
        try:
            if self.limits is not None:
                self.limits.check_address(operations.post_register, http, self.horde.now())
            registered = await register.made(
                self.call(http, raw, RegistrationInput(username=username))
            )
        except Refused as refused:
            if wants_json:
                raise
            form = pages.register(self.site, username, refused.message)
            return page(form, refused.status, {"Cache-Control": NOWHERE})
        if wants_json:
            content = msgspec.json.encode(registered) + b"\n"
            return Response(content, headers={"Cache-Control": NOWHERE}, media_type=JSON)
        html = pages.registered(self.site, str(registered.username), str(registered.api_key))
        return page(html, headers={"Cache-Control": NOWHERE})

    def call(
        self, http: HttpRequest, raw: bytes, body: RegistrationInput
    ) -> Call[RegistrationInput]:
        """A form as the call it stands for: the handler does not know the difference."""
        return Call(
            self.horde,
            self.secret,
            operations.post_register,
            None,
            body,
            raw,
            http,
            http.state.request_id,
        )

    async def get_problem(self, http: HttpRequest) -> Response:
        """GET /problems/{rc}: where the `type` of a refusal leads."""
        rc = http.path_params["rc"]
        if rc not in RC:
            raise HTTPException(404)
        return page(pages.problem(self.site, rc))

    async def get_api(self, http: HttpRequest) -> Response:
        """GET /api/."""
        return send(http, api_page(self.site), ASK_AGAIN, pages.HEADERS)


def site_of(horde: Horde) -> Site:
    """The horde as its pages know it."""
    return Site(horde.server_links.base_url.rstrip("/"), __version__)


def page(html: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A page, with the headers that keep it safe."""
    return HTMLResponse(
        html, status, {**pages.HEADERS, "Cache-Control": ASK_AGAIN, **(headers or {})}
    )


def with_pages(horde: Horde, for_programs: ErrorAnswer) -> ErrorAnswer:
    """What answers where the router finds nothing: a page for browsers, JSON for programs."""
    site = site_of(horde)

    async def answer(http: HttpRequest, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        path = http.url.path
        is_page = negotiation.prefers_html(http.headers.get("accept", ""))
        if negotiation.is_for_programs(path) or not is_page:
            return await for_programs(http, error)
        html = pages.error(site, error.status_code, path)
        return page(html, error.status_code, {"Vary": "Accept", **(error.headers or {})})

    return answer


# Forms


async def read_form(http: HttpRequest) -> bytes:
    """The body of a form, or a refusal as soon as it is known to be too large."""
    raw = b""
    async for part in http.stream():
        raw += part
        if len(raw) > FORM_BYTES_MAX:
            raise Refused("BodyTooLarge", f"The form is larger than {FORM_BYTES_MAX} bytes.")
    return raw


def field_of(raw: bytes, name: str) -> str:
    """A field of a form; empty when it is not there."""
    try:
        fields = parse_qs(raw.decode(), errors="strict", max_num_fields=100)
    except ValueError as error:
        raise Refused("MalformedBody", "The form is not text in UTF-8.") from error
    return fields.get(name, [""])[0]


# Documents


@cache
def swagger_json() -> Document:
    """The Swagger 2.0 document."""
    return Document(msgspec.json.encode(openapi.swagger_document(TITLE, __version__)), JSON)


@cache
def openapi_json() -> Document:
    """The OpenAPI 3.1 document."""
    return Document(msgspec.json.encode(openapi.openapi_document(TITLE, __version__)), JSON)


@cache
def api_page(site: Site) -> Document:
    """The page to browse the API."""
    return Document(pages.api(site).encode(), "text/html; charset=utf-8")


async def get_swagger(http: HttpRequest) -> Response:
    """GET /api/swagger.json."""
    return send(http, swagger_json(), ASK_AGAIN)


async def get_openapi(http: HttpRequest) -> Response:
    """GET /openapi.json."""
    return send(http, openapi_json(), ASK_AGAIN)


async def get_favicon(http: HttpRequest) -> Response:
    """GET /favicon.svg."""
    return send(http, assets.by_own_name()["mark.svg"], A_DAY)


async def get_static(http: HttpRequest) -> Response:
    """GET /static/{name}."""
    document = assets.by_served_name().get(http.path_params["name"])
    if document is None:
        raise HTTPException(404)
    return send(http, document, A_YEAR)


def send(
    http: HttpRequest,
    document: Document,
    cache_control: str,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A document, packed for those who can unpack it; nothing but 304 for those who have it."""
    about = {
        "Cache-Control": cache_control,
        "ETag": document.etag,
        "Vary": "Accept-Encoding",
        "X-Content-Type-Options": "nosniff",
        **(headers or {}),
    }
    if document.is_known(http.headers.get("if-none-match", "")):
        return Response(status_code=304, headers=about)
    content = document.content
    if document.is_worth_packing and "gzip" in http.headers.get("accept-encoding", ""):
        content = document.packed
        about["Content-Encoding"] = "gzip"
    return Response(content, headers=about, media_type=document.media_type)
