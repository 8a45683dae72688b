"""News: published, changed and taken back, by moderators and on the server's machine.

The texts are plain: what looks like HTML in them is shown as it stands.
"""

from dataclasses import dataclass

from ordu.engine import acts
from ordu.engine.acts import By, Target
from ordu.protocol.errors import Refused
from ordu.store import news
from ordu.store.database import Transaction
from ordu.store.news import Newspiece

IMPORTANCE = "Information"  # unless said otherwise
NAME_LENGTH_MAX = 60  # what the log of acts calls a piece without a title
FIELDS = ("newspiece", "importance", "title", "tags", "more_info_urls")


@dataclass(frozen=True)
class NewsChange:
    """What a piece is to have; None leaves it, or takes what is usual for a new one."""

    newspiece: str | None = None
    importance: str | None = None
    title: str | None = None  # an empty one takes the title away
    tags: list[str] | None = None
    more_info_urls: list[str] | None = None

    @property
    def columns(self) -> dict[str, object]:
        """What is said, by its column."""
        said = {name: getattr(self, name) for name in FIELDS if getattr(self, name) is not None}
        return said | ({"title": self.title or None} if self.title is not None else {})


def publish(tx: Transaction, piece: NewsChange, by: By) -> Newspiece:
    """Publish a new piece.

    Raises:
        Refused: ValidationFailed, it has no text.
    """
    check_text(piece.newspiece or "")
    number = news.add(
        tx,
        newspiece=piece.newspiece or "",
        importance=piece.importance or IMPORTANCE,
        title=piece.title or None,
        tags=piece.tags or [],
        more_info_urls=piece.more_info_urls or [],
        now=by.now,
    )
    added = found(tx, number)
    acts.note(tx, by, on_news(added), acts.differences(dict.fromkeys(FIELDS), shown(added)))
    return added


def edit(tx: Transaction, number: int, piece: NewsChange, by: By) -> Newspiece:
    """Change a piece; the day it was published stays.

    Raises:
        Refused: NoNewsModSelected, NewsNotFound, ValidationFailed.
    """
    if not piece.columns:
        raise Refused("NoNewsModSelected", "Nothing to change: the body names no field.")
    if piece.newspiece is not None:
        check_text(piece.newspiece)
    before = found(tx, number)
    news.change(tx, number, piece.columns)
    after = found(tx, number)
    changes = acts.differences(shown(before), shown(after))
    if changes:
        acts.note(tx, by, on_news(after), changes)
    return after


def take_back(tx: Transaction, number: int, by: By) -> None:
    """Remove a piece; what it said stays in the log of acts.

    Raises:
        Refused: NewsNotFound.
    """
    gone = found(tx, number)
    news.remove(tx, number)
    acts.note(tx, by, on_news(gone), acts.differences(shown(gone), dict.fromkeys(FIELDS)))


def check_text(text: str) -> None:
    """Refuse a piece that says nothing."""
    if not text.strip():
        raise Refused(
            "ValidationFailed",
            "Input payload validation failed",
            errors={"newspiece": "A piece of news needs a text."},
        )


def found(tx: Transaction, number: int) -> Newspiece:
    """The piece of this number.

    Raises:
        Refused: NewsNotFound.
    """
    piece = news.by_id(tx, number)
    if piece is None:
        raise Refused("NewsNotFound", f"There is no news with the number {number}.")
    return piece


def on_news(piece: Newspiece) -> Target:
    """A piece of news, as the target of an act."""
    text = piece.title or " ".join(piece.newspiece.split())
    short = text if len(text) <= NAME_LENGTH_MAX else text[: NAME_LENGTH_MAX - 1] + "…"
    return Target("news", str(piece.id), short)


def shown(piece: Newspiece) -> dict[str, object]:
    """What an act says of a piece; nothing of what is empty."""
    return {name: getattr(piece, name) or None for name in FIELDS}
