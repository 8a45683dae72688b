"""Changes: how often a request was changed, so that of two accounts of it the newer is known."""

revision = "0005"
down_revision = "0004"

STATEMENTS = ("ALTER TABLE requests ADD COLUMN changes BIGINT NOT NULL DEFAULT 0",)


def upgrade() -> None:
    """Begin to count."""
    from ordu.store.migrations.runner import run  # noqa: PLC0415 - a new database is made without

    run(STATEMENTS)
