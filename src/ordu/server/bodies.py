"""Bodies of calls: read whole, within a limit, and within what all of them may take of memory."""

from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest

from ordu.engine.shares import Shares
from ordu.protocol.errors import Refused
from ordu.server.call import header
from ordu.server.ratelimits import address_of

SMALL_BYTES = 64 * 1024  # what a connection holds in any case


class Held:
    """What the body of one call holds of the memory there is for bodies."""

    __slots__ = ("bodies", "callers", "many")

    def __init__(self, bodies: Shares) -> None:
        self.bodies = bodies
        self.many = 0
        self.callers: tuple[str, ...] = ()

    def grow(self, http: HttpRequest, size: int) -> None:
        """The body has this many bytes now.

        Raises:
            Refused: Unavailable, there is no room for more.
        """
        if size <= SMALL_BYTES:
            return
        if not self.callers:
            self.callers = (address_of(http),)
        if not self.bodies.has_room(self.callers, size - self.many):
            raise Refused(
                "Unavailable",
                "This server holds as many large bodies as it can, of all or of your address. Try"
                " again soon.",
            )
        self.bodies.take(self.callers, size - self.many)
        self.many = size

    def release(self) -> None:
        """The body is not needed any more."""
        if self.many:
            self.bodies.give_back(self.callers, self.many)
            self.many = 0


async def read_body(http: HttpRequest, limit: int, held: Held) -> bytes:
    """The whole body, or a refusal as soon as it is known to be too large.

    Raises:
        Refused: BodyTooLarge, Unavailable.
        ClientDisconnect: the caller has gone.
    """
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
        held.grow(http, size)
        parts.append(part)
        if not message.get("more_body", False):
            return parts[0] if len(parts) == 1 else b"".join(parts)


def too_large(limit: int) -> Refused:
    """The refusal of a body above the limit."""
    return Refused("BodyTooLarge", f"The body is larger than the {limit} bytes allowed here.")
