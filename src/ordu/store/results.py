"""Results in SQL: what each worker delivered, and what was odd about it, day by day.

They are totals (`store.stats`). How much was delivered is appended with everything else that
settling appends, so an ordinary picture costs no statement; what is odd is added to the totals at
once, because whether it is too much is decided with it. A subject is `results:<day>:<worker id>`;
the day is that of UTC, in days since 1970 with zeros in front. Rows go when their day has left the
window, so there are seven days of them at most.
"""

from collections.abc import Mapping

from ordu.rules.lifecycle import Millis
from ordu.rules.matching import WorkerId
from ordu.rules.results import DAYS
from ordu.rules.trust import DAY_MS
from ordu.store import stats
from ordu.store.database import Transaction

DELIVERED = "delivered"
LOOKED_AT = "looked_at"  # pictures that were decoded; of the others the header was read
CENSORED = "censored"  # stand-ins for what was not to be shown; nothing more is expected of them
REFUSED = "refused"  # pictures that were none; the same one brought again counts again
NAMES = (DELIVERED, LOOKED_AT, CENSORED, REFUSED)  # beside those of `rules.results.Finding`


def subject_of(day: int, worker_id: str) -> str:
    """The subject of a worker's day."""
    return f"results:{day:06}:{worker_id}"


def day_of(now: Millis) -> int:
    """The day that a moment is in."""
    return now // DAY_MS


def delivered(
    now: Millis, worker_id: WorkerId, *, looked_at: bool, censored: bool
) -> list[tuple[str, str, int]]:
    """What is appended for a delivered picture."""
    subject = subject_of(day_of(now), worker_id)
    counted = {DELIVERED: 1, LOOKED_AT: int(looked_at), CENSORED: int(censored)}
    return [(subject, name, amount) for name, amount in counted.items()]


def add(tx: Transaction, worker_id: WorkerId, counts: Mapping[str, int], now: Millis) -> None:
    """Count this for a worker at once."""
    subject = subject_of(day_of(now), worker_id)
    stats.add(tx, {(subject, name): amount for name, amount in counts.items()})


def in_window(tx: Transaction, worker_id: str, now: Millis) -> dict[str, int]:
    """What a worker delivered within the window, by name."""
    days = days_of(worker_id, now)
    rows = tx.all(
        "SELECT name, SUM(amount) AS amount FROM totals"
        f" WHERE subject IN ({names_of(days)}) GROUP BY name",
        **days,
    )
    return {row["name"]: int(row["amount"]) for row in rows}


def forget_old(tx: Transaction, now: Millis) -> int:
    """Forget the days before the window; returns how many rows."""
    return tx.run(
        "DELETE FROM totals WHERE subject >= 'results:' AND subject < :before",
        before=subject_of(day_of(now) - DAYS + 1, ""),
    )


def forget_worker(tx: Transaction, worker_id: WorkerId, now: Millis) -> None:
    """Forget what a worker delivered; what was not yet added to totals goes with its day."""
    days = days_of(worker_id, now)
    tx.run(f"DELETE FROM totals WHERE subject IN ({names_of(days)})", **days)


def days_of(worker_id: str, now: Millis) -> dict[str, str]:
    """The subjects of a worker's days within the window, by the names of parameters."""
    return {f"day{ago}": subject_of(day_of(now) - ago, worker_id) for ago in range(DAYS)}


def names_of(days: Mapping[str, str]) -> str:
    """These parameters, between commas."""
    return ", ".join(f":{name}" for name in days)
