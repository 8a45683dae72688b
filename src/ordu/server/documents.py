"""Documents and pages: the two API descriptions, and the pages for people."""

from functools import cache

import msgspec
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from ordu import __version__
from ordu.engine.horde import Horde
from ordu.protocol import openapi
from ordu.server.secret import Secret

TITLE = "Ordu"


@cache
def swagger_json() -> bytes:
    """The Swagger 2.0 document."""
    return msgspec.json.encode(openapi.swagger_document(TITLE, __version__))


@cache
def openapi_json() -> bytes:
    """The OpenAPI 3.1 document."""
    return msgspec.json.encode(openapi.openapi_document(TITLE, __version__))


async def get_swagger(http: HttpRequest) -> Response:  # noqa: ARG001 - the shape of a route
    """GET /api/swagger.json."""
    return Response(swagger_json(), media_type="application/json")


async def get_openapi(http: HttpRequest) -> Response:  # noqa: ARG001 - the shape of a route
    """GET /openapi.json."""
    return Response(openapi_json(), media_type="application/json")


def routes(horde: Horde, secret: Secret) -> list[BaseRoute]:  # noqa: ARG001 - pages will need them
    """What is served beside the operations."""
    return [Route("/api/swagger.json", get_swagger), Route("/openapi.json", get_openapi)]
