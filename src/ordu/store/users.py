"""Users in SQL."""

import string
from collections.abc import Mapping

import msgspec

from ordu.rules.lifecycle import Millis
from ordu.rules.money import ANONYMOUS, Kudos, UserId
from ordu.store import sign_ins
from ordu.store.database import Row, Transaction

PAGE_SIZE = 25
SMALL = {ord(letter): letter.lower() for letter in string.ascii_uppercase}
LAST_CHARACTER = "\U0010ffff"

COLUMNS = (
    "id, username, created_at, kudos, evaluating_kudos, concurrency, usage_multiplier,"
    " worker_invited, is_moderator, is_trusted, is_flagged, is_customizer, is_vpn, is_service,"
    " is_education, is_special, has_public_workers, monthly_kudos, monthly_received_at, suspicion,"
    " contact, admin_comment, deleted_at, is_wiped"
)

# What a field of the wire is called here. Fields of `rights.USER_CHANGED` that are not among these
# are more than one value written down.
COLUMN_OF: Mapping[str, str] = {
    "concurrency": "concurrency",
    "usage_multiplier": "usage_multiplier",
    "worker_invited": "worker_invited",
    "moderator": "is_moderator",
    "trusted": "is_trusted",
    "flagged": "is_flagged",
    "customizer": "is_customizer",
    "vpn": "is_vpn",
    "service": "is_service",
    "education": "is_education",
    "special": "is_special",
    "public_workers": "has_public_workers",
    "username": "username",
    "contact": "contact",
    "admin_comment": "admin_comment",
}


class User(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """One user, as the database has it; the fields are in the order of `COLUMNS`."""

    id: UserId
    username: str
    created_at: Millis
    kudos: Kudos
    evaluating_kudos: Kudos
    concurrency: int
    usage_multiplier: float
    worker_invited: int
    is_moderator: bool
    is_trusted: bool
    is_flagged: bool
    is_customizer: bool
    is_vpn: bool
    is_service: bool
    is_education: bool
    is_special: bool
    has_public_workers: bool
    monthly_kudos: Kudos
    monthly_received_at: Millis | None
    suspicion: int
    contact: str | None
    admin_comment: str | None
    deleted_at: Millis | None
    is_wiped: bool

    @property
    def is_deleted(self) -> bool:
        """Whether the account was deleted and not restored."""
        return self.deleted_at is not None


def read_row(row: Row) -> User:
    """A row as a user."""
    return msgspec.convert(tuple(row), User, strict=False)


def add(
    tx: Transaction,
    *,
    user_id: UserId,
    username: str,
    key_hash: str | None,
    concurrency: int,
    now: Millis,
    is_moderator: bool = False,
    is_trusted: bool = False,
) -> None:
    """Add a user with nothing on the account."""
    tx.run(
        "INSERT INTO users (id, username, key_hash, created_at, concurrency, is_moderator,"
        " is_trusted) VALUES (:id, :username, :key_hash, :now, :concurrency, :is_moderator,"
        " :is_trusted)",
        id=user_id,
        username=username,
        key_hash=key_hash,
        now=now,
        concurrency=concurrency,
        is_moderator=is_moderator,
        is_trusted=is_trusted,
    )


def next_id(tx: Transaction) -> UserId:
    """The id of the next user: one more than the newest has; nobody else gets one meanwhile.

    Those who register wait for each other on the anonymous user, whom nothing else locks for long.
    """
    tx.one(f"SELECT id FROM users WHERE id = :id{tx.for_update}", id=ANONYMOUS)
    return UserId(newest_id(tx) + 1)


def newest_id(tx: Transaction) -> UserId:
    """The id of the newest user; so many accounts there ever were, beside the anonymous one."""
    row = tx.one("SELECT MAX(id) AS newest FROM users")
    assert row is not None
    return UserId(row["newest"] or 0)


def by_id(tx: Transaction, user_id: UserId) -> User | None:
    """The user of this id, also one who was wiped: the books still name them."""
    row = tx.one(f"SELECT {COLUMNS} FROM users WHERE id = :id", id=user_id)
    return None if row is None else read_row(row)


def locked(tx: Transaction, *user_ids: UserId) -> dict[UserId, User]:
    """These users, to be changed: nobody else changes them meanwhile.

    Of several the lowest number is locked first, so that no two wait for each other.
    """
    values = {f"id{number}": user_id for number, user_id in enumerate(sorted(set(user_ids)))}
    if not values:
        return {}
    names = ", ".join(f":{name}" for name in values)
    rows = tx.all(
        f"SELECT {COLUMNS} FROM users WHERE id IN ({names}) ORDER BY id{tx.for_update}", **values
    )
    return {UserId(row["id"]): read_row(row) for row in rows}


def known(tx: Transaction, user_id: UserId) -> User | None:
    """The user of this id, for people who ask: nobody finds one who was wiped."""
    user = by_id(tx, user_id)
    return None if user is None or user.is_wiped else user


def by_key_hash(tx: Transaction, key_hash: str, now: Millis) -> User | None:
    """The user whose key has this hash: the account's own, or that of a browser (`sign_ins`)."""
    row = tx.one(f"SELECT {COLUMNS} FROM users WHERE key_hash = :hash", hash=key_hash)
    if row is None:
        row = tx.one(
            f"SELECT {COLUMNS} FROM users WHERE id ="
            " (SELECT user_id FROM sign_ins WHERE key_hash = :hash AND expires_at > :now)",
            hash=key_hash,
            now=now,
        )
    return None if row is None else read_row(row)


def has_key(tx: Transaction, user_id: UserId) -> bool:
    """Whether an account has a key of its own: one that came by a provider may have none."""
    row = tx.one("SELECT key_hash FROM users WHERE id = :id", id=user_id)
    return row is not None and row["key_hash"] is not None


def page(tx: Transaction, number: int, *, oldest_first: bool) -> list[User]:
    """Twenty-five users, richest or oldest first; pages count from 1."""
    order = "id" if oldest_first else "kudos DESC, id"
    rows = tx.all(
        f"SELECT {COLUMNS} FROM users WHERE is_wiped = 0 ORDER BY {order} LIMIT :size OFFSET :skip",
        size=PAGE_SIZE,
        skip=(number - 1) * PAGE_SIZE,
    )
    return [read_row(row) for row in rows]


def named(tx: Transaction, name: str, number: int) -> list[User]:
    """Twenty-five users whose names begin like this, in their order; pages count from 1.

    A to Z and a to z are the same, on either database; of other letters case counts.
    """
    first = name.translate(SMALL)
    rows = tx.all(
        f"SELECT {COLUMNS} FROM users WHERE is_wiped = 0 AND lower(username) >= :first"
        " AND lower(username) < :beyond ORDER BY lower(username), id LIMIT :size OFFSET :skip",
        first=first,
        beyond=first + LAST_CHARACTER,
        size=PAGE_SIZE,
        skip=(number - 1) * PAGE_SIZE,
    )
    return [read_row(row) for row in rows]


def with_monthly_kudos(tx: Transaction, after: UserId, most: int) -> list[User]:
    """Users who get kudos every month, by id, those after this one; the deleted get none."""
    rows = tx.all(
        f"SELECT {COLUMNS} FROM users WHERE monthly_kudos > 0 AND id > :after"
        " AND deleted_at IS NULL ORDER BY id LIMIT :most",
        after=after,
        most=most,
    )
    return [read_row(row) for row in rows]


def deleted_before(tx: Transaction, before: Millis, most: int) -> list[User]:
    """Users who were deleted up to this moment and not wiped yet."""
    rows = tx.all(
        f"SELECT {COLUMNS} FROM users WHERE deleted_at <= :before AND is_wiped = 0"
        " ORDER BY deleted_at LIMIT :most",
        before=before,
        most=most,
    )
    return [read_row(row) for row in rows]


def set_key_hash(tx: Transaction, user_id: UserId, key_hash: str | None) -> None:
    """Give a user another key, or none; where that replaces one, their browsers are signed out.

    The first key of an account that came without one replaces nothing, nor does the same key.
    """
    tx.touch(user_id)
    row = tx.one("SELECT key_hash FROM users WHERE id = :id", id=user_id)
    if row is not None and row["key_hash"] is not None and row["key_hash"] != key_hash:
        sign_ins.end_all(tx, user_id)
    tx.run("UPDATE users SET key_hash = :hash WHERE id = :id", hash=key_hash, id=user_id)


EDITABLE = frozenset(
    {
        "concurrency",
        "usage_multiplier",
        "worker_invited",
        "is_moderator",
        "is_trusted",
        "is_flagged",
        "is_customizer",
        "is_vpn",
        "is_service",
        "is_education",
        "is_special",
        "has_public_workers",
        "monthly_kudos",
        "monthly_received_at",
        "username",
        "contact",
        "admin_comment",
        "suspicion",
        "deleted_at",
        "is_wiped",
    }
)


def change(tx: Transaction, user_id: UserId, changes: dict[str, object]) -> None:
    """Set columns of one user."""
    assert changes.keys() <= EDITABLE, changes
    tx.touch(user_id)
    assignments = ", ".join(f"{column} = :{column}" for column in changes)
    tx.run(f"UPDATE users SET {assignments} WHERE id = :id", id=user_id, **changes)
