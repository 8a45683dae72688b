"""Shared: what several servers have in common, and what is demanded of them together."""

from collections.abc import Callable, Sequence
from functools import partial

from ordu.engine.elsewhere import RARELY
from ordu.simulation import invariants
from ordu.simulation.disk import Disk
from ordu.simulation.exchange import Exchange
from ordu.simulation.faults import Fault
from ordu.simulation.invariants import Invariant
from ordu.simulation.server import Life, Server
from ordu.simulation.stage import Stage
from ordu.simulation.together import Together
from ordu.simulation.truth import MemoryEngine, RealEngine, Truth
from ordu.simulation.watch import Watch

ROUNDS_OF_LANES = 2  # of chores, after which what waits is known as SQL has it
ROUNDS_OF_ALL = RARELY + 2  # after which everything is
AWAY_MS_MAX = 60_000


class Shared:
    """A database and an exchange; `url` is that of a real PostgreSQL, else SQLite is used."""

    def __init__(self, stage: Stage, disk: Disk, url: str) -> None:
        engine = RealEngine(url) if url else MemoryEngine(disk.connection)
        stage.history.knows_order = not url
        self.stage = stage
        self.disk = disk
        self.truth = Truth(stage, disk, engine)
        self.exchange = Exchange(stage)
        self.processes: dict[Server, Together] = {}
        self.is_healed = False
        self.unsure = (
            0,
            0,
        )  # how often texts were lost, or late, when rounds were last counted anew

    def build(self, server: Server, life: Life) -> Together:
        """The process of a life that begins."""
        process = Together(self.disk, self.truth, self.exchange, server, life)
        self.processes[server] = process
        return process

    def close(self) -> None:
        """Throw it away."""
        self.truth.engine.close()

    # What goes wrong

    def mishap(self, strikes: Callable[[Fault], bool]) -> None:
        """Give faults of what is shared their chance."""
        if strikes(Fault.CHANNEL_LOST) and self.exchange.lines:
            self.exchange.lose(self.stage.chance.choice(self.exchange.lines))
        if strikes(Fault.UNREACHABLE):
            self.truth.is_reachable = False
            self.exchange.lose_all()
            self.stage.agenda.after(self.stage.chance.randrange(1, AWAY_MS_MAX), self.be_reachable)

    def be_reachable(self) -> None:
        """The database is there again."""
        self.truth.is_reachable = True
        self.exchange.is_reachable = True

    def heal(self) -> None:
        """Nothing goes wrong any more: from now on rounds of chores are counted."""
        self.be_reachable()
        self.is_healed = True
        self.count_anew()

    def count_anew(self) -> None:
        """Something may have been lost or overtaken until now: all has to be compared again."""
        self.unsure = (self.exchange.found_lost, self.exchange.came_late)
        for process in self.processes.values():
            process.rounds_before = process.elsewhere.rounds

    # What is demanded

    def demand_same_maps(self, servers: Sequence[Server], watch: Watch) -> None:
        """Demand that each server knows what SQL says.

        Only when faults have stopped, nothing is on its way anywhere, and the server has compared
        what it knows since then: what was lost before may be unknown until that.
        """
        if not self.is_healed or self.exchange.on_the_way:
            return
        if (self.exchange.found_lost, self.exchange.came_late) != self.unsure:
            self.count_anew()
        lives = [server.life for server in servers]
        if any(each is None or not (each.is_listening and each.process.is_quiet) for each in lives):
            return
        for server in servers:
            process = self.processes[server]
            rounds = process.elsewhere.rounds - process.rounds_before
            moment = (sum(each.commits for each in servers), rounds)
            if rounds < ROUNDS_OF_LANES or moment == process.looked_at:
                continue
            process.looked_at = moment
            look = invariants.the_map if rounds >= ROUNDS_OF_ALL else invariants.lanes_differ
            watch.demand(Invariant.MAP, self.truth.look(partial(look, process.horde)))
