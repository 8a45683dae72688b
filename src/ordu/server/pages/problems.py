"""The pages `/problems/{rc}`: where the `type` of a refusal leads."""

from starlette.exceptions import HTTPException
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from ordu.protocol.errors import RC
from ordu.server.pages.house import House, page
from ordu.web.pages import errors


def routes(house: House) -> list[BaseRoute]:
    """A page for each code."""

    async def get_problem(http: HttpRequest) -> Response:
        rc = http.path_params["rc"]
        if rc not in RC:
            raise HTTPException(404)
        return page(http, errors.problem(house.visit(http), rc))

    return [Route("/problems/{rc}", get_problem)]
