"""The page `/api/`: the operations, to browse; and the addresses that lead to it."""

from functools import lru_cache

from starlette.requests import Request as HttpRequest
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from ordu.server.pages.files import send
from ordu.server.pages.house import ASK_AGAIN, HTML, House
from ordu.web.document import Document
from ordu.web.pages import api as pages
from ordu.web.render import HEADERS
from ordu.web.visit import Visit

REMEMBERED_MAX = 8  # a page for each language and theme


def routes(house: House) -> list[BaseRoute]:
    """The page."""

    async def get_page(http: HttpRequest) -> Response:
        headers = {**HEADERS, "Vary": "Accept-Encoding, Accept-Language, Cookie"}
        return send(http, document(house.visit(http)), ASK_AGAIN, headers)

    return [Route("/api/", get_page), Route("/api", to_page)]


@lru_cache(REMEMBERED_MAX)
def document(visit: Visit) -> Document:
    """The page, which is the same for all who want it alike."""
    return Document(pages.api(visit).encode(), HTML)


async def to_page(http: HttpRequest) -> Response:  # noqa: ARG001 - the shape of a route
    """GET /api: an address people type."""
    return RedirectResponse("/api/", status_code=308)
