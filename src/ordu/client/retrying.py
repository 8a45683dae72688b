"""Whether a call that failed is made again, and when.

A call whose answer never came may have been carried out. So it matters what it does: reading harms
nobody; what creates or pays carries an `Idempotency-Key`, under which a horde that honours keys
does it once however often it is asked. Which horde does so is learnt from its answers: they carry
the key of a call back. Until then, such a call is repeated only where it surely was not carried
out: nothing was sent, or the horde said "later". A synchronous request has a key only when its
caller gives one, because with a key it goes on at the horde when the call is given up.
"""

from collections.abc import Callable
from enum import Enum, auto
from typing import TypeAlias

from ordu.client.errors import BrokenHorde, HordeError, TooMuch, Unreachable
from ordu.protocol import operations
from ordu.protocol.operations import Operation

PAUSE_S_MIN = 0.5
PAUSE_S_MAX = 5.0
RETRY_AFTER_S_MAX = 60.0  # who is told to come back later than this is told so, and decides
LATER_S = 1.0  # when the horde says "too much" and not how long
ATTEMPTS_MAX = 20
PASSING = frozenset({"Unavailable", "TooManyWaiters"})  # codes of 503 that a moment ends

Chance: TypeAlias = Callable[[], float]  # a number from 0 to 1


class Repeating(Enum):
    """What repeating an operation does."""

    HARMLESS = auto()  # nothing
    KEYED = auto()  # nothing, where the horde honours keys
    RISKY = auto()  # perhaps something twice
    NEVER = auto()  # whoever makes these calls repeats them, and shows it


_KEYED = frozenset(
    {
        operations.post_async_generate.name,
        operations.post_sync_generate.name,
        operations.post_register.name,
        operations.post_transfer_kudos.name,
        operations.post_award_kudos.name,
    }
)
_HARMLESS = frozenset({operations.delete_async_status.name})
_NEVER = frozenset({operations.post_job_pop.name, operations.post_job_submit.name})


def repeating(operation: Operation) -> Repeating:
    """What repeating this operation does."""
    if operation.name in _NEVER:
        return Repeating.NEVER
    if operation.name in _KEYED:
        return Repeating.KEYED
    is_harmless = operation.method == "GET" or operation.name in _HARMLESS
    return Repeating.HARMLESS if is_harmless else Repeating.RISKY


def may_repeat(error: HordeError, what: Repeating, *, honours_keys: bool) -> bool:
    """Whether a call that ended with this error may be made again without harm, and may succeed."""
    if what is Repeating.NEVER or not error.may_pass:
        return False
    if isinstance(error, Unreachable | BrokenHorde):
        is_safe = what is Repeating.HARMLESS or (what is Repeating.KEYED and honours_keys)
        return is_safe or (isinstance(error, Unreachable) and not error.was_sent)
    # The horde itself said "not now". What only people end (maintenance, no worker that could) is
    # for the caller to know.
    return error.rc is None or isinstance(error, TooMuch) or error.rc in PASSING


def jittered(pause_s: float, chance: Chance) -> float:
    """Between half and all of this pause, so that many who failed together come back apart."""
    return pause_s * (0.5 + 0.5 * chance())


class Attempts:
    """The attempts at one call: at most `attempts_max` of them."""

    def __init__(self, operation: Operation, attempts_max: int, chance: Chance) -> None:
        self._what = repeating(operation)
        self._left = attempts_max - 1
        self._chance = chance
        self._pause_s = PAUSE_S_MIN

    def pause_s_after(self, error: HordeError, left_s: float, *, honours_keys: bool) -> float:
        """How long to wait before the next attempt; raises the error when it was the last.

        `left_s` is how much time the caller has.
        """
        if self._left <= 0 or not may_repeat(error, self._what, honours_keys=honours_keys):
            raise error
        self._left -= 1
        pause_s = self._next_pause_s(error)
        if pause_s > RETRY_AFTER_S_MAX or pause_s >= left_s:
            raise error
        return pause_s

    def _next_pause_s(self, error: HordeError) -> float:
        if error.retry_after_s is not None:
            return error.retry_after_s
        if isinstance(error, TooMuch):
            return LATER_S
        pause_s = self._pause_s
        self._pause_s = min(pause_s * 2, PAUSE_S_MAX)
        return jittered(pause_s, self._chance)
