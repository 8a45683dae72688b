"""The watch: looks at a life after every commit and whenever all is quiet, and counts its looks."""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from typing import Any, TypeAlias

from ordu.engine.horde import Horde
from ordu.rules.lifecycle import Millis
from ordu.simulation import invariants
from ordu.simulation.disk import Disk
from ordu.simulation.invariants import Invariant, demand
from ordu.simulation.server import Server
from ordu.simulation.stage import Stage
from ordu.store.database import Transaction

Look: TypeAlias = Callable[[Callable[[Transaction], Any]], Any]

GRACE_MS = 60_000  # a request ends this long after its time at the latest


class Watch:
    """Demands the invariants of one world. `look` runs a read on what is committed."""

    def __init__(
        self, stage: Stage, disk: Disk, servers: Sequence[Server], look: Look, *, is_shared: bool
    ) -> None:
        self.stage = stage
        self.disk = disk
        self.servers = servers
        self.look_at = look
        self.is_shared = is_shared
        self.healed_at_ms: int | None = None  # when faults stopped
        self.checked: Counter[Invariant] = Counter()
        for server in servers:
            server.on_commit = self.after_commit
            server.on_quiet = self.when_quiet

    def demand(self, invariant: Invariant, wrong: Collection[str]) -> None:
        """Demand that nothing is wrong, and count that it was looked at."""
        self.checked[invariant] += 1
        demand(invariant, wrong)

    def after_commit(self) -> None:
        """Demand of SQL what must hold at every commit."""
        if self.disk.has_news:
            self.disk.has_news = False
            self.look_at(self.look)

    def look(self, tx: Transaction) -> None:
        """Demand all of one moment."""
        settings, history = self.stage.settings, self.stage.history
        self.demand(Invariant.FLOOR, invariants.floors(tx))
        self.demand(Invariant.BOOKS, invariants.books(tx))
        for invariant in (Invariant.FORWARD, Invariant.DURABLE, Invariant.IDEMPOTENT):
            self.checked[invariant] += 1
        history.compare(tx)
        self.demand(Invariant.SETTLED_ONCE, invariants.settlements(tx, settings.tax))
        self.demand(Invariant.COUNTS, invariants.counts(tx))
        self.demand(Invariant.ONE_ASSIGNMENT, invariants.assignments(tx))
        self.demand(Invariant.RESULTS, invariants.results(tx, self.disk.pictures))
        history.compare_pictures(self.disk.pictures)
        self.demand(Invariant.ENDS, invariants.cut_short(tx))
        history.check_promises(tx, self.latest_moment())

    def when_quiet(self, horde: Horde) -> None:
        """Demand that memory is what SQL says; and of late, that nothing is overdue.

        What a server of several has to know may be on its way to it (`shared`).
        """
        if not self.is_shared:
            self.demand(Invariant.MAP, self.look_at(lambda tx: invariants.the_map(horde, tx)))
        if self.is_late():
            now = horde.now()
            late = self.look_at(lambda tx: invariants.overdue(tx, now, GRACE_MS))
            self.demand(Invariant.ENDS, late)

    def is_late(self) -> bool:
        """Whether faults stopped so long ago that nothing may be overdue any more."""
        since = self.healed_at_ms
        return since is not None and self.stage.agenda.now_ms > since + GRACE_MS

    def latest_moment(self) -> Millis:
        """The latest that any server ever took the time to be; a clock may be set back."""
        clock = self.stage.clock
        for server in self.servers:
            if server.life is not None:
                clock.latest = max(clock.latest, server.life.horde.now())
        return clock.latest
