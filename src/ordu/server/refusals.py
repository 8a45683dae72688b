"""Refusals as answers: one body for every "no", in the words of old clients and of RFC 9457.

`message`, `rc` and `errors` are what clients have always read. Beside them stand the fields of a
problem, so that a program which knows only those understands us too. Who asks for
`application/problem+json` gets it under that name, and with `detail`; nobody else does, because
many programs look for `application/json`.
"""

from http import HTTPStatus

import msgspec
from msgspec import UNSET
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from ordu.protocol import problems
from ordu.protocol.errors import Refused
from ordu.protocol.replies import RequestError
from ordu.server import missteps
from ordu.web import negotiation

JSON = "application/json"


def answer(http: HttpRequest, refused: Refused) -> Response:
    """The answer to a call that is refused."""
    missteps.note(http, refused.rc)
    is_problem = negotiation.quality(http.headers.get("accept", ""), problems.MEDIA_TYPE) > 0
    body = RequestError(
        message=refused.message,
        rc=refused.rc,
        errors=refused.errors or UNSET,
        type=problems.type_of(refused.rc),
        title=problems.TITLES[refused.rc],
        status=refused.status,
        detail=refused.message if is_problem else UNSET,
        instance=getattr(http.state, "request_id", UNSET),
    )
    headers = {"Retry-After": str(refused.retry_after_s)} if refused.retry_after_s else {}
    media_type = problems.MEDIA_TYPE if is_problem else JSON
    return Response(msgspec.json.encode(body) + b"\n", refused.status, headers, media_type)


def as_bytes(refused: Refused) -> bytes:
    """The answer to what never became a call: all of it, and the connection closes behind it."""
    body = RequestError(
        message=refused.message,
        rc=refused.rc,
        type=problems.type_of(refused.rc),
        title=problems.TITLES[refused.rc],
        status=refused.status,
    )
    content = msgspec.json.encode(body) + b"\n"
    lines = [
        f"HTTP/1.1 {refused.status} {HTTPStatus(refused.status).phrase}",
        f"content-type: {JSON}",
        f"content-length: {len(content)}",
        "access-control-allow-origin: *",
        "connection: close",
    ]
    if refused.retry_after_s:
        lines.append(f"retry-after: {refused.retry_after_s}")
    return "\r\n".join([*lines, "", ""]).encode() + content
