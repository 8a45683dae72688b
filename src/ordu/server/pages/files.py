"""Documents and static files: the same bytes for everybody until the next start."""

from collections.abc import Mapping
from functools import cache

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from ordu import __version__
from ordu.protocol import openapi
from ordu.server.pages.house import ASK_AGAIN, House
from ordu.web import assets
from ordu.web.document import Document
from ordu.web.render import HEADERS, POLICY

TITLE = "Ordu"
JSON = "application/json"
A_DAY = "public, max-age=86400"
A_YEAR = "public, max-age=31536000, immutable"  # the name changes with the content


def routes(_: House) -> list[BaseRoute]:
    """The API's two descriptions, and the files of pages."""
    return [
        Route("/api/swagger.json", get_swagger),
        Route("/openapi.json", get_openapi),
        Route("/favicon.svg", get_favicon),
        Route("/static/{name}", get_static),
    ]


@cache
def swagger_json() -> Document:
    """The Swagger 2.0 document."""
    return Document(msgspec.json.encode(openapi.swagger_document(TITLE, __version__)), JSON)


@cache
def openapi_json() -> Document:
    """The OpenAPI 3.1 document."""
    return Document(msgspec.json.encode(openapi.openapi_document(TITLE, __version__)), JSON)


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
        POLICY: HEADERS[POLICY],  # a script that runs beside a page is held to its own
        **(headers or {}),
    }
    if document.is_known(http.headers.get("if-none-match", "")):
        return Response(status_code=304, headers=about)
    content = document.content
    if document.is_worth_packing and "gzip" in http.headers.get("accept-encoding", ""):
        content = document.packed
        about["Content-Encoding"] = "gzip"
    return Response(content, headers=about, media_type=document.media_type)
