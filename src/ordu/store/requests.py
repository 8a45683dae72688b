"""Requests in SQL: how many of a request's pictures wait, run, are finished, lost or cancelled."""

import msgspec

from ordu.rules.lifecycle import Counts, Millis, RequestId, RequestState, Webhook
from ordu.rules.matching import LaneKey
from ordu.rules.money import Kudos, UserId
from ordu.store.database import Row, Transaction

COLUMNS = (
    'id, user_id, kind, state, lane_key, "rank", created_at, expires_at, waiting, processing,'
    " finished, lost, cancelled, faults, work, price, bill, charged, ttl_ms, seed, seed_step,"
    " wants_links, is_upfront, body, changes, webhook, webhook_tells_end"
)

STATES = {state.value: state for state in RequestState}


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One request, as the database has it."""

    id: RequestId
    user_id: UserId
    kind: str
    state: RequestState
    lane_key: LaneKey
    rank: int
    created_at: Millis
    expires_at: Millis
    counts: Counts
    faults: int
    work: int
    price: Kudos
    bill: Kudos
    charged: Kudos
    ttl_ms: int
    seed: int | None
    seed_step: int
    wants_links: bool
    is_upfront: bool  # its bill is held until its jobs are settled or end
    body: bytes
    changes: int = 0  # how often it was changed: of two accounts of it the higher is newer
    webhook: Webhook | None = None


def read_row(row: Row) -> Request:
    """A row as a request."""
    values = tuple(row)
    request_id, user_id, kind, state, lane_key, rank, created_at, expires_at = values[:8]
    waiting, processing, finished, lost, cancelled = values[8:13]
    faults, work, price, bill, charged, ttl_ms, seed, seed_step = values[13:21]
    wants_links, is_upfront, body, changes, webhook, tells_end = values[21:]
    return Request(
        id=request_id,
        user_id=user_id,
        kind=kind,
        state=STATES[state],
        lane_key=lane_key,
        rank=rank,
        created_at=created_at,
        expires_at=expires_at,
        counts=Counts(
            waiting=waiting,
            processing=processing,
            finished=finished,
            lost=lost,
            cancelled=cancelled,
        ),
        faults=faults,
        work=work,
        price=price,
        bill=bill,
        charged=charged,
        ttl_ms=ttl_ms,
        seed=seed,
        seed_step=seed_step,
        wants_links=bool(wants_links),
        is_upfront=bool(is_upfront),
        body=body,
        changes=changes,
        webhook=None if webhook is None else Webhook(webhook, bool(tells_end)),
    )


def add(tx: Transaction, request: Request) -> None:
    """Add a request with all its pictures waiting."""
    tx.run(
        'INSERT INTO requests (id, user_id, kind, state, lane_key, "rank", created_at, expires_at,'
        " waiting, work, price, bill, ttl_ms, seed, seed_step, wants_links, is_upfront, body,"
        " webhook, webhook_tells_end)"
        " VALUES (:id, :user_id, :kind, :state, :lane_key, :rank, :created_at, :expires_at,"
        " :waiting, :work, :price, :bill, :ttl_ms, :seed, :seed_step, :wants_links, :is_upfront,"
        " :body, :webhook, :webhook_tells_end)",
        id=request.id,
        user_id=request.user_id,
        kind=request.kind,
        state=request.state,
        lane_key=request.lane_key,
        rank=request.rank,
        created_at=request.created_at,
        expires_at=request.expires_at,
        waiting=request.counts.waiting,
        work=request.work,
        price=request.price,
        bill=request.bill,
        ttl_ms=request.ttl_ms,
        seed=request.seed,
        seed_step=request.seed_step,
        wants_links=request.wants_links,
        is_upfront=request.is_upfront,
        body=request.body,
        webhook=None if request.webhook is None else request.webhook.url,
        webhook_tells_end=request.webhook is not None and request.webhook.tells_end,
    )


def by_id(tx: Transaction, request_id: str) -> Request | None:
    """The request of this id."""
    row = tx.one(f"SELECT {COLUMNS} FROM requests WHERE id = :id", id=request_id)
    return None if row is None else read_row(row)


def locked(tx: Transaction, request_id: str) -> Request | None:
    """The request of this id, to be changed: nobody else changes it or its jobs meanwhile."""
    row = tx.one(f"SELECT {COLUMNS} FROM requests WHERE id = :id{tx.for_update}", id=request_id)
    return None if row is None else read_row(row)


def waiting_of_user(tx: Transaction, user_id: UserId) -> int:
    """How many pictures of a user wait for a worker."""
    row = tx.one(
        "SELECT COALESCE(SUM(waiting), 0) AS many FROM requests"
        " WHERE user_id = :user_id AND waiting > 0",
        user_id=user_id,
    )
    assert row is not None
    return int(row["many"])


def held_of(tx: Transaction, user_id: UserId) -> Kudos:
    """How many kudos of a user are held for what their requests will cost.

    A hold is no movement of kudos: it is what the jobs that wait and run of a request with
    `is_upfront` will be billed, so it ends by itself when they do.
    """
    row = tx.one(
        "SELECT COALESCE(SUM(bill * (waiting + processing)), 0) AS held FROM requests"
        " WHERE user_id = :user_id AND is_upfront = 1",
        user_id=user_id,
    )
    assert row is not None
    return Kudos(int(row["held"]))


def open_of_user(tx: Transaction, user_id: UserId, most: int) -> list[RequestId]:
    """The ids of a user's requests of which something waits, oldest first."""
    rows = tx.all(
        "SELECT id FROM requests WHERE user_id = :user_id AND waiting > 0 ORDER BY id LIMIT :most",
        user_id=user_id,
        most=most,
    )
    return [RequestId(row["id"]) for row in rows]


def take_one(
    tx: Transaction, request_id: RequestId, now: Millis, lifetime_ms: int, times: int
) -> Request | None:
    """Move one picture from waiting to processing; None when none waits any more.

    One that another process changes at this moment is as if nothing of it waited. The request lives
    on for its lifetime, and at least as long as its job may take: `times` what is usual.
    """
    row = tx.one(
        "UPDATE requests SET waiting = waiting - 1, processing = processing + 1,"
        " changes = changes + 1, expires_at = CASE"
        " WHEN expires_at > :until AND expires_at > :now + ttl_ms * :times THEN expires_at"
        " WHEN :until > :now + ttl_ms * :times THEN :until"
        " ELSE :now + ttl_ms * :times END"
        f" WHERE id = (SELECT id FROM requests WHERE id = :id AND waiting > 0{tx.skip_locked})"
        f" RETURNING {COLUMNS}",
        id=request_id,
        now=now,
        until=now + lifetime_ms,
        times=times,
    )
    return None if row is None else read_row(row)


def finish_one(
    tx: Transaction, request_id: RequestId, charged: Kudos, expires_at: Millis
) -> Request:
    """Move one picture from processing to finished and add what it cost."""
    row = tx.one(
        "UPDATE requests SET processing = processing - 1, finished = finished + 1,"
        " charged = charged + :charged, changes = changes + 1,"
        " expires_at = CASE WHEN expires_at > :expires_at THEN expires_at"
        " ELSE :expires_at END"
        f" WHERE id = :id AND processing > 0 RETURNING {COLUMNS}",
        id=request_id,
        charged=charged,
        expires_at=expires_at,
    )
    assert row is not None, f"request {request_id} has nothing in processing"
    return read_row(row)


def return_one(tx: Transaction, request_id: RequestId) -> None:
    """Move one picture from processing back to waiting, without a fault."""
    changed = tx.run(
        "UPDATE requests SET processing = processing - 1, waiting = waiting + 1,"
        " changes = changes + 1"
        " WHERE id = :id AND processing > 0",
        id=request_id,
    )
    assert changed == 1, f"request {request_id} has nothing in processing"


def set_counts(
    tx: Transaction, request_id: RequestId, state: RequestState, counts: Counts, faults: int
) -> None:
    """Set state and counts of a request that was read in this transaction.

    A state only moves forward: one that is not open stays what it is.
    """
    changed = tx.run(
        "UPDATE requests SET state = :state, waiting = :waiting, processing = :processing,"
        " finished = :finished, lost = :lost, cancelled = :cancelled, faults = :faults,"
        " changes = changes + 1"
        " WHERE id = :id AND state IN ('open', :state)",
        id=request_id,
        state=state,
        faults=faults,
        **msgspec.structs.asdict(counts),
    )
    assert changed == 1, f"request {request_id} cannot become {state}"


def forget_webhook(tx: Transaction, request_id: RequestId) -> None:
    """Tell nobody of this request any more."""
    tx.run("UPDATE requests SET webhook = NULL WHERE id = :id", id=request_id)


def part_of_user(
    tx: Transaction, user_id: UserId, after: str, most: int
) -> tuple[list[Request], str | None]:
    """A user's requests among so many of all that come after this id, oldest first.

    Returns them with the id to go on after; None when there is nothing more. No index finds the
    requests of a user: it would cost every request to answer what is hardly ever asked.
    """
    end = tx.one(
        "SELECT id FROM requests WHERE id > :after ORDER BY id LIMIT 1 OFFSET :most",
        after=after,
        most=most - 1,
    )
    until = "" if end is None else " AND id <= :last"
    rows = tx.all(
        f"SELECT {COLUMNS} FROM requests WHERE id > :after{until} AND user_id = :user_id"
        " ORDER BY id",
        after=after,
        user_id=user_id,
        **({} if end is None else {"last": end["id"]}),
    )
    return [read_row(row) for row in rows], None if end is None else end["id"]


def end_lives(tx: Transaction, user_id: UserId, now: Millis) -> None:
    """Have nothing more of a user's requests drawn, and their time be over.

    No index finds them, as with `part_of_user`.
    """
    tx.run(
        "UPDATE requests SET state = CASE state WHEN 'open' THEN 'cancelled' ELSE state END,"
        " cancelled = cancelled + waiting, waiting = 0, expires_at = :now, webhook = NULL,"
        " changes = changes + 1 WHERE user_id = :user_id",
        user_id=user_id,
        now=now,
    )


def ids_of_user(tx: Transaction, user_id: UserId) -> list[RequestId]:
    """The ids of all requests of a user, oldest first; no index finds them."""
    rows = tx.all("SELECT id FROM requests WHERE user_id = :user_id ORDER BY id", user_id=user_id)
    return [RequestId(row["id"]) for row in rows]


def expired(tx: Transaction, now: Millis, most: int) -> list[RequestId]:
    """The ids of requests whose time is over, oldest first."""
    rows = tx.all(
        "SELECT id FROM requests WHERE expires_at <= :now ORDER BY expires_at LIMIT :most",
        now=now,
        most=most,
    )
    return [RequestId(row["id"]) for row in rows]


def remove(tx: Transaction, request_id: RequestId) -> None:
    """Remove a request and its jobs."""
    tx.run("DELETE FROM requests WHERE id = :id", id=request_id)
