"""Answers: JSON, and a "no" in the shape that programs of this API know.

What is wrong with fields of a body is told as that framework tells it: status 422 and a list below
`detail`. Anything else is an object with the horde's code as `error` and the words as `detail`;
`body` and `errors` are there because programs read them.
"""

from typing import Any

import msgspec
from starlette.responses import Response

from ordu.protocol.errors import Refused

JSON = "application/json"
FIELDS = frozenset({"ValidationFailed", "MalformedBody", "NulByteInPayload"})


def answer(content: object, status: int = 200) -> Response:
    """Anything that can be JSON."""
    return Response(msgspec.json.encode(content) + b"\n", status, None, JSON)


def answer_refusal(refused: Refused) -> Response:
    """An expected "no"."""
    if refused.rc in FIELDS:
        return answer({"detail": details(refused)}, 422)
    body = {"error": refused.rc, "detail": refused.message, "body": "", "errors": ""}
    response = answer(body, refused.status)
    if refused.status == 401:
        response.headers["WWW-Authenticate"] = "Basic"
    return response


def details(refused: Refused) -> list[dict[str, Any]]:
    """Each thing that is wrong with a body, and where."""
    errors = refused.errors or {"": refused.message}
    return [
        {
            "loc": ["body", *(part for part in path.split(".") if part and path != "body")],
            "msg": words,
            "type": "value_error",
        }
        for path, words in errors.items()
    ]
