"""A world: one seed's servers, network, people and workers, from its beginning to its end.

It has four parts. Everything is set up without faults. Then, for some steps, everybody acts and
everything may go wrong. Then faults stop: what was begun is brought to its end by honest workers.
At last everybody leaves, time passes, and nothing may be left that should not be.
"""

import itertools
import random
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import msgspec

from ordu.engine.books import found, give
from ordu.engine.sweeper import ORPHAN_AGE_MS, RARELY
from ordu.rules import money, trust
from ordu.rules.lifecycle import Millis
from ordu.rules.money import ADMINISTRATOR, ANONYMOUS, Action, UserId
from ordu.settings import ServerSettings
from ordu.simulation import invariants
from ordu.simulation.agenda import Agenda, WallClock
from ordu.simulation.alone import alone_on
from ordu.simulation.crowd import Worker
from ordu.simulation.disk import Disk
from ordu.simulation.faults import ALONE, TOGETHER, Fault, Faults
from ordu.simulation.history import History
from ordu.simulation.invariants import Invariant
from ordu.simulation.keeper import Keeper
from ordu.simulation.network import Network
from ordu.simulation.people import Person
from ordu.simulation.server import Server
from ordu.simulation.stage import Stage
from ordu.simulation.story import Story
from ordu.simulation.watch import GRACE_MS, Watch
from ordu.store import users
from ordu.store.database import Transaction

if TYPE_CHECKING:
    from ordu.simulation.shared import Shared

PEOPLE = ("ada", "ben", "cleo", "dan")
WORKERS = ("moss", "fern", "oak", "elm")
NAMES = ("server A", "server B", "server C", "server D")
SHARED = "postgresql://simulated/horde"
PACES = (1, 1, 1, 1, 1, 20)  # the slow ones live long enough for what comes with time
HEALING_STEPS_MAX = 40_000
LOOK_EVERY = 20
HURRY_MS_MAX = 20_000  # how soon idle workers ask again once little is left to do
MISHAP_MS_MAX = 60_000  # between chances for what strikes the whole machine
CLOCK_JUMP_MS_MAX = 600_000
FULL_MS_MAX = 30_000


class World:
    """Everything there is in one run.

    With several `processes` they share a database: SQLite in memory, or that at a `database` URL.
    """

    def __init__(
        self, seed: int, *, calm: bool = False, processes: int = 1, database: str = ""
    ) -> None:
        chance = random.Random(seed)  # noqa: S311 - it is to be repeatable
        agenda = Agenda()
        story = Story(agenda)
        is_shared = processes > 1 or bool(database)
        faults = Faults(chance, story, TOGETHER if is_shared else ALONE, none=calm)
        clock = WallClock(agenda)
        pace = chance.choice(PACES)
        settings = settings_for(chance, pace)
        if is_shared:
            settings = msgspec.structs.replace(settings, database=SHARED)
        self.stage = Stage(settings, pace, chance, agenda, clock, story, faults, History())
        self.outcome: Counter[str] = Counter()
        self.disk = Disk(self.stage)
        self.shared = shared_by(self.stage, self.disk, database) if is_shared else None
        truth = self.disk if self.shared is None else self.shared.truth
        self.look = truth.look
        self.user_ids = found_horde(truth.change, self.stage)
        build = alone_on(self.disk) if self.shared is None else self.shared.build
        self.surprises: list[str] = []
        self.servers = [
            Server(self.stage, build, self.surprises, name)
            for name in (NAMES[:processes] if is_shared else ("the server",))
        ]
        self.watch = Watch(self.stage, self.disk, self.servers, self.look, is_shared=is_shared)
        self.network = Network(self.stage, self.servers)
        self.populate()

    def populate(self) -> None:
        """Bring in people, workers and the keeper."""
        stage, network = self.stage, self.network
        many_people = stage.chance.randrange(1, len(PEOPLE) + 1)
        names = WORKERS[: stage.chance.randrange(1, len(WORKERS) + 1)]
        self.people = [
            Person(name, user_id, self.user_ids, stage, network)
            for name, user_id in zip(
                PEOPLE[:many_people], (ANONYMOUS, *self.user_ids), strict=False
            )
        ]
        self.workers = [
            Worker(name, stage.chance.choice(self.user_ids), stage, network) for name in names
        ]
        self.keeper = Keeper(self.user_ids, names, stage, network)

    # The parts of a run

    def run(self, steps: int) -> None:
        """Live through all of it.

        Raises:
            Broken: an invariant does not hold.
        """
        for server in self.servers:
            server.start()
        self.stage.agenda.after(self.stage.chance.randrange(1, MISHAP_MS_MAX), self.mishap)
        while self.network.calls < steps:
            self.stage.agenda.step()
        self.heal()
        self.bring_to_an_end()
        self.leave()

    def heal(self) -> None:
        """Let nothing go wrong any more."""
        self.stage.story.tell("== faults stop, and nobody asks for anything new")
        # That tidings are late is no fault: what comes late must not undo what is newer.
        self.stage.faults.stop(but={Fault.TIDINGS_LATE})
        self.set_clock_right()
        self.disk.is_full = False
        if self.shared is not None:
            self.shared.heal()
        for person in self.people:
            person.is_content = True
        self.keeper.is_content = True
        for worker in self.workers:
            worker.idle_ms_max = max(worker.idle_ms_max, HURRY_MS_MAX)
        self.watch.healed_at_ms = self.stage.agenda.now_ms

    def set_clock_right(self) -> None:
        """End what a clock that was set back has done, unless all servers have seen it."""
        clock = self.stage.clock
        latest = self.watch.latest_moment()
        lives = [server.life for server in self.servers]
        if any(life is None or life.horde.now() < latest for life in lives):
            clock.off_by_ms += latest - clock.now()

    def bring_to_an_end(self) -> None:
        """Go on until everything that was asked for is done, given up or over."""
        for number in range(HEALING_STEPS_MAX * len(self.servers) ** 2):
            self.stage.agenda.step()
            if number % LOOK_EVERY == 0:
                self.look_at_maps()
                if not self.look(invariants.not_done):
                    return
        self.watch.demand(Invariant.ENDS, self.look(invariants.not_done))

    def look_at_maps(self) -> None:
        """Where several servers share a database, look whether all know the same."""
        if self.shared is not None:
            self.shared.demand_same_maps(self.servers, self.watch)

    def leave(self) -> None:
        """Have everybody go, let every time be over, and look at what is left."""
        self.stage.story.tell("== everybody leaves")
        self.watch.checked[Invariant.ANSWERS] = sum(server.calls for server in self.servers)
        for worker in self.workers:
            worker.has_left = True
        # What is on its way still, through several servers, comes within another minute.
        late_ms = GRACE_MS if self.shared is None else 2 * GRACE_MS
        self.pass_time(self.stage.settings.request_lifetime_s * 1000 + late_ms)
        clock = self.stage.clock
        clock.off_by_ms += ORPHAN_AGE_MS + self.watch.latest_moment() - clock.now()
        for server in self.servers:
            assert server.life is not None, "nothing kills it any more"
            server.life.sweeper.rounds = RARELY - 1  # the next round does the rare chores too
        self.pass_time(3 * self.stage.settings.sweep_interval_s * 1000)
        left = self.look(lambda tx: tx.all("SELECT id FROM requests"))
        self.watch.demand(Invariant.ENDS, invariants.lines(left, "request {id} is still there"))
        self.watch.demand(
            Invariant.RESULTS, [f"{name} is left over" for name in self.disk.pictures]
        )

    def pass_time(self, span_ms: int) -> None:
        """Let so much time pass."""
        end = self.stage.agenda.now_ms + span_ms
        for number in itertools.count():
            if self.stage.agenda.now_ms >= end:
                return
            self.stage.agenda.step()
            if number % LOOK_EVERY == 0:
                self.look_at_maps()

    def close(self) -> None:
        """Throw it all away, but what has happened."""
        for server in self.servers:
            server.end()
        self.outcome = self.look(self.count)
        if self.shared is not None:
            self.shared.close()
        self.disk.close()

    def count(self, tx: Transaction) -> Counter[str]:
        """What came of it all."""
        named = self.stage.story.named
        outcome = Counter({"requests placed": named["request"], "jobs handed out": named["job"]})
        for row in tx.all("SELECT event FROM entries"):
            outcome[f"entries of kind {row['event'].partition(':')[0]}"] += 1
        return outcome

    # What strikes the whole machine

    def mishap(self) -> None:
        """Give faults of the machine their chance, again and again."""
        self.stage.agenda.after(self.stage.chance.randrange(1, MISHAP_MS_MAX), self.mishap)
        if self.strikes(Fault.KILLED_IDLE):
            self.network.any().kill()
        if self.strikes(Fault.DISK_FULL):
            self.disk.is_full = True
            self.stage.agenda.after(self.stage.chance.randrange(1, FULL_MS_MAX), self.empty_disk)
        jump_ms = self.stage.chance.randrange(1, CLOCK_JUMP_MS_MAX)
        if self.strikes(Fault.CLOCK_FORWARD):
            self.stage.clock.off_by_ms += jump_ms
        if self.strikes(Fault.CLOCK_BACK):
            self.stage.clock.off_by_ms -= jump_ms
        if self.shared is not None:
            self.shared.mishap(self.strikes)

    def strikes(self, fault: Fault) -> bool:
        """Whether a fault strikes that has its chance rarely."""
        return any(self.stage.faults.strikes(fault) for _ in range(5))

    def empty_disk(self) -> None:
        """There is room on the disk again."""
        self.disk.is_full = False


# How a world begins


def shared_by(stage: Stage, disk: Disk, database: str) -> "Shared":
    """What several servers share; the driver of PostgreSQL is needed only for it."""
    from ordu.simulation.shared import Shared  # noqa: PLC0415 - as it says

    return Shared(stage, disk, database)


def settings_for(chance: random.Random, pace: int) -> ServerSettings:
    """Terms of a horde, different for each seed."""
    return msgspec.structs.replace(
        ServerSettings(),
        request_lifetime_s=chance.choice((60, 90, 180)) * pace,
        sweep_interval_s=chance.choice((3, 10, 20)),
        faults_max=chance.choice((1, 2, 3)),
        concurrency=chance.choice((4, 30)),
        tax=chance.choice((0.0, 0.2)),
        upfront=chance.choice(("none", "heavy", "all")),
        trust_threshold=chance.choice((10, 50_000)),
        worker_stale_s=chance.choice((30, 300)),
        rate_limits=chance.random() < 0.5,
    )


def found_horde(
    change: Callable[[Callable[[Transaction], None]], None], stage: Stage
) -> list[UserId]:
    """Make the first users and some more, with kudos of their own; returns the ids of those."""
    ids = [UserId(number) for number in range(2, 2 + len(PEOPLE))]
    change(lambda tx: add_people(tx, ids, stage))
    return ids


def add_people(tx: Transaction, ids: Sequence[UserId], stage: Stage) -> None:
    """Add the first users, and these."""
    now, chance = stage.clock.now(), stage.chance
    for user_id in (ANONYMOUS, ADMINISTRATOR, *ids):
        is_first = user_id == ADMINISTRATOR
        users.add(
            tx,
            user_id=user_id,
            username="x",
            key_hash=None,
            concurrency=stage.settings.concurrency,
            now=Millis(now - chance.choice((0, 2)) * trust.TRUST_AGE_MS),
            is_moderator=is_first,
            is_trusted=is_first or (user_id != ANONYMOUS and chance.random() < 0.3),
        )
    for user_id in ids:
        kudos = money.from_whole(chance.choice((0, 15, 30, 30, 500)))
        if kudos:
            give(tx, found(tx, user_id), kudos, Action.ADMIN, f"founding-{user_id}", now)
