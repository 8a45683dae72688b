"""Books: entries posted together with what statistics and trust make of them."""

from collections.abc import Mapping, Sequence

from ordu.rules import money, names, trust
from ordu.rules.history import Part
from ordu.rules.lifecycle import Millis
from ordu.rules.money import Account, Action, Entry, Kudos, UserId
from ordu.store import days, ledger, stats, users, workers
from ordu.store.database import Transaction
from ordu.store.users import User


def found(tx: Transaction, user_id: UserId) -> User:
    """A user who is known to exist: users are never removed."""
    user = users.by_id(tx, user_id)
    assert user is not None, f"user {user_id} exists"
    return user


def locked(tx: Transaction, *user_ids: UserId) -> tuple[User, ...]:
    """Users who are known to exist, in this order, to be changed by nobody else meanwhile."""
    by_id = users.locked(tx, *user_ids)
    return tuple(by_id[user_id] for user_id in user_ids)


def book(tx: Transaction, entry: Entry, entry_id: str, now: Millis) -> None:
    """Post an entry and count what it changes for each user."""
    parts = ledger.post(tx, entry, entry_id, now)
    stats.append(tx, kudos_deltas(entry, parts, now))


def kudos_deltas(
    entry: Entry, parts: Mapping[UserId, Sequence[Part]], now: Millis
) -> list[tuple[str, str, int]]:
    """What statistics learn from an entry: each user's kudos by action, and by day and kind."""
    by_action = [
        (f"user:{line.user_id}", f"kudos:{line.action}", line.amount)
        for line in entry.lines
        if line.account is Account.USER
    ]
    return by_action + days.moved(entry, parts, now)


def give(
    tx: Transaction, user: User, amount: Kudos, action: Action, entry_id: str, now: Millis
) -> None:
    """Give kudos of the horde's own to a user, or take them; never more than there are.

    Raises:
        Refused: KudosTransferNotEnough.
    """
    money.check_enough(
        user.kudos,
        Kudos(-amount),
        f"{names.alias(user.username, user.id)} has {money.exact(user.kudos):g} kudos; "
        f"{-money.exact(amount):g} cannot be taken.",
    )
    book(tx, money.adjustment(f"{action}:{entry_id}", user.id, amount, action), entry_id, now)


# Trust


def promote_if_due(
    tx: Transaction, user_id: UserId, threshold: Kudos, entry_id: str, now: Millis
) -> bool:
    """Make a user trusted who has earned it; says whether that happened now.

    `entry_id` is that of the entry that may have brought it about.
    """
    user = found(tx, user_id)
    has_earned_it = is_due(user, user.evaluating_kudos, threshold, now)
    if has_earned_it:
        promote(tx, user, f"{entry_id}-trust", now)
    return has_earned_it


def is_due(user: User, evaluating: Kudos, threshold: Kudos, now: Millis) -> bool:
    """Whether somebody who is not trusted yet becomes so with so much held for them."""
    return not user.is_trusted and trust.earns_trust(
        user.id,
        evaluating=evaluating,
        threshold=threshold,
        age_ms=Millis(now - user.created_at),
        suspicion=user.suspicion,
    )


def promote(tx: Transaction, user: User, entry_id: str, now: Millis) -> None:
    """Make a user trusted: their workers work again, and what was held for them is theirs."""
    users.change(tx, user.id, {"is_trusted": True})
    workers.end_pauses(tx, user.id)
    if user.evaluating_kudos:
        entry = money.promotion(f"trust:{entry_id}", user.id, user.evaluating_kudos)
        book(tx, entry, entry_id, now)
