"""The page `/run`."""

from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from ordu.server.pages.house import House, page
from ordu.web.pages import run as pages


def routes(house: House) -> list[BaseRoute]:
    """The page."""

    async def get_page(http: HttpRequest) -> Response:
        return page(http, pages.run(house.visit(http)))

    return [Route("/run", get_page)]
