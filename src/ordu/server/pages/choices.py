"""The address `/choose`: a visitor's language and theme, kept by their browser in two cookies.

Neither says who somebody is, and following a foreign link here changes nothing but how pages look.
"""

from collections.abc import Mapping
from enum import StrEnum

from starlette.requests import Request as HttpRequest
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from ordu.server.pages.house import NOWHERE, House
from ordu.web.language import Language
from ordu.web.visit import LANGUAGE_COOKIE, THEME_COOKIE, Theme

A_YEAR_S = 365 * 86_400
PATH_LENGTH_MAX = 200
CHOICES: Mapping[str, tuple[str, type[StrEnum]]] = {
    "language": (LANGUAGE_COOKIE, Language),
    "theme": (THEME_COOKIE, Theme),
}


def routes(house: House) -> list[BaseRoute]:
    """The address."""

    async def get_choose(http: HttpRequest) -> Response:
        place = house.site.root + place_of(http.query_params.get("back", ""), house.site.root)
        response = RedirectResponse(place, 303, {"Cache-Control": NOWHERE})
        for name, (cookie, choices) in CHOICES.items():
            chosen = http.query_params.get(name)
            if chosen in set(choices):
                response.set_cookie(
                    cookie,
                    str(chosen),
                    max_age=A_YEAR_S,
                    path=house.site.root or "/",
                    samesite="lax",
                    secure=house.site.url.startswith("https://"),
                    httponly=True,
                )
        return response

    return [Route("/choose", get_choose)]


def place_of(back: str, root: str) -> str:
    """A path of this site to go back to; the first page when it is none.

    A second slash or a backslash would lead a browser to another host.
    """
    path = back.removeprefix(root) if root else back
    is_ours = path.startswith("/") and path[1:2] not in {"/", "\\"} and path.isprintable()
    return path if is_ours and len(path) <= PATH_LENGTH_MAX else "/"
