"""Faults: what is done to processes and connections, from a seed, one after the other.

They come from a deck of cards that is shuffled, used up and shuffled again, so that each kind has
its turn also in a short run. A supervisor's process is killed only while another one has been there
for a while: what is promised is that the others go on.
"""

import asyncio
import os
import random
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress

from tests.system.chaos.journal import Journal
from tests.system.chaos.stage import OURS, Machine, Stage

FREEZE_S = (1.0, 3.0)
BACKENDS_MAX = 5


class Faults:
    """Makes them until told to stop, then mends what is broken."""

    def __init__(
        self,
        stage: Stage,
        journal: Journal,
        chance: random.Random,
        pause_s: float,
        *,
        is_long: bool,
    ) -> None:
        self.stage = stage
        self.journal = journal
        self.chance = chance
        self.pause_s = pause_s
        self.frozen: set[int] = set()
        self.side: set[asyncio.Task[None]] = set()
        self.many: list[Callable[[], Awaitable[None]]] = [
            *[self.kill_child] * 3,
            *[self.cut_connections] * 4,
            *[self.freeze] * 2,
            *[self.stop_child, self.roll, self.kill_server, self.stop_server],
            *([self.crash_database] if is_long else []),
        ]

    @property
    def first(self) -> Machine:
        return self.stage.machines[0]

    @property
    def second(self) -> Machine:
        return self.stage.machines[1]

    async def run(self, seconds: float) -> None:
        """Make faults for so long."""
        loop = asyncio.get_running_loop()
        ends_at, deck = loop.time() + seconds, list(self.many)
        try:
            while loop.time() < ends_at:
                if not deck:
                    deck = list(self.many)
                fault = deck.pop(self.chance.randrange(len(deck)))
                await fault()
                await asyncio.sleep(self.pause_s * self.chance.uniform(0.3, 1.7))
        finally:
            await self.mend()

    async def mend(self) -> None:
        """Have everything run that is to run."""
        for task in list(self.side):
            await task
        for pid in list(self.frozen):
            self.send(pid, signal.SIGCONT)
        for machine in self.stage.machines:
            await self.bring_back(machine)
        for _ in range(1200):
            if all(len(each.children()) == each.processes for each in self.stage.machines):
                return
            await asyncio.sleep(0.05)
        self.journal.is_wrong("a process that died was not replaced within a minute")

    def send(self, pid: int, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.kill(pid, number)

    async def bring_back(self, machine: Machine) -> None:
        """Start a server that is not there, at the same address."""
        if not machine.is_up:
            await self.stage.by_hand(self.stage.start, machine)

    # Kinds

    def victim(self) -> int | None:
        """A process that may die, because another one can do its work."""
        steady = self.first.steady()
        everyone = self.first.children() if len(steady) > 1 else []
        if self.first.processes == 1:
            return None
        return self.chance.choice(everyone) if everyone else None

    async def kill_child(self) -> None:
        """A process of the supervisor dies at once."""
        if (pid := self.victim()) is not None:
            self.send(pid, signal.SIGKILL)
            self.journal.fault("SIGKILL of a process", str(pid))
        elif self.first.processes == 1:
            await self.kill_machine(self.first)

    async def kill_machine(self, machine: Machine) -> None:
        """A server that is one process dies at once, and is started again."""
        for pid in machine.children():
            self.send(pid, signal.SIGKILL)
        assert machine.server is not None
        await asyncio.to_thread(machine.server.end)
        self.journal.fault("SIGKILL of a whole server", machine.name)
        await asyncio.sleep(self.chance.uniform(0, 1))
        await self.bring_back(machine)

    async def stop_child(self) -> None:
        """A process is told to stop by somebody else than its supervisor."""
        if (pid := self.victim()) is not None:
            self.send(pid, signal.SIGTERM)
            self.journal.fault("SIGTERM of a process", str(pid))

    async def roll(self) -> None:
        """A rolling restart, during which other faults happen."""
        if self.first.processes > 1 and self.first.server is not None:
            self.first.server.send(signal.SIGHUP)
            self.journal.fault("SIGHUP, a rolling restart")

    async def kill_server(self) -> None:
        """The other machine loses its power, and has it again."""
        await self.kill_machine(self.second)

    async def stop_server(self) -> None:
        """The other machine's server is stopped and started again."""
        assert self.second.server is not None
        self.second.server.send(signal.SIGTERM)
        code = await asyncio.to_thread(self.second.server.end)
        if code != 0:
            self.journal.is_wrong(f"a server that was told to stop ended with exit code {code}")
        self.journal.fault("SIGTERM of a whole server")
        await self.bring_back(self.second)

    async def freeze(self) -> None:
        """A process stands still for a while."""
        everyone = [pid for machine in self.stage.machines for pid in machine.steady()]
        if not everyone:
            return
        pid, seconds = self.chance.choice(everyone), self.chance.uniform(*FREEZE_S)
        self.send(pid, signal.SIGSTOP)
        self.frozen.add(pid)
        self.journal.fault("SIGSTOP for a while", f"{pid} for {seconds:.1f} s")

        async def thaw() -> None:
            await asyncio.sleep(seconds)
            self.send(pid, signal.SIGCONT)
            self.frozen.discard(pid)

        task = asyncio.create_task(thaw())
        self.side.add(task)
        task.add_done_callback(self.side.discard)

    async def cut_connections(self) -> None:
        """The database ends some of the connections to it."""
        most = self.chance.randint(1, BACKENDS_MAX)
        wanted = self.chance.choice(["'ordu'", "'ordu'", "'ordu channel'", "'ordu','ordu channel'"])
        rows = await self.stage.ask(
            "SELECT application_name, pg_terminate_backend(pid) FROM (SELECT pid,"
            f" application_name FROM pg_stat_activity WHERE {OURS} AND application_name"
            f" IN ({wanted}) ORDER BY (state = 'idle')::int, random() LIMIT $1) AS chosen",
            most,
        )
        for row in rows:
            self.journal.fault("connection ended by PostgreSQL", row[0])

    async def crash_database(self) -> None:
        """The database server dies at once and comes back."""
        await self.stage.restart_postgres()
        self.journal.fault("crash of PostgreSQL")
