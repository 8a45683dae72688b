"""A server: lives of one process, one after the other, on the same disk.

A life is everything a process has in memory: the horde, its event loop, what waits to be written,
what was committed and not yet published. Killing it throws all of that away; the next life is
rebuilt from the disk, as in a real start. How it writes is told in `alone` and in `together`.
"""

import asyncio
import functools
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Protocol, TypeAlias

from ordu.engine.clock import SystemClock
from ordu.engine.fresh import Fresh
from ordu.engine.horde import Horde
from ordu.engine.presence import Presence
from ordu.engine.sweeper import RARELY, Sweeper
from ordu.images.door import Door
from ordu.images.links import ServerLinks
from ordu.images.store import Pictures
from ordu.kinds.catalogue import Catalogue
from ordu.protocol.errors import Refused
from ordu.simulation.faults import Fault, Switch
from ordu.simulation.invariants import Broken, Invariant
from ordu.simulation.loop import HandLoop
from ordu.simulation.stage import Stage
from ordu.store.database import Database

Verb: TypeAlias = Callable[[Horde], Awaitable[object]]
Answer: TypeAlias = Callable[[object], None]
Build: TypeAlias = Callable[["Server", "Life"], "Process"]

DOWN_MS_MAX = 20_000
COMMIT_MS_MAX = 20
STALL_MS_MAX = 8_000
PUBLISH_MS_MAX = 5


class Process(Protocol):
    """What a server has in memory; how it writes depends on the database that it has."""

    horde: Horde
    sweeper: Sweeper

    async def join(self) -> None:
        """Read from the database what a server knows when it begins to listen.

        Raises:
            Refused, OSError, asyncpg.PostgresError: it cannot; a real process ends then.
        """
        ...

    def turned(self) -> None:
        """The loop has run everything that was ready."""
        ...

    @property
    def is_quiet(self) -> bool:
        """Whether nothing is on its way: everything that was asked for is committed and known."""
        ...

    def let_go(self) -> None:
        """The process is dead: others see that it holds nothing any more."""
        ...


class Life:
    """One life of the server."""

    def __init__(self, server: "Server") -> None:
        self.switch = Switch(server.turn)
        self.loop = HandLoop(  # type: ignore[abstract] # asyncio's base is abstract in name only
            server.stage.agenda, self.switch, server.surprises
        )
        self.is_listening = False
        self.has_news = True  # memory was changed since anybody compared it with SQL
        self.process: Process = server.build(server, self)
        # Anywhere between two rounds of the rare chores, so that short runs see those as well.
        self.sweeper.rounds = server.stage.chance.randrange(RARELY)

    @property
    def horde(self) -> Horde:
        """What its process serves."""
        return self.process.horde

    @property
    def sweeper(self) -> Sweeper:
        """What does its chores."""
        return self.process.sweeper


def a_horde(stage: Stage, database: Database, pictures: Pictures) -> Horde:
    """A horde of simulated time and chance."""
    clock = SystemClock(stage.clock.time_ns, stage.clock.monotonic_ns)
    lifetime_s = stage.settings.link_lifetime_s
    links = ServerLinks(b"simulated", "http://horde.test", lifetime_s, clock.now)
    return Horde(
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


class Server:
    """A server of a simulation, alive or dead."""

    def __init__(self, stage: Stage, build: Build, surprises: list[str], name: str) -> None:
        self.stage = stage
        self.build = build
        self.surprises = surprises
        self.name = name
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

    # Life and death

    def start(self) -> None:
        """Begin a life: memory is rebuilt from the disk, then calls are answered."""
        if self.life is not None:
            return
        self.lives += 1
        self.story.tell(f"{self.name} starts")
        life = self.life = Life(self)
        life.loop.create_task(self.begin(life))
        self.turn()

    async def begin(self, life: Life) -> None:
        """Load, listen, and sweep for ever."""
        try:
            await life.process.join()
        except Refused as refused:
            self.story.tell(f"{self.name} cannot start: {refused.rc}")
            life.switch.is_on = False
            return
        life.is_listening = True
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
        life.process.let_go()
        self.life = None
        self.story.tell(f"{self.name} is dead")
        answers = list(self.open_calls.values())
        self.open_calls.clear()
        for answer in answers:
            answer(Gone("the server died"))
        self.agenda.after(self.chance.randrange(1, DOWN_MS_MAX), self.start)

    # Calls

    def run(self, verb: Verb, answer: Answer) -> None:
        """Run a call of a verb and answer it, unless the server dies before."""
        life = self.life
        if life is None or not life.is_listening:
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

    # One turn of its loop

    def turn(self) -> None:
        """Run what is ready, write what waits, and look at what is quiet."""
        life = self.life
        if life is None:
            return
        life.loop.run_ready()
        self.check_surprises(life)
        if not life.switch.is_on:
            self.bury(life)
            return
        life.process.turned()
        if life.process.is_quiet and life.has_news:
            life.has_news = False
            self.on_quiet(life.horde)

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
