"""Answers kept in SQL for calls with an `Idempotency-Key`: the same call again gets the same one.

An answer is written in the transaction of the effect it tells of. A scope is an operation and who
called it; of keys only a hash is kept.
"""

import msgspec

from ordu.rules.lifecycle import Millis
from ordu.store.database import Transaction

FORGET_MAX = 1000


class Kept(msgspec.Struct, frozen=True):
    """An answer, and the fingerprint of the body it was given to."""

    fingerprint: str
    reply: bytes


def kept(tx: Transaction, scope: str, key_hash: str) -> Kept | None:
    """What was answered to this key."""
    row = tx.one(
        "SELECT fingerprint, reply FROM answers WHERE scope = :scope AND key_hash = :key_hash",
        scope=scope,
        key_hash=key_hash,
    )
    return None if row is None else Kept(row["fingerprint"], bytes(row["reply"]))


def keep(tx: Transaction, scope: str, key_hash: str, answer: Kept, now: Millis) -> None:
    """Keep an answer."""
    tx.run(
        "INSERT INTO answers (scope, key_hash, fingerprint, reply, created_at)"
        " VALUES (:scope, :key_hash, :fingerprint, :reply, :now)",
        scope=scope,
        key_hash=key_hash,
        fingerprint=answer.fingerprint,
        reply=answer.reply,
        now=now,
    )


def forget_before(tx: Transaction, moment: Millis) -> int:
    """Drop old answers, a bounded number; says how many."""
    return tx.run(
        "DELETE FROM answers WHERE (scope, key_hash) IN (SELECT scope, key_hash FROM answers"
        " WHERE created_at < :moment ORDER BY created_at LIMIT :most)",
        moment=moment,
        most=FORGET_MAX,
    )
