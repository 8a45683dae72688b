"""Samples: how the horde stood, at steps that grow with their age."""

revision = "0009"
down_revision = "0008"

STATEMENTS = (
    # A row is a step of time. Its numbers are sums over the samples that were taken within it, so
    # a mean is a quotient, and a minute more is an addition. `waits` says in how many of them
    # somebody could draw, and `wait_s` sums these only.
    """CREATE TABLE samples (
        step_s INTEGER NOT NULL,
        start_at BIGINT NOT NULL,
        samples INTEGER NOT NULL,
        waiting BIGINT NOT NULL,
        waiting_max BIGINT NOT NULL,
        processing BIGINT NOT NULL,
        workers BIGINT NOT NULL,
        threads BIGINT NOT NULL,
        waits INTEGER NOT NULL,
        wait_s BIGINT NOT NULL,
        pictures BIGINT NOT NULL,
        work BIGINT NOT NULL,
        PRIMARY KEY (step_s, start_at)
    )""",
)


def upgrade() -> None:
    """Add what is new; what is there stays."""
    from ordu.store.migrations.runner import run  # noqa: PLC0415 - a new database is made without

    run(STATEMENTS)
