"""Fill a horde with waiting requests through the store, while no server runs on it.

For backlogs that would take minutes through the API. What is written is what placing them would
have written: the same readers make the rows, only a hundred thousand of them in one transaction.
"""

import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from ordu.engine.fresh import Fresh
from ordu.kinds.catalogue import Catalogue
from ordu.kinds.image.asking import wish
from ordu.protocol.requests import GenerationInput
from ordu.rules import ranking
from ordu.rules.lifecycle import Counts, Millis, RequestId, RequestState, Wish
from ordu.rules.matching import LaneKey, lane_key
from ordu.rules.money import ZERO, UserId
from ordu.settings import ServerSettings
from ordu.store import lanes, requests, users
from ordu.store.database import Transaction
from ordu.store.requests import Request
from ordu.store.sqlite import Sqlite

ROWS_AT_ONCE = 100_000
LIFETIME_MS = 86_400_000
WAITING_EACH = 30  # as many as one user may have by default


@dataclass(frozen=True)
class Lane:
    """What one request of many asks for, read once."""

    key: LaneKey
    wish: Wish


def fill(data: Path, bodies: Sequence[bytes], many: int) -> list[str]:
    """Write so many waiting requests, with these bodies in turn, of new users; their ids."""
    settings = ServerSettings(data=str(data))
    database = Sqlite(settings.database_path())
    writer = database.writer()
    try:
        tx = writer.begin()
        user_ids = add_users(tx, many // WAITING_EACH + 1)
        kept = add_lanes(tx, bodies, user_ids[0], settings)
        ids: list[str] = []
        for request in waiting_requests(kept, user_ids, many, settings.priority_growth_per_s):
            requests.add(tx, request)
            ids.append(request.id)
            if len(ids) % ROWS_AT_ONCE == 0:
                writer.commit()
                tx = writer.begin()
        writer.commit()
    finally:
        writer.close()
        database.close()
    return ids


def add_users(tx: Transaction, many: int) -> list[UserId]:
    """So many users without a key."""
    first = users.next_id(tx)
    user_ids = [UserId(first + number) for number in range(many)]
    for user_id in user_ids:
        users.add(
            tx,
            user_id=user_id,
            username=f"one of many {user_id}",
            key_hash=None,
            concurrency=WAITING_EACH,
            now=now(),
        )
    return user_ids


def add_lanes(
    tx: Transaction, bodies: Sequence[bytes], user_id: UserId, settings: ServerSettings
) -> list[Lane]:
    """The lanes in which requests with these bodies wait."""
    asker = users.by_id(tx, user_id)
    assert asker is not None, "it was added a moment ago"
    kept = []
    for body in bodies:
        asked = msgspec.json.decode(body, type=GenerationInput)
        one = wish(asked, asker, settings, Catalogue())
        kept.append(Lane(lane_key(one.requirement), one))
        lanes.remember(tx, kept[-1].key, one.requirement)
    return kept


def waiting_requests(
    kept: Sequence[Lane], user_ids: Sequence[UserId], many: int, growth_per_s: int
) -> Iterator[Request]:
    """Requests as if one had been placed every millisecond up to now."""
    fresh = Fresh(random.Random(1))
    end = now()
    for number in range(many):
        created_at = Millis(end - many + number)
        lane = kept[number % len(kept)]
        one = lane.wish
        yield Request(
            id=RequestId(fresh.id(created_at)),
            user_id=user_ids[number // WAITING_EACH],
            kind=one.kind,
            state=RequestState.OPEN,
            lane_key=lane.key,
            rank=ranking.rank(ZERO, created_at, growth_per_s),
            created_at=created_at,
            expires_at=Millis(end + LIFETIME_MS),
            counts=Counts(waiting=one.n, processing=0, finished=0, lost=0, cancelled=0),
            faults=0,
            work=one.work,
            price=one.price,
            bill=one.price,
            charged=ZERO,
            ttl_ms=one.ttl_ms,
            seed=one.seed,
            seed_step=one.seed_step,
            wants_links=one.wants_links,
            is_upfront=False,
            body=one.body,
        )


def now() -> Millis:
    """The present moment."""
    return Millis(time.time_ns() // 1_000_000)
