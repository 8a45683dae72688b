"""The horde under test: PostgreSQL, a supervisor with several processes, and a second server.

The two servers stand for two machines. They share the database, the secret and the place of
pictures, and nothing else.
"""

import asyncio
import io
import os
import signal
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import asyncpg
from tests.postgres import PostgresServer
from tests.s3 import KEYS, StandIn
from tests.system.processes import Processes, Server, until

from ordu.store.postgres import LOST

T = TypeVar("T")

ADMIN_KEY = "administrator-key-0022"
SECRET = "of-one-horde-on-two-machines"
CONNECTIONS = 6  # of each process to the database
DURABLE = {"fsync": "on", "full_page_writes": "on", "autovacuum": "on"}
STEADY_S = 4.0  # who runs for so long is taken for one that answers calls
OURS = "datname = current_database() AND application_name IN ('ordu', 'ordu channel')"


@dataclass
class Machine:
    """A server with one address: a supervisor and its processes, or one process."""

    name: str
    processes: int
    arguments: tuple[str, ...]
    server: Server | None = None

    @property
    def url(self) -> str:
        assert self.server is not None
        return self.server.url

    @property
    def is_up(self) -> bool:
        return self.server is not None and self.server.process.poll() is None

    def children(self) -> list[int]:
        """The processes that answer calls, by their ids."""
        if not self.is_up:
            return []
        assert self.server is not None
        pid = self.server.process.pid
        if self.processes == 1:
            return [pid]
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text("utf-8")
        return [int(word) for word in text.split()]

    def steady(self) -> list[int]:
        """Those that have been there for a while."""
        return [pid for pid in self.children() if age_s(pid) >= STEADY_S]


def age_s(pid: int) -> float:
    """How long a process has been there."""
    try:
        started = float(Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[19])
    except (OSError, IndexError):
        return 0.0
    up = float(Path("/proc/uptime").read_text("utf-8").split()[0])
    return up - started / os.sysconf("SC_CLK_TCK")


@dataclass
class Stage:
    """What a run happens on."""

    folder: Path
    processes: int = 3
    s3: StandIn | None = None
    program: Sequence[str] | None = None  # instead of `ordu`, for servers that are made to lie
    machines: list[Machine] = field(default_factory=list)
    connections_seen: int = 0

    def __post_init__(self) -> None:
        # One thread for all that starts processes: some end with the thread that started them.
        self.hand = ThreadPoolExecutor(1)
        self.running = Processes(self.folder)
        self.postgres: PostgresServer = self.hand.submit(PostgresServer, DURABLE).result()
        try:
            self.database = self.hand.submit(self.postgres.new).result()
            for name, many in (("a", self.processes), ("b", 1)):
                machine = Machine(name, many, self.arguments(name, many))
                self.machines.append(machine)
                self.hand.submit(self.start, machine).result()
            self.wait_for_all()
        except BaseException:
            self.close()
            raise

    def wait_for_all(self) -> None:
        """All processes of the first server answer calls."""
        server = self.machines[0].server
        assert server is not None
        ready = [f"process {number} is ready" for number in range(2, self.processes + 1)]
        until(lambda: all(each in server.said() for each in ready), "all processes")

    def arguments(self, name: str, many: int) -> tuple[str, ...]:
        """What a server is started with."""
        return (
            *("--database", self.database, "--database-connections", str(CONNECTIONS)),
            *("--images", self.images(), "--drain-s", "1", "--grace-s", "5"),
            *("--job-ttl-s-min", "10", "--faults-max", "100", "--request-lifetime-s", "86400"),
            *("--concurrency", "100000", "--processes", str(many)),
        )

    def images(self) -> str:
        """Where pictures are."""
        if self.s3 is None:
            return (self.folder / "pictures").resolve().as_uri()
        if not hasattr(self, "bucket"):
            self.bucket = self.s3.bucket()
        return f"s3://{self.bucket}/horde?endpoint={self.s3.url}"

    def start(self, machine: Machine) -> None:
        """Start a server, at the address it had before."""
        port = "0" if machine.server is None else str(urlsplit(machine.url).port)
        environment = {"ORDU_ADMIN_KEY": ADMIN_KEY, "ORDU_SECRET": SECRET} | (
            {} if self.s3 is None else KEYS
        )
        machine.server = self.running.server(
            *machine.arguments,
            *("--port", port),
            data=machine.name,
            program=self.program,
            **environment,
        )

    async def by_hand(self, work: Callable[..., T], *given: Any) -> T:
        """Do something that takes a while and starts processes."""
        return await asyncio.get_running_loop().run_in_executor(self.hand, work, *given)

    async def restart_postgres(self) -> None:
        """Kill the database server, as a crash would, and have it come back."""
        await self.by_hand(self.postgres.restart)

    # Looking

    async def connect(self) -> Any:
        """A connection of our own, as soon as there is one."""
        for _ in range(200):
            with suppress(*LOST):
                return await asyncpg.connect(
                    self.database, server_settings={"application_name": "chaos"}
                )
            await asyncio.sleep(0.1)
        raise TimeoutError("the database does not come back")

    async def ask(self, sql: str, *values: Any) -> list[Any]:
        """Rows; whatever happens to the connection meanwhile."""
        for _ in range(20):
            with suppress(*LOST):
                connection = await self.connect()
                try:
                    rows: list[Any] = await connection.fetch(sql, *values)
                    return rows
                finally:
                    await connection.close()
            await asyncio.sleep(0.1)
        raise TimeoutError("the database does not answer")

    async def count(self, sql: str, *values: Any) -> int:
        """The number that a statement gives."""
        return int((await self.ask(sql, *values))[0][0])

    def tracebacks(self) -> list[str]:
        """What servers logged that nobody expected, each kind once."""
        found = {}
        for each in self.running.started:
            text = each.said()
            for part in text.split("Traceback (most recent call last):")[1:]:
                lines = part.splitlines()
                last = next((line for line in lines[1:] if line and line[0] not in " \t"), "?")
                found.setdefault(last[:200], part[-3000:] if len(part) < 3000 else part[:3000])
        return [f"{last}: {part}" for last, part in found.items()]

    def close(self) -> None:
        """End everything."""
        for each in self.running.started:
            if each.process.poll() is None:
                with suppress(ProcessLookupError):
                    for pid in descendants(each.process.pid):
                        os.kill(pid, signal.SIGCONT)
                each.send(signal.SIGTERM)
        for each in self.running.started:
            with suppress(Exception):
                each.end()
        with redirect_stdout(io.StringIO()):  # it would tell all that the servers logged
            self.running.end()
        self.hand.submit(self.postgres.stop).result()
        self.hand.shutdown()

    def left(self) -> list[str]:
        """Processes of ours that are there after all were told to end."""
        deadline = time.monotonic() + 10
        while (found := self.running.left()) and time.monotonic() < deadline:
            time.sleep(0.05)
        return found


def descendants(pid: int) -> list[int]:
    """A process and its children."""
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text("utf-8")
    return [pid, *(int(word) for word in text.split())]
