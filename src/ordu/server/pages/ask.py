"""The page `/`: Ask.

It shows pictures from where they lie. That is this server, or an S3 storage with an origin of its
own, which the page's policy then names.
"""

from urllib.parse import urlsplit

from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from ordu.engine.horde import Horde
from ordu.protocol.errors import Refused
from ordu.server.pages.house import House, page
from ordu.web.pages import ask as pages
from ordu.web.render import POLICY, policy

ANY_PICTURE = "00000000-0000-0000-0000-000000000000.webp"  # links are made alike for all


def routes(house: House) -> list[BaseRoute]:
    """The page."""
    origin = PictureOrigin(house.horde)

    async def get_page(http: HttpRequest) -> Response:
        takes_guests = house.horde.settings.anonymous
        html = pages.ask(house.visit(http), takes_guests=takes_guests)
        return page(http, html, headers={POLICY: policy(await origin.find())})

    return [Route("/", get_page)]


class PictureOrigin:
    """Where the links of a horde's pictures lead, found out once."""

    def __init__(self, horde: Horde) -> None:
        self.horde = horde
        self.found: str | None = None

    async def find(self) -> str:
        """The origin of pictures that lie elsewhere; empty when they lie here, or none can say."""
        if self.found is None:
            if self.horde.links is self.horde.server_links:
                self.found = ""
            else:
                try:
                    parts = urlsplit(await self.horde.links.get_url(ANY_PICTURE))
                except Refused:  # the storage's keys cannot be had now; asked again next time
                    return ""
                self.found = f"{parts.scheme}://{parts.netloc}"
        return self.found
