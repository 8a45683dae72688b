"""Identities in SQL: which account somebody has whom a provider of OpenID Connect knows.

A provider names a person by a *subject*, which is theirs for ever and says nothing; only together
with the provider's *issuer* it is unique. An account has one identity of each provider at most, so
there are never more of them than an operator has ever named providers.
"""

import msgspec

from ordu.rules.lifecycle import Millis
from ordu.rules.money import UserId
from ordu.store.database import Row, Transaction

COLUMNS = "id, issuer, subject, user_id, created_at"


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Who somebody is to a provider, and whose account that is."""

    id: str
    issuer: str
    subject: str
    user_id: UserId
    created_at: Millis


def add(tx: Transaction, identity: Identity) -> bool:
    """Add an identity; says whether neither it nor another of that account's was there."""
    added = tx.run(
        f"INSERT INTO identities ({COLUMNS}) VALUES (:id, :issuer, :subject, :user_id, :created_at)"
        " ON CONFLICT DO NOTHING",
        **msgspec.structs.asdict(identity),
    )
    return added == 1


def find(tx: Transaction, issuer: str, subject: str) -> Identity | None:
    """The identity of this subject."""
    row = tx.one(
        f"SELECT {COLUMNS} FROM identities WHERE issuer = :issuer AND subject = :subject",
        issuer=issuer,
        subject=subject,
    )
    return None if row is None else read_row(row)


def of_user(tx: Transaction, user_id: UserId) -> list[Identity]:
    """An account's identities, oldest first."""
    rows = tx.all(
        f"SELECT {COLUMNS} FROM identities WHERE user_id = :id ORDER BY created_at, id", id=user_id
    )
    return [read_row(row) for row in rows]


def has_any(tx: Transaction, user_id: UserId) -> bool:
    """Whether an account has an identity at all: whether it is registered, not pseudonymous."""
    return tx.one("SELECT 1 FROM identities WHERE user_id = :id LIMIT 1", id=user_id) is not None


def remove(tx: Transaction, user_id: UserId, identity_id: str) -> bool:
    """Remove one of an account's identities; says whether there was such a one."""
    tx.touch(user_id)
    removed = tx.run(
        "DELETE FROM identities WHERE id = :id AND user_id = :user", id=identity_id, user=user_id
    )
    return removed == 1


def forget_user(tx: Transaction, user_id: UserId) -> None:
    """Remove all of an account's."""
    tx.run("DELETE FROM identities WHERE user_id = :id", id=user_id)


def read_row(row: Row) -> Identity:
    """A row as an identity."""
    return Identity(
        id=row["id"],
        issuer=row["issuer"],
        subject=row["subject"],
        user_id=UserId(row["user_id"]),
        created_at=Millis(row["created_at"]),
    )
