"""Transfers of kudos in SQL: who gave whom how much, and when."""

from ordu.rules.lifecycle import Millis
from ordu.rules.money import Kudos, UserId
from ordu.store.database import Transaction


def add(
    tx: Transaction,
    *,
    transfer_id: str,
    source: UserId,
    target: UserId,
    amount: Kudos,
    now: Millis,
) -> None:
    """Note a transfer."""
    tx.run(
        "INSERT INTO transfers (id, source_id, target_id, amount, created_at)"
        " VALUES (:id, :source, :target, :amount, :now)",
        id=transfer_id,
        source=source,
        target=target,
        amount=amount,
        now=now,
    )


def newest(tx: Transaction, source: UserId, target: UserId) -> Millis | None:
    """When the one gave kudos to the other last."""
    row = tx.one(
        "SELECT MAX(created_at) AS newest FROM transfers"
        " WHERE source_id = :source AND target_id = :target",
        source=source,
        target=target,
    )
    return None if row is None or row["newest"] is None else Millis(row["newest"])
