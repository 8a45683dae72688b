"""Samples in SQL: how the horde stood, minute by minute, in steps that grow with their age.

Each sample is added to a row of every length of step at once (`KEPT`), so nothing has to be thinned
later, and a row that is not over yet is right as far as it goes. Rows go when they are older than
their length of step is kept for. That bounds them: 121 minutes, 2,593 of five minutes, 161 of six
hours and 401 days, 3,276 in all. A step without a row is one in which no server took a sample.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from ordu.rules.lifecycle import Millis
from ordu.store.database import Row, Transaction

MINUTE_S = 60
HOUR_S = 3_600
DAY_S = 24 * HOUR_S
WEEK_S = 7 * DAY_S

# How long rows of each length of step are kept; a week more than they are shown for, to compare.
KEPT: Mapping[int, int] = {
    MINUTE_S: 2 * HOUR_S,
    5 * MINUTE_S: 9 * DAY_S,
    6 * HOUR_S: 40 * DAY_S,
    DAY_S: 400 * DAY_S,
}
ROWS_MAX = sum(kept_s // step_s + 1 for step_s, kept_s in KEPT.items())


class Span(StrEnum):
    """How far back somebody looks."""

    HOUR = "hour"
    DAY = "day"
    MONTH = "month"
    YEAR = "year"


@dataclass(frozen=True)
class Window:
    """A part of the past: from a start to an end, in steps made of rows of a certain length."""

    since: Millis
    until: Millis
    step_s: int
    row_s: int


@dataclass(frozen=True)
class Gauges:
    """How a horde stands at a moment: what waits, what is drawn, and who is here for it."""

    waiting: int  # pictures that nobody draws yet
    processing: int  # pictures that are drawn now
    workers: int
    workers_busy: int
    workers_paused: int
    threads: int
    wait_s: float | None  # until an ordinary picture would be there; None when nobody could draw it


@dataclass(frozen=True)
class Point:
    """A step of time: means over its samples, sums of what was made."""

    start_at: Millis
    waiting: float
    waiting_max: int
    processing: float
    workers: float
    threads: float
    wait_s: float | None
    pictures: int
    work_per_s: float  # pixelsteps


# The length of steps, and of the rows they are made from; the second when it is a week earlier,
# for which minutes are not kept.
STEPS: Mapping[Span, tuple[tuple[int, int], tuple[int, int]]] = {
    Span.HOUR: ((MINUTE_S, MINUTE_S), (5 * MINUTE_S, 5 * MINUTE_S)),
    Span.DAY: ((15 * MINUTE_S, 5 * MINUTE_S), (15 * MINUTE_S, 5 * MINUTE_S)),
    Span.MONTH: ((6 * HOUR_S, 6 * HOUR_S), (6 * HOUR_S, 6 * HOUR_S)),
    Span.YEAR: ((DAY_S, DAY_S), (DAY_S, DAY_S)),
}
LENGTH_S: Mapping[Span, int] = {
    Span.HOUR: HOUR_S,
    Span.DAY: DAY_S,
    Span.MONTH: 30 * DAY_S,
    Span.YEAR: 365 * DAY_S,
}


def window(span: Span, now: Millis, *, is_week_earlier: bool = False) -> Window:
    """The window of a span that ends now, or a week earlier; it begins where a step begins."""
    step_s, row_s = STEPS[span][is_week_earlier]
    until = now - WEEK_S * 1000 * is_week_earlier
    since = floor(until, step_s) - LENGTH_S[span] * 1000
    return Window(Millis(since), Millis(until), step_s, row_s)


def floor(moment: int, step_s: int) -> Millis:
    """The start of the step that a moment is in; steps are counted from 1970, in UTC."""
    return Millis(moment - moment % (step_s * 1000))


def add(tx: Transaction, minute: Millis, gauges: Gauges, pictures: int, work: int) -> bool:
    """Add the sample of a minute, unless it is there; says whether it was added.

    `minute` is when it began; the gauges are of its end, pictures and work were made within it.
    """
    values = {
        "waiting": gauges.waiting,
        "processing": gauges.processing,
        "workers": gauges.workers,
        "threads": gauges.threads,
        "waits": int(gauges.wait_s is not None),
        "wait_s": round(gauges.wait_s or 0),
        "pictures": pictures,
        "work": work,
    }
    is_new = tx.run(
        f"{INSERT} ON CONFLICT (step_s, start_at) DO NOTHING",
        step_s=MINUTE_S,
        start_at=floor(minute, MINUTE_S),
        **values,
    )
    if is_new:
        tx.run_many(
            f"{INSERT} ON CONFLICT (step_s, start_at) DO UPDATE SET {ADDITIONS}",
            [
                {"step_s": step_s, "start_at": floor(minute, step_s), **values}
                for step_s in KEPT
                if step_s != MINUTE_S
            ],
        )
    return bool(is_new)


SUMS = ("samples", "waiting", "processing", "workers", "threads", "waits", "wait_s",
        "pictures", "work")  # fmt: skip
INSERT = (
    "INSERT INTO samples (step_s, start_at, samples, waiting, waiting_max, processing, workers,"
    " threads, waits, wait_s, pictures, work) VALUES (:step_s, :start_at, 1, :waiting, :waiting,"
    " :processing, :workers, :threads, :waits, :wait_s, :pictures, :work)"
)
LARGER = (
    "waiting_max = CASE WHEN excluded.waiting_max > samples.waiting_max"
    " THEN excluded.waiting_max ELSE samples.waiting_max END"
)
ADDITIONS = ", ".join([*(f"{name} = samples.{name} + excluded.{name}" for name in SUMS), LARGER])


def forget_old(tx: Transaction, now: Millis) -> int:
    """Forget what is older than its length of step is kept for; returns how many rows."""
    return sum(
        tx.run(
            "DELETE FROM samples WHERE step_s = :step_s AND start_at < :before",
            step_s=step_s,
            before=floor(now, step_s) - kept_s * 1000,
        )
        for step_s, kept_s in KEPT.items()
    )


def within(tx: Transaction, view: Window) -> list[Point]:
    """The steps of a window, oldest first; those of which nothing is known are left out."""
    rows = tx.all(
        "SELECT start_at - start_at % :step_ms AS start, MAX(waiting_max) AS waiting_max, "
        + ", ".join(f"SUM({name}) AS {name}" for name in SUMS)
        + " FROM samples WHERE step_s = :row_s AND start_at >= :since AND start_at < :until"
        " GROUP BY start ORDER BY start",
        step_ms=view.step_s * 1000,
        row_s=view.row_s,
        since=view.since,
        until=view.until,
    )
    return [point_of(row) for row in rows]


def point_of(row: Row) -> Point:
    """A row of sums as means."""
    count = int(row["samples"])
    waits = int(row["waits"])
    return Point(
        start_at=Millis(int(row["start"])),
        waiting=int(row["waiting"]) / count,
        waiting_max=int(row["waiting_max"]),
        processing=int(row["processing"]) / count,
        workers=int(row["workers"]) / count,
        threads=int(row["threads"]) / count,
        wait_s=int(row["wait_s"]) / waits if waits else None,
        pictures=int(row["pictures"]),
        work_per_s=int(row["work"]) / (count * MINUTE_S),
    )
