"""The first schema.

Times are milliseconds since 1970 UTC, amounts hundredths of a kudos, ids the text of UUIDs of
version 7 (they start with the time, so new rows go to the end of an index).
"""

revision = "0001"
down_revision = None

STATEMENTS = (
    # What there is one of: the fingerprint of the installation's secret, modes, counters of chores.
    """CREATE TABLE facts (
        name TEXT PRIMARY KEY,
        value TEXT NOT NULL
    )""",
    """CREATE TABLE users (
        id BIGINT PRIMARY KEY,
        username TEXT NOT NULL,
        key_hash TEXT UNIQUE,
        created_at BIGINT NOT NULL,
        kudos BIGINT NOT NULL DEFAULT 0,
        evaluating_kudos BIGINT NOT NULL DEFAULT 0,
        concurrency INTEGER NOT NULL,
        usage_multiplier DOUBLE PRECISION NOT NULL DEFAULT 1.0,
        worker_invited INTEGER NOT NULL DEFAULT 0,
        is_moderator INTEGER NOT NULL DEFAULT 0,
        is_trusted INTEGER NOT NULL DEFAULT 0,
        is_flagged INTEGER NOT NULL DEFAULT 0,
        has_public_workers INTEGER NOT NULL DEFAULT 0,
        monthly_kudos BIGINT NOT NULL DEFAULT 0,
        monthly_received_at BIGINT,
        suspicion INTEGER NOT NULL DEFAULT 0,
        contact TEXT
    )""",
    "CREATE INDEX users_by_kudos ON users (kudos DESC, id)",
    """CREATE TABLE workers (
        id TEXT PRIMARY KEY,
        user_id BIGINT NOT NULL REFERENCES users (id),
        name TEXT NOT NULL UNIQUE,
        kind TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        seen_at BIGINT NOT NULL,
        offer TEXT NOT NULL,
        uptime_s BIGINT NOT NULL DEFAULT 0,
        is_paused INTEGER NOT NULL DEFAULT 0,
        maintenance_text TEXT,
        info TEXT,
        suspicion INTEGER NOT NULL DEFAULT 0
    )""",
    "CREATE INDEX workers_by_user ON workers (user_id)",
    "CREATE INDEX workers_by_seen ON workers (seen_at)",
    """CREATE TABLE lanes (
        lane_key BLOB PRIMARY KEY,
        requirement TEXT NOT NULL
    )""",
    """CREATE TABLE requests (
        id TEXT PRIMARY KEY,
        user_id BIGINT NOT NULL,
        kind TEXT NOT NULL,
        state TEXT NOT NULL,
        lane_key BLOB NOT NULL,
        "rank" BIGINT NOT NULL,
        created_at BIGINT NOT NULL,
        expires_at BIGINT NOT NULL,
        waiting INTEGER NOT NULL,
        processing INTEGER NOT NULL DEFAULT 0,
        finished INTEGER NOT NULL DEFAULT 0,
        lost INTEGER NOT NULL DEFAULT 0,
        cancelled INTEGER NOT NULL DEFAULT 0,
        faults INTEGER NOT NULL DEFAULT 0,
        work BIGINT NOT NULL,
        price BIGINT NOT NULL,
        bill BIGINT NOT NULL,
        charged BIGINT NOT NULL DEFAULT 0,
        ttl_ms BIGINT NOT NULL,
        seed BIGINT,
        seed_step INTEGER NOT NULL,
        wants_links INTEGER NOT NULL,
        body BLOB NOT NULL
    )""",
    # Only requests with something to hand out are in these two, so they stay as small as the queue.
    "CREATE INDEX requests_waiting ON requests (lane_key) WHERE waiting > 0",
    "CREATE INDEX requests_waiting_by_user ON requests (user_id) WHERE waiting > 0",
    "CREATE INDEX requests_by_expiry ON requests (expires_at)",
    """CREATE TABLE jobs (
        id TEXT PRIMARY KEY,
        request_id TEXT NOT NULL REFERENCES requests (id) ON DELETE CASCADE,
        worker_id TEXT NOT NULL,
        worker_name TEXT NOT NULL,
        owner_id BIGINT NOT NULL,
        ordinal INTEGER NOT NULL,
        state TEXT NOT NULL,
        model TEXT NOT NULL,
        seed BIGINT NOT NULL,
        started_at BIGINT NOT NULL,
        due_at BIGINT NOT NULL,
        ended_at BIGINT,
        has_agent INTEGER NOT NULL,
        result_seed TEXT,
        censored INTEGER NOT NULL DEFAULT 0,
        metadata TEXT
    )""",
    "CREATE INDEX jobs_by_request ON jobs (request_id)",
    "CREATE INDEX jobs_running ON jobs (due_at) WHERE state = 'running'",
    # The books. An entry is one business event; its lines sum to zero. No secondary index on the
    # lines: each would cost as much again as the table (histories are read models).
    """CREATE TABLE entries (
        id TEXT PRIMARY KEY,
        event TEXT NOT NULL UNIQUE,
        created_at BIGINT NOT NULL
    )""",
    """CREATE TABLE lines (
        entry_id TEXT NOT NULL REFERENCES entries (id),
        number INTEGER NOT NULL,
        account TEXT NOT NULL,
        user_id BIGINT,
        amount BIGINT NOT NULL,
        action TEXT NOT NULL,
        PRIMARY KEY (entry_id, number)
    )""",
    # Statistics: appended as deltas by the verbs, folded into totals in batches by a chore.
    """CREATE TABLE deltas (
        id INTEGER PRIMARY KEY,
        subject TEXT NOT NULL,
        name TEXT NOT NULL,
        amount BIGINT NOT NULL
    )""",
    """CREATE TABLE totals (
        subject TEXT NOT NULL,
        name TEXT NOT NULL,
        amount BIGINT NOT NULL,
        PRIMARY KEY (subject, name)
    )""",
    """CREATE TABLE news (
        id INTEGER PRIMARY KEY,
        published_at BIGINT NOT NULL,
        newspiece TEXT NOT NULL,
        importance TEXT NOT NULL
    )""",
)


def upgrade() -> None:
    """Make every table."""
    from ordu.store.migrations.runner import run  # noqa: PLC0415 - a new database is made without

    run(STATEMENTS)
