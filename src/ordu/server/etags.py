"""`ETag` and `If-None-Match`: which version of an answer a caller has (RFC 9110, 8.8.3 and 13.1.2).

Our tags are weak: with the same one an answer tells the same of a request, but not the same place
in line. Because browsers would show that old place when they are told that nothing changed, such
answers are not to be stored.
"""

import re

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ordu.server.call import Call

Tags = frozenset[str]

ANY: Tags = frozenset({"*"})

# One element of the list, which may be empty, and what ends it.
_ELEMENT = re.compile(r'[ \t]*(?:(?:W/)?"([\x21\x23-\x7e\x80-\xff]*)"[ \t]*)?(?:,|\Z)')


def given(call: Call[object]) -> Tags | None:
    """The versions a caller has; None when it does not say, or not so that one could read it."""
    headers = call.http.scope["headers"]
    lines = [str(value, "latin-1") for name, value in headers if name == b"if-none-match"]
    return read(",".join(lines)) if lines else None


def read(text: str) -> Tags | None:
    """The tags of an `If-None-Match`, weak and strong alike; None when it is none."""
    text = text.strip(" \t")
    if text == "*":
        return ANY
    tags: set[str] = set()
    at = 0
    while at < len(text):
        element = _ELEMENT.match(text, at)
        if element is None:
            return None
        if element[1] is not None:
            tags.add(element[1])
        at = element.end()
    return frozenset(tags) or None


def has(tags: Tags | None, version: str) -> bool:
    """Whether somebody with these tags has this version."""
    return tags is not None and (tags is ANY or version in tags)


def headers_of(version: str) -> dict[str, str]:
    """What an answer says of its version."""
    return {"ETag": f'W/"{version}"', "Cache-Control": "no-store"}


class NotModified(Response):
    """The answer to somebody who has this version: 304, without a body or a word about one."""

    def __init__(self, headers: dict[str, str]) -> None:
        self.status_code = 304
        self.body = b""
        self.background = None
        self.raw_headers = [
            (name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Send it."""
        start = {"type": "http.response.start", "status": 304, "headers": self.raw_headers}
        await send(start)
        await send({"type": "http.response.body", "body": b""})
