"""Alone: a process that has its database to itself, as on SQLite, and commits in groups."""

import functools
from collections import deque

from ordu.engine.sweeper import Sweeper
from ordu.simulation.disk import Disk, MemoryDatabase, MemoryPictures
from ordu.simulation.faults import Fault, Killed
from ordu.simulation.server import (
    COMMIT_MS_MAX,
    PUBLISH_MS_MAX,
    STALL_MS_MAX,
    Life,
    Server,
    a_horde,
)
from ordu.store.groups import Group, GroupedDatabase, Groups


class Alone:
    """One life's process: the real group commit, one step at a time instead of in a thread."""

    def __init__(self, disk: Disk, server: Server, life: Life) -> None:
        self.disk = disk
        self.server = server
        self.life = life
        self.agenda, self.chance, self.faults = server.agenda, server.chance, server.faults
        pictures = MemoryPictures(disk, life.switch)
        self.database = GroupedDatabase(
            MemoryDatabase(disk, life.switch),
            server.stage.agenda.seconds,
            before_commit=pictures.flush,
        )
        self.database.is_open = True
        self.writer = MemoryDatabase(disk, life.switch).writer()
        self.groups = Groups(self.database)
        self.committed: deque[Group] = deque()
        self.is_writing = False
        self.horde = a_horde(server.stage, self.database, pictures)
        self.sweeper = Sweeper(self.horde)

    async def join(self) -> None:
        """Load; nobody else is there."""
        await self.horde.load()

    @property
    def is_quiet(self) -> bool:
        """Whether nothing is on its way: everything that was asked for is committed and known."""
        return self.database.waiting == 0 and not self.life.loop.ready

    def let_go(self) -> None:
        """The power goes: what was not committed is gone."""
        self.disk.cut()

    def turned(self) -> None:
        """Give the writer what waits, soon."""
        if not self.is_writing and self.database.pending:
            self.is_writing = True
            stalls = self.faults.strikes(Fault.STALLED)
            delay_ms = self.chance.randrange(STALL_MS_MAX if stalls else COMMIT_MS_MAX)
            self.agenda.after(delay_ms, self.write)

    def write(self) -> None:
        """Run and commit a group of writes; a while later its results are published."""
        server = self.server
        if not self.life.switch.is_on:
            return
        self.is_writing = False
        try:
            group = self.groups.run(self.writer)
            if not group.is_over:
                self.groups.commit(self.writer, group)
        except Killed:
            self.disk.cut()
            server.on_commit()
            server.bury(self.life)
            return
        server.check_surprises(self.life)
        server.commits += 1
        server.on_commit()
        delay_ms = self.chance.randrange(PUBLISH_MS_MAX)
        self.committed.append(group)
        self.agenda.after(delay_ms, self.publish)
        server.turn()

    def publish(self) -> None:
        """Hand the oldest committed group back to the loop."""
        if not self.life.switch.is_on:
            return
        if self.faults.strikes(Fault.KILLED_BEFORE_PUBLISHING):
            self.server.kill()
            return
        self.life.has_news = True
        self.life.loop.call_soon(self.database.deliver, self.committed.popleft().items)
        self.server.turn()


def alone_on(disk: Disk) -> functools.partial[Alone]:
    """What makes the processes of the only server on a disk."""
    return functools.partial(Alone, disk)
