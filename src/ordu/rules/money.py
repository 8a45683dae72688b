"""Kudos: amounts, accounts, and the entries that move them.

The books are kept in double entry. An *entry* is one business event (`settle:<job>`,
`transfer:<id>`, …); its *lines* each change one account and sum to zero, so kudos are neither lost
nor made by accident: what is made comes from `mint`, what vanishes goes to `burn`, and both have
lines like everybody else. Amounts are whole hundredths of a kudos; there are no floats in here.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import NewType

import msgspec

from ordu.protocol.errors import Refused

Kudos = NewType("Kudos", int)  # hundredths of a kudos
UserId = NewType("UserId", int)

ZERO = Kudos(0)
ANONYMOUS = UserId(0)
ADMINISTRATOR = UserId(1)


class Account(StrEnum):
    """Whose kudos a line changes."""

    USER = "user"  # a person's spendable kudos
    ESCROW = "escrow"  # a person's evaluating kudos: earned, not yet spendable
    MINT = "mint"  # where new kudos come from
    BURN = "burn"  # where spent kudos go


class Action(StrEnum):
    """Why an entry was made; the keys of `kudos_details` on the wire."""

    ACCUMULATED = "accumulated"  # earned and spent by jobs
    GIFTED = "gifted"
    DONATED = "donated"  # given to an account for teaching
    RECEIVED = "received"
    ADMIN = "admin"
    RECURRING = "recurring"
    AWARDED = "awarded"


class Line(msgspec.Struct, frozen=True):
    """One change of one account. `user_id` is None for mint and burn."""

    account: Account
    user_id: UserId | None
    amount: Kudos
    action: Action = Action.ACCUMULATED


class About(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a picture or its machine was, for all parties of an entry to read.

    Whoever pays learns no more of the machine than the status of their request tells, and its owner
    neither who asked nor for what.
    """

    worker_id: str
    model: str | None = None
    width: int | None = None  # in pixels
    height: int | None = None


class Entry(msgspec.Struct, frozen=True):
    """One business event and its lines. `event` is unique: the same event cannot pay twice."""

    event: str
    lines: tuple[Line, ...]
    about: About | None = None

    def __post_init__(self) -> None:
        """Hold the one promise of the books: lines sum to zero."""
        total = sum(line.amount for line in self.lines)
        assert total == 0, f"{self.event}: lines sum to {total}"


def entry(event: str, lines: Iterable[Line], about: About | None = None) -> Entry:
    """An entry of those lines that change anything, balanced by mint or burn."""
    kept = [line for line in lines if line.amount]
    surplus = sum(line.amount for line in kept)
    if surplus > 0:
        kept.append(Line(Account.MINT, None, Kudos(-surplus)))
    elif surplus < 0:
        kept.append(Line(Account.BURN, None, Kudos(-surplus)))
    return Entry(event, tuple(kept), about)


def earned(owner: UserId, reward: Kudos, *, trusted: bool) -> tuple[Line, ...]:
    """What a reward adds to its owner: all of it, or half to escrow until the owner is trusted."""
    held = Kudos(0 if trusted else reward // 2)
    return (
        Line(Account.USER, owner, Kudos(reward - held)),
        Line(Account.ESCROW, owner, held),
    )


def settlement(
    event: str,
    *,
    payer: UserId,
    owner: UserId,
    bill: Kudos,
    reward: Kudos,
    available: Kudos,
    trusted: bool,
    censored: bool = False,
    about: About | None = None,
) -> Entry:
    """The entry of one delivered job.

    The payer gives what there is of the bill; mint or burn takes up the difference, so every
    delivered job is paid in full and nobody is refused for being poor. The anonymous user pays
    nothing (its row would be written by every call), and a censored picture costs nothing.
    """
    is_free = censored or payer == ANONYMOUS
    paid = Kudos(0 if is_free else max(0, min(bill, available)))
    return entry(
        event,
        (
            Line(Account.USER, payer, Kudos(-paid)),
            *earned(owner, reward, trusted=trusted),
        ),
        about,
    )


def transfer(
    event: str, source: UserId, target: UserId, amount: Kudos, action: Action = Action.GIFTED
) -> Entry:
    """The entry of a gift from one user to another; `action` is the giver's side of it."""
    return Entry(
        event,
        (
            Line(Account.USER, source, Kudos(-amount), action),
            Line(Account.USER, target, amount, Action.RECEIVED),
        ),
    )


def uptime(
    event: str, owner: UserId, reward: Kudos, *, trusted: bool, about: About | None = None
) -> Entry:
    """The entry for having been there: all of it to escrow until the owner is trusted."""
    account = Account.USER if trusted else Account.ESCROW
    return entry(event, (Line(account, owner, reward),), about)


def promotion(event: str, user_id: UserId, held: Kudos) -> Entry:
    """The entry of a user who becomes trusted: what was held in escrow is theirs."""
    return Entry(
        event,
        (
            Line(Account.ESCROW, user_id, Kudos(-held)),
            Line(Account.USER, user_id, held),
        ),
    )


def adjustment(event: str, user_id: UserId, amount: Kudos, action: Action) -> Entry:
    """The entry of kudos given (or, negative, taken) by the horde itself."""
    return entry(event, (Line(Account.USER, user_id, amount, action),))


def check_enough(available: Kudos, amount: Kudos, message: str) -> None:
    """Refuse to move more than there is."""
    if amount > max(available, ZERO):
        raise Refused("KudosTransferNotEnough", message)


def whole(amount: Kudos) -> int:
    """The whole number of kudos nearest above: what `kudos` says on the wire."""
    return -(-amount // 100)


def exact(amount: Kudos) -> float:
    """The amount in kudos, for the wire only."""
    return amount / 100


def from_whole(kudos: int) -> Kudos:
    """Hundredths of so many whole kudos."""
    return Kudos(kudos * 100)
