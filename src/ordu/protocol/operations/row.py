"""What a row of the table says about an operation, and the parameters that many rows share."""

from enum import StrEnum
from typing import Any

import msgspec

from ordu.protocol.errors import STATUS


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


class Counts(StrEnum):
    """What calls are counted by."""

    ADDRESS = "address"  # where the call comes from
    NETWORK = "network"  # the network around that: /24 of version 4, /48 of version 6
    PATH = "path"  # the address, and each path by itself, ids and all
    KEY = "key"  # who calls


class Limit(msgspec.Struct, frozen=True):
    """How often an operation may be called. `per_s` is a second, a minute or an hour.

    `setting` names the setting of the server, if there is one, by which the number is another.
    """

    calls: int
    per_s: int
    counts: Counts = Counts.ADDRESS
    anonymous: int | None = None  # where it is another number for all anonymous callers together
    setting: str = ""

    @property
    def calls_anonymous(self) -> int:
        """How often all anonymous callers together may call."""
        return self.calls if self.anonymous is None else self.anonymous

    @property
    def unit(self) -> str:
        """The length of the window in words."""
        return {1: "second", 60: "minute", 3600: "hour"}[self.per_s]

    @property
    def policy(self) -> str:
        """The name of this limit in the header `RateLimit`; an operation has no two of one name."""
        return f"{self.counts}-per-{self.unit}"


# What the status of a refusal means, where a row does not say it in words of its own.
USUAL_WORDS = {
    400: "Validation Error",
    401: "Invalid API Key",
    403: "Access Denied",
    404: "Not Found",
    413: "Too Large",
    429: "Too Many Calls",
    501: "Not Implemented",
    503: "Unavailable",
}

# Of every operation that has none of its own (protocol sheet 01 §8).
USUAL_LIMITS = (Limit(90, 60),)


class Operation(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One row of the table.

    `path` is below the server's root, with parameters in braces. `reply` is the type of the answer
    with status `status`; `refusals` says in words what the documented error statuses mean, `also`
    what others mean that have no body, and `likewise` those that have the same answer.
    `rcs` are the codes of its own refusals; `common_rcs` adds those it shares with others.
    `consumes` and `produces` are the media types of what goes in and comes out.
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
    also: dict[int, str] = {}
    likewise: dict[int, str] = {}
    rcs: tuple[str, ...] = ()
    nulls: Nulls = Nulls.KEEP
    key: Key = Key.NONE
    unknown_key: str = "InvalidAPIKey"  # the rc when nobody is known by the key
    era: Era = Era.SEED
    limits: tuple[Limit, ...] = USUAL_LIMITS
    consumes: str = "application/json"
    produces: str = "application/json"

    @property
    def family(self) -> str:
        """The first path segment below the API's root: the handlers' file."""
        return self.path.removeprefix("/api/v2").split("/")[1]

    @property
    def common_rcs(self) -> tuple[str, ...]:
        """The codes of the refusals that follow from what the row says otherwise."""
        key = {
            Key.NONE: (),
            Key.OPTIONAL: ("InvalidAPIKey", "AnonymousOff", "NotImplemented"),
            # Without a key at all; an unknown one may have a code of its own.
            Key.REQUIRED: ("InvalidAPIKey", "AnonymousOff", "NotImplemented", self.unknown_key),
        }[self.key]
        body = ("MalformedBody", "ValidationFailed", "NulByteInPayload", "BodyTooLarge")
        changes = self.method != "GET"
        codes = (
            *(("RateLimited",) if self.limits else ()),
            *(body if self.request is not None else ()),
            "BadMask",
            *key,
            *(("Unavailable",) if changes else ()),
        )
        return tuple(dict.fromkeys(codes))

    @property
    def statuses_refused(self) -> dict[int, str]:
        """Every status that a refusal may have, with what it means."""
        codes = {STATUS[rc] for rc in (*self.common_rcs, *self.rcs)}
        return {code: USUAL_WORDS[code] for code in codes - {*self.refusals}} | self.refusals


X_FIELDS = Parameter(
    name="X-Fields",
    place=Place.HEADER,
    description="An optional fields mask",
    format="mask",
)

PREFER = Parameter(
    name="Prefer",
    place=Place.HEADER,
    description=(
        "`wait=30`: answer when there is something new, after so many seconds at the latest (60 at"
        " most). Heard when the answer has `Preference-Applied`"
    ),
)

IF_NONE_MATCH = Parameter(
    name="If-None-Match",
    place=Place.HEADER,
    description=(
        "The `ETag` of an answer before: 304 when nothing has happened since. With `wait` the"
        " answer comes as soon as something has, and 304 after that time"
    ),
)

LAST_EVENT_ID = Parameter(
    name="Last-Event-ID",
    place=Place.HEADER,
    description="The id of the last event that came: only those after it are sent",
)

IDEMPOTENCY_KEY = Parameter(
    name="Idempotency-Key",
    place=Place.HEADER,
    description=(
        "The same key again, with the same body, gets the same answer for a day and does nothing"
        " more. Heard when the answer has it too; a repeated answer has `Idempotency-Replayed`"
    ),
)

REASON = Parameter(
    name="reason",
    place=Place.QUERY,
    description=(
        "Why, of what is not the caller's own: those who run this horde find it in their log of"
        " acts"
    ),
)

# What any operation may answer, beside what is its own.
ALWAYS = {400: "Validation Error", 429: "Too Many Calls", 503: "Unavailable"}


def api_key(description: str, *, required: bool = False) -> Parameter:
    """The header that says who is calling."""
    return Parameter(name="apikey", place=Place.HEADER, description=description, required=required)


def in_path(name: str, description: str) -> Parameter:
    """A parameter that stands in the path, in braces."""
    return Parameter(name=name, place=Place.PATH, description=description, required=True)


def in_query(
    name: str, description: str, type_: type = str, *, required: bool = False
) -> Parameter:
    """A parameter that stands behind the question mark."""
    return Parameter(
        name=name, place=Place.QUERY, description=description, required=required, type=type_
    )
