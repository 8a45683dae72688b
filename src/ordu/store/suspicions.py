"""Suspicions in SQL: for what a user or a worker is suspected, and how often.

Their sum is the column `suspicion` of users and workers, which is what rules look at.
"""

from collections.abc import Mapping

from ordu.rules.lifecycle import Millis
from ordu.rules.matching import WorkerId
from ordu.rules.money import UserId
from ordu.rules.trust import REPEATED, SuspicionReason
from ordu.store.database import Transaction


def of_user(user_id: UserId) -> str:
    """The subject that stands for a user."""
    return f"user:{user_id}"


def of_worker(worker_id: WorkerId) -> str:
    """The subject that stands for a worker."""
    return f"worker:{worker_id}"


def count(tx: Transaction, subject: str, reason: SuspicionReason, now: Millis) -> bool:
    """Count a suspicion; False when this reason counts once and has been."""
    again = (
        "DO UPDATE SET times = suspicions.times + 1, newest_at = :now"
        if reason in REPEATED
        else "DO NOTHING"
    )
    changed = tx.run(
        "INSERT INTO suspicions (subject, reason, times, newest_at)"
        f" VALUES (:subject, :reason, 1, :now) ON CONFLICT (subject, reason) {again}",
        subject=subject,
        reason=reason.value,
        now=now,
    )
    return changed == 1


def times(tx: Transaction, subject: str) -> Mapping[str, int]:
    """How often each reason was counted, by its name."""
    rows = tx.all(
        "SELECT reason, times FROM suspicions WHERE subject = :subject ORDER BY reason",
        subject=subject,
    )
    return {row["reason"]: row["times"] for row in rows}


def of(tx: Transaction, subject: str) -> list[tuple[str, int, Millis]]:
    """Each reason, how often it was counted, and when last."""
    rows = tx.all(
        "SELECT reason, times, newest_at FROM suspicions WHERE subject = :subject ORDER BY reason",
        subject=subject,
    )
    return [(row["reason"], row["times"], Millis(row["newest_at"])) for row in rows]


def forget(tx: Transaction, user_id: UserId) -> None:
    """Forget what a user and their workers were suspected of."""
    tx.run("DELETE FROM suspicions WHERE subject = :subject", subject=of_user(user_id))
    tx.run(
        "DELETE FROM suspicions WHERE subject IN"
        " (SELECT 'worker:' || id FROM workers WHERE user_id = :user_id)",
        user_id=user_id,
    )


def forget_worker(tx: Transaction, worker_id: WorkerId) -> None:
    """Forget what a worker was suspected of."""
    tx.run("DELETE FROM suspicions WHERE subject = :subject", subject=of_worker(worker_id))
