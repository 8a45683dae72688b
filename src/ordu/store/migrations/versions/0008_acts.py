"""Acts: what administrators and moderators did, to whom, when and why."""

revision = "0008"
down_revision = "0007"

STATEMENTS = (
    """CREATE TABLE acts (
        id TEXT PRIMARY KEY,
        created_at BIGINT NOT NULL,
        actor_id BIGINT NOT NULL,
        operation TEXT NOT NULL,
        target_kind TEXT NOT NULL,
        target_id TEXT NOT NULL,
        target_name TEXT NOT NULL,
        changes TEXT NOT NULL,
        reason TEXT
    )""",
)


def upgrade() -> None:
    """Add what is new; what is there stays."""
    from ordu.store.migrations.runner import run  # noqa: PLC0415 - a new database is made without

    run(STATEMENTS)
