"""The books in SQL: entries, their lines, and balances that always equal the sum of lines."""

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
    for (account, user_id), amount in sorted(net_changes(entry).items(), key=by_user):
        change_balance(tx, account, user_id, amount)


def net_changes(entry: Entry) -> dict[tuple[Account, UserId], Kudos]:
    """What an entry changes in sum for each account that has a balance."""
    changes: dict[tuple[Account, UserId], Kudos] = {}
    for line in entry.lines:
        if line.user_id is not None:
            key = (line.account, line.user_id)
            changes[key] = Kudos(changes.get(key, 0) + line.amount)
    return changes


def by_user(change: tuple[tuple[Account, UserId], Kudos]) -> tuple[UserId, Account]:
    """Sorts changes by user, the order in which users are locked."""
    (account, user_id), _ = change
    return user_id, account


def change_balance(tx: Transaction, account: Account, user_id: UserId, amount: Kudos) -> None:
    """Change one balance; a balance never falls below zero by it."""
    column = BALANCE_COLUMNS[account]
    tx.touch(user_id)
    changed = tx.run(
        f"UPDATE users SET {column} = {column} + :amount"
        f" WHERE id = :user_id AND ({column} + :amount >= 0 OR :amount >= 0)",
        amount=amount,
        user_id=user_id,
    )
    assert changed == 1, f"{account} of user {user_id} cannot change by {amount}"


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
