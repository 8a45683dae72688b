"""Acts in SQL: what those who run the horde did to what is not theirs. They are kept for good.

Their ids are sorted by time (`engine.fresh`), so that the newest are those with the highest.
"""

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from ordu.rules.lifecycle import Millis
from ordu.rules.money import UserId
from ordu.store.database import Row, Transaction

COLUMNS = (
    "id, created_at, actor_id, operation, target_kind, target_id, target_name, changes, reason"
)


class Change(msgspec.Struct, frozen=True, omit_defaults=True):
    """One field that an act changed; of a secret neither value is kept."""

    field: str
    before: Any | UnsetType = UNSET
    after: Any | UnsetType = UNSET


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """One act, as the database has it."""

    id: str
    created_at: Millis
    actor_id: UserId
    operation: str
    target_kind: str
    target_id: str
    target_name: str
    changes: list[Change]
    reason: str | None


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which acts somebody looks for; None is all."""

    actor_id: UserId | None = None
    operation: str | None = None
    target_kind: str | None = None
    target_id: str | None = None
    since: Millis | None = None
    until: Millis | None = None


def read_row(row: Row) -> Act:
    """A row as an act."""
    values = dict(row)
    values["changes"] = msgspec.json.decode(values["changes"], type=list[Change])
    return msgspec.convert(values, Act, strict=False)


def add(tx: Transaction, act: Act) -> None:
    """Write an act down."""
    tx.run(
        f"INSERT INTO acts ({COLUMNS}) VALUES (:id, :created_at, :actor_id, :operation,"
        " :target_kind, :target_id, :target_name, :changes, :reason)",
        **{name: getattr(act, name) for name in Act.__struct_fields__ if name != "changes"},
        changes=msgspec.json.encode(act.changes).decode(),
    )


def page(tx: Transaction, wanted: Wanted, before_id: str | None, most: int) -> list[Act]:
    """Acts, newest first: those before this id, or all."""
    values: dict[str, object] = {
        name: value
        for name in ("actor_id", "operation", "target_kind", "target_id")
        if (value := getattr(wanted, name)) is not None
    }
    conditions = [f"{name} = :{name}" for name in values]
    bounds = {
        "id >= :first": None if wanted.since is None else first_id(wanted.since),
        "id < :end": None if wanted.until is None else first_id(wanted.until),
        "id < :before": before_id,
    }
    for condition, value in bounds.items():
        if value is not None:
            conditions.append(condition)
            values[condition.rpartition(":")[2]] = value
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    rows = tx.all(f"SELECT {COLUMNS} FROM acts{where} ORDER BY id DESC LIMIT :most",
                  most=most, **values)  # fmt: skip
    return [read_row(row) for row in rows]


def first_id(moment: Millis) -> str:
    """What no id of this moment or later is below: the time that ids begin with."""
    number = f"{min(max(moment, 0), 2**48 - 1):012x}"
    return f"{number[:8]}-{number[8:]}"


def upon(tx: Transaction, kind: str, target_id: str) -> list[Act]:
    """All acts upon a target, oldest first."""
    rows = tx.all(
        f"SELECT {COLUMNS} FROM acts WHERE target_kind = :kind AND target_id = :target_id"
        " ORDER BY id",
        kind=kind,
        target_id=target_id,
    )
    return [read_row(row) for row in rows]


def forget_words(tx: Transaction, kind: str, target_id: str, name: str, fields: set[str]) -> None:
    """Forget what people wrote in acts upon somebody who was wiped; that they were stays."""
    for act in upon(tx, kind, target_id):
        forget_words_of(tx, act, name, fields)


def forget_words_of(tx: Transaction, act: Act, name: str, fields: set[str]) -> None:
    """Call the target of an act by this name; forget its reason, and the values of these fields."""
    changes = [Change(each.field) if each.field in fields else each for each in act.changes]
    tx.run(
        "UPDATE acts SET target_name = :name, changes = :changes, reason = NULL WHERE id = :id",
        id=act.id,
        name=name,
        changes=msgspec.json.encode(changes).decode(),
    )


def between(tx: Transaction, after_id: str, before: Millis, most: int) -> list[Act]:
    """Acts behind this id that are older than a moment, the oldest first."""
    rows = tx.all(
        f"SELECT {COLUMNS} FROM acts WHERE id > :after AND id < :before ORDER BY id LIMIT :most",
        after=after_id,
        before=first_id(before),
        most=most,
    )
    return [read_row(row) for row in rows]


def targets_with(tx: Transaction, kind: str, change: Change) -> list[str]:
    """The ids of targets of a kind upon which an act has exactly this among its changes."""
    rows = tx.all(
        "SELECT DISTINCT target_id FROM acts WHERE target_kind = :kind AND changes LIKE :pattern",
        kind=kind,
        pattern=f"%{msgspec.json.encode(change).decode()}%",
    )
    return [row["target_id"] for row in rows]
