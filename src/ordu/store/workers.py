"""Workers in SQL: what must survive a start; what changes with each pop is in `engine.presence`."""

import msgspec

from ordu.rules.lifecycle import Millis
from ordu.rules.matching import WorkerId
from ordu.rules.money import UserId
from ordu.store import results, suspicions
from ordu.store.database import Row, Transaction

COLUMNS = (
    "id, user_id, name, kind, created_at, seen_at, offer, uptime_s, uptime_rewarded_s, is_paused,"
    " maintenance_text, info, suspicion"
)


class WorkerRow(msgspec.Struct, frozen=True, kw_only=True):
    """One worker, as the database has it. `maintenance_text` is None outside maintenance."""

    id: WorkerId
    user_id: UserId
    name: str
    kind: str
    created_at: Millis
    seen_at: Millis
    offer: str  # JSON of the last pop's settings
    uptime_s: int
    uptime_rewarded_s: int
    is_paused: bool
    maintenance_text: str | None
    info: str | None
    suspicion: int


def read_row(row: Row) -> WorkerRow:
    """A row as a worker."""
    return msgspec.convert(dict(row), WorkerRow, strict=False)


def add(tx: Transaction, worker: WorkerRow) -> None:
    """Add a worker."""
    tx.run(
        "INSERT INTO workers (id, user_id, name, kind, created_at, seen_at, offer)"
        " VALUES (:id, :user_id, :name, :kind, :created_at, :seen_at, :offer)",
        id=worker.id,
        user_id=worker.user_id,
        name=worker.name,
        kind=worker.kind,
        created_at=worker.created_at,
        seen_at=worker.seen_at,
        offer=worker.offer,
    )


def by_id(tx: Transaction, worker_id: str) -> WorkerRow | None:
    """The worker of this id."""
    row = tx.one(f"SELECT {COLUMNS} FROM workers WHERE id = :id", id=worker_id)
    return None if row is None else read_row(row)


def by_name(tx: Transaction, name: str) -> WorkerRow | None:
    """The worker of this name."""
    row = tx.one(f"SELECT {COLUMNS} FROM workers WHERE name = :name", name=name)
    return None if row is None else read_row(row)


def seen_since(tx: Transaction, since: Millis) -> list[WorkerRow]:
    """Workers that were here after a moment."""
    rows = tx.all(
        f"SELECT {COLUMNS} FROM workers WHERE seen_at >= :since",
        since=since,
    )
    return [read_row(row) for row in rows]


def of_user(tx: Transaction, user_id: UserId) -> list[WorkerId]:
    """The ids of a user's workers, oldest first."""
    rows = tx.all("SELECT id FROM workers WHERE user_id = :user_id ORDER BY id", user_id=user_id)
    return [WorkerId(row["id"]) for row in rows]


def locked(tx: Transaction, worker_id: str) -> WorkerRow | None:
    """The worker of this id, to be changed: nobody else changes it meanwhile."""
    row = tx.one(f"SELECT {COLUMNS} FROM workers WHERE id = :id{tx.for_update}", id=worker_id)
    return None if row is None else read_row(row)


def lock_of_user(tx: Transaction, user_id: UserId) -> None:
    """Lock a user's workers, in the order in which workers are locked."""
    if tx.for_update:
        sql = f"SELECT id FROM workers WHERE user_id = :user_id ORDER BY id{tx.for_update}"
        tx.all(sql, user_id=user_id)


def unknown_ids(tx: Transaction, worker_ids: list[str]) -> list[str]:
    """Those of these ids that no worker has."""
    return [wanted for wanted in worker_ids if by_id(tx, wanted) is None]


LONGER = "CASE WHEN uptime_s > :uptime_s THEN uptime_s ELSE :uptime_s END"


def note_heartbeats(tx: Transaction, beats: list[dict[str, object]]) -> None:
    """Write down when workers were seen last, how long they were there, and what they offer.

    Who was seen later elsewhere stays as it is, and so does time that another process has counted.
    They come in the order of their ids, in which workers are locked.
    """
    tx.run_many(
        f"UPDATE workers SET seen_at = :seen_at, offer = :offer, uptime_s = {LONGER}"
        " WHERE id = :id AND seen_at <= :seen_at",
        beats,
    )


EDITABLE = frozenset({"is_paused", "maintenance_text", "info", "name", "suspicion"})


def change(tx: Transaction, worker_id: WorkerId, changes: dict[str, object]) -> None:
    """Set columns of one worker."""
    assert changes.keys() <= EDITABLE, changes
    assignments = ", ".join(f"{column} = :{column}" for column in changes)
    tx.run(f"UPDATE workers SET {assignments} WHERE id = :id", id=worker_id, **changes)


def note_uptime_reward(tx: Transaction, worker_id: WorkerId, before_s: int, uptime_s: int) -> bool:
    """Note that this worker was rewarded for its time up to here.

    Says no when that was done meanwhile, for more than `before_s`: then nothing is due.
    """
    changed = tx.run(
        f"UPDATE workers SET uptime_rewarded_s = :uptime_s, uptime_s = {LONGER}"
        " WHERE id = :id AND uptime_rewarded_s <= :before_s",
        id=worker_id,
        before_s=before_s,
        uptime_s=uptime_s,
    )
    return changed == 1


def end_pauses(tx: Transaction, user_id: UserId) -> None:
    """Let a user's paused workers work again."""
    lock_of_user(tx, user_id)
    tx.run("UPDATE workers SET is_paused = 0 WHERE user_id = :user_id", user_id=user_id)


def clear_suspicion(tx: Transaction, user_id: UserId) -> None:
    """Forget the suspicion against a user's workers; a paused one stays paused."""
    lock_of_user(tx, user_id)
    tx.run("UPDATE workers SET suspicion = 0 WHERE user_id = :user_id", user_id=user_id)


def remove(tx: Transaction, worker_id: WorkerId, now: Millis) -> None:
    """Forget a worker; what it earned stays with its owner."""
    tx.run("DELETE FROM workers WHERE id = :id", id=worker_id)
    tx.run("DELETE FROM totals WHERE subject = :subject", subject=f"worker:{worker_id}")
    suspicions.forget_worker(tx, worker_id)
    results.forget_worker(tx, worker_id, now)
