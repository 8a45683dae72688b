"""News in SQL."""

from collections.abc import Mapping

import msgspec

from ordu.rules.lifecycle import Millis
from ordu.store.database import Row, Transaction

NEWS_MAX = 100
COLUMNS = "id, published_at, newspiece, importance, title, tags, more_info_urls"
LISTS = ("tags", "more_info_urls")


class Newspiece(msgspec.Struct, frozen=True, kw_only=True):
    """One piece of news, as the database has it."""

    id: int
    published_at: Millis
    newspiece: str
    importance: str
    title: str | None
    tags: list[str]
    more_info_urls: list[str]


def newest(tx: Transaction) -> list[Newspiece]:
    """The news, newest first."""
    rows = tx.all(
        f"SELECT {COLUMNS} FROM news ORDER BY published_at DESC, id DESC LIMIT :most",
        most=NEWS_MAX,
    )
    return [read_row(row) for row in rows]


def by_id(tx: Transaction, number: int) -> Newspiece | None:
    """The piece of news of this number, to be changed: nobody else changes it meanwhile."""
    row = tx.one(f"SELECT {COLUMNS} FROM news WHERE id = :id{tx.for_update}", id=number)
    return None if row is None else read_row(row)


def read_row(row: Row) -> Newspiece:
    """A row as a piece of news."""
    values = dict(row)
    for name in LISTS:
        values[name] = msgspec.json.decode(values[name], type=list[str])
    return msgspec.convert(values, Newspiece, strict=False)


def add(
    tx: Transaction,
    *,
    newspiece: str,
    importance: str,
    title: str | None,
    tags: list[str],
    more_info_urls: list[str],
    now: Millis,
) -> int:
    """Publish a piece of news; returns its number."""
    row = tx.one("SELECT COALESCE(MAX(id), 0) + 1 AS next FROM news")
    assert row is not None
    tx.run(
        "INSERT INTO news (id, published_at, newspiece, importance, title, tags, more_info_urls)"
        " VALUES (:id, :now, :newspiece, :importance, :title, :tags, :more_info_urls)",
        id=row["next"],
        now=now,
        newspiece=newspiece,
        importance=importance,
        title=title,
        tags=msgspec.json.encode(tags).decode(),
        more_info_urls=msgspec.json.encode(more_info_urls).decode(),
    )
    return int(row["next"])


EDITABLE = frozenset({"newspiece", "importance", "title", *LISTS})


def change(tx: Transaction, number: int, changes: Mapping[str, object]) -> None:
    """Set columns of a piece of news."""
    assert changes.keys() <= EDITABLE, changes
    values = {
        name: msgspec.json.encode(value).decode() if name in LISTS else value
        for name, value in changes.items()
    }
    assignments = ", ".join(f"{name} = :{name}" for name in values)
    tx.run(f"UPDATE news SET {assignments} WHERE id = :id", id=number, **values)


def remove(tx: Transaction, number: int) -> bool:
    """Take a piece of news back; says whether there was one of this number."""
    return tx.run("DELETE FROM news WHERE id = :id", id=number) == 1
