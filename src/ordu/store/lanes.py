"""Lanes in SQL: the requirement behind each lane key, so that a start reads keys and not bodies."""

from collections.abc import Iterable
from functools import lru_cache

import msgspec

from ordu.rules.matching import LaneKey, Requirement
from ordu.store.database import Row, Transaction

READ_MAX = 2_000  # requirements that are kept as they were read


def remember(tx: Transaction, lane_key: LaneKey, requirement: Requirement) -> None:
    """Keep the requirement of a lane, also from the chore that forgets those without requests."""
    known = tx.one(f"SELECT 1 FROM lanes WHERE lane_key = :key{tx.for_share}", key=lane_key)
    if known is not None:
        return
    tx.run(
        "INSERT INTO lanes (lane_key, requirement) VALUES (:lane_key, :requirement)"
        " ON CONFLICT (lane_key) DO NOTHING",
        lane_key=lane_key,
        requirement=msgspec.json.encode(requirement, order="deterministic").decode(),
    )


def requirement(tx: Transaction, lane_key: LaneKey) -> Requirement:
    """The requirement of a lane that some request is in."""
    row = tx.one("SELECT requirement FROM lanes WHERE lane_key = :lane_key", lane_key=lane_key)
    assert row is not None, f"lane {lane_key.hex()} has requests but no requirement"
    return read(row["requirement"])


def requirements(tx: Transaction, lane_keys: Iterable[LaneKey]) -> dict[LaneKey, Requirement]:
    """The requirements of these lanes, of those that are known."""
    found: dict[LaneKey, Requirement] = {}
    for key in lane_keys:
        row = tx.one("SELECT requirement FROM lanes WHERE lane_key = :lane_key", lane_key=key)
        if row is not None:
            found[key] = read(row["requirement"])
    return found


@lru_cache(maxsize=READ_MAX)
def read(text: str) -> Requirement:
    """A requirement as it is kept; most calls are about a few."""
    return msgspec.json.decode(text, type=Requirement)


def with_waiting(tx: Transaction) -> dict[LaneKey, Requirement]:
    """The requirements of all lanes in which something waits."""
    rows = tx.all(
        "SELECT lane_key, requirement FROM lanes WHERE lane_key IN"
        " (SELECT lane_key FROM requests WHERE waiting > 0)"
    )
    return {LaneKey(row["lane_key"]): read(row["requirement"]) for row in rows}


def waiting(tx: Transaction) -> list[Row]:
    """Every request with something to hand out: what the map of lanes is made from."""
    return tx.all(
        'SELECT id, user_id, "rank", work, waiting, lane_key, changes FROM requests'
        " WHERE waiting > 0"
    )


def waiting_after(tx: Transaction, after: str, most: int) -> list[Row]:
    """The next so many requests with something to hand out, by their id."""
    return tx.all(
        'SELECT id, user_id, "rank", work, waiting, lane_key, changes FROM requests'
        " WHERE id > :after AND waiting > 0 ORDER BY id LIMIT :most",
        after=after,
        most=most,
    )


def forget_empty(tx: Transaction) -> int:
    """Drop the requirements of lanes that no request is in.

    They are locked first and looked at again: a request may be placed in one meanwhile. Who places
    one holds the lane (`remember`), and a lane that somebody holds is passed over.
    """
    sql = "SELECT lane_key FROM lanes WHERE lane_key NOT IN (SELECT lane_key FROM requests)"
    locked = [row["lane_key"] for row in tx.all(sql + tx.skip_locked)]
    still = {row["lane_key"] for row in tx.all(sql)} if locked else set()
    gone = [{"key": key} for key in locked if key in still]
    tx.run_many("DELETE FROM lanes WHERE lane_key = :key", gone)
    return len(gone)
