"""History: what an entry of the books was about, and each user's lines in their order."""

revision = "0007"
down_revision = "0006"

STATEMENTS = (
    # JSON for people: which worker, which model, how many pictures, whom. Old entries have none.
    "ALTER TABLE entries ADD COLUMN about TEXT",
    "ALTER TABLE entries ADD COLUMN worker_id TEXT",
    "CREATE INDEX lines_by_user ON lines (user_id, entry_id) WHERE user_id > 0",
)


def upgrade() -> None:
    """Add what is new; what is there stays."""
    from ordu.store.migrations.runner import run  # noqa: PLC0415 - a new database is made without

    run(STATEMENTS)
