"""What the horde made, in spans of time: minutes grow into hours, hours into days, days into one.

Settling appends to the deltas under the subject of its minute, so no row is hot. A chore moves what
is older than an hour into the row of its hour, what is older than a day into its day, and what is
older than 30 days into the one row of all that went before. So the rows are bounded whatever is
made: 61 minutes, 25 hours and 31 days, each with a row for every model it saw.

A subject is `made:<m|h|d|t>:<start>`; the start is in minutes since 1970, with zeros in front, so
that the order of subjects is that of time.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ordu.rules.lifecycle import Millis
from ordu.store import stats
from ordu.store.database import Transaction

MINUTE_MS = 60_000
HOUR = 60  # in minutes
DAY = 24 * HOUR
MONTH_DAYS = 30
PICTURES = "pictures:"  # and the model
WORK = "work"
FAULTED = "faulted"  # jobs that ended without a picture
# SQL's range of all subjects, and of all names of models: the semicolon follows the colon.
ALL_SPANS = "subject >= 'made:' AND subject < 'made;'"
ALL_MODELS = "name >= 'pictures:' AND name < 'pictures;'"
START = "substr(subject, 8)"


@dataclass(frozen=True)
class Made:
    """How many pictures, how much work in pixels times steps, and how many jobs failed."""

    pictures: int = 0
    work: int = 0
    faulted: int = 0

    def __add__(self, other: "Made") -> "Made":
        return Made(
            self.pictures + other.pictures, self.work + other.work, self.faulted + other.faulted
        )


@dataclass(frozen=True)
class Since:
    """Where each span begins, in minutes since 1970."""

    minute: int  # the whole one before the running one
    hour: int
    day: int
    month: int


def spans_at(now: Millis) -> Since:
    """The spans that end now: the running minute, hour or day, and whole ones before it."""
    minute = now // MINUTE_MS
    return Since(
        minute=minute - 1,
        hour=minute - HOUR,
        day=(minute // HOUR - 24) * HOUR,
        month=(minute // DAY - MONTH_DAYS) * DAY,
    )


def delivered(now: Millis, model: str, work: int) -> list[tuple[str, str, int]]:
    """What is appended for a delivered picture."""
    subject = subject_of("m", now // MINUTE_MS)
    return [(subject, f"{PICTURES}{model}", 1), (subject, WORK, work)]


def faulted(now: Millis) -> tuple[str, str, int]:
    """What is appended for a job that failed."""
    return (subject_of("m", now // MINUTE_MS), FAULTED, 1)


def totals(tx: Transaction, now: Millis) -> Mapping[str, Made]:
    """What was made in the last whole minute, hour, day and month, and in all."""
    rows = tx.all(
        f"SELECT {START} AS start,"
        f" SUM(CASE WHEN {ALL_MODELS} THEN amount ELSE 0 END) AS pictures,"
        " SUM(CASE WHEN name = :work THEN amount ELSE 0 END) AS work,"
        " SUM(CASE WHEN name = :faulted THEN amount ELSE 0 END) AS faulted"
        f" FROM totals WHERE {ALL_SPANS} GROUP BY subject",
        work=WORK,
        faulted=FAULTED,
    )
    found = [
        (int(row["start"]), Made(int(row["pictures"]), int(row["work"]), int(row["faulted"])))
        for row in rows
    ]
    since = spans_at(now)

    def between(first: int, end: int | None = None) -> Made:
        inside = (made for start, made in found if start >= first and (end is None or start < end))
        return sum(inside, Made())

    return {
        "minute": between(since.minute, since.minute + 1),
        "hour": between(since.hour),
        "day": between(since.day),
        "month": between(since.month),
        "total": between(0),
    }


def in_minute(tx: Transaction, minute: Millis) -> Made:
    """What was made in the minute that began then, one of the last hour."""
    found = stats.of(tx, subject_of("m", minute // MINUTE_MS))
    pictures = sum(amount for name, amount in found.items() if name.startswith(PICTURES))
    return Made(pictures, found.get(WORK, 0))


def by_model(tx: Transaction, now: Millis) -> Mapping[str, dict[str, int]]:
    """How many pictures each model made in the last day and month, and in all."""
    since = spans_at(now)
    return {
        "day": models_since(tx, since.day),
        "month": models_since(tx, since.month),
        "total": models_since(tx, 0),
    }


def models_since(tx: Transaction, start: int) -> dict[str, int]:
    """How many pictures each model made since then."""
    rows = tx.all(
        f"SELECT name, SUM(amount) AS pictures FROM totals WHERE {ALL_SPANS} AND {ALL_MODELS}"
        f" AND {START} >= :start GROUP BY name ORDER BY name",
        start=f"{start:010}",
    )
    return {row["name"].removeprefix(PICTURES): int(row["pictures"]) for row in rows}


def move_old(tx: Transaction, now: Millis) -> int:
    """Move what has grown old into longer spans; returns how many spans were moved."""
    since = spans_at(now)
    return (
        move(tx, "m", since.hour, "h", HOUR)
        + move(tx, "h", since.day, "d", DAY)
        + move(tx, "d", since.month, "t", None)
    )


def move(tx: Transaction, span: str, before: int, longer: str, length: int | None) -> int:
    """Move spans that began before then into longer ones; without a length there is but one.

    What is moved is what was deleted, so that it counts once whoever else adds or moves meanwhile.
    """
    rows = tx.all(
        "SELECT DISTINCT subject FROM totals WHERE subject >= :first AND subject < :before"
        " ORDER BY subject",
        first=subject_of(span, 0),
        before=subject_of(span, before),
    )
    count = 0
    for row in rows:
        subject = row["subject"]
        start = int(subject.rpartition(":")[2])
        moved = tx.all(
            "DELETE FROM totals WHERE subject = :subject RETURNING name, amount", subject=subject
        )
        into = subject_of(longer, start - start % length if length else 0)
        stats.add(tx, {(into, each["name"]): each["amount"] for each in moved})
        count += bool(moved)
    return count


def subject_of(span: str, start: int) -> str:
    """The subject of a span."""
    return f"made:{span}:{start:010}"
