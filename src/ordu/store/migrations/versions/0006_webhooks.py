"""Webhooks: whom a request tells of its pictures, what is to be delivered, and how that went."""

revision = "0006"
down_revision = "0005"

STATEMENTS = (
    "ALTER TABLE requests ADD COLUMN webhook TEXT",
    "ALTER TABLE requests ADD COLUMN webhook_tells_end INTEGER NOT NULL DEFAULT 0",
    # Which of a user's secrets signs; the one before it signs as well for a day.
    "ALTER TABLE users ADD COLUMN webhook_secret BIGINT NOT NULL DEFAULT 0",
    "ALTER TABLE users ADD COLUMN webhook_secret_at BIGINT NOT NULL DEFAULT 0",
    # Written in the transaction of what they tell of. The id is that of the job or request, so
    # nothing is told twice; the body is JSON, without the picture that is put in when it is sent.
    """CREATE TABLE deliveries (
        id TEXT PRIMARY KEY,
        user_id BIGINT NOT NULL,
        request_id TEXT NOT NULL,
        event TEXT NOT NULL,
        url TEXT NOT NULL,
        host TEXT NOT NULL,
        body TEXT NOT NULL,
        picture TEXT,
        wants_links INTEGER NOT NULL DEFAULT 0,
        state TEXT NOT NULL DEFAULT 'waiting',
        tries INTEGER NOT NULL DEFAULT 0,
        attempts INTEGER NOT NULL DEFAULT 0,
        created_at BIGINT NOT NULL,
        due_at BIGINT NOT NULL,
        taken_until BIGINT NOT NULL DEFAULT 0,
        ended_at BIGINT
    )""",
    "CREATE INDEX deliveries_waiting ON deliveries (due_at) WHERE state = 'waiting'",
    """CREATE INDEX deliveries_waiting_of_request ON deliveries (request_id)
        WHERE state = 'waiting'""",
    "CREATE INDEX deliveries_by_user ON deliveries (user_id, created_at, id)",
    "CREATE INDEX deliveries_by_age ON deliveries (created_at)",
    """CREATE TABLE attempts (
        delivery_id TEXT NOT NULL REFERENCES deliveries (id) ON DELETE CASCADE,
        number INTEGER NOT NULL,
        began_at BIGINT NOT NULL,
        took_ms BIGINT NOT NULL,
        status INTEGER,
        error TEXT,
        PRIMARY KEY (delivery_id, number)
    )""",
)


def upgrade() -> None:
    """Add what is new; what is there stays."""
    from ordu.store.migrations.runner import run  # noqa: PLC0415 - a new database is made without

    run(STATEMENTS)
