"""Samples: how the horde stood, at steps that grow with their age."""

revision = "0009"
down_revision = "0008"

STATEMENTS = (
    """CREATE TABLE samples (
        step_s INTEGER NOT NULL,
        start_at BIGINT NOT NULL,
        numbers TEXT NOT NULL,
        PRIMARY KEY (step_s, start_at)
    )""",
)


def upgrade() -> None:
    """Add what is new; what is there stays."""
    from ordu.store.migrations.runner import run  # noqa: PLC0415 - a new database is made without

    run(STATEMENTS)
