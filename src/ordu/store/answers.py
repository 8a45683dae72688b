"""Answers kept in SQL for calls with an `Idempotency-Key`: the same call again gets the same one.

An answer is written in the transaction of the effect it tells of: the key is taken at its beginning
(`begin`) and the answer filled in at its end (`finish`). A scope is an operation and who called it;
of keys only a hash is kept.

How long an answer is kept is not the same everywhere, and one index has to find all whose time is
over. So `created_at` is when an answer that is kept for the longest time would have been made: one
that is kept for less is dated back.
"""

from collections.abc import Sequence

import msgspec

from ordu.rules.lifecycle import Millis
from ordu.rules.money import UserId
from ordu.store.database import Transaction

FORGET_MAX = 1000
LONGEST_MS = 30 * 86_400_000  # that an answer is kept


class Named(msgspec.Struct, frozen=True):
    """Whose account an answer tells of."""

    id: UserId | None = None


class Kept(msgspec.Struct, frozen=True):
    """An answer, and the fingerprint of the body it was given to."""

    fingerprint: str
    reply: bytes


def begin(tx: Transaction, scope: str, key_hash: str, fingerprint: str, kept_until: Millis) -> bool:
    """Take a key; whether nobody had. Who finds it being taken waits until that is decided."""
    assert kept_until >= LONGEST_MS
    taken = tx.run(
        "INSERT INTO answers (scope, key_hash, fingerprint, reply, created_at)"
        " VALUES (:scope, :key_hash, :fingerprint, :reply, :dated)"
        " ON CONFLICT (scope, key_hash) DO NOTHING",
        scope=scope,
        key_hash=key_hash,
        fingerprint=fingerprint,
        reply=b"",
        dated=kept_until - LONGEST_MS,
    )
    return taken == 1


def finish(tx: Transaction, scope: str, key_hash: str, reply: bytes) -> None:
    """Fill in the answer to the call that took this key."""
    tx.run(
        "UPDATE answers SET reply = :reply WHERE scope = :scope AND key_hash = :key_hash",
        scope=scope,
        key_hash=key_hash,
        reply=reply,
    )


def kept(tx: Transaction, scope: str, key_hash: str) -> Kept | None:
    """What was answered to this key."""
    row = tx.one(
        "SELECT fingerprint, reply FROM answers WHERE scope = :scope AND key_hash = :key_hash",
        scope=scope,
        key_hash=key_hash,
    )
    return None if row is None else Kept(row["fingerprint"], bytes(row["reply"]))


def forget(tx: Transaction, now: Millis) -> int:
    """Drop answers whose time is over, a bounded number; says how many."""
    return tx.run(
        "DELETE FROM answers WHERE (scope, key_hash) IN (SELECT scope, key_hash FROM answers"
        " WHERE created_at < :moment ORDER BY created_at LIMIT :most)",
        moment=now - LONGEST_MS,
        most=FORGET_MAX,
    )


def of_user(tx: Transaction, user_id: UserId, operation: str) -> list[bytes]:
    """The answers that are kept of a user's calls of an operation."""
    rows = tx.all(
        "SELECT reply FROM answers WHERE scope = :scope ORDER BY created_at, key_hash",
        scope=f"{operation}:{user_id}",
    )
    return [bytes(row["reply"]) for row in rows]


def forget_user(tx: Transaction, user_id: UserId, operations: Sequence[str]) -> None:
    """Drop the answers that a user got to calls of these operations."""
    for operation in operations:
        tx.run("DELETE FROM answers WHERE scope = :scope", scope=f"{operation}:{user_id}")


def forget_registration(tx: Transaction, operation: str, user_id: UserId) -> None:
    """Drop what somebody without a key was answered when this account was made."""
    rows = tx.all("SELECT key_hash, reply FROM answers WHERE scope = :scope", scope=f"{operation}:")
    for row in rows:
        if msgspec.json.decode(bytes(row["reply"]) or b"{}", type=Named).id == user_id:
            tx.run(
                "DELETE FROM answers WHERE scope = :scope AND key_hash = :key_hash",
                scope=f"{operation}:",
                key_hash=row["key_hash"],
            )
