"""A PgBouncer for tests, in transaction mode, before the PostgreSQL server for tests."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

from tests.postgres import PostgresServer, die_with_parent

START_S = 10.0
PORT = 6432  # part of the socket's name; nothing listens on the network
POOL_SIZE = 3

CONFIG = """
[databases]
* = host={server} user=postgres

[pgbouncer]
listen_addr =
listen_port = {port}
unix_socket_dir = {folder}
auth_type = any
pool_mode = transaction
default_pool_size = {size}
max_client_conn = 200
logfile = {folder}/pgbouncer.log
pidfile = {folder}/pgbouncer.pid
"""


def find_pgbouncer() -> str | None:
    """Where the program is; Debian puts it where only administrators look."""
    return shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")


class PgBouncer:
    """A pooler that shares a few connections among many."""

    def __init__(self, program: str, server: PostgresServer) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="ordu-pgb-"))
        # Like PostgreSQL it refuses to run as root.
        owner = "nobody" if os.geteuid() == 0 else None
        config = self.folder / "pgbouncer.ini"
        config.write_text(
            CONFIG.format(server=server.socket, folder=self.folder, port=PORT, size=POOL_SIZE)
        )
        if owner is not None:
            entry = pwd.getpwnam(owner)
            for path in (self.folder, config):
                os.chown(path, entry.pw_uid, entry.pw_gid)
        self.process = subprocess.Popen(
            [program, "-q", config],
            user=owner,
            cwd="/",
            env={"LC_ALL": "C"},
            stderr=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - before there are threads
            start_new_session=True,
        )
        deadline = time.monotonic() + START_S
        while not (self.folder / f".s.PGSQL.{PORT}").exists():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PgBouncer does not start: {self.said()}")
            time.sleep(0.01)

    def said(self) -> str:
        log = self.folder / "pgbouncer.log"
        return log.read_text() if log.exists() else "(nothing)"

    def url(self, direct: str) -> str:
        """The address of the database that has this one without the pooler."""
        name = direct.partition("@/")[2].partition("?")[0]
        return f"postgresql://postgres@/{name}?host={quote(str(self.folder))}&port={PORT}"

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(START_S)
        shutil.rmtree(self.folder, ignore_errors=True)
