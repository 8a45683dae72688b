"""The books in SQL: entries, their lines, and balances that always equal the sum of lines."""

from collections.abc import Mapping

from ordu.rules.lifecycle import Millis
from ordu.rules.money import Account, Entry, Kudos, UserId
from ordu.store.database import Transaction

BALANCE_COLUMNS = {Account.USER: "kudos", Account.ESCROW: "evaluating_kudos"}


class AlreadyPosted(Exception):  # noqa: N818 - a fact, not an error
    """This event is in the books already; nothing was moved."""


def post(tx: Transaction, entry: Entry, entry_id: str, now: Millis) -> None:
    """Write an entry and move the balances it names.

    Raises:
        AlreadyPosted: the event was posted before.
    """
    added = tx.run(
        "INSERT INTO entries (id, event, created_at) VALUES (:id, :event, :now)"
        " ON CONFLICT (event) DO NOTHING",
        id=entry_id,
        event=entry.event,
        now=now,
    )
    if not added:
        raise AlreadyPosted(entry.event)
    tx.run_many(
        "INSERT INTO lines (entry_id, number, account, user_id, amount, action)"
        " VALUES (:entry_id, :number, :account, :user_id, :amount, :action)",
        [
            {
                "entry_id": entry_id,
                "number": number,
                "account": line.account,
                "user_id": line.user_id,
                "amount": line.amount,
                "action": line.action,
            }
            for number, line in enumerate(entry.lines)
        ],
    )
    for user_id, changes in sorted(net_changes(entry).items()):  # as users are locked
        change_balances(tx, user_id, changes)


def net_changes(entry: Entry) -> dict[UserId, dict[Account, Kudos]]:
    """What an entry changes in sum for each user, of what has a balance."""
    changes: dict[UserId, dict[Account, Kudos]] = {}
    for line in entry.lines:
        if line.user_id is not None:
            theirs = changes.setdefault(line.user_id, {})
            theirs[line.account] = Kudos(theirs.get(line.account, 0) + line.amount)
    return changes


def change_balances(tx: Transaction, user_id: UserId, changes: Mapping[Account, Kudos]) -> None:
    """Change the balances of one user; none falls below zero by it."""
    tx.touch(user_id)
    columns = [BALANCE_COLUMNS[account] for account in changes]
    changed = tx.run(
        f"UPDATE users SET {', '.join(f'{name} = {name} + :{name}' for name in columns)}"
        " WHERE id = :user_id"
        + "".join(f" AND ({name} + :{name} >= 0 OR :{name} >= 0)" for name in columns),
        user_id=user_id,
        **{BALANCE_COLUMNS[account]: amount for account, amount in changes.items()},
    )
    assert changed == 1, f"the balances of user {user_id} cannot change by {dict(changes)}"


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
    return wrong


def entry_count(tx: Transaction) -> int:
    """How many entries the books have."""
    row = tx.one("SELECT COUNT(*) AS entries FROM entries")
    assert row is not None
    return int(row["entries"])
