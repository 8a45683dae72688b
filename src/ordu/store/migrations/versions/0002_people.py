"""People, whole: roles, notes, transfers, answers kept for repeated calls, news with titles."""

revision = "0002"
down_revision = "0001"

ROLES = ("is_customizer", "is_vpn", "is_service", "is_education", "is_special")

STATEMENTS = (
    *(f"ALTER TABLE users ADD COLUMN {role} INTEGER NOT NULL DEFAULT 0" for role in ROLES),
    "ALTER TABLE users ADD COLUMN admin_comment TEXT",
    # Only those whom the monthly chore has to look at.
    "CREATE INDEX users_by_monthly ON users (id) WHERE monthly_kudos > 0",
    # How long the worker had been there when it was last rewarded for that.
    "ALTER TABLE workers ADD COLUMN uptime_rewarded_s BIGINT NOT NULL DEFAULT 0",
    # A request whose price is held until its jobs are settled or end.
    "ALTER TABLE requests ADD COLUMN is_upfront INTEGER NOT NULL DEFAULT 0",
    "CREATE INDEX requests_upfront ON requests (user_id) WHERE is_upfront = 1",
    """CREATE TABLE transfers (
        id TEXT PRIMARY KEY,
        source_id BIGINT NOT NULL REFERENCES users (id),
        target_id BIGINT NOT NULL REFERENCES users (id),
        amount BIGINT NOT NULL,
        created_at BIGINT NOT NULL
    )""",
    "CREATE INDEX transfers_by_pair ON transfers (source_id, target_id, created_at)",
    # What a call with an Idempotency-Key was answered, for the same call made again.
    """CREATE TABLE answers (
        scope TEXT NOT NULL,
        key_hash TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        reply BLOB NOT NULL,
        created_at BIGINT NOT NULL,
        PRIMARY KEY (scope, key_hash)
    )""",
    "CREATE INDEX answers_by_age ON answers (created_at)",
    "ALTER TABLE news ADD COLUMN title TEXT",
    "ALTER TABLE news ADD COLUMN tags TEXT NOT NULL DEFAULT '[]'",
    "ALTER TABLE news ADD COLUMN more_info_urls TEXT NOT NULL DEFAULT '[]'",
)


def upgrade() -> None:
    """Add what is new; what is there stays."""
    from ordu.store.migrations.runner import run  # noqa: PLC0415 - a new database is made without

    run(STATEMENTS)
