"""Keys of browsers in SQL: as good as the account's own key, for a time, and many to an account.

Only their hashes are kept, as of all keys. `users.by_key_hash` finds who has one. Whatever ends a
key touches its user, so that nobody remembers who called with it.
"""

from ordu.rules.lifecycle import Millis
from ordu.rules.money import UserId
from ordu.store.database import Transaction

OF_A_USER_MAX = 20  # browsers; of one who signs in with more the oldest are signed out
FORGET_MAX = 1000


def add(
    tx: Transaction, *, key_hash: str, user_id: UserId, now: Millis, expires_at: Millis
) -> None:
    """Add a key of this user, who is locked; of too many the oldest go."""
    tx.run(
        "INSERT INTO sign_ins (key_hash, user_id, created_at, expires_at)"
        " VALUES (:hash, :user, :now, :expires_at)",
        hash=key_hash,
        user=user_id,
        now=now,
        expires_at=expires_at,
    )
    removed = tx.run(
        "DELETE FROM sign_ins WHERE key_hash IN (SELECT key_hash FROM sign_ins"
        " WHERE user_id = :user AND key_hash <> :hash"
        " ORDER BY created_at DESC LIMIT :more OFFSET :most)",
        user=user_id,
        hash=key_hash,
        more=FORGET_MAX,
        most=OF_A_USER_MAX - 1,
    )
    if removed:
        tx.touch(user_id)


def of_user(tx: Transaction, user_id: UserId) -> list[tuple[Millis, Millis]]:
    """Since when and until when this user's browsers are signed in, oldest first."""
    rows = tx.all(
        "SELECT created_at, expires_at FROM sign_ins WHERE user_id = :user ORDER BY created_at",
        user=user_id,
    )
    return [(Millis(row["created_at"]), Millis(row["expires_at"])) for row in rows]


def end(tx: Transaction, user_id: UserId, key_hash: str) -> bool:
    """End one key of this user; says whether there was such a one."""
    tx.touch(user_id)
    ended = tx.run(
        "DELETE FROM sign_ins WHERE key_hash = :hash AND user_id = :user",
        hash=key_hash,
        user=user_id,
    )
    return ended == 1


def end_all(tx: Transaction, user_id: UserId, *, but: str = "") -> None:
    """End every key of this user's browsers, but the one of this hash."""
    tx.touch(user_id)
    tx.run("DELETE FROM sign_ins WHERE user_id = :user AND key_hash <> :but", user=user_id, but=but)


def forget_expired(tx: Transaction, now: Millis) -> int:
    """Drop keys whose time is over, a bounded number; says how many."""
    return tx.run(
        "DELETE FROM sign_ins WHERE key_hash IN (SELECT key_hash FROM sign_ins"
        " WHERE expires_at <= :now ORDER BY expires_at LIMIT :most)",
        now=now,
        most=FORGET_MAX,
    )
