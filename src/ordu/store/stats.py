"""Statistics: verbs append deltas, a chore folds them into totals, views read totals.

Nothing is ever counted up inside a verb, so no row is hot. A subject is `user:<id>`,
`worker:<id>` or `horde`.
"""

from collections.abc import Iterable, Mapping

from ordu.store.database import Transaction

FOLD_ROWS_MAX = 5_000


def append(tx: Transaction, deltas: Iterable[tuple[str, str, int]]) -> None:
    """Note that numbers changed: (subject, name, by how much)."""
    tx.run_many(
        "INSERT INTO deltas (subject, name, amount) VALUES (:subject, :name, :amount)",
        [
            {"subject": subject, "name": name, "amount": amount}
            for subject, name, amount in deltas
            if amount
        ],
    )


def has_deltas(tx: Transaction) -> bool:
    """Whether there is anything to fold."""
    return tx.one("SELECT 1 FROM deltas LIMIT 1") is not None


def fold(tx: Transaction) -> int:
    """Fold the oldest deltas into the totals; returns how many."""
    row = tx.one(
        "SELECT MAX(id) AS newest, COUNT(*) AS many"
        " FROM (SELECT id FROM deltas ORDER BY id LIMIT :most) AS oldest",
        most=FOLD_ROWS_MAX,
    )
    assert row is not None
    if row["newest"] is None:
        return 0
    tx.run(
        "INSERT INTO totals (subject, name, amount)"
        " SELECT subject, name, SUM(amount) FROM deltas WHERE id <= :newest GROUP BY subject, name"
        " ON CONFLICT (subject, name) DO UPDATE SET amount = totals.amount + excluded.amount",
        newest=row["newest"],
    )
    tx.run("DELETE FROM deltas WHERE id <= :newest", newest=row["newest"])
    return int(row["many"])


def of(tx: Transaction, subject: str) -> Mapping[str, int]:
    """The totals of a subject by name."""
    rows = tx.all("SELECT name, amount FROM totals WHERE subject = :subject", subject=subject)
    return {row["name"]: row["amount"] for row in rows}
