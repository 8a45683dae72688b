"""Lanes in SQL: the requirement behind each lane key, so that a start reads keys and not bodies."""

from functools import lru_cache

import msgspec

from ordu.rules.matching import LaneKey, Requirement
from ordu.store.database import Row, Transaction

READ_MAX = 2_000  # requirements that are kept as they were read


def remember(tx: Transaction, lane_key: LaneKey, requirement: Requirement) -> None:
    """Keep the requirement of a lane."""
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
        'SELECT id, user_id, lane_key, "rank", waiting, work FROM requests WHERE waiting > 0'
    )


def forget_empty(tx: Transaction) -> int:
    """Drop the requirements of lanes that no request is in."""
    return tx.run("DELETE FROM lanes WHERE lane_key NOT IN (SELECT lane_key FROM requests)")
