"""Every `rc` the horde can answer with, and `Refused`, the one exception for a "no".

An `rc` is the machine-readable reason in an error body (`{"message", "rc"}`). The table below says
which status it travels with unless the place that refuses knows better, and to which family it
belongs: a family is what a program reacts to (wait, ask for less, ask somebody), and the client
has one exception class for each.
"""

from collections.abc import Mapping
from enum import StrEnum


class Family(StrEnum):
    """What kind of "no" an `rc` is; the client raises one exception class for each."""

    BAD_INPUT = "bad input"  # the caller must change what it sends
    UNKNOWN_KEY = "unknown key"  # nobody is known by this key
    NOT_ALLOWED = "not allowed"  # the caller is known and may not
    NOT_FOUND = "not found"  # the thing named does not exist, or no longer
    TOO_MUCH = "too much"  # the same call may be let through later
    KUDOS = "kudos"  # a matter of kudos
    CLOSED = "closed"  # the horde cannot serve this now
    NOT_IMPLEMENTED = "not implemented"  # this horde does not do that (yet)
    BROKEN = "broken"  # our fault


class Refused(Exception):  # noqa: N818 - it is a "no", not an error
    """An expected "no": raised where it is decided, turned into status and body in one place.

    `message` tells a person what to do next and carries the numbers. `errors` maps dotted fields of
    the body to what is wrong with each. `retry_after_s` becomes the header of that name.
    """

    def __init__(
        self,
        rc: str,
        message: str,
        status: int | None = None,
        *,
        errors: Mapping[str, str] | None = None,
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(message)
        self.rc = rc
        self.message = message
        self.status = STATUS[rc] if status is None else status
        self.errors = dict(errors) if errors else None
        self.retry_after_s = retry_after_s


# rc -> (status, family). Names are those of the public servers, so that programs which read them
# work unchanged; the last block is Ordu's own.
RC: Mapping[str, tuple[int, Family]] = {
}

STATUS: Mapping[str, int] = {rc: status for rc, (status, _) in RC.items()}
