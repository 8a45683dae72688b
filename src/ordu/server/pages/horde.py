"""The page `/horde`."""

from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from ordu.server.pages.house import House, page
from ordu.web.pages import horde as pages
from ordu.web.standing import standing_of


def routes(house: House) -> list[BaseRoute]:
    """The page."""

    async def get_page(http: HttpRequest) -> Response:
        return page(http, pages.horde(house.visit(http), standing_of(house.horde)))

    return [Route("/horde", get_page)]
