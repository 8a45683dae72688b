"""Bodies of calls: read whole, within a limit."""

from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest

from ordu.protocol.errors import Refused
from ordu.server.call import header


async def read_body(http: HttpRequest, limit: int) -> bytes:
    """The whole body, or a refusal as soon as it is known to be too large."""
    if http.scope["method"] in {"GET", "HEAD", "DELETE"}:
        return b""
    declared = header(http, b"content-length") or "0"
    if declared.isdigit() and int(declared) > limit:
        raise too_large(limit)
    parts: list[bytes] = []
    size = 0
    while True:
        message = await http.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        part = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise too_large(limit)
        parts.append(part)
        if not message.get("more_body", False):
            return parts[0] if len(parts) == 1 else b"".join(parts)


def too_large(limit: int) -> Refused:
    """The refusal of a body above the limit."""
    return Refused("BodyTooLarge", f"The body is larger than the {limit} bytes allowed here.")
