"""Fewer rows: what statistics learn from one write is one row; what waits of a user is an index."""

revision = "0004"
down_revision = "0003"

STATEMENTS = (
    # What one write adds to statistics, as JSON: [[subject, name, by how much], ...].
    """CREATE TABLE learnt (
        id INTEGER PRIMARY KEY,
        deltas TEXT NOT NULL
    )""",
    """INSERT INTO totals (subject, name, amount)
        SELECT subject, name, SUM(amount) FROM deltas WHERE 1 = 1 GROUP BY subject, name
        ON CONFLICT (subject, name) DO UPDATE SET amount = totals.amount + excluded.amount""",
    "DROP TABLE deltas",
    # How much waits of a user is asked with each request: it is summed without reading the rows.
    "DROP INDEX requests_waiting_by_user",
    """CREATE INDEX requests_waiting_by_user ON requests (user_id, waiting)
        WHERE waiting > 0""",
)


def upgrade() -> None:
    """Fold what was appended, and change how it is from now on."""
    from ordu.store.migrations.runner import run  # noqa: PLC0415 - a new database is made without

    run(STATEMENTS)
