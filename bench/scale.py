"""What saturates first when a horde grows, and how long calls take by then: on paper.

Nothing is run. A load, a size and the cost of each step are put together: every part's use of its
time is a sum of rates times costs, waiting follows from use (one line before each process, one
before all cores of the database), and what processes know of each other too late makes claims miss.
The costs are those that `steps.py`, `transactions.py` and `memory.py` measured on two shared cores
while others used them, and 0.04 ms of HTTP for each call (`edge.py`); each can be said otherwise:
`--pop-ms 0.4`. What was not measured is assumed (`ASSUMED`). docs/explanation/scale.md says what to
make of it.

`--simulate` also lives through claims of several processes by chance, to see whether the formula
for those that miss holds.
"""

import argparse
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields

import numpy as np

TRIES = 8  # of a pop, before it says that there is nothing (engine/claim.py)
PAGE = 2_000  # requests that are compared with SQL in a second (engine/elsewhere.py)
ASSUMED = (
    "line_ms",
    "flush_ms",
    "log_mb_per_s",
    "network_mb_per_s",
    "server_connections",
    "removed_per_s",
)
CALLS = ("place", "pop", "submit", "check", "status")
WRITES = ("place", "pop", "submit")
OPENED = "connections of PostgreSQL"  # so many are open, whatever the load
NEVER = 1e8  # pictures a second
EPSILON = 1e-9


@dataclass(frozen=True)
class Load:
    """What is asked of a horde."""

    pictures_per_s: float = 1_000
    polls: float = 5  # checks of each picture
    workers: float = 10_000
    empty_pops: float = 0.1  # of each worker, a second; little where they wait for work
    waiting: float = 100_000  # requests
    heads: float = 50  # different requests that workers want first: one where all want the same
    picture_kb: float = 20  # 0 in the bucket of S3: the bytes go past the server


@dataclass(frozen=True)
class Size:
    """What a horde has. With several shards each has so many processes and cores."""

    processes: int = 4
    database_cores: int = 4
    shards: int = 1
    reach: float = 1  # shards that a pop has to ask


@dataclass(frozen=True)
class Costs:
    """What each step takes: processor time of a server process, of PostgreSQL, and the rest."""

    place_ms: float = 0.47
    pop_ms: float = 0.42
    submit_ms: float = 1.13
    check_ms: float = 0.26
    status_ms: float = 0.11
    empty_pop_ms: float = 0.05
    tidings_ms: float = 0.03  # to bring what another process did for a picture into memory
    place_database_ms: float = 0.17
    pop_database_ms: float = 0.22
    submit_database_ms: float = 0.93
    check_database_ms: float = 0.12
    status_database_ms: float = 0.0
    place_statements: float = 7  # with BEGIN and COMMIT
    pop_statements: float = 4
    submit_statements: float = 15
    check_statements: float = 5
    status_statements: float = 0
    line_ms: float = 0.2  # there and back between a process and PostgreSQL
    flush_ms: float = 1.0
    batch_ms: float = 4.0  # until tidings go out
    connections: float = 10  # of a process
    server_connections: float = 500  # of PostgreSQL
    log_bytes: float = 5_800  # write-ahead log for a picture
    log_mb_per_s: float = 200
    tidings_bytes: float = 770  # for a picture
    network_mb_per_s: float = 1_000  # of the machine with the processes
    removed_per_s: float = 2_000  # requests whose time is over; the keeper of a shard removes them
    waiting_bytes: float = 1_200  # of each process, for each that waits


@dataclass(frozen=True)
class Part:
    """Something that can be full."""

    name: str
    use: float  # 1: full

    def full_at(self, pictures_per_s: float) -> float:
        """With how many pictures a second it is full, when all else grows alike."""
        return pictures_per_s / max(self.use, EPSILON)


def parts(load: Load, size: Size, costs: Costs) -> list[Part]:
    """What each part has to do, as a share of what it can."""
    rate = load.pictures_per_s / size.shards  # of a shard
    return [
        Part("a server process", process_use(load, size, costs)),
        Part("PostgreSQL's cores", database_use(load, size, costs)),
        Part("connections of a process", connections_use(load, size, costs)),
        Part(
            OPENED,
            size.processes * (costs.connections + 1) / costs.server_connections,
        ),
        Part("disk for the write-ahead log", rate * costs.log_bytes / costs.log_mb_per_s / 1e6),
        Part(
            "network for pictures",
            rate * 2.4 * load.picture_kb * 1e3 / costs.network_mb_per_s / 1e6,  # in Base64, and out
        ),
        Part("the keeper, removing requests", rate / costs.removed_per_s),
    ]


def first_full(load: Load, size: Size, costs: Costs) -> Part:
    """What saturates first. How many connections there are does not depend on the load."""
    grows = [each for each in parts(load, size, costs) if each.name != OPENED]
    return max(grows, key=lambda part: part.use)


def process_use(load: Load, size: Size, costs: Costs) -> float:
    """How busy a process is: its share of the calls, and what all others do."""
    each_s = load.pictures_per_s / size.shards / size.processes
    own_ms = of_a_picture(load, lambda call: cost_of(costs, call))
    empty_s = load.workers * load.empty_pops * size.reach / size.shards / size.processes
    heard_s = each_s * (size.processes - 1)
    busy_ms = each_s * own_ms + empty_s * costs.empty_pop_ms + heard_s * costs.tidings_ms
    return busy_ms / 1e3


def database_use(load: Load, size: Size, costs: Costs) -> float:
    """How busy the cores of a shard's database are."""
    rate = load.pictures_per_s / size.shards
    of_each_ms = of_a_picture(load, lambda call: cost_of(costs, call, "_database"))
    return rate * of_each_ms / 1e3 / size.database_cores


def connections_use(load: Load, size: Size, costs: Costs) -> float:
    """How many of a process's connections are at work, as a share."""
    each_s = load.pictures_per_s / size.shards / size.processes
    held_ms = of_a_picture(load, lambda call: transaction_ms(load, size, costs, call))
    return each_s * held_ms / 1e3 / costs.connections


def of_a_picture(load: Load, cost: Callable[[str], float]) -> float:
    """What all calls of a picture cost: each once, and its checks."""
    return sum(cost(call) * (load.polls if call == "check" else 1) for call in CALLS)


def cost_of(costs: Costs, call: str, what: str = "") -> float:
    """The milliseconds of a call."""
    return float(getattr(costs, f"{call}{what}_ms"))


# How long it takes


def transaction_ms(load: Load, size: Size, costs: Costs, call: str) -> float:
    """How long a call has its connection."""
    many = getattr(costs, f"{call}_statements")
    at_work = cost_of(costs, call, "_database")
    waits = waiting_times(size.database_cores, database_use(load, size, costs)) * at_work
    return float(many * costs.line_ms + at_work + waits + (costs.flush_ms if call in WRITES else 0))


def latency_ms(load: Load, size: Size, costs: Costs, call: str) -> float:
    """How long a call takes on average; without bound where something is full."""
    use = process_use(load, size, costs)
    if use >= 1 or database_use(load, size, costs) >= 1 or connections_use(load, size, costs) >= 1:
        return math.inf
    return cost_of(costs, call) / (1 - use) + transaction_ms(load, size, costs, call)


def waiting_times(cores: int, use: float) -> float:
    """How many times its own time somebody waits before so many cores (Erlang's formula C)."""
    if use >= 1:
        return math.inf
    offered, term, below = cores * use, 1.0, 0.0
    for number in range(cores):
        below += term
        term *= offered / (number + 1)
    all_busy = term / (1 - use)
    return all_busy / (below + all_busy) / (cores * (1 - use))


# Maps that are late


def late_ms(load: Load, size: Size, costs: Costs) -> float:
    """How long a process does not know that another has begun to take something."""
    if size.processes == 1:
        return 0.0
    use = min(process_use(load, size, costs), 0.99)
    heard_ms = costs.batch_ms + costs.line_ms + costs.tidings_ms / (1 - use)
    return transaction_ms(load, size, costs, "pop") + heard_ms


def taken_elsewhere(load: Load, size: Size, late: float) -> float:
    """How many requests are gone of those that a pop looks at first, and its process knows not."""
    others = (size.processes - 1) / size.processes
    return load.pictures_per_s / size.shards * others * late / 1e3 / load.heads


def misses(mean: float) -> tuple[float, float]:
    """How likely a pop's first try misses, and all its tries.

    At most: a process also learns from each try of its own that misses.
    """
    term, below = math.exp(-mean), 0.0
    for number in range(TRIES):
        below += term
        term *= mean / (number + 1)
    return 1 - math.exp(-mean), max(0.0, 1 - below)


def lived(load: Load, size: Size, late: float, pops: int, seed: int = 1) -> tuple[float, float]:
    """The same by chance: what share of pops missed with the first try, and with all of them.

    Pops come at random moments to random processes and want the first of a random line. All of a
    line is taken in order, so what is gone of it is a number, and what a process knows another.
    """
    chance = np.random.default_rng(seed)
    lines = max(1, round(load.heads))
    gaps = chance.exponential(1e3 * size.shards / load.pictures_per_s, pops)
    moments, processes = np.cumsum(gaps), chance.integers(size.processes, size=pops)
    wanted = chance.integers(lines, size=pops)
    taken: list[list[float]] = [[] for _ in range(lines)]  # when each was, in order
    known = np.zeros((size.processes, lines), dtype=np.int64)
    missed = in_vain = 0
    for moment, process, line in zip(moments, processes, wanted, strict=True):
        times = taken[line]
        heard = int(np.searchsorted(times, moment - late, side="right")) if times else 0
        knows = max(int(known[process, line]), heard)
        tries = len(times) - knows
        missed += tries > 0
        in_vain += tries >= TRIES
        if tries < TRIES:
            times.append(float(moment))
            known[process, line] = len(times)
        else:
            known[process, line] = knows + TRIES
    return missed / pops, in_vain / pops


# Telling


def told(load: Load, size: Size, costs: Costs) -> Iterator[str]:
    """The whole account."""
    yield f"{'part':<32}{'in use':>8}  full at (pictures/s, when all else grows alike)"
    for part in sorted(parts(load, size, costs), key=lambda part: -part.use):
        full_at = part.full_at(load.pictures_per_s)
        is_fixed = part.name == OPENED or full_at > NEVER
        grows = "" if is_fixed else f"{full_at:12,.0f}"
        yield f"{part.name:<32}{part.use:8.1%}{grows}"
    first = first_full(load, size, costs)
    yield f"full first: {first.name}, at {first.full_at(load.pictures_per_s):,.0f} pictures/s"
    yield ""
    for call in CALLS:
        took = latency_ms(load, size, costs, call)
        told_ms = f"{took:8.2f} ms on average" if took < math.inf else "   longer and longer"
        yield f"{call:<32}{told_ms}"
    yield from told_of_maps(load, size, costs)


def told_of_maps(load: Load, size: Size, costs: Costs) -> Iterator[str]:
    """What processes know of each other, and what that costs."""
    late = late_ms(load, size, costs)
    first, all_tries = misses(taken_elsewhere(load, size, late))
    rate = load.pictures_per_s / size.shards
    yield ""
    yield f"{'a map is behind by':<32}{late:8.2f} ms"
    yield f"{'the first try of a pop misses':<32}{first:8.2%}, all {TRIES} of them {all_tries:.2%}"
    yield f"{'lost tidings are mended within':<32}{load.waiting / size.shards / PAGE:8.0f} s"
    yield f"{'tidings sent':<32}{rate * costs.tidings_bytes / 1e6:8.2f} MB/s, and to each process"
    memory_mb = load.waiting / size.shards * costs.waiting_bytes / 1e6
    yield f"{'map of each process':<32}{memory_mb:8.0f} MB"


def read() -> tuple[Load, Size, Costs, argparse.Namespace]:
    """What was said on the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for kind in (Load, Size, Costs):
        for each in fields(kind):
            flag = f"--{each.name.replace('_', '-')}"
            what = " (assumed)" if each.name in ASSUMED else ""
            parser.add_argument(
                flag, type=each.type, default=each.default, help=f"{each.default}{what}"
            )
    parser.add_argument("--simulate", type=int, default=0, metavar="POPS", help="so many claims")
    given = parser.parse_args()
    values: Mapping[str, object] = vars(given)
    made = [
        kind(**{each.name: values[each.name] for each in fields(kind)})
        for kind in (Load, Size, Costs)
    ]
    return made[0], made[1], made[2], given


def main() -> None:
    """Tell, and live through it where that is wanted."""
    load, size, costs, given = read()
    print("\n".join(told(load, size, costs)))
    if given.simulate:
        first, all_tries = lived(load, size, late_ms(load, size, costs), given.simulate)
        print(f"lived through {given.simulate:,} pops: {first:.2%} missed, {all_tries:.2%} in vain")


if __name__ == "__main__":
    main()
