"""Sign-ins: who came by an OpenID Connect provider, and the keys of their browsers."""

revision = "0010"
down_revision = "0009"

STATEMENTS = (
    # Who somebody is to a provider. An account has one identity of each provider at most.
    """CREATE TABLE identities (
        issuer TEXT NOT NULL,
        subject TEXT NOT NULL,
        id TEXT NOT NULL UNIQUE,
        user_id BIGINT NOT NULL,
        created_at BIGINT NOT NULL,
        PRIMARY KEY (issuer, subject)
    )""",
    "CREATE UNIQUE INDEX identities_by_user ON identities (user_id, issuer)",
    # A key of a browser: as good as the account's own, for a time.
    """CREATE TABLE sign_ins (
        key_hash TEXT PRIMARY KEY,
        user_id BIGINT NOT NULL,
        created_at BIGINT NOT NULL,
        expires_at BIGINT NOT NULL
    )""",
    "CREATE INDEX sign_ins_by_user ON sign_ins (user_id, created_at)",
    "CREATE INDEX sign_ins_by_age ON sign_ins (expires_at)",
)


def upgrade() -> None:
    """Add what is new; what is there stays."""
    from ordu.store.migrations.runner import run  # noqa: PLC0415 - a new database is made without

    run(STATEMENTS)
