"""Doors: other protocols' shapes for what this horde does anyway.

A door is a family of paths under one prefix that speaks as another program's API does: its own
bodies, its own way to send a key, its own shape of errors. Behind it are the same rules, limits and
verbs; a door only translates. Its rows are no operations of the horde's API: they are in no API
document, and the client has no methods for them. docs/reference/compatibility.md lists them.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from ordu.protocol.errors import Refused
from ordu.protocol.operations import Operation
from ordu.server.call import Call

# The body is not read for it: `call.raw` has the bytes. The caller is known, or anonymous.
DoorHandler: TypeAlias = Callable[[Call[None]], Awaitable[Response]]


@dataclass(frozen=True)
class Door:
    """One other protocol.

    Every path that begins with `prefix` is its own, also those that it does not know. A parameter
    of a row's path whose name ends in `_name` may have slashes in it. A row with `Key.REQUIRED` has
    a caller always: who sends no key is anonymous, where the horde allows that.
    """

    name: str  # as it stands in the reference
    prefix: str  # such as /v1/
    table: tuple[tuple[Operation, DoorHandler], ...]
    key_of: Callable[[HttpRequest], str | None]  # the key as this protocol sends it
    answer_refusal: Callable[[Refused], Response]  # a "no" in this protocol's shape
