"""The books in SQL: entries, their lines, and balances that always equal the sum of lines.

Each line of a user says which of their movements it belongs to and what they could spend after that
(`rules.history`). Both are known when the balance is changed, and nobody changes it meanwhile; so a
history is read as it was written, and nothing is summed up for it.
"""

from collections.abc import Mapping, Sequence

import msgspec

from ordu.rules.history import Part, parts_of
from ordu.rules.lifecycle import Millis
from ordu.rules.money import About, Account, Entry, Kudos, UserId
from ordu.store.database import Transaction

BALANCE_COLUMNS = {Account.USER: "kudos", Account.ESCROW: "evaluating_kudos"}


# What is counted of entries, in hundredths.
MINTED, BURNED, MOVED = "kudos_minted", "kudos_burned", "kudos_moved"


class AlreadyPosted(Exception):  # noqa: N818 - a fact, not an error
    """This event is in the books already; nothing was moved."""


def post(
    tx: Transaction, entry: Entry, entry_id: str, now: Millis
) -> Mapping[UserId, Sequence[Part]]:
    """Write an entry and move the balances it names; returns its movements by user.

    Raises:
        AlreadyPosted: the event was posted before.
    """
    about = entry.about
    added = tx.run(
        "INSERT INTO entries (id, event, created_at, worker_id, about)"
        " VALUES (:id, :event, :now, :worker_id, :about) ON CONFLICT (event) DO NOTHING",
        id=entry_id,
        event=entry.event,
        now=now,
        worker_id=None if about is None else about.worker_id,
        about=None if about is None else text_of(about),
    )
    if not added:
        raise AlreadyPosted(entry.event)
    for what, amount in flows(entry).items():
        tx.count(what, amount)
    parts = parts_of(entry)
    rows: list[dict[str, object]] = [
        {
            "entry_id": entry_id,
            "number": number,
            "account": line.account,
            "user_id": line.user_id,
            "amount": line.amount,
            "action": line.action,
            "place": None,
            "balance": None,
        }
        for number, line in enumerate(entry.lines)
    ]
    for user_id, changes in sorted(net_changes(entry).items()):  # as users are locked
        theirs = parts[user_id]
        place, balance = change_balances(tx, user_id, changes, len(theirs))
        for part in reversed(theirs):
            for number in part.lines:
                rows[number]["place"], rows[number]["balance"] = place, balance
            place, balance = place - 1, Kudos(balance - part.amount)
    tx.run_many(
        "INSERT INTO lines (entry_id, number, account, user_id, amount, action, place, balance)"
        " VALUES (:entry_id, :number, :account, :user_id, :amount, :action, :place, :balance)",
        rows,
    )
    return parts


def flows(entry: Entry) -> Mapping[str, Kudos]:
    """How many kudos an entry makes, takes out of the world, and moves between accounts."""
    of = dict.fromkeys(Account, 0)
    gained = 0
    for line in entry.lines:
        of[line.account] += line.amount
        if line.amount > 0 and line.account in BALANCE_COLUMNS:
            gained += line.amount
    minted = max(0, -of[Account.MINT]) + max(0, -of[Account.BURN])
    burned = max(0, of[Account.BURN]) + max(0, of[Account.MINT])
    found = {MINTED: minted, BURNED: burned, MOVED: gained - minted}
    return {what: Kudos(amount) for what, amount in found.items() if amount > 0}


class Details(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is kept of what an entry was about, beside the machine."""

    model: str | None = None
    width: int | None = None
    height: int | None = None


def text_of(about: About) -> str | None:
    """The details as they are kept; None when there are none."""
    details = Details(about.model, about.width, about.height)
    return None if details == NO_DETAILS else msgspec.json.encode(details).decode()


NO_DETAILS = Details()


def net_changes(entry: Entry) -> dict[UserId, dict[Account, Kudos]]:
    """What an entry changes in sum for each user, of what has a balance."""
    changes: dict[UserId, dict[Account, Kudos]] = {}
    for line in entry.lines:
        if line.user_id is not None:
            theirs = changes.setdefault(line.user_id, {})
            theirs[line.account] = Kudos(theirs.get(line.account, 0) + line.amount)
    return changes


def change_balances(
    tx: Transaction, user_id: UserId, changes: Mapping[Account, Kudos], movements: int
) -> tuple[int, Kudos]:
    """Change the balances of one user by so many movements; none falls below zero by it.

    Returns the place of the last of these movements, and what can be spent after it.
    """
    tx.touch(user_id)
    columns = [BALANCE_COLUMNS[account] for account in changes]
    changed = tx.one(
        f"UPDATE users SET {', '.join(f'{name} = {name} + :{name}' for name in columns)},"
        " movements = movements + :movements WHERE id = :user_id"
        + "".join(f" AND ({name} + :{name} >= 0 OR :{name} >= 0)" for name in columns)
        + " RETURNING movements, kudos",
        user_id=user_id,
        movements=movements,
        **{BALANCE_COLUMNS[account]: amount for account, amount in changes.items()},
    )
    assert changed is not None, f"the balances of user {user_id} cannot change by {dict(changes)}"
    return changed["movements"], Kudos(changed["kudos"])


def audit(tx: Transaction) -> list[str]:
    """What is wrong with the books, one line for each thing; empty when they are in order."""
    wrong = [
        f"entry {row['entry_id']} does not sum to zero but to {row['total']}"
        for row in tx.all(
            "SELECT entry_id, SUM(amount) AS total FROM lines GROUP BY entry_id"
            " HAVING SUM(amount) <> 0"
        )
    ]
    for account, column in BALANCE_COLUMNS.items():
        wrong += [
            f"{account} of user {row['id']} is {row['balance']} and its lines sum to {row['total']}"
            for row in tx.all(
                f"SELECT users.id, users.{column} AS balance,"
                " COALESCE(SUM(lines.amount), 0) AS total FROM users"
                " LEFT JOIN lines ON lines.user_id = users.id AND lines.account = :account"
                f" GROUP BY users.id HAVING users.{column} <> COALESCE(SUM(lines.amount), 0)",
                account=account,
            )
        ]
    wrong += [
        f"the newest movement of user {row['id']} left {row['balance']}, which has {row['kudos']}"
        for row in tx.all(
            "SELECT users.id, users.kudos, lines.balance FROM users"
            " JOIN lines ON lines.user_id = users.id AND lines.place = users.movements"
            " WHERE lines.balance <> users.kudos AND users.id NOT IN"
            # What a server of the version before wrote meanwhile has no place.
            " (SELECT user_id FROM lines WHERE user_id IS NOT NULL AND place IS NULL)"
            " GROUP BY users.id, users.kudos, lines.balance"
        )
    ]
    return wrong


def entry_count(tx: Transaction) -> int:
    """How many entries the books have."""
    row = tx.one("SELECT COUNT(*) AS entries FROM entries")
    assert row is not None
    return int(row["entries"])
