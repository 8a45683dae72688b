"""The page `/`: Ask."""

from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from ordu.server.pages.house import House, page
from ordu.web.pages import ask as pages


def routes(house: House) -> list[BaseRoute]:
    """The page."""

    async def get_page(http: HttpRequest) -> Response:
        takes_guests = house.horde.settings.anonymous
        return page(http, pages.ask(house.visit(http), takes_guests=takes_guests))

    return [Route("/", get_page)]
