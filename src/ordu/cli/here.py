"""The horde on this machine, or the one whose database is named, opened without its server."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from ordu.cli.failures import WRONG_USAGE, Failure, extra
from ordu.settings import ServerSettings
from ordu.settings.setting import without_password

if TYPE_CHECKING:
    from ordu.store.database import Database, Transaction

T = TypeVar("T")

WHERE = ("data", "database", "database_direct")  # the settings that say where a horde is
STATEMENT_S = 3600.0  # an audit looks at everything


class Here(Protocol):
    """A horde's database, for a command that does one thing with it."""

    @property
    def name(self) -> str:
        """Where it is, for people."""
        ...

    def read(self, operation: Callable[["Transaction"], T]) -> T:
        """What a read gives, of one moment."""
        ...

    def change(self, operation: Callable[["Transaction"], T]) -> T:
        """What a change gives, once it is durable; also beside running servers."""
        ...


def horde_here(settings: ServerSettings) -> Here:
    """The horde that is there already; its schema is the one we know."""
    if settings.is_postgres:
        return postgres_here(settings)
    path = settings.database_path()
    with extra("server"):
        from ordu.store import migrations  # noqa: F401 - says what is not installed
    if not path.exists():
        raise Failure(
            f"There is no horde here: {path} does not exist. Say where it is with --data;"
            " the first `ordu serve` makes one.",
            WRONG_USAGE,
        )
    check_schema(str(path), schema_of(path))
    return FileHere(path)


def postgres_here(settings: ServerSettings) -> Here:
    """The same where the books are in PostgreSQL."""
    with extra("server,postgres"):
        from ordu.store.migrations import postgres as schema
        from ordu.store.postgres import PostgresDatabase  # noqa: F401 - as above
    here = PostgresHere(settings.database_direct or settings.database)
    version = here.asked(schema.version_at(here.url))
    if version is None:
        raise Failure(
            f"There is no horde here: {here.name} is empty. Say where it is with --database;"
            " the first `ordu serve` makes one.",
            WRONG_USAGE,
        )
    check_schema(here.name, version)
    return here


def schema_of(path: Path) -> str | None:
    """The schema version of a database file; None where there is none yet."""
    from ordu.store.migrations import version_of

    try:
        return version_of(path)
    except sqlite3.DatabaseError as error:
        raise Failure(f"{path} cannot be used as a database: {error}.", WRONG_USAGE) from error


def check_schema(name: str, version: str | None) -> None:
    """Refuse a schema that is not the one we know."""
    from ordu.store.migrations import NEWEST

    if version == NEWEST:
        return
    todo = "`ordu serve` brings an older one up to date when it starts."
    if version is not None and version > NEWEST:
        todo = "it was made by a newer one, so use that."
    raise Failure(
        f"{name} has schema {version or 'none'} and this Ordu needs {NEWEST}; {todo}", WRONG_USAGE
    )


@dataclass(frozen=True)
class FileHere:
    """A horde in a SQLite file."""

    path: Path

    @property
    def name(self) -> str:
        """Where it is, for people."""
        return str(self.path)

    def read(self, operation: Callable[["Transaction"], T]) -> T:
        """What a read gives, of one moment."""
        from ordu.store.sqlite import Sqlite

        database = Sqlite(self.path)
        try:
            return database.read(operation)
        finally:
            database.close()

    def change(self, operation: Callable[["Transaction"], T]) -> T:
        """What a change gives, once it is durable; also beside a running server."""
        from ordu.store.groups import Busy
        from ordu.store.sqlite import SqliteWriter, connect

        writer = SqliteWriter(connect(self.path))
        try:
            result = operation(writer.begin())
            writer.commit()
        except (sqlite3.OperationalError, Busy) as error:
            raise Failure(f"{self.path} cannot be changed now: {error}.") from error
        finally:
            writer.rollback()
            writer.close()
        return result


@dataclass(frozen=True)
class PostgresHere:
    """A horde in PostgreSQL; each use connects once, in an event loop of its own."""

    url: str

    @property
    def name(self) -> str:
        """Where it is, for people: without the password."""
        return without_password(self.url)

    def read(self, operation: Callable[["Transaction"], T]) -> T:
        """What a read gives, of one moment."""
        return self.asked(self.opened(lambda database: database.read(operation)))

    def change(self, operation: Callable[["Transaction"], T]) -> T:
        """What a change gives, once it is durable; also beside running servers."""
        return self.asked(self.opened(lambda database: database.write(operation)))

    async def opened(self, work: Callable[["Database"], Awaitable[T]]) -> T:
        """What this work gives with the database open."""
        from ordu.store.postgres import PostgresDatabase

        database = PostgresDatabase(self.url, connections_max=1, statement_s=STATEMENT_S)
        await database.start()
        try:
            return await work(database)
        finally:
            await database.stop()

    def asked(self, work: Awaitable[T]) -> T:
        """What this gives; a database that cannot be used is said in a line."""
        from ordu.store import reaching

        async def awaited() -> T:
            return await work

        try:
            return asyncio.run(awaited())
        except reaching.CANNOT_BE_USED as error:
            raise Failure(reaching.why_not(self.url, error), WRONG_USAGE) from error
