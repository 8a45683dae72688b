"""The pages: what people see in a browser, and the files they are made of.

What a page looks like is decided in `ordu.web`; here pages get their paths, their values and their
headers. A module for each page has `routes`, which come before the operations, so that a form finds
its page where both have one path.
"""

from starlette.routing import BaseRoute

from ordu.engine.horde import Horde
from ordu.server.pages import (
    account,
    api,
    ask,
    choices,
    files,
    lend,
    problems,
    register,
    run,
    sign_in,
    texts,
)
from ordu.server.pages import horde as horde_page
from ordu.server.pages.house import House, site_of
from ordu.server.ratelimits import RateLimits
from ordu.server.secret import Secret

PAGES = (
    ask,
    horde_page,
    lend,
    account,
    run,
    register,
    sign_in,
    api,
    texts,
    problems,
    choices,
    files,
)


def routes(horde: Horde, secret: Secret, limits: RateLimits | None) -> list[BaseRoute]:
    """What is served beside the operations."""
    house = House(horde, secret, limits, site_of(horde))
    return [route for page in PAGES for route in page.routes(house)]
