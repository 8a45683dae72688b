"""How much memory a server has in use: idle, and with many waiting.

Requests are placed through the API, as they are in a horde, and all of them wait in 1,000 lanes.
With `--url` this needs `--pid`, and people who may have that many waiting. Of several processes it
is the sum, with the one that supervises them; a PostgreSQL server does not count.
"""

import asyncio
import sys
from argparse import Namespace

from figures import Aim, Figure, options, read, tell
from load import run
from proc import memory_mb
from target import a_target, wait_in_queue
from wishes import lanes

LANES = 1_000
SETTLE_S = 1.5  # the chores have been round once
IDLE = Aim(goal=80, floor=120)
FILLED = Aim(goal=300, floor=500)
AIMED_AT = 100_000


async def measure(given: Namespace) -> list[Figure]:
    """Idle first, then filled; each once a run."""
    if given.url and not given.pid:
        sys.exit("The memory of another server is that of a process: say which, --pid N.")
    many = 500 if given.quick else given.waiting
    idle, filled = [], []
    for _ in range(given.runs):
        async with a_target(given, waiting=many) as target:
            assert target.pid is not None
            await asyncio.sleep(0 if given.quick else SETTLE_S)
            idle.append(memory_mb(target.pid))
            await wait_in_queue(target, lanes(min(LANES, many), []), many)
            filled.append(memory_mb(target.pid))
    each = [(after - before) * 2**20 / many for before, after in zip(idle, filled, strict=True)]
    aim = FILLED if many == AIMED_AT else None
    return [
        Figure(name="memory, idle", unit="MB", values=idle, aim=IDLE),
        Figure(name=f"memory, {many:,} waiting", unit="MB", values=filled, aim=aim),
        Figure(name="memory of each that waits", unit="bytes", values=each),
    ]


if __name__ == "__main__":
    parser = options(__doc__)
    parser.add_argument("--waiting", type=int, default=AIMED_AT)
    parser.set_defaults(runs=1)  # to place so many takes a minute, and it hardly varies
    given = read(parser)
    tell(given, run(measure(given)))
