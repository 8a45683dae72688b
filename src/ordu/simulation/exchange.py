"""The exchange: what carries tidings between servers, and the lock that makes one the keeper.

The real `PostgresChannel` of each server talks over a line to here. A line may be lost, and who had
it notices later than the exchange does, so for a while two may believe that they are the keeper.
Tidings of one server come in their order; those of several pass each other.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

import asyncpg

from ordu.simulation.agenda import Agenda
from ordu.simulation.faults import Fault
from ordu.simulation.server import Life
from ordu.simulation.stage import Stage
from ordu.store.channel import PostgresChannel

TRAVEL_MS_MAX = 10
LATE_MS_MAX = 5_000
BEAT_S = 5.0


class Exchange:
    """Where all lines meet."""

    def __init__(self, stage: Stage) -> None:
        self.agenda: Agenda = stage.agenda
        self.chance = stage.chance
        self.faults = stage.faults
        self.beat_s = BEAT_S * stage.pace
        self.lines: list[Line] = []
        self.keeper: Line | None = None
        self.is_reachable = True
        self.on_the_way = 0  # texts
        self.found_lost = 0  # how often somebody noticed that a line is gone, and texts with it
        self.came_late = (
            0  # texts that others may have passed, also from a server that ended it all
        )

    def lose(self, line: "Line") -> None:
        """A line is gone, and with it the lock that was held by it."""
        line.is_lost = True
        if line in self.lines:
            self.lines.remove(line)
        if self.keeper is line:
            self.keeper = None

    def lose_all(self) -> None:
        """The database is gone."""
        self.is_reachable = False
        for line in list(self.lines):
            self.lose(line)

    def send(self, sender: "Line", text: str) -> None:
        """Carry a text to everybody who listens, the sender too."""
        for line in self.lines:
            if self.faults.strikes(Fault.TIDINGS_LOST):
                continue
            is_late = self.faults.strikes(Fault.TIDINGS_LATE)
            delay_ms = self.chance.randrange(1, LATE_MS_MAX if is_late else TRAVEL_MS_MAX)
            at = max(self.agenda.now_ms + delay_ms, sender.last_at.get(line, 0))
            sender.last_at[line] = at
            self.on_the_way += 1
            bring = partial(self.bring, line, text, is_late=is_late)
            self.agenda.after(at - self.agenda.now_ms, bring)

    def bring(self, line: "Line", text: str, *, is_late: bool) -> None:
        """A text has come."""
        self.on_the_way -= 1
        self.came_late += is_late
        line.hear(text)


class Line:
    """A server's connection to the exchange."""

    def __init__(self, exchange: Exchange, life: Life, on_text: Callable[[str], None]) -> None:
        self.exchange = exchange
        self.life = life
        self.on_text = on_text
        self.is_lost = False
        self.last_at: dict[Line, int] = {}  # when the newest text comes to each other
        exchange.lines.append(self)

    def hear(self, text: str) -> None:
        """A text has come."""
        if not self.is_lost and self.life.switch.is_on:
            self.life.has_news = True
            self.life.loop.call_soon(self.on_text, text)
            self.life.switch.woken()

    async def say(self) -> None:
        """Something is said through it.

        Raises:
            asyncpg.PostgresConnectionError: it is lost.
        """
        await asyncio.sleep(self.exchange.chance.randrange(TRAVEL_MS_MAX) / 1000)
        if self.is_lost:
            self.exchange.found_lost += 1
            raise asyncpg.ConnectionDoesNotExistError("the channel is closed")

    # What the channel asks of the driver

    async def execute(self, sql: str, *values: Any) -> None:
        """Notify others, or ask whether anybody listens."""
        del sql
        texts = values[1] if values else ()
        self.exchange.on_the_way += len(texts)
        try:
            await self.say()
        finally:
            self.exchange.on_the_way -= len(texts)
        for text in texts:
            self.exchange.send(self, text)

    async def fetchval(self, sql: str, *values: Any) -> bool:
        """Try for the lock."""
        del sql, values
        await self.say()
        if self.exchange.keeper is None:
            self.exchange.keeper = self
        return self.exchange.keeper is self

    def terminate(self) -> None:
        """Hang up."""
        self.exchange.lose(self)

    async def close(self, timeout: float) -> None:  # noqa: ASYNC109 - as the driver has it
        """Hang up."""
        del timeout
        self.exchange.lose(self)


class HandChannel(PostgresChannel):
    """The real channel, connected to an exchange."""

    def __init__(
        self,
        exchange: Exchange,
        life: Life,
        on_text: Callable[[str], None],
        on_return: Callable[[], None],
    ) -> None:
        super().__init__("", on_text, on_return)
        self.beat_s = exchange.beat_s
        self.exchange = exchange
        self.life = life

    async def connect(self) -> Any:
        """A new line."""
        await asyncio.sleep(self.exchange.chance.randrange(TRAVEL_MS_MAX) / 1000)
        if not self.exchange.is_reachable:
            raise ConnectionRefusedError("nobody listens")
        line = Line(self.exchange, self.life, self.on_text)
        self.connection = line
        return line
