"""Answers kept in SQL for calls with an `Idempotency-Key`: the same call again gets the same one.

An answer is written in the transaction of the effect it tells of: the key is taken at its beginning
(`begin`) and the answer filled in at its end (`finish`). A scope is an operation and who called it;
of keys only a hash is kept.

How long an answer is kept is not the same everywhere, and one index has to find all whose time is
over. So `created_at` is when an answer that is kept for the longest time would have been made: one
that is kept for less is dated back.
"""

import msgspec

from ordu.rules.lifecycle import Millis
from ordu.store.database import Transaction

FORGET_MAX = 1000
LONGEST_MS = 30 * 86_400_000  # that an answer is kept


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
