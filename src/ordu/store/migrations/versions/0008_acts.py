"""Acts: what administrators and moderators did, to whom, when and why; users by their names."""

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
    # Ids are sorted by time, so each of these also gives the newest first.
    "CREATE INDEX acts_by_actor ON acts (actor_id, id)",
    "CREATE INDEX acts_by_operation ON acts (operation, id)",
    "CREATE INDEX acts_by_target ON acts (target_kind, target_id, id)",
    # Where somebody looks for users by the beginning of their names.
    "CREATE INDEX users_by_name ON users (lower(username), id)",
)


def upgrade() -> None:
    """Add what is new; what is there stays."""
    from ordu.store.migrations.runner import run  # noqa: PLC0415 - a new database is made without

    run(STATEMENTS)
