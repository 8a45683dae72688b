"""The stage of a crash: a horde that is prepared, a real server that dies in it, and a look.

What has to be there is prepared in this process, with a clock that is moved by hand, so that
requests can be old and workers can have been here for ten minutes. Then a server process is started
with a failpoint and somebody calls it; it dies. Then the horde is opened again in this process, as
a server would at its start, and everything that must be true of a horde is looked at.

The books are in a file of SQLite, or in a PostgreSQL that lives on when our processes die.
"""

import asyncio
import signal
import sqlite3
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import httpx
from tests.builders import HandClock
from tests.conftest import ADMIN_KEY
from tests.system.processes import Processes, Running, Server

from ordu.engine.clock import SystemClock
from ordu.engine.horde import Horde
from ordu.engine.sweeper import Sweeper
from ordu.failpoints import VARIABLE
from ordu.images.segment_store import SegmentPictures
from ordu.server.run import open_horde
from ordu.settings import ServerSettings
from ordu.simulation import invariants
from ordu.store.database import Transaction

Rows = dict[str, set[tuple[Any, ...]]]  # by the query that finds them

DATA = "horde"
URL = "http://horde.test"
ADMIN = {"apikey": ADMIN_KEY}
FOREVER = (
    "SELECT id, created_at FROM users",
    "SELECT * FROM entries",
    "SELECT * FROM lines",
    "SELECT * FROM transfers",
)
KILLED = -signal.SIGKILL
CHORE = Path(__file__).parent / "chore.py"


@dataclass
class Stage:
    """One horde, and the processes that run in it."""

    ordu: Processes
    database: str = ""  # the address of one on PostgreSQL
    facts: dict[str, Any] = field(default_factory=dict)  # what preparing it found out

    @property
    def settings(self) -> ServerSettings:
        """Those of the server, for this process."""
        return ServerSettings(
            data=str(self.ordu.folder / DATA),
            admin_key=ADMIN_KEY,
            rate_limits=False,
            database=self.database,
            database_connections=2,
        )

    @property
    def where(self) -> tuple[str, ...]:
        """The arguments of a server that say where its books are."""
        return ("--database", self.database) if self.database else ()

    @property
    def picture_folder(self) -> Path:
        return Path(self.settings.data) / "pictures"

    def pictures(self) -> set[str]:
        """The names of all pictures that a server would find."""
        folder = self.picture_folder
        folder.mkdir(parents=True, exist_ok=True)
        if self.database:
            return {path.name for path in folder.glob("*/[!.]*")}
        segments = SegmentPictures(folder, SystemClock().now)
        segments.close()
        return set(segments.places)

    def inside(self, act: Callable[[Horde, HandClock], Awaitable[Any]]) -> Any:
        """Do something in the horde while no server runs, beginning at this moment."""

        async def run() -> Any:
            clock = HandClock(int(time.time() * 1000))
            async with open_horde(self.settings, URL, clock=clock) as opened:
                return await act(opened.horde, clock)

        return asyncio.run(run())

    def look(self, look: Callable[[Transaction], Any]) -> Any:
        """What is in the database while no server runs."""

        async def read(horde: Horde, _: HandClock) -> Any:
            return await horde.read(look)

        return self.inside(read)

    def peek(self, sql: str) -> Any:
        """What one question to the database gives, without opening the horde; None: no table."""
        if not self.database:
            path = self.settings.database_path()
            if not path.exists():
                return None
            with closing(sqlite3.connect(path)) as connection:
                return connection.execute(sql).fetchone()[0]

        async def ask() -> Any:
            connection = await asyncpg.connect(self.database)
            try:
                return await connection.fetchval(sql)
            except asyncpg.UndefinedTableError:
                return None
            finally:
                await connection.close()

        return asyncio.run(ask())

    def server(self, failpoint: str = "", *arguments: str) -> Server:
        """A server with this failpoint, that answers calls."""
        given = {"ORDU_ADMIN_KEY": ADMIN_KEY, VARIABLE: failpoint}
        return self.ordu.server(*self.where, *arguments, data=DATA, **given)

    def start(self, failpoint: str) -> Running:
        """A server with this failpoint that dies while it starts."""
        given = {"ORDU_ADMIN_KEY": ADMIN_KEY, VARIABLE: failpoint}
        places = ("--data", DATA, "--port", "0", *self.where)
        return self.ordu.start("server", "serve", *places, **given)

    def chore(self, name: str, failpoint: str) -> Running:
        """A process that does one chore of the horde."""
        where = (self.settings.data, ADMIN_KEY, self.database)
        command = (sys.executable, str(CHORE), name, *where)
        return self.ordu.program("chore", *command, **{VARIABLE: failpoint})

    def sweep(self) -> None:
        """What the next server does by itself within a minute."""

        async def round_of_chores(horde: Horde, _: HandClock) -> None:
            await Sweeper(horde).sweep()

        self.inside(round_of_chores)

    def rows(self) -> Rows:
        """What is written once and stays: who is a user, and all of the books."""

        def read(tx: Transaction) -> Rows:
            return {sql: {tuple(row) for row in tx.all(sql)} for sql in FOREVER}

        return self.look(read)

    def demand_order(self) -> None:
        """Open the horde again and demand all that must be true of it."""

        async def look(horde: Horde, _: HandClock) -> list[str]:
            pictures = self.pictures()
            tax = horde.settings.tax

            def wrong(tx: Transaction) -> list[str]:
                return [
                    *invariants.wrong_in(tx, tax),
                    *invariants.results(tx, pictures),
                    *invariants.the_map(horde, tx),
                ]

            return await horde.read(wrong)

        wrong = self.inside(look)
        assert not wrong, "\n".join(wrong)


@contextmanager
def calling_at(server: Server, *, kills: bool = True) -> Iterator["Caller"]:
    """The administrator, who calls a server until it dies."""
    with httpx.Client(base_url=server.url, headers=ADMIN, timeout=20) as http:
        yield Caller(http, kills)


@dataclass
class Caller:
    """Somebody who calls a server."""

    http: httpx.Client
    kills: bool = True  # whether the server has a failpoint that the last call comes by

    def call(self, method: str, path: str, **given: Any) -> httpx.Response:
        """Call, and get an answer."""
        answer = self.http.request(method, f"/api/v2{path}", **given)
        assert answer.status_code < 500, answer.text
        return answer

    def die(self, method: str, path: str, **given: Any) -> None:
        """Call, and get no answer because the server dies."""
        self.die_at(lambda: self.http.request(method, f"/api/v2{path}", **given))

    def die_at(self, call: Callable[[], httpx.Response]) -> None:
        """Make this call, and get no answer; from a server without a failpoint a good one."""
        try:
            answer = call()
        except httpx.TransportError:
            assert self.kills, "the server died without being told to"
            return
        assert not self.kills, f"answered {answer.status_code}: {answer.text}"
        assert answer.is_success, answer.text

    def call_or_die(self, method: str, path: str, **given: Any) -> None:
        """Call; whether there is an answer depends on who is faster."""
        with suppress(httpx.TransportError):
            self.call(method, path, **given)


def demand_death(running: Running) -> None:
    """The process killed itself."""
    assert running.end() == KILLED, running.said()
