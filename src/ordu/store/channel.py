"""The channel: a connection of each process to PostgreSQL that is for talking, and not for work.

Through it a process hears what others notify, notifies them, and holds the lock that makes it the
*keeper*: the one process of the horde that does the chores there must be one of. A connection that
is lost is made again; whoever held the lock by it has lost that too, and another takes it.

Notices are sent here and never in a transaction that does something, because PostgreSQL lets
transactions with notices commit one after the other only.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable
from typing import Any

import asyncpg

from ordu.store.postgres import LOST, SESSION

log = logging.getLogger(__name__)

NAME = "ordu_tidings"
KEEPER_LOCK = 0x6B656570  # "keep"; of the database's advisory locks
BEAT_S = 1.0  # how often the connection is tried, and the lock where somebody else has it
ANSWER_S = 5.0  # a connection that does not answer for so long is lost
PAUSE_S = 0.1  # before it is made again; twice as long each time, to
PAUSE_S_MAX = 2.0
UNSENT_MAX = 10_000  # texts; the oldest are dropped, and others notice the gap
SENT_TOGETHER = 50


class PostgresChannel:
    """One process's channel to the others. Belongs to one event loop.

    `on_text` is told what comes, `on_return` that something may have been missed.
    """

    def __init__(
        self, url: str, on_text: Callable[[str], None], on_return: Callable[[], None]
    ) -> None:
        self.url = url
        self.on_text = on_text
        self.on_return = on_return
        self.unsent: deque[str] = deque(maxlen=UNSENT_MAX)
        self.is_awake = asyncio.Event()
        self.is_keeper = False
        self.beat_s = BEAT_S
        self.connection: asyncpg.Connection | None = None
        self.task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Connect, and listen from now on.

        Raises:
            OSError, asyncpg.PostgresError: the database cannot be reached.
        """
        connection = await self.connect()
        self.task = asyncio.get_running_loop().create_task(self.run(connection))

    async def stop(self) -> None:
        """Send what is left, and let go of everything."""
        task, self.task = self.task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        self.is_keeper = False
        connection, self.connection = self.connection, None
        if connection is not None:
            with contextlib.suppress(*LOST):
                await self.send_all(connection)
                await connection.close(timeout=ANSWER_S)

    def send(self, text: str) -> None:
        """Tell the others, soon."""
        self.unsent.append(text)
        self.is_awake.set()

    async def connect(self) -> Any:
        """A new connection that listens."""
        connection = await asyncpg.connect(
            self.url,
            timeout=ANSWER_S,
            command_timeout=ANSWER_S,
            server_settings=SESSION | {"application_name": "ordu channel"},
        )
        await connection.add_listener(NAME, lambda *notice: self.on_text(notice[3]))
        self.connection = connection
        return connection

    async def run(self, connection: Any) -> None:
        """Talk for ever; come back when the connection is lost."""
        while True:
            with contextlib.suppress(*LOST, asyncpg.PostgresError):
                await self.talk(connection)
            self.is_keeper = False
            log.warning("lost the channel to the other processes; coming back")
            connection.terminate()
            connection = await self.come_back()
            log.info("the channel to the other processes is back")
            self.on_return()

    async def come_back(self) -> Any:
        """A connection, as soon as there is one to be had."""
        pause_s = PAUSE_S
        while True:
            await asyncio.sleep(pause_s)
            with contextlib.suppress(*LOST, asyncpg.PostgresError):
                return await self.connect()
            pause_s = min(PAUSE_S_MAX, 2 * pause_s)

    async def talk(self, connection: Any) -> None:
        """Send what there is to send, and now and then see whether we are the keeper."""
        loop = asyncio.get_running_loop()
        beat_at = loop.time()
        while True:
            if loop.time() >= beat_at:
                await self.beat(connection)
                beat_at = loop.time() + self.beat_s
            await self.send_all(connection)
            self.is_awake.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, beat_at - loop.time())):
                    await self.is_awake.wait()

    async def beat(self, connection: Any) -> None:
        """Become the keeper if nobody is; else see whether the connection is there still."""
        if self.is_keeper:
            await connection.execute("SELECT 1")
            return
        self.is_keeper = await connection.fetchval("SELECT pg_try_advisory_lock($1)", KEEPER_LOCK)
        if self.is_keeper:
            log.info("this process does the chores of the horde from now on")

    async def send_all(self, connection: Any) -> None:
        """Send what waits to be sent; what is lost meanwhile the others notice."""
        while self.unsent:
            texts = [self.unsent.popleft() for _ in range(min(SENT_TOGETHER, len(self.unsent)))]
            await connection.execute(
                "SELECT pg_notify($1, text) FROM unnest($2::text[]) AS text", NAME, texts
            )
