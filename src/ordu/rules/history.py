"""History: what the books say to one user, movement by movement.

An entry of the books has lines for several users. What one user sees of it are *movements*: each
change of their spendable kudos, with what it changed of their evaluating kudos. Movements are
numbered for each user without a gap, in the order in which they were committed; the number is the
movement's *place*.
"""

from enum import StrEnum
from typing import NamedTuple

import msgspec

from ordu.rules.lifecycle import Millis
from ordu.rules.money import About, Account, Entry, Kudos, UserId


class Kind(StrEnum):
    """What people look for in their history."""

    EARNED = "earned"
    SPENT = "spent"
    GIVEN = "given"
    RECEIVED = "received"
    OTHER = "other"


class Cause(StrEnum):
    """What brought a movement about; what an event's name begins with, but for pictures."""

    PICTURE = "picture"  # one was made, or asked for
    UPTIME = "uptime"
    TRANSFER = "transfer"
    TRUST = "trust"  # evaluating kudos became spendable
    RECURRING = "recurring"
    AWARDED = "awarded"
    ADMIN = "admin"


class Movement(msgspec.Struct, frozen=True, kw_only=True):
    """One movement, as its user sees it; amounts are hundredths."""

    place: int
    entry_id: str
    at: Millis
    cause: Cause
    amount: Kudos  # of spendable kudos
    evaluating: Kudos  # of evaluating kudos
    balance: Kudos  # of spendable kudos, after it
    about: About | None = None

    @property
    def kind(self) -> Kind:
        """What people look for it as."""
        return kind_of(self.cause, self.amount)


class Part(NamedTuple):
    """One movement of an entry that is being posted."""

    lines: tuple[int, ...]  # the numbers of its lines
    amount: Kudos
    evaluating: Kudos


def cause_of(event: str) -> Cause:
    """What an event was, by its name."""
    return CAUSES.get(event.partition(":")[0], Cause.ADMIN)


# By what an event's name begins with.
CAUSES = {each.value: each for each in Cause} | {"settle": Cause.PICTURE}


def kind_of(cause: Cause, amount: Kudos) -> Kind:
    """What people look for a movement as."""
    if cause is Cause.TRANSFER:
        return Kind.GIVEN if amount < 0 else Kind.RECEIVED
    if cause in {Cause.PICTURE, Cause.UPTIME}:
        return Kind.SPENT if amount < 0 else Kind.EARNED
    return Kind.OTHER


def parts_of(entry: Entry) -> dict[UserId, list[Part]]:
    """The movements of an entry by user, in the order of their lines.

    Each change of spendable kudos is one. What changes of evaluating kudos goes with the last of
    them, or is one of its own.
    """
    found: dict[UserId, list[Part]] = {}
    for account in (Account.USER, Account.ESCROW):
        for number, line in enumerate(entry.lines):
            if line.user_id is None or line.account is not account:
                continue
            theirs = found.setdefault(line.user_id, [])
            if account is Account.USER:
                theirs.append(Part((number,), line.amount, Kudos(0)))
            elif theirs:
                last = theirs.pop()
                held = Kudos(last.evaluating + line.amount)
                theirs.append(Part((*last.lines, number), last.amount, held))
            else:
                theirs.append(Part((number,), Kudos(0), line.amount))
    return found
