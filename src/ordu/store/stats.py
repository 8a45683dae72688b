"""Statistics: verbs append deltas, a chore folds them into totals, views read totals.

Nothing is ever counted up inside a verb, so no row is hot. A subject is `user:<id>`,
`worker:<id>` or `horde`.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

import msgspec

from ordu.store.database import Transaction

FOLD_ROWS_MAX = 1_000

_DELTAS = msgspec.json.Decoder(list[tuple[str, str, int]])


def append(tx: Transaction, deltas: Iterable[tuple[str, str, int]]) -> None:
    """Note that numbers changed: (subject, name, by how much). One row, however many they are."""
    changed = [delta for delta in deltas if delta[2]]
    if changed:
        text = msgspec.json.encode(changed).decode()
        tx.run("INSERT INTO learnt (deltas) VALUES (:deltas)", deltas=text)


def has_deltas(tx: Transaction) -> bool:
    """Whether there is anything to fold."""
    return tx.one("SELECT 1 FROM learnt LIMIT 1") is not None


def fold(tx: Transaction) -> int:
    """Fold the oldest deltas into the totals; returns how many rows of them."""
    rows = tx.all(
        "DELETE FROM learnt WHERE id IN (SELECT id FROM learnt ORDER BY id LIMIT :most)"
        " RETURNING deltas",
        most=FOLD_ROWS_MAX,
    )
    sums: Counter[tuple[str, str]] = Counter()
    for row in rows:
        for subject, name, amount in _DELTAS.decode(row["deltas"]):
            sums[subject, name] += amount
    add(tx, sums)
    return len(rows)


def add(tx: Transaction, sums: Mapping[tuple[str, str], int]) -> None:
    """Add to totals, in the order in which whoever changes several of them locks them."""
    tx.run_many(
        "INSERT INTO totals (subject, name, amount) VALUES (:subject, :name, :amount)"
        " ON CONFLICT (subject, name) DO UPDATE SET amount = totals.amount + excluded.amount",
        [
            {"subject": subject, "name": name, "amount": amount}
            for (subject, name), amount in sorted(sums.items())
        ],
    )


def of(tx: Transaction, subject: str) -> Mapping[str, int]:
    """The totals of a subject by name."""
    rows = tx.all("SELECT name, amount FROM totals WHERE subject = :subject", subject=subject)
    return {row["name"]: row["amount"] for row in rows}
