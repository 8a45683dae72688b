"""Transfer: kudos from one user to another, and from the horde to a user (an award).

Both can be asked for with an `Idempotency-Key` (`engine.once`), and are answered again for thirty
days: kudos that went twice do not come back by themselves.
"""

from collections.abc import Mapping

from ordu.engine import acts
from ordu.engine.acts import By
from ordu.engine.books import book, found, give
from ordu.engine.horde import Horde
from ordu.engine.leaving import KEPT_DAYS
from ordu.engine.once import DAY_MS, Done, Once, Telling, once
from ordu.protocol.errors import Refused
from ordu.rules import money, names, rights, trust
from ordu.rules.lifecycle import Millis
from ordu.rules.money import ANONYMOUS, Action, Kudos, UserId
from ordu.store import requests, transfers, users
from ordu.store.database import Transaction
from ordu.store.users import User

RETURN_PAUSE_MS = 60_000  # so long nobody gives kudos back to who has just given them some
TAKER_DELETED = "The receiving account is deleted."
# The answer is how many whole kudos went.
MOVED: Telling[int, int] = Telling(lambda moved: moved, int, lifetime_ms=30 * DAY_MS)


# Between users


async def transfer(
    horde: Horde, source: User, target_name: str, amount: int, call: Once | None = None
) -> Done[int, int]:
    """Give whole kudos from one user to another; answers how many.

    Raises:
        Refused: the refusals of protocol sheet 21 §1, in its order.
    """
    now = horde.now()
    entry_id = horde.fresh.id(now)
    is_paused = horde.settings.rate_limits  # what counts by time goes with the limits on calls

    def move(tx: Transaction) -> int:
        taker_id = names.user_id_of(target_name)
        both = users.locked(tx, source.id, *([] if taker_id is None else [taker_id]))
        taker = check_parties(both[source.id], named(both, taker_id), target_name)
        giver = both[source.id]
        if is_paused:
            check_pause(tx, giver, taker, now)
        check_accounts(giver, taker)
        check_amount(amount)
        return give_to(tx, giver, taker, amount, entry_id, now)

    return await horde.write(lambda tx: once(tx, call, now, move, MOVED))


def named(them: Mapping[UserId, User], user_id: UserId | None) -> User | None:
    """The one of these users whom somebody named; nobody finds one who was wiped."""
    user = None if user_id is None else them.get(user_id)
    return None if user is None or user.is_wiped else user


def check_parties(giver: User, taker: User | None, target_name: str) -> User:
    """Refuse a transfer from or to somebody who can have no part in it; returns who gets it."""
    if giver.id == ANONYMOUS:
        raise Refused(
            "KudosTransferFromAnon",
            "The anonymous user has no kudos to give; register to have your own.",
        )
    if taker is None:
        raise Refused(
            "InvalidTargetUsername",
            f"There is no user {target_name[:60]!r}. Write the name as `name#17`.",
        )
    if taker.id == ANONYMOUS:
        raise Refused("KudosTransferToAnon", "The anonymous user cannot hold kudos.")
    if taker.id == giver.id:
        raise Refused("KudosTransferToSelf", "These kudos are yours already.")
    return taker


def check_pause(tx: Transaction, giver: User, taker: User, now: Millis) -> None:
    """Refuse kudos that go back to where they came from a moment ago."""
    received_at = transfers.newest(tx, taker.id, giver.id)
    if received_at is not None and now - received_at < RETURN_PAUSE_MS:
        wait_s = -(-(received_at + RETURN_PAUSE_MS - now) // 1000)
        raise Refused(
            "TooFastKudosTransfers",
            f"{names.alias(taker.username, taker.id)} has just given you kudos. "
            f"Try again in {wait_s} s.",
            retry_after_s=wait_s,
        )


def check_accounts(giver: User, taker: User) -> None:
    """Refuse accounts that may not send or get kudos, in the order of protocol sheet 21 §1."""
    refusals = (
        (
            trust.is_suspicious(giver.suspicion, trusted=giver.is_trusted),
            "FaultWhenKudosSending",
            "Your account cannot send kudos now. Ask a moderator of this horde.",
        ),
        (giver.is_flagged, "SourceAccountFlagged", "Your account is under review."),
        (
            giver.is_education,
            "EducationCannotSendKudos",
            "An account for teaching can get kudos, not send them.",
        ),
        (
            trust.is_suspicious(taker.suspicion, trusted=taker.is_trusted),
            "FaultWhenKudosReceiving",
            "The receiving account cannot get kudos now.",
        ),
        (taker.is_flagged, "TargetAccountFlagged", "The receiving account is under review."),
        (taker.is_deleted, "DeletedUser", TAKER_DELETED),
        (
            giver.is_deleted,
            "DeletedUser",
            f"Your account is deleted; you can restore it for {KEPT_DAYS} days.",
        ),
    )
    for is_broken, rc, message in refusals:
        if is_broken:
            raise Refused(rc, message, 400)


def check_amount(amount: int) -> None:
    """Refuse to give nothing, or less."""
    if amount < 0:
        raise Refused("NegativeKudosTransfer", "Kudos can be given, not taken: say more than 0.")
    if amount == 0:
        raise Refused("InvalidKudosTransferAmount", "Nothing to give: say more than 0.")


def give_to(
    tx: Transaction, giver: User, taker: User, amount: int, entry_id: str, now: Millis
) -> int:
    """Book a transfer that nothing speaks against but the amount."""
    kudos = money.from_whole(amount)
    held = requests.held_of(tx, giver.id)
    money.check_enough(Kudos(giver.kudos - held), kudos, not_enough(giver.kudos, held, amount))
    action = Action.DONATED if taker.is_education else Action.GIFTED
    entry = money.transfer(f"transfer:{entry_id}", giver.id, taker.id, kudos, action)
    book(tx, entry, entry_id, now)
    transfers.add(tx, transfer_id=entry_id, source=giver.id, target=taker.id, amount=kudos, now=now)
    return amount


def not_enough(kudos: Kudos, held: Kudos, amount: int) -> str:
    """How a giver is told that there is too little."""
    waiting = f", of which {money.exact(held):g} are held for your requests," if held else ""
    return f"You have {money.exact(kudos):g} kudos{waiting} and want to give {amount}."


# From the horde


async def award(
    horde: Horde, caller: User, target_name: str, amount: int, by: By, call: Once | None = None
) -> Done[int, int]:
    """Give a user whole kudos of the horde's own, or take them; answers how many.

    Raises:
        Refused: NotAllowedAwards, InvalidAwardUsername, KudosAwardToAnon, TargetAccountFlagged,
            DeletedUser, InvalidKudosTransferAmount, KudosTransferNotEnough.
    """
    stands = rights.standing(caller.id, UserId(-1), is_moderator=caller.is_moderator)
    rights.check(rights.AWARD_KUDOS, stands, "award kudos")
    now = horde.now()
    entry_id = horde.fresh.id(now)

    def move(tx: Transaction) -> int:
        taker_id = names.user_id_of(target_name)
        them = {} if taker_id is None else users.locked(tx, taker_id)
        taker = check_award(named(them, taker_id), target_name, amount)
        give(tx, taker, money.from_whole(amount), Action.AWARDED, entry_id, now)
        acts.note_on_user(tx, by, taker, found(tx, taker.id))
        return amount

    return await horde.write(lambda tx: once(tx, call, now, move, MOVED))


def check_award(taker: User | None, target_name: str, amount: int) -> User:
    """Refuse an award to somebody who cannot get it; returns who gets it."""
    if taker is None:
        raise Refused(
            "InvalidAwardUsername",
            f"There is no user {target_name[:60]!r}. Write the name as `name#17`.",
        )
    if taker.id == ANONYMOUS:
        raise Refused("KudosAwardToAnon", "The anonymous user cannot hold kudos.")
    if taker.is_flagged:
        raise Refused("TargetAccountFlagged", "The receiving account is under review.")
    if taker.is_deleted:
        raise Refused("DeletedUser", TAKER_DELETED, 400)
    if amount == 0:
        raise Refused("InvalidKudosTransferAmount", "Nothing to award: say a number but 0.")
    return taker
