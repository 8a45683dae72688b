"""The pages `/terms` and `/privacy`: what the operators wrote, or what comes with the program."""

import asyncio
from pathlib import Path

from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from ordu.server.pages.house import House, page
from ordu.web import policies
from ordu.web.pages import texts as pages

NAMES = ("terms", "privacy")


def routes(house: House) -> list[BaseRoute]:
    """A page for each text."""
    return [route(house, name) for name in NAMES]


def route(house: House, name: str) -> Route:
    """The page of one text, read anew each time."""
    folder = Path(house.horde.settings.data)

    def read() -> str:
        return policies.html_of(policies.markdown_of(folder, name))

    async def get_page(http: HttpRequest) -> Response:
        html = await asyncio.to_thread(read)
        return page(http, pages.text(house.visit(http), name, html))

    return Route(f"/{name}", get_page)
