"""The house: what pages are made with, and how a page is sent."""

import gzip
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from ordu import __version__
from ordu.engine.horde import Horde
from ordu.server.ratelimits import RateLimits
from ordu.server.secret import Secret
from ordu.web.render import HEADERS
from ordu.web.site import Provider, Site
from ordu.web.visit import Visit, visit

HTML = "text/html; charset=utf-8"
ASK_AGAIN = "no-cache"  # kept, but only used after asking whether it has changed
NOWHERE = "no-store"


@dataclass(frozen=True)
class House:
    """One horde, as its pages know it."""

    horde: Horde
    secret: Secret
    limits: RateLimits | None
    site: Site

    def visit(self, http: HttpRequest) -> Visit:
        """The visit of whoever opens a page."""
        return visit_of(self.site, http)


def site_of(horde: Horde) -> Site:
    """Where a horde is reached."""
    providers = tuple(Provider(each.told.key, each.told.name) for each in horde.providers.values())
    return Site(horde.server_links.base_url.rstrip("/"), __version__, providers)


def visit_of(site: Site, http: HttpRequest) -> Visit:
    """How a browser asks for a page."""
    return visit(site, http.url.path, http.cookies, http.headers.get("accept-language", ""))


def page(
    http: HttpRequest, html: str, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """A page, packed for those who can unpack it, with the headers that keep it safe."""
    about = {
        **HEADERS,
        "Cache-Control": ASK_AGAIN,
        "Vary": "Accept, Accept-Encoding, Accept-Language, Cookie",
        **(headers or {}),
    }
    content = html.encode()
    if "gzip" in http.headers.get("accept-encoding", ""):
        content = gzip.compress(content, 5, mtime=0)
        about["Content-Encoding"] = "gzip"
    return Response(content, status, about, HTML)
