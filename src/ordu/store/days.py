"""Days: what each user earned, spent, gave and received, day by day, from the totals.

The verbs append what moved under the day of its user, and what was earned under that of the machine
as well; the chore of statistics folds it. So a year of a busy machine is a row for each day, and it
lags by about a second. Days are those of UTC.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime

from ordu.rules.history import Kind, Part, cause_of, kind_of
from ordu.rules.lifecycle import Millis
from ordu.rules.money import Entry, Kudos, UserId
from ordu.store.database import Transaction

DAY_MS = 86_400_000
EVALUATING = "evaluating"


def moved(
    entry: Entry, parts: Mapping[UserId, Sequence[Part]], now: Millis
) -> list[tuple[str, str, int]]:
    """What is appended for an entry with these movements."""
    cause, day = cause_of(entry.event), number_of(now)
    machine = "" if entry.about is None else f":{entry.about.worker_id}"
    deltas: list[tuple[str, str, int]] = []
    for user_id, theirs in parts.items():
        subject = subject_of(user_id)
        for part in theirs:
            kind = kind_of(cause, part.amount)
            by = machine if kind is Kind.EARNED else ""
            deltas.append((subject, f"{day}:{kind.value}{by}", part.amount))
            if part.evaluating:
                deltas.append((subject, f"{day}:{EVALUATING}{by}", part.evaluating))
    return deltas


def of_user(
    tx: Transaction, user_id: UserId, worker_id: str | None, first: date, last: date
) -> Mapping[date, Mapping[str, Kudos]]:
    """What moved on each of these days on which something did, by kind.

    With `worker_id` only what that machine earned.
    """
    rows = tx.all(
        "SELECT name, amount FROM totals WHERE subject = :subject"
        " AND name >= :first AND name < :last",
        subject=subject_of(user_id),
        first=f"{day_number(first)}:",
        last=f"{day_number(last)};",  # the semicolon follows the colon
    )
    found: dict[date, Counter[str]] = {}
    for row in rows:
        number, kind, *machine = row["name"].split(":")
        if worker_id is None or machine == [worker_id]:
            day = datetime.fromtimestamp(int(number) * DAY_MS / 1000, UTC).date()
            found.setdefault(day, Counter())[kind] += row["amount"]
    return {
        day: {kind: Kudos(amount) for kind, amount in sums.items()} for day, sums in found.items()
    }


def subject_of(user_id: UserId) -> str:
    """The subject of a user's days."""
    return f"days:{user_id}"


def number_of(moment: Millis) -> int:
    """The day of a moment, counted since 1970."""
    return moment // DAY_MS


def day_number(day: date) -> int:
    """The same of a date."""
    return day.toordinal() - date(1970, 1, 1).toordinal()
