"""History in SQL: a user's movements as the books have them, by their place.

Places have no gaps, so a page is a range of places, and where a time begins is found by halving
(`first_since`): nothing is read but what is shown.
"""

from collections.abc import Iterable, Mapping

import msgspec

from ordu.rules import names
from ordu.rules.history import Movement, cause_of
from ordu.rules.lifecycle import Millis
from ordu.rules.money import About, Account, Kudos, UserId
from ordu.store.database import Row, Transaction
from ordu.store.ledger import Details

_DETAILS = msgspec.json.Decoder(Details)


def newest(tx: Transaction, user_id: UserId) -> int:
    """The place of a user's newest movement; 0 when nothing was ever moved."""
    row = tx.one("SELECT movements FROM users WHERE id = :user_id", user_id=user_id)
    return 0 if row is None else int(row["movements"])


def between(tx: Transaction, user_id: UserId, first: int, end: int) -> list[Movement]:
    """A user's movements from one place to another, without the latter; newest first."""
    rows = tx.all(
        "SELECT lines.place, lines.entry_id, lines.account, lines.amount, lines.balance,"
        " entries.event, entries.created_at, entries.worker_id, entries.about"
        " FROM lines JOIN entries ON entries.id = lines.entry_id"
        " WHERE lines.user_id = :user_id AND lines.place >= :first AND lines.place < :end"
        " ORDER BY lines.place DESC",
        user_id=user_id,
        first=first,
        end=end,
    )
    found: dict[int, Movement] = {}
    for row in rows:
        movement = read_row(row)
        half = found.get(movement.place)
        found[movement.place] = movement if half is None else joined(half, movement)
    return list(found.values())


def read_row(row: Row) -> Movement:
    """What one line says of a movement."""
    amount, is_spendable = Kudos(row["amount"]), row["account"] == Account.USER
    return Movement(
        place=row["place"],
        entry_id=row["entry_id"],
        at=Millis(row["created_at"]),
        cause=cause_of(row["event"]),
        amount=amount if is_spendable else Kudos(0),
        evaluating=Kudos(0) if is_spendable else amount,
        balance=Kudos(row["balance"]),
        about=read_about(row["worker_id"], row["about"]),
    )


def read_about(worker_id: str | None, text: str | None) -> About | None:
    """What an entry was about."""
    if worker_id is None:
        return None
    details = Details() if text is None else _DETAILS.decode(text)
    return About(
        worker_id=worker_id, model=details.model, width=details.width, height=details.height
    )


def joined(one: Movement, other: Movement) -> Movement:
    """A movement of which two lines tell."""
    return msgspec.structs.replace(
        one,
        amount=Kudos(one.amount + other.amount),
        evaluating=Kudos(one.evaluating + other.evaluating),
    )


def first_since(tx: Transaction, user_id: UserId, moment: Millis, end: int) -> int:
    """The place of a user's first movement from a moment on; `end` when there is none below it.

    Halves what is left: twenty looks among a million. Of movements that were committed within the
    same milliseconds by several processes some may fall to the other side.
    """
    low, high = 1, end
    while low < high:
        middle = (low + high) // 2
        row = tx.one(
            "SELECT entries.created_at FROM lines JOIN entries ON entries.id = lines.entry_id"
            " WHERE lines.user_id = :user_id AND lines.place = :place LIMIT 1",
            user_id=user_id,
            place=middle,
        )
        assert row is not None, f"user {user_id} has a movement {middle}"
        if row["created_at"] < moment:
            low = middle + 1
        else:
            high = middle
    return low


def others_in(tx: Transaction, user_id: UserId, entry_ids: Iterable[str]) -> Mapping[str, str]:
    """Who else has a part in each of these entries, as an alias."""
    rows = of_those(
        tx, "SELECT entry_id, user_id FROM lines WHERE user_id IS NOT NULL AND entry_id", entry_ids
    )
    others = {row["entry_id"]: row["user_id"] for row in rows if row["user_id"] != user_id}
    named = of_those(tx, "SELECT id, username FROM users WHERE id", others.values())
    aliases = {row["id"]: names.alias(row["username"], row["id"]) for row in named}
    return {entry_id: aliases[other] for entry_id, other in others.items()}


def workers_named(tx: Transaction, worker_ids: Iterable[str]) -> Mapping[str, str]:
    """The names of those of these workers that are not forgotten."""
    rows = of_those(tx, "SELECT id, name FROM workers WHERE id", worker_ids)
    return {row["id"]: row["name"] for row in rows}


def of_those(tx: Transaction, select: str, values: Iterable[str | int]) -> list[Row]:
    """The rows whose last named column is one of these values."""
    wanted = {f"value{number}": value for number, value in enumerate(sorted(set(values)))}
    if not wanted:
        return []
    return tx.all(f"{select} IN ({', '.join(f':{name}' for name in wanted)})", **wanted)
