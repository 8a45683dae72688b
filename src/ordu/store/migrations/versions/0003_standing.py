"""Standing: why somebody is suspected, accounts that are deleted; a picture has one live job."""

revision = "0003"
down_revision = "0002"

STATEMENTS = (
    # The subject is `user:5` or `worker:` and its id; the sum is in the column `suspicion` of each.
    """CREATE TABLE suspicions (
        subject TEXT NOT NULL,
        reason TEXT NOT NULL,
        times BIGINT NOT NULL,
        newest_at BIGINT NOT NULL,
        PRIMARY KEY (subject, reason)
    )""",
    "ALTER TABLE users ADD COLUMN deleted_at BIGINT",
    "ALTER TABLE users ADD COLUMN is_wiped INTEGER NOT NULL DEFAULT 0",
    # Only those whom the chore that wipes has to look at.
    # A promise of the queue, kept by the database: nobody else makes or has made this picture.
    """CREATE UNIQUE INDEX jobs_live ON jobs (request_id, ordinal)
        WHERE state <> 'faulted'""",
    """CREATE INDEX users_by_deletion ON users (deleted_at)
        WHERE deleted_at IS NOT NULL AND is_wiped = 0""",
)


def upgrade() -> None:
    """Add what is new; what is there stays."""
    from ordu.store.migrations.runner import run  # noqa: PLC0415 - a new database is made without

    run(STATEMENTS)
