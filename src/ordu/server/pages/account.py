"""The page `/account`."""

from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from ordu.server.pages.house import House, page
from ordu.web.pages import account as pages


def routes(house: House) -> list[BaseRoute]:
    """The page."""

    async def get_page(http: HttpRequest) -> Response:
        return page(http, pages.account(house.visit(http)))

    return [Route("/account", get_page)]
