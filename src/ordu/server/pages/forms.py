"""Forms that a page posts: which calls are one, and what stands in their fields."""

from urllib.parse import parse_qs

from starlette.datastructures import Headers
from starlette.requests import Request as HttpRequest
from starlette.routing import Match, Route
from starlette.types import Scope

from ordu.protocol.errors import Refused

FORM = "application/x-www-form-urlencoded"
FORM_BYTES_MAX = 64 * 1024


class FormRoute(Route):
    """A path that an operation has too: what is posted and no form is the operation's."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether a call is for the page."""
        if scope["type"] == "http" and scope["method"] == "POST" and not is_form(scope):
            return Match.NONE, {}
        return super().matches(scope)


def is_form(scope: Scope) -> bool:
    """Whether the body is a form."""
    media_type = Headers(scope=scope).get("content-type", "")
    return media_type.partition(";")[0].strip().lower() == FORM


async def read_form(http: HttpRequest) -> bytes:
    """The body of a form, or a refusal as soon as it is known to be too large."""
    raw = b""
    async for part in http.stream():
        raw += part
        if len(raw) > FORM_BYTES_MAX:
            raise Refused("BodyTooLarge", f"The form is larger than {FORM_BYTES_MAX} bytes.")
    return raw


def field_of(raw: bytes, name: str) -> str:
    """A field of a form; empty when it is not there."""
    try:
        fields = parse_qs(raw.decode(), errors="strict", max_num_fields=100)
    except ValueError as error:
        raise Refused("MalformedBody", "The form is not text in UTF-8.") from error
    return fields.get(name, [""])[0]
