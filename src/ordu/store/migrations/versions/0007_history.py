"""History: what an entry was about, and each user's movements in their order, with the balance.

A user's movements are numbered without a gap (`lines.place`); `users.movements` is the number of
the newest. What is there is numbered in the order of entries: whatever one entry changed for a user
is one movement of theirs.
"""

revision = "0007"
down_revision = "0006"

STATEMENTS = (
    "ALTER TABLE entries ADD COLUMN worker_id TEXT",
    # JSON: the model and the size of a picture. Entries that are older than this have neither.
    "ALTER TABLE entries ADD COLUMN about TEXT",
    "ALTER TABLE users ADD COLUMN movements BIGINT NOT NULL DEFAULT 0",
    "ALTER TABLE lines ADD COLUMN place BIGINT",
    # What its user could spend after it.
    "ALTER TABLE lines ADD COLUMN balance BIGINT",
    """UPDATE lines SET place = counted.place, balance = counted.balance FROM (
        SELECT entry_id, number,
            DENSE_RANK() OVER (PARTITION BY user_id ORDER BY entry_id) AS place,
            SUM(CASE account WHEN 'user' THEN amount ELSE 0 END)
                OVER (PARTITION BY user_id ORDER BY entry_id) AS balance
        FROM lines WHERE user_id IS NOT NULL
    ) AS counted WHERE counted.entry_id = lines.entry_id AND counted.number = lines.number""",
    """UPDATE users SET movements = counted.movements FROM (
        SELECT user_id, MAX(place) AS movements FROM lines WHERE user_id IS NOT NULL
        GROUP BY user_id
    ) AS counted WHERE counted.user_id = users.id""",
    "CREATE INDEX lines_by_user ON lines (user_id, place) WHERE place IS NOT NULL",
    # The same by day and kind, in `totals` (`store.days`).
    """INSERT INTO totals (subject, name, amount)
    SELECT 'days:' || user_id, (entries.created_at / 86400000) || ':' || CASE
        WHEN account = 'escrow' THEN 'evaluating'
        WHEN event LIKE 'transfer:%' AND amount < 0 THEN 'given'
        WHEN event LIKE 'transfer:%' THEN 'received'
        WHEN event LIKE 'settle:%' AND amount < 0 THEN 'spent'
        WHEN event LIKE 'settle:%' OR event LIKE 'uptime:%' THEN 'earned'
        ELSE 'other' END,
        SUM(amount)
    FROM lines JOIN entries ON entries.id = lines.entry_id
    WHERE user_id IS NOT NULL GROUP BY 1, 2""",
)


def upgrade() -> None:
    """Add what is new, and number what is there."""
    from ordu.store.migrations.runner import run  # noqa: PLC0415 - a new database is made without

    run(STATEMENTS)
