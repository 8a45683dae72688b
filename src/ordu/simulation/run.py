"""Running seeds: one after the other, with a count of all that happened."""

import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from ordu.simulation.faults import Fault
from ordu.simulation.invariants import Broken, Invariant
from ordu.simulation.server import surprises_logged
from ordu.simulation.world import World

STEPS = 50  # calls in the part of a run in which faults strike
TOLD_MAX = 400


@dataclass(frozen=True)
class Failure:
    """A seed in which an invariant broke, and its story."""

    seed: int
    steps: int
    invariant: Invariant
    wrong: tuple[str, ...]
    story: tuple[str, ...]

    processes: int = 1
    is_real: bool = False  # on a real PostgreSQL

    @property
    def command(self) -> str:
        """What repeats it."""
        command = f"ordu simulate --seeds 1 --from {self.seed} --steps {self.steps}"
        if self.processes > 1:
            command += f" --processes {self.processes}"
        return f"{command} --database URL" if self.is_real else command


@dataclass
class Report:
    """What happened in all runs together."""

    steps: int
    seeds: int = 0
    events: int = 0
    calls: int = 0
    commits: int = 0
    lives: int = 0
    simulated_s: float = 0
    seconds: float = 0
    slowest_seed: int | None = None
    slowest_s: float = 0
    outcome: Counter[str] = field(default_factory=Counter)
    faults: Counter[Fault] = field(default_factory=Counter)
    checked: Counter[Invariant] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)

    def add(self, world: World, seed: int, seconds: float) -> None:
        """Count a run."""
        self.seeds += 1
        self.events += world.stage.agenda.happened
        self.calls += sum(server.calls for server in world.servers)
        self.commits += sum(server.commits for server in world.servers)
        self.lives += sum(server.lives for server in world.servers)
        self.simulated_s += world.stage.agenda.seconds()
        self.seconds += seconds
        if seconds > self.slowest_s:
            self.slowest_s, self.slowest_seed = seconds, seed
        self.outcome.update(world.outcome)
        self.faults.update(world.stage.faults.fired)
        self.checked.update(world.watch.checked)


def run_seed(
    seed: int, steps: int = STEPS, *, calm: bool = False, processes: int = 1, database: str = ""
) -> tuple[World, Failure | None]:
    """Live through one seed; returns its world, and what broke in it. `calm`: without faults."""
    world = World(seed, calm=calm, processes=processes, database=database)
    try:
        with surprises_logged(world.surprises):
            world.run(steps)
    except Broken as broken:
        wrong = tuple(world.stage.story.in_words(line) for line in broken.wrong)
        story = tuple(world.stage.story.told(TOLD_MAX))
        failure = Failure(
            seed, steps, broken.invariant, wrong, story, processes, is_real=bool(database)
        )
        return world, failure
    finally:
        world.close()
    return world, None


def run_seeds(
    seeds: Iterable[int],
    steps: int = STEPS,
    *,
    calm: bool = False,
    processes: int = 1,
    database: str = "",
    failures_max: int = 1,
    progress: Callable[[Report], None] = lambda _: None,
) -> Report:
    """Live through many seeds; stops after so many that failed.

    Several `processes` share a database: a stand-in, or the PostgreSQL at this URL.
    """
    report = Report(steps)
    for seed in seeds:
        began = time.perf_counter()
        world, failure = run_seed(seed, steps, calm=calm, processes=processes, database=database)
        report.add(world, seed, time.perf_counter() - began)
        if failure is not None:
            report.failures.append(failure)
        progress(report)
        if len(report.failures) >= failures_max:
            break
    return report
