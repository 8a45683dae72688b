"""The server: lives of the one process, one after the other, on the same disk.

A life is everything a process has in memory: the horde, its event loop, what waits for the writer,
what was committed and not yet published. Killing it throws all of that away; the next life is
rebuilt from the disk, as in a real start.
"""

import asyncio
import functools
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

from ordu.engine.clock import SystemClock
from ordu.engine.fresh import Fresh
from ordu.engine.horde import Horde
from ordu.engine.presence import Presence
from ordu.engine.sweeper import RARELY, Sweeper
from ordu.images.door import Door
from ordu.images.links import ServerLinks
from ordu.kinds.catalogue import Catalogue
from ordu.protocol.errors import Refused
from ordu.simulation.disk import Disk, MemoryDatabase, MemoryPictures
from ordu.simulation.faults import Fault, Killed, Switch
from ordu.simulation.invariants import Broken, Invariant
from ordu.simulation.loop import HandLoop
from ordu.simulation.stage import Stage
from ordu.store.groups import Group, GroupedDatabase, Groups

Verb: TypeAlias = Callable[[Horde], Awaitable[object]]
Answer: TypeAlias = Callable[[object], None]

DOWN_MS_MAX = 20_000
COMMIT_MS_MAX = 20
STALL_MS_MAX = 8_000
PUBLISH_MS_MAX = 5


class Life:
    """One life of the server."""

    def __init__(
        self, stage: Stage, disk: Disk, woken: Callable[[], None], surprises: list[str]
    ) -> None:
        self.switch = Switch(woken)
        self.loop = HandLoop(  # type: ignore[abstract] # asyncio's base is abstract in name only
            stage.agenda, self.switch, surprises
        )
        pictures = MemoryPictures(disk, self.switch)
        self.database = database = GroupedDatabase(
            MemoryDatabase(disk, self.switch), stage.agenda.seconds, before_commit=pictures.flush
        )
        database.is_open = True
        self.writer = MemoryDatabase(disk, self.switch).writer()
        self.groups = Groups(database)
        self.committed: deque[Group] = deque()
        self.is_writing = False
        self.has_news = True  # memory was changed since anybody compared it with SQL
        clock = SystemClock(stage.clock.time_ns, stage.clock.monotonic_ns)
        lifetime_s = stage.settings.link_lifetime_s
        links = ServerLinks(b"simulated", "http://horde.test", lifetime_s, clock.now)
        self.horde = Horde(
            settings=stage.settings,
            database=database,
            pictures=pictures,
            links=links,
            server_links=links,
            door=Door(timeout_s=1, bytes_max=0),  # nobody here sends a link
            clock=clock,
            fresh=Fresh(stage.chance),
            presence=Presence(stage.settings.worker_stale_s),
            catalogue=Catalogue(),
        )
        self.sweeper = Sweeper(self.horde)
        # Anywhere between two rounds of the rare chores, so that short runs see those as well.
        self.sweeper.rounds = stage.chance.randrange(RARELY)

    @property
    def is_quiet(self) -> bool:
        """Whether nothing is on its way: everything that was asked for is committed and known."""
        return self.database.waiting == 0 and not self.loop.ready


class Server:
    """The server of a simulation, alive or dead."""

    def __init__(self, stage: Stage, disk: Disk) -> None:
        self.stage = stage
        self.disk = disk
        self.agenda = stage.agenda
        self.chance = stage.chance
        self.faults = stage.faults
        self.story = stage.story
        self.life: Life | None = None
        self.lives = 0
        self.calls = 0
        self.commits = 0
        self.on_commit: Callable[[], None] = lambda: None
        self.on_quiet: Callable[[Horde], None] = lambda _: None
        self.open_calls: dict[int, Answer] = {}
        self.surprises: list[str] = []

    # Life and death

    def start(self) -> None:
        """Begin a life: memory is rebuilt from the disk, then calls are answered."""
        if self.life is not None:
            return
        self.lives += 1
        self.story.tell("the server starts")
        life = Life(self.stage, self.disk, self.turn, self.surprises)
        self.life = life
        life.loop.create_task(self.begin(life))
        self.turn()

    async def begin(self, life: Life) -> None:
        """Load, then sweep for ever."""
        await life.horde.load()
        await life.sweeper.run()

    def kill(self) -> None:
        """End this life from outside, between two things it does."""
        if self.life is not None:
            self.life.switch.is_on = False
            self.bury(self.life)

    def end(self) -> None:
        """Let go of the memory for good."""
        if self.life is not None:
            self.life.loop.end()

    def bury(self, life: Life) -> None:
        """Throw the memory away, hang up on everybody, and start again after a while."""
        life.loop.end()
        self.disk.cut()
        self.life = None
        self.story.tell("the server is dead")
        answers = list(self.open_calls.values())
        self.open_calls.clear()
        for answer in answers:
            answer(Gone("the server died"))
        self.agenda.after(self.chance.randrange(1, DOWN_MS_MAX), self.start)

    # Calls

    def run(self, verb: Verb, answer: Answer) -> None:
        """Run a call of a verb and answer it, unless the server dies before."""
        life = self.life
        if life is None:
            answer(Gone("nobody listens"))
            return
        self.calls += 1
        number = self.calls
        self.open_calls[number] = answer
        task = life.loop.create_task(self.handle(life, number, verb))
        if self.faults.strikes(Fault.CANCELLED):
            self.agenda.after(self.chance.randrange(COMMIT_MS_MAX), functools.partial(cancel, task))
        self.turn()

    async def handle(self, life: Life, number: int, verb: Verb) -> None:
        """Answer a call with what its verb returns, or with its refusal."""
        try:
            result: object = await verb(life.horde)
        except Refused as refused:
            result = refused
        except asyncio.CancelledError:
            result = Gone("the call was cancelled")
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what we look for
            self.surprises.append(f"a call ended with {error!r}")
            result = Gone("the server failed")
        self.open_calls.pop(number)(result)

    # One turn of its loop, and of its writer

    def turn(self) -> None:
        """Run what is ready; give the writer what waits; look at what is quiet."""
        life = self.life
        if life is None:
            return
        life.loop.run_ready()
        self.check_surprises(life)
        if not life.switch.is_on:
            self.bury(life)
            return
        if not life.is_writing and life.database.pending:
            life.is_writing = True
            stalls = self.faults.strikes(Fault.STALLED)
            delay_ms = self.chance.randrange(STALL_MS_MAX if stalls else COMMIT_MS_MAX)
            self.agenda.after(delay_ms, functools.partial(self.write, life))
        if life.is_quiet and life.has_news:
            life.has_news = False
            self.on_quiet(life.horde)

    def write(self, life: Life) -> None:
        """Run and commit a group of writes; a while later its results are published."""
        if not life.switch.is_on:
            return
        life.is_writing = False
        try:
            group = life.groups.run(life.writer)
            if not group.is_over:
                life.groups.commit(life.writer, group)
        except Killed:
            self.disk.cut()
            self.on_commit()
            self.bury(life)
            return
        self.check_surprises(life)
        self.commits += 1
        self.on_commit()
        life.committed.append(group)
        delay_ms = self.chance.randrange(PUBLISH_MS_MAX)
        self.agenda.after(delay_ms, functools.partial(self.publish, life))
        self.turn()

    def publish(self, life: Life) -> None:
        """Hand the oldest committed group back to the loop."""
        if not life.switch.is_on:
            return
        if self.faults.strikes(Fault.KILLED_BEFORE_PUBLISHING):
            self.kill()
            return
        life.has_news = True
        life.loop.call_soon(life.database.deliver, life.committed.popleft().items)
        self.turn()

    def check_surprises(self, life: Life) -> None:
        """What nobody expected breaks a promise by itself."""
        if self.surprises and life.switch.is_on:
            raise Broken(Invariant.ANSWERS, self.surprises)


def cancel(task: asyncio.Task[None]) -> None:
    """Cancel a call, as a server that stops does; one that is dead has none any more."""
    if not task.done():
        task.cancel()


class Gone:
    """The answer that never came, and why."""

    def __init__(self, why: str) -> None:
        self.why = why

    def __str__(self) -> str:
        return self.why


class Listener(logging.Handler):
    """Notes errors that are logged with a traceback."""

    def __init__(self, surprises: list[str]) -> None:
        super().__init__(logging.ERROR)
        self.surprises = surprises

    def emit(self, record: logging.LogRecord) -> None:
        """Note it."""
        if record.exc_info:
            self.surprises.append(f"{record.getMessage()}: {record.exc_info[1]!r}")


@contextmanager
def surprises_logged(surprises: list[str]) -> Iterator[None]:
    """Hear what servers log, and keep it from everybody else."""
    logger = logging.getLogger("ordu")
    listener = Listener(surprises)
    before, logger.propagate = logger.propagate, False
    logger.addHandler(listener)
    try:
        yield
    finally:
        logger.removeHandler(listener)
        logger.propagate = before
