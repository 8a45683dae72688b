"""The operations: one row for each thing that can be asked of a horde over HTTP.

Everything else is derived from this table: the server binds a handler to each row (and does not
start when one is missing), both API documents are produced from the rows, the client has one method
for each, and tests walk them. Adding an operation is a row, its types and a handler.
"""

import msgspec

from enum import StrEnum
from typing import Any


class Nulls(StrEnum):
    """What an answer does with fields that are null (protocol sheet 01 §4.4)."""

    KEEP = "keep"  # every field is present
    SKIP = "skip"  # null fields and empty objects on the top level are left out


class Key(StrEnum):
    """Whether the header `apikey` is needed."""

    NONE = "none"
    OPTIONAL = "optional"
    REQUIRED = "required"


class Era(StrEnum):
    """Since when an operation exists."""

    SEED = "seed"  # one of the 21 of October 2022
    TODAY = "today"  # came later to the public servers
    ORDU = "ordu"  # our own


class Place(StrEnum):
    """Where a parameter stands."""

    PATH = "path"
    QUERY = "query"
    HEADER = "header"


class Parameter(msgspec.Struct, frozen=True):
    """One parameter outside the body. `python` is its name in the client's method."""

    name: str
    place: Place
    description: str = ""
    required: bool = False
    type: type = str
    format: str | None = None

    @property
    def python(self) -> str:
        """The name this parameter has in the client's methods (`X-Fields` → `x_fields`)."""
        return self.name.lower().replace("-", "_")


class Operation(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One row of the table.

    `path` is below the server's root, with parameters in braces. `reply` is the type of the answer
    with status `status`; `refusals` says in words what the documented error statuses mean.
    """

    name: str
    method: str
    path: str
    summary: str
    description: str = ""
    parameters: tuple[Parameter, ...] = ()
    request: Any = None  # the type of the JSON body
    reply: Any = None  # the type of the JSON answer; None when it is no JSON
    status: int = 200
    status_text: str = ""
    refusals: dict[int, str] = {}
    nulls: Nulls = Nulls.KEEP
    key: Key = Key.NONE
    era: Era = Era.SEED

    @property
    def family(self) -> str:
        """The first path segment below the API's root: the handlers' file."""
        return self.path.removeprefix("/api/v2/").split("/")[0]
