"""Where a horde that is measured keeps what it has: a folder, and a database.

SQLite in the folder; or a database of its own on PostgreSQL, made for it and dropped after it. With
`--database postgres` the PostgreSQL server is started here as well, the one that tests use with
other settings: a commit waits for the disk, and tables are vacuumed, as where it matters. Pictures
are in the folder in any case.
"""

import asyncio
import contextlib
import secrets
import shutil
import sys
import tempfile
from argparse import Namespace
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

sys.path.append(str(Path(__file__).parents[1]))  # for `tests`, which is in no package

SQLITE, POSTGRES = "sqlite", "postgres"
SETTINGS = {
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "shared_buffers": "512MB",
    "max_wal_size": "4GB",
    "autovacuum": "on",
}


@dataclass(frozen=True)
class Home:
    """What one horde has."""

    data: Path
    database: str = ""  # PostgreSQL; empty: SQLite in the folder
    processes: int = 1
    postgres_pid: int | None = None  # of the PostgreSQL server, where it is ours


def place_of(database: str, processes: int) -> str:
    """Where a figure was measured, in words; empty for what is usual."""
    if database == SQLITE:
        return ""
    many = "1 process" if processes == 1 else f"{processes} processes"
    return f"PostgreSQL, {many}"


@contextlib.asynccontextmanager
async def a_home(given: Namespace) -> AsyncIterator[Home]:
    """A fresh folder and a fresh database, gone at the end."""
    # A server that writes to its folder until its last moment does not make us fail.
    folder = Path(tempfile.mkdtemp(prefix="ordu-bench-"))
    try:
        if given.database == SQLITE:
            yield Home(folder)
            return
        with a_postgres(given.database) as (url, pid):
            async with a_database(url) as database:
                yield Home(folder, database, given.processes, pid)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def a_postgres(named: str) -> Iterator[tuple[str, int | None]]:
    """The address of a PostgreSQL server and its process: one of our own, or one that is named."""
    if named != POSTGRES:
        yield named, None
        return
    from tests.postgres import PostgresServer  # noqa: PLC0415 - only who asks for it needs it

    server = PostgresServer(SETTINGS)
    try:
        yield server.url("postgres"), server.process.pid
    finally:
        server.stop()


@contextlib.asynccontextmanager
async def a_database(url: str) -> AsyncIterator[str]:
    """The address of a new database there."""
    name = f"ordu_bench_{secrets.token_hex(4)}"
    await command(url, f"CREATE DATABASE {name} TEMPLATE template0")
    try:
        yield urlsplit(url)._replace(path=f"/{name}").geturl()
    finally:
        await command(url, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


async def command(url: str, sql: str) -> Any:
    """The first value that a statement gives there."""
    import asyncpg  # noqa: PLC0415 - most measure SQLite

    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(sql)
    finally:
        await asyncio.wait_for(connection.close(), 10)
