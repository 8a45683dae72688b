"""Fill a horde with waiting requests through the store, while no server runs on it.

For backlogs that would take minutes through the API. What is written is what placing them would
have written: the same readers make the rows, only many thousands of them in one transaction, and in
PostgreSQL many in one go.
"""

import contextlib
import itertools
import random
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

import msgspec
from home import Home

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

ROWS_AT_ONCE = 50_000
LIFETIME_MS = 86_400_000
WAITING_EACH = 30  # as many as one user may have by default

T = TypeVar("T")
Operation: TypeAlias = Callable[[Transaction], T]
Write: TypeAlias = Callable[[Operation[Any]], Any]


@dataclass(frozen=True)
class Lane:
    """What one request of many asks for, read once."""

    key: LaneKey
    wish: Wish


async def fill(home: Home, bodies: Sequence[bytes], many: int) -> list[str]:
    """Write so many waiting requests, with these bodies in turn, of new users; their ids."""
    settings = ServerSettings(data=str(home.data), database=home.database)
    async with writing(settings) as write:
        user_ids = await write(lambda tx: add_users(tx, many // WAITING_EACH + 1))
        kept = await write(lambda tx: add_lanes(tx, bodies, user_ids[0], settings))
        rows = waiting_requests(kept, user_ids, many, settings.priority_growth_per_s)
        ids: list[str] = []
        while some := list(itertools.islice(rows, ROWS_AT_ONCE)):
            await write(lambda tx: add_requests(tx, some))
            ids += [request.id for request in some]
    return ids


@contextlib.asynccontextmanager
async def writing(settings: ServerSettings) -> AsyncIterator[Write]:
    """What runs an operation and commits it."""
    if settings.is_postgres:
        async with writing_to_postgres(settings.database) as write:
            yield write
        return
    database = Sqlite(settings.database_path())
    writer = database.writer()

    async def write(operation: Operation[T]) -> T:
        result = operation(writer.begin())
        writer.commit()
        return result

    try:
        yield write
    finally:
        writer.close()
        database.close()


@contextlib.asynccontextmanager
async def writing_to_postgres(url: str) -> AsyncIterator[Write]:
    """The same for PostgreSQL, where rows that are added gather and go in one go."""
    import asyncpg  # noqa: PLC0415 - most measure SQLite

    from ordu.store.bridge import bridged  # noqa: PLC0415 - the same
    from ordu.store.postgres import PostgresTransaction  # noqa: PLC0415 - the same

    class Gathering(PostgresTransaction):
        """A transaction that adds rows of one statement together."""

        def run(self, sql: str, **values: Any) -> int:
            if sql not in gathered:
                self.add_gathered()
            gathered.setdefault(sql, []).append(values)
            return 1

        def one(self, sql: str, **values: Any) -> Any:
            self.add_gathered()
            return super().one(sql, **values)

        def add_gathered(self) -> None:
            for sql, rows in gathered.items():
                self.run_many(sql, rows)
            gathered.clear()

    gathered: dict[str, list[Mapping[str, Any]]] = {}
    connection = await asyncpg.connect(url)

    async def write(operation: Operation[T]) -> T:
        tx = Gathering(connection)

        def whole() -> T:
            result = operation(tx)
            tx.add_gathered()
            return result

        async with connection.transaction():
            return await bridged(whole)

    try:
        yield write
    finally:
        await connection.close()


def add_requests(tx: Transaction, some: Sequence[Request]) -> None:
    """So many requests."""
    for request in some:
        requests.add(tx, request)


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
