"""Running migrations with Alembic; imported only when the schema is behind."""

from collections.abc import Iterable
from pathlib import Path

from alembic import command, op
from alembic.config import Config
from sqlalchemy import create_engine, event
from sqlalchemy.engine import Connection
from sqlalchemy.pool import NullPool

from ordu.store.sqlite import connect


def upgrade(path: Path, revision: str = "head") -> None:
    """Bring a SQLite file to a schema version, in one transaction."""
    engine = create_engine("sqlite://", creator=lambda: connect(path), poolclass=NullPool)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # The driver leaves transactions to us, so that schema changes are inside one too.
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    with engine.begin() as connection:
        upgrade_on(connection, revision)
    engine.dispose()


async def upgrade_postgres(url: str, revision: str = "head") -> None:
    """Bring a PostgreSQL database to a schema version, in one transaction."""
    import asyncpg  # noqa: PLC0415 - not where there is only SQLite
    from sqlalchemy.ext.asyncio import create_async_engine  # noqa: PLC0415 - the same

    from ordu.store.migrations.postgres import LOCK  # noqa: PLC0415 - the same

    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=lambda: asyncpg.connect(url, statement_cache_size=0),
        poolclass=NullPool,
    )
    async with engine.begin() as connection:
        await connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
        await connection.run_sync(upgrade_on, revision)
    await engine.dispose()


def upgrade_on(connection: Connection, revision: str) -> None:
    """Run the versions that are missing on this connection, up to a revision."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def run(statements: Iterable[str]) -> None:
    """Run the statements of a version, in the words of the database they are for."""
    is_postgres = op.get_context().dialect.name == "postgresql"
    for statement in statements:
        op.execute(in_words(statement) if is_postgres else statement)


def in_words(statement: str) -> str:
    """A statement of the schema in PostgreSQL's words."""
    from ordu.store.migrations.postgres import for_postgres  # noqa: PLC0415 - as above

    return for_postgres(statement)
