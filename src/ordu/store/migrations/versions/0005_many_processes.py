"""Many processes: of two accounts of a request the newer is known, of two pictures the paid one."""

revision = "0005"
down_revision = "0004"

STATEMENTS = (
    # How often it was changed.
    "ALTER TABLE requests ADD COLUMN changes BIGINT NOT NULL DEFAULT 0",
    # The name of the picture that was settled, where it is not that of the job.
    "ALTER TABLE jobs ADD COLUMN picture TEXT",
)


def upgrade() -> None:
    """Add what is new; what is there stays."""
    from ordu.store.migrations.runner import run  # noqa: PLC0415 - a new database is made without

    run(STATEMENTS)
