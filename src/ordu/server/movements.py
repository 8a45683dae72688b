"""Movements of kudos as the wire shows them: one by one, by day, and as a table."""

import csv
import io
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlencode

from msgspec import UNSET

from ordu.engine import history
from ordu.engine.history import Page, Wanted
from ordu.protocol.errors import Refused
from ordu.protocol.kudos import KudosDay, KudosMovement, KudosMovementAbout
from ordu.rules import money
from ordu.rules.history import Cause, Kind, Movement
from ordu.rules.money import Kudos
from ordu.server.call import Answer, Call
from ordu.server.queries import moment_of
from ordu.server.views import iso_date
from ordu.store.days import EVALUATING
from ordu.web import negotiation

CSV = "text/csv"
PAGE_USUAL = 50
DAYS_MAX = 92
DAYS_USUAL = 30
CSV_ROWS_MAX = 10_000
CSV_PAGES_MAX = 100  # so many times the places that are looked at for one page
CSV_COLUMNS = (
    *("date", "kind", "action", "amount", "balance", "evaluating", "worker_id", "worker_name"),
    *("model", "width", "height", "user", "id"),
)
CURSOR_LENGTH_MAX = 15

# What a caller asks for


def wanted_by(call: Call[None]) -> Wanted:
    """Which movements a caller wants.

    Raises:
        Refused: BadParameter.
    """
    kind, cursor = call.query.get("kind"), call.query.get("cursor")
    if kind is not None and kind not in set(Kind):
        known = ", ".join(f"`{each}`" for each in Kind)
        raise Refused("BadParameter", f"`kind` is one of {known}.")
    if cursor is not None and not is_number(cursor):
        raise Refused("BadParameter", "`cursor` is the `next` of the part before.")
    return Wanted(
        kind=None if kind is None else Kind(kind),
        worker_id=call.query.get("worker_id"),
        since=moment_of(call, "since"),
        until=moment_of(call, "until"),
        below=None if cursor is None else int(cursor),
    )


def is_number(text: str) -> bool:
    """Whether this is a number that can be a place."""
    return text.isascii() and text.isdigit() and len(text) <= CURSOR_LENGTH_MAX


def days_wanted(call: Call[None]) -> tuple[date, date]:
    """The first and the last day that a caller wants.

    Raises:
        Refused: BadParameter.
    """
    since, until = moment_of(call, "since"), moment_of(call, "until")
    last = day_of(call.horde.now() if until is None else max(0, until - 1))
    first = last - timedelta(days=DAYS_USUAL - 1) if since is None else day_of(since)
    if not 0 <= (last - first).days < DAYS_MAX:
        raise Refused(
            "BadParameter",
            f"From `since` to `until` are 1 to {DAYS_MAX} days; {first} to {last} is not.",
        )
    return first, last


def day_of(moment: int) -> date:
    """The day of a moment, in UTC."""
    return datetime.fromtimestamp(moment / 1000, UTC).date()


def wants_csv(call: Call[None]) -> bool:
    """Whether a caller wants a table rather than JSON."""
    accept = call.header(b"accept") or ""
    asked = negotiation.quality(accept, CSV)
    return asked > 0 and asked >= negotiation.quality(accept, negotiation.JSON)


# Movements


def shown(page: Page) -> list[KudosMovement]:
    """A part of a history for its user."""
    return [movement_view(each, page) for each in page.movements]


def movement_view(movement: Movement, page: Page) -> KudosMovement:
    """One movement for its user."""
    about = movement.about
    worker_id = None if about is None else about.worker_id
    return KudosMovement(
        id=f"{movement.entry_id}.{movement.place}",
        date=iso_date(movement.at),
        kind=movement.kind,
        action=movement.cause,
        amount=money.exact(movement.amount),
        balance=money.exact(movement.balance),
        evaluating=money.exact(movement.evaluating),
        worker_id=UNSET if worker_id is None else worker_id,
        worker_name=UNSET if worker_id is None else page.workers.get(worker_id),
        about=about_view(movement, page),
    )


def about_view(movement: Movement, page: Page) -> KudosMovementAbout | None:
    """What a movement was about; None when nothing is known of that."""
    if movement.cause is Cause.TRANSFER:
        return KudosMovementAbout(user=page.others.get(movement.entry_id, UNSET))
    about = movement.about
    if about is None or about.model is None:
        return None
    return KudosMovementAbout(
        model=about.model,
        width=UNSET if about.width is None else about.width,
        height=UNSET if about.height is None else about.height,
        pictures=1,
    )


# Days


def days_shown(
    moved: Mapping[date, Mapping[str, Kudos]], first: date, last: date
) -> list[KudosDay]:
    """Every day from the first to the last, also those on which nothing moved."""
    every = (first + timedelta(days=number) for number in range((last - first).days + 1))
    return [
        KudosDay(
            date=day.isoformat(),
            **{
                name: money.exact(moved.get(day, {}).get(name, Kudos(0)))
                for name in (*Kind, EVALUATING)
            },
        )
        for day in every
    ]


# A table


async def table(call: Call[None], wanted: Wanted) -> Answer:
    """The movements as CSV, many of them; the header `Link` says where they go on."""
    found: list[KudosMovement] = []
    below = wanted.below
    for _ in range(CSV_PAGES_MAX):
        part = Wanted(wanted.kind, wanted.worker_id, wanted.since, wanted.until, below)
        most = min(history.SCANNED_MAX, CSV_ROWS_MAX - len(found))
        page = await history.page(call.horde, call.user, part, most)
        found += shown(page)
        below = page.below
        if below is None or len(found) >= CSV_ROWS_MAX:
            break
    headers = {
        "Cache-Control": "no-store",
        "Content-Disposition": 'attachment; filename="kudos.csv"',
    }
    if below is not None:
        query = {name: text for name, text in call.query.items() if name not in {"cursor", "limit"}}
        following = urlencode(query | {"cursor": str(below)})
        headers["Link"] = f'<{call.operation.path}?{following}>; rel="next"'
    content = written(found).encode()
    return Answer(content=content, media_type=f"{CSV}; charset=utf-8", headers=headers)


def written(movements: Iterable[KudosMovement]) -> str:
    """Movements as CSV (RFC 4180), with a line of names first."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(CSV_COLUMNS)
    for each in movements:
        about = each.about or KudosMovementAbout()
        values = (getattr(each, name, getattr(about, name, None)) for name in CSV_COLUMNS)
        writer.writerow([cell(value) for value in values])
    return text.getvalue()


def cell(value: object) -> str | float:
    """A cell that no spreadsheet takes for a formula: what people named may begin with one."""
    if value is None or value is UNSET:
        return ""
    if isinstance(value, int | float):
        return value
    text = str(value)
    return f"'{text}" if text[:1] in FORMULAS else text


FORMULAS = frozenset("=+-@\t\r\n")
