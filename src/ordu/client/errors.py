# ruff: noqa: N818 - named after what happened, as in the table of refusals
"""What a call can end with instead of an answer: one class for each family of refusals.

A program reacts to the class (wait, ask for less, ask somebody), rarely to the `rc`. Which `rc` is
of which family stands in `ordu.protocol.errors`; a body without one (servers of 2022), or with one
we do not know, is told by its status.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from ordu.protocol.errors import RC, Family

if TYPE_CHECKING:
    from ordu.client.pictures import Picture


class HordeError(Exception):
    """A call that brought no answer: what was said about it, in words and for programs.

    `rc` and `status` are None when there was none; `errors` maps dotted fields of the body to what
    is wrong with each; `request_id` finds the call in the server's log; `retry_after_s` is when the
    horde said to come back, in seconds.

    Example:
        try:
            await horde.generate("a fox", width=100)
        except HordeError as error:
            print(error.rc, error.status, error.errors)
    """

    family: ClassVar[Family | None] = None

    def __init__(
        self,
        message: str,
        *,
        rc: str | None = None,
        status: int | None = None,
        errors: Mapping[str, str] | None = None,
        request_id: str | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.rc = rc
        self.status = status
        self.errors = dict(errors or {})
        self.request_id = request_id
        self.retry_after_s = retry_after_s

    @property
    def may_pass(self) -> bool:
        """Whether the same call may well succeed a little later."""
        return False

    def __str__(self) -> str:
        wrong = "; ".join(f"{field}: {what}" for field, what in self.errors.items())
        return f"{self.message} ({wrong})" if wrong else self.message


class BadInput(HordeError):
    """What was sent must be changed; `errors` says which fields."""

    family = Family.BAD_INPUT


class UnknownKey(HordeError):
    """Nobody is known by this API key."""

    family = Family.UNKNOWN_KEY


class NotAllowed(HordeError):
    """The horde knows who asks, and says no."""

    family = Family.NOT_ALLOWED


class NotFound(HordeError):
    """The thing named does not exist, or no longer."""

    family = Family.NOT_FOUND


class TooMuch(HordeError):
    """Too many calls or too much in the queue; `retry_after_s` says when to come back, if known."""

    family = Family.TOO_MUCH

    @property
    def may_pass(self) -> bool:
        """It does, with time."""
        return True


class KudosRefused(HordeError):
    """There are not enough kudos for this, or they cannot go that way."""

    family = Family.KUDOS


class Closed(HordeError):
    """The horde cannot serve this now."""

    family = Family.CLOSED

    @property
    def may_pass(self) -> bool:
        """It may open again."""
        return True


class NotImplementedByHorde(HordeError):
    """This horde does not do that."""

    family = Family.NOT_IMPLEMENTED


class BrokenHorde(HordeError):
    """Something is wrong at the other end: a failure inside, or an answer that cannot be read."""

    family = Family.BROKEN

    @property
    def may_pass(self) -> bool:
        """A failure may; an answer that makes no sense will make none the next time."""
        return self.status is not None and self.status >= 500


class Unreachable(HordeError):
    """No answer came: nobody listens there, or the connection broke or took too long.

    `was_sent` is False when the call surely never reached the horde.
    """

    was_sent = True

    @property
    def may_pass(self) -> bool:
        """Connections come back."""
        return True


class TookTooLong(HordeError):
    """The pictures were not ready in time; what still waited was cancelled."""


class RequestFaulted(HordeError):
    """The request failed too often to be completed; `pictures` are those that were finished."""

    def __init__(self, message: str, pictures: Sequence[Picture] = ()) -> None:
        super().__init__(message)
        self.pictures = list(pictures)


FAMILIES: Mapping[Family, type[HordeError]] = {
    Family.BAD_INPUT: BadInput,
    Family.UNKNOWN_KEY: UnknownKey,
    Family.NOT_ALLOWED: NotAllowed,
    Family.NOT_FOUND: NotFound,
    Family.TOO_MUCH: TooMuch,
    Family.KUDOS: KudosRefused,
    Family.CLOSED: Closed,
    Family.NOT_IMPLEMENTED: NotImplementedByHorde,
    Family.BROKEN: BrokenHorde,
}

_BY_STATUS: Mapping[int, type[HordeError]] = {
    401: UnknownKey,
    402: NotAllowed,  # what the seed's documents call it; the wire always said 403
    403: NotAllowed,
    404: NotFound,
    410: NotFound,
    423: TooMuch,
    429: TooMuch,
    501: NotImplementedByHorde,
    503: Closed,
}


def class_for(rc: object, status: int) -> type[HordeError]:
    """The class of error for an answer with this `rc` and status."""
    if isinstance(rc, str) and rc in RC:
        return FAMILIES[RC[rc][1]]
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    return BadInput if 400 <= status < 500 else BrokenHorde
