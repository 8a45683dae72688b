"""News in SQL."""

import msgspec

from ordu.rules.lifecycle import Millis
from ordu.store.database import Row, Transaction

NEWS_MAX = 100


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
        "SELECT id, published_at, newspiece, importance, title, tags, more_info_urls FROM news"
        " ORDER BY published_at DESC, id DESC LIMIT :most",
        most=NEWS_MAX,
    )
    return [read_row(row) for row in rows]


def read_row(row: Row) -> Newspiece:
    """A row as a piece of news."""
    values = dict(row)
    for name in ("tags", "more_info_urls"):
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


def remove(tx: Transaction, number: int) -> bool:
    """Take a piece of news back; says whether there was one of this number."""
    return tx.run("DELETE FROM news WHERE id = :id", id=number) == 1
