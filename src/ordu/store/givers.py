"""Givers: whose machines made most in the running month, and what that earned them.

Settling and uptime append to the deltas under the subject of the month and the user, so no row is
hot. A chore forgets the months before, so there are two rows at most for each user who gave. A
month is one of the calendar, in UTC.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from ordu.rules.lifecycle import Millis
from ordu.rules.money import Kudos, UserId
from ordu.store.database import Transaction
from ordu.store.users import PAGE_SIZE

PICTURES = "pictures"
KUDOS = "kudos"


@dataclass(frozen=True)
class Giver:
    """A user, and what their machines did this month."""

    user_id: UserId
    pictures: int
    kudos: Kudos


def month_of(now: Millis) -> str:
    """The running month, as 2026-11."""
    return datetime.fromtimestamp(now / 1000, UTC).strftime("%Y-%m")


def gave(
    now: Millis, user_id: UserId, kudos: Kudos, pictures: int = 0
) -> list[tuple[str, str, int]]:
    """What is appended when a user's machine has earned something."""
    subject = f"{prefix_of(now)}:{user_id}"
    return [(subject, PICTURES, pictures), (subject, KUDOS, kudos)]


def page(tx: Transaction, number: int, now: Millis) -> list[Giver]:
    """Twenty-five users, those first who earned most this month; pages count from 1."""
    prefix = prefix_of(now)
    rows = tx.all(
        "SELECT users.id, given.amount AS kudos, COALESCE((SELECT made.amount FROM totals AS made"
        " WHERE made.subject = given.subject AND made.name = :pictures), 0) AS pictures"
        " FROM totals AS given JOIN users"
        " ON users.id = CAST(substr(given.subject, :after) AS BIGINT)"
        " WHERE given.subject >= :first AND given.subject < :end AND given.name = :kudos"
        " AND users.is_wiped = 0 ORDER BY given.amount DESC, users.id LIMIT :size OFFSET :skip",
        pictures=PICTURES,
        kudos=KUDOS,
        after=len(prefix) + 2,
        first=f"{prefix}:",
        end=f"{prefix};",  # the semicolon follows the colon
        size=PAGE_SIZE,
        skip=(number - 1) * PAGE_SIZE,
    )
    return [
        Giver(UserId(row["id"]), int(row["pictures"]), Kudos(int(row["kudos"]))) for row in rows
    ]


def forget_old(tx: Transaction, now: Millis) -> int:
    """Forget the months before this one; returns how many rows."""
    return tx.run(
        "DELETE FROM totals WHERE subject >= 'gave:' AND subject < :before", before=prefix_of(now)
    )


def prefix_of(now: Millis) -> str:
    """What all subjects of the running month begin with."""
    return f"gave:{month_of(now)}"
