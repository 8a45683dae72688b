"""What the map of lanes costs as the queue grows: pops, empty pops, positions, memory, loading.

No server and no SQL: the map alone, as the event loop has it. A pop takes the best request out and
puts another in, so the queue keeps its length; an empty pop counts why nothing fits. A position is
asked of any request, among the 200 workers for those that can serve it, after a change: so it is
never the same question twice, and where there are many lanes nearly each is about another set of
workers.
"""

import argparse
import multiprocessing
import random
import resource
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from ordu.engine.garbage import collected_later
from ordu.engine.lanes import LaneMap, Waiting
from ordu.rules.matching import Capability, Requirement, WorkerId, lane_key, why_not

MODELS = [f"model {number}" for number in range(200)]
WORKERS = [f"worker {number}" for number in range(300)]
CROWD = 200  # workers of which some can serve a lane
ROUNDS = 300


def requirements(many: int, chance: random.Random) -> list[Requirement]:
    """So many different ones; a tenth has a list of workers, a fifth one of workers it refuses."""
    found: dict[Requirement, None] = {}
    while len(found) < many:
        kind = chance.random()
        named = frozenset(WorkerId(each) for each in chance.sample(WORKERS, 3))
        found[
            Requirement(
                kind="image",
                models=frozenset(chance.sample(MODELS, chance.randint(1, 3))),
                pixels=chance.choice((512, 768, 1024)) ** 2,
                nsfw=chance.random() < 0.3,
                workers_allowed=named if kind < 0.1 else frozenset(),
                workers_denied=named if 0.1 <= kind < 0.3 else frozenset(),
            )
        ] = None
    return list(found)


def capability(number: int, chance: random.Random, *, can: bool = True) -> Capability:
    """What a worker offers: some of the models, or none that anybody wants."""
    return Capability(
        kind="image",
        worker_id=WorkerId(WORKERS[number % len(WORKERS)]),
        models=frozenset(chance.sample(MODELS, 100)) if can else frozenset({"unwanted"}),
        pixels_max=chance.choice((768, 1024)) ** 2,
        features=frozenset(),
    )


class Queue:
    """A map with so many requests in so many lanes."""

    def __init__(self, waiting: int, lanes: int) -> None:
        self.chance = random.Random(1)
        self.lanes = LaneMap()
        self.wanted = [(lane_key(each), each) for each in requirements(lanes, self.chance)]
        self.placed = 0
        before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        start = time.perf_counter()
        with collected_later():  # as the server does at a start
            rows = (self.row() for _ in range(waiting))
            self.lanes.load(rows, dict(self.wanted))
        self.filled_s = time.perf_counter() - start
        after_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        self.bytes_each = (after_kb - before_kb) * 1024 / waiting
        self.able = [capability(number, self.chance) for number in range(50)]
        self.unable = [capability(number, self.chance, can=False) for number in range(50)]
        self.crowd = [capability(number, self.chance) for number in range(CROWD)]
        self.asked: list[Waiting] = []  # where they stand
        self.sets: dict[bytes, frozenset[Capability]] = {}  # of those that can serve a lane
        self.lanes.served_by(self.crowd)  # as if each had popped already

    def row(self) -> dict[str, Any]:
        """The next request, as SQL has it."""
        self.placed += 1
        key, _ = self.wanted[self.placed % len(self.wanted)]
        return {
            "id": f"{self.placed:036}",
            "user_id": self.placed % 5000,
            "rank": self.chance.randrange(10**9) - 10 * self.placed,
            "work": 1000,
            "waiting": 1,
            "changes": 0,
            "lane_key": key,
        }

    def place(self) -> None:
        """One more request waits."""
        row = self.row()
        _, requirement = self.wanted[self.placed % len(self.wanted)]
        self.lanes.update(
            request_id=row["id"],
            left=row["waiting"],
            requirement=requirement,
            **{name: row[name] for name in ("user_id", "rank", "work", "lane_key", "changes")},
        )

    def pop(self, number: int) -> None:
        """Take the best request of a worker; another comes."""
        best = next(self.lanes.candidates(self.able[number % 50]), None)
        if best is not None:
            self.lanes.remove(best)
            self.place()

    def empty_pop(self, number: int) -> None:
        """Count why a worker gets nothing; the queue has changed since the last time."""
        self.place()
        worker = self.unable[number % 50]
        assert next(self.lanes.candidates(worker), None) is None
        assert self.lanes.skipped(worker)

    def ask_where(self, _: int) -> Callable[[], None]:
        """A change, then a question where a request stands."""
        self.place()
        waiting = self.chance.choice(self.asked)
        lane = waiting.lane
        able = self.sets.get(lane.key)
        if able is None:
            can = (each for each in self.crowd if why_not(lane.requirement, each) is None)
            able = self.sets[lane.key] = frozenset(can)
        return lambda: void(self.lanes.ahead_of(waiting, able))


def void(_: object) -> None:
    """Nothing is done with an answer."""


def at_once(work: Callable[[int], None]) -> Callable[[int], Callable[[], None]]:
    """Work that needs no preparation."""
    return lambda number: lambda: work(number)


def microseconds(prepare: Callable[[int], Callable[[], None]]) -> tuple[float, float, float]:
    """The median, the 99th percentile and the most of many rounds, after some to get warm."""
    for number in range(100):
        prepare(number)()
    took = []
    for number in range(100, 100 + ROUNDS):
        work = prepare(number)
        start = time.perf_counter()
        work()
        took.append((time.perf_counter() - start) * 1e6)
    return statistics.median(took), statistics.quantiles(took, n=100)[98], max(took)


def measure(size: int, lanes: int) -> str:
    """A line of the table."""
    queue = Queue(size, lanes)
    popped = [microseconds(at_once(work)) for work in (queue.pop, queue.empty_pop)]
    queue.asked = queue.chance.choices(list(queue.lanes.requests.values()), k=2 * ROUNDS)
    took = (*popped, microseconds(queue.ask_where))
    cells = ["{:6.0f} ({:5.0f}) {:7.0f}".format(*each) for each in took]
    return (
        f"{size:>9,} in {lanes:>6,}  {'  '.join(cells)} | {queue.bytes_each:8,.0f}"
        f"  {queue.filled_s:6.1f} s"
    )


def main(sizes: list[int], lane_counts: list[int]) -> None:
    """Measure and print a table; each line in a process of its own, because of the memory."""
    columns = "pop                     empty pop               position"
    print(f"µs: median (p99) most   {columns}              | bytes each  filled in")
    for size in sizes:
        for lanes in lane_counts:
            if lanes <= size:
                with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as fresh:
                    print(fresh.submit(measure, size, lanes).result(), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="*", default=[1_000, 100_000, 1_000_000])
    parser.add_argument("--lanes", type=int, nargs="*", default=[10, 1_000, 10_000])
    options = parser.parse_args()
    main(options.sizes, options.lanes)
