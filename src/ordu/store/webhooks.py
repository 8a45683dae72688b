"""Webhooks in SQL: what is to be delivered, how each attempt went, and which secret signs.

A delivery is added in the transaction of what it tells of (an *outbox*), so it is there whenever
that is. Whoever sends it takes it for a while first; should that process die, the time runs out and
another takes it: each is sent at least once.
"""

import msgspec

from ordu.rules.lifecycle import Millis, RequestId
from ordu.rules.matching import WorkerId
from ordu.rules.money import UserId
from ordu.rules.webhooks import Busy, DeliveryState, Due, WebhookEvent
from ordu.store.database import Row, Transaction

ATTEMPTS_KEPT = 50  # of one delivery, the newest
DUE_MAX = 100  # that are looked at together
FORGET_MAX = 1_000
DELIVERIES_OF_USER_MAX = 1_000
DELIVERIES_OF_ANONYMOUS_MAX = 10_000

COLUMNS = (
    "id, user_id, request_id, event, url, host, body, picture, wants_links, state, tries, attempts,"
    " created_at, due_at, taken_until, ended_at"
)


class Delivery(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """One delivery, as the database has it; the fields are in the order of `COLUMNS`."""

    id: str  # of the job or request that it tells of
    user_id: UserId
    request_id: RequestId
    event: WebhookEvent
    url: str
    host: str
    body: str  # JSON, without the picture
    picture: str | None  # its name in the picture store
    wants_links: bool
    state: DeliveryState
    tries: int  # since it was placed or replayed
    attempts: int  # in all
    created_at: Millis
    due_at: Millis
    taken_until: Millis  # by who sends it
    ended_at: Millis | None


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt to deliver, as the database has it."""

    number: int
    began_at: Millis
    took_ms: int
    status: int | None
    error: str | None


class SigningSecret(msgspec.Struct, frozen=True):
    """Which of a user's secrets signs, counted from 0, and since when."""

    number: int
    since: Millis


def read_row(row: Row) -> Delivery:
    """A row as a delivery."""
    return msgspec.convert(tuple(row), Delivery, strict=False)


def add(
    tx: Transaction,
    *,
    delivery_id: str,
    user_id: UserId,
    request_id: RequestId,
    event: WebhookEvent,
    url: str,
    host: str,
    body: str,
    now: Millis,
    picture: str | None = None,
    wants_links: bool = False,
) -> None:
    """Add something to deliver at once."""
    tx.run(
        "INSERT INTO deliveries (id, user_id, request_id, event, url, host, body, picture,"
        " wants_links, created_at, due_at) VALUES (:id, :user_id, :request_id, :event, :url, :host,"
        " :body, :picture, :wants_links, :now, :now)",
        id=delivery_id,
        user_id=user_id,
        request_id=request_id,
        event=event,
        url=url,
        host=host,
        body=body,
        picture=picture,
        wants_links=wants_links,
        now=now,
    )


# Sending


def due(tx: Transaction, now: Millis, busy: Busy) -> list[Due]:
    """Some of the deliveries whose time has come, the longest due first, but not of the busy."""
    hosts = {f"host{number}": host for number, host in enumerate(busy.hosts)}
    people = {f"user{number}": user_id for number, user_id in enumerate(busy.users)}
    without = "".join(
        f" AND {column} NOT IN ({', '.join(f':{name}' for name in names)})"
        for column, names in (("host", hosts), ("user_id", people))
        if names
    )
    rows = tx.all(
        "SELECT id, user_id, host, due_at FROM deliveries WHERE state = 'waiting'"
        f" AND due_at <= :now AND taken_until <= :now{without} ORDER BY due_at LIMIT :most",
        now=now,
        most=DUE_MAX,
        **hosts,
        **people,
    )
    return [Due(*row) for row in rows]


def take(tx: Transaction, delivery_id: str, now: Millis, until: Millis) -> Delivery | None:
    """Take a delivery to send it, for a while; None when somebody else has it or it has ended."""
    row = tx.one(
        "UPDATE deliveries SET taken_until = :until, tries = tries + 1, attempts = attempts + 1"
        " WHERE id = (SELECT id FROM deliveries WHERE id = :id AND state = 'waiting'"
        f" AND due_at <= :now AND taken_until <= :now{tx.skip_locked}) RETURNING {COLUMNS}",
        id=delivery_id,
        now=now,
        until=until,
    )
    return None if row is None else read_row(row)


def let_go(tx: Transaction, delivery_id: str) -> None:
    """Give back one that was taken and not sent to its end; that was no try."""
    tx.run(
        "UPDATE deliveries SET taken_until = 0, tries = tries - 1 WHERE id = :id"
        " AND state = 'waiting' AND tries > 0",
        id=delivery_id,
    )


def note(tx: Transaction, delivery_id: str, attempt: Attempt) -> None:
    """Keep how an attempt went; of one delivery only the newest are kept."""
    tx.run(
        "INSERT INTO attempts (delivery_id, number, began_at, took_ms, status, error)"
        " SELECT id, :number, :began_at, :took_ms, :status, :error FROM deliveries WHERE id = :id"
        " ON CONFLICT (delivery_id, number) DO NOTHING",
        id=delivery_id,
        **msgspec.structs.asdict(attempt),
    )
    tx.run(
        "DELETE FROM attempts WHERE delivery_id = :id AND number <= :number",
        id=delivery_id,
        number=attempt.number - ATTEMPTS_KEPT,
    )


def end(tx: Transaction, delivery_id: str, state: DeliveryState, now: Millis) -> None:
    """A delivery has ended."""
    tx.run(
        "UPDATE deliveries SET state = :state, ended_at = :now, taken_until = 0 WHERE id = :id",
        id=delivery_id,
        state=state,
        now=now,
    )


def put_off(tx: Transaction, delivery_id: str, due_at: Millis) -> None:
    """A delivery waits for its next try; one that has ended meanwhile stays as it is."""
    tx.run(
        "UPDATE deliveries SET due_at = :due_at, taken_until = 0 WHERE id = :id"
        " AND state = 'waiting'",
        id=delivery_id,
        due_at=due_at,
    )


def end_waiting_of(tx: Transaction, request_id: RequestId, now: Millis) -> None:
    """Whoever is told of this request wants no more: what waits is gone."""
    tx.run(
        "UPDATE deliveries SET state = 'gone', ended_at = :now, taken_until = 0"
        " WHERE request_id = :request_id AND state = 'waiting'",
        request_id=request_id,
        now=now,
    )


def is_waiting(tx: Transaction, delivery_id: str) -> bool:
    """Whether this is still to be delivered."""
    row = tx.one("SELECT 1 FROM deliveries WHERE id = :id AND state = 'waiting'", id=delivery_id)
    return row is not None


def pictures_waiting(tx: Transaction, request_id: RequestId) -> frozenset[str]:
    """The names of a request's pictures that are still to be delivered."""
    rows = tx.all(
        "SELECT picture FROM deliveries WHERE request_id = :request_id AND state = 'waiting'"
        " AND picture IS NOT NULL",
        request_id=request_id,
    )
    return frozenset(row["picture"] for row in rows)


def waiting(tx: Transaction) -> int:
    """How many deliveries wait, in the whole horde."""
    row = tx.one("SELECT COUNT(*) AS many FROM deliveries WHERE state = 'waiting'")
    assert row is not None
    return int(row["many"])


# The log


def by_id(tx: Transaction, user_id: UserId, delivery_id: str) -> Delivery | None:
    """The delivery of this id, when it is this user's."""
    row = tx.one(
        f"SELECT {COLUMNS} FROM deliveries WHERE id = :id AND user_id = :user_id",
        id=delivery_id,
        user_id=user_id,
    )
    return None if row is None else read_row(row)


def of_user(tx: Transaction, user_id: UserId, after: Delivery | None, most: int) -> list[Delivery]:
    """A user's deliveries, newest first; those after this one."""
    place = "" if after is None else " AND (created_at, id) < (:created_at, :id)"
    where = {} if after is None else {"created_at": after.created_at, "id": after.id}
    rows = tx.all(
        f"SELECT {COLUMNS} FROM deliveries WHERE user_id = :user_id{place}"
        " ORDER BY created_at DESC, id DESC LIMIT :most",
        user_id=user_id,
        most=most,
        **where,
    )
    return [read_row(row) for row in rows]


def attempts_of(tx: Transaction, delivery_id: str) -> list[Attempt]:
    """How each attempt went, the first first."""
    rows = tx.all(
        "SELECT number, began_at, took_ms, status, error FROM attempts WHERE delivery_id = :id"
        " ORDER BY number",
        id=delivery_id,
    )
    return [Attempt(**dict(row)) for row in rows]


def replay(tx: Transaction, user_id: UserId, delivery_id: str, now: Millis) -> Delivery | None:
    """Have a user's delivery sent again from now on, with all tries; None when it is not there."""
    row = tx.one(
        "UPDATE deliveries SET state = 'waiting', tries = 0, due_at = :now, ended_at = NULL"
        f" WHERE id = :id AND user_id = :user_id RETURNING {COLUMNS}",
        id=delivery_id,
        user_id=user_id,
        now=now,
    )
    return None if row is None else read_row(row)


def forget_before(tx: Transaction, moment: Millis) -> int:
    """Drop old deliveries with their attempts, a bounded number; says how many."""
    return tx.run(
        "DELETE FROM deliveries WHERE id IN (SELECT id FROM deliveries"
        " WHERE created_at < :moment ORDER BY created_at LIMIT :most)",
        moment=moment,
        most=FORGET_MAX,
    )


def forget_beyond(tx: Transaction) -> int:
    """Drop the oldest deliveries of users with too many, a bounded number; says how many.

    All who have no account share one user, and may have more.
    """
    rows = tx.all(
        "SELECT user_id, COUNT(*) AS many FROM deliveries GROUP BY user_id"
        " HAVING COUNT(*) > CASE user_id WHEN 0 THEN CAST(:most_anonymous AS BIGINT)"
        " ELSE CAST(:most AS BIGINT) END",
        most=DELIVERIES_OF_USER_MAX,
        most_anonymous=DELIVERIES_OF_ANONYMOUS_MAX,
    )
    return sum(forget_oldest(tx, row["user_id"], row["many"]) for row in rows)


def forget_oldest(tx: Transaction, user_id: UserId, many: int) -> int:
    """Drop the oldest deliveries of a user who has so many; says how many."""
    most = DELIVERIES_OF_USER_MAX if user_id else DELIVERIES_OF_ANONYMOUS_MAX
    return tx.run(
        "DELETE FROM deliveries WHERE id IN (SELECT id FROM deliveries WHERE user_id = :user_id"
        " ORDER BY created_at, id LIMIT :most)",
        user_id=user_id,
        most=min(many - most, FORGET_MAX),
    )


def forget_user(tx: Transaction, user_id: UserId) -> None:
    """Drop everything that was to be delivered to a user."""
    tx.run("DELETE FROM deliveries WHERE user_id = :user_id", user_id=user_id)


def rename_worker(tx: Transaction, worker_id: WorkerId, name: str) -> None:
    """Call a worker this in all that is kept of pictures it made; no index finds them."""
    rows = tx.all(
        "SELECT id, body FROM deliveries WHERE body LIKE :pattern",
        pattern=f'%"worker_id":"{worker_id}"%',
    )
    for row in rows:
        body = msgspec.json.decode(row["body"])
        if body.get("worker_id") == worker_id:
            text = msgspec.json.encode(body | {"worker_name": name}).decode()
            tx.run("UPDATE deliveries SET body = :body WHERE id = :id", id=row["id"], body=text)


# Secrets


def signing_secret(tx: Transaction, user_id: UserId) -> SigningSecret:
    """Which secret of a user signs."""
    row = tx.one(
        "SELECT webhook_secret, webhook_secret_at FROM users WHERE id = :user_id", user_id=user_id
    )
    assert row is not None, f"user {user_id} exists"
    return SigningSecret(row["webhook_secret"], Millis(row["webhook_secret_at"]))


def rotate_secret(tx: Transaction, user_id: UserId, now: Millis) -> SigningSecret:
    """Have another secret sign from now on."""
    row = tx.one(
        "UPDATE users SET webhook_secret = webhook_secret + 1, webhook_secret_at = :now"
        " WHERE id = :user_id RETURNING webhook_secret",
        user_id=user_id,
        now=now,
    )
    assert row is not None, f"user {user_id} exists"
    return SigningSecret(row["webhook_secret"], now)
