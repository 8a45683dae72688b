"""How long a server takes from its command until it answers calls, and how much memory it has then.

A new horde, whose database has to be made; the same again; and hordes in which a hundred thousand
and a million wait in 10,000 lanes.
"""

import asyncio
import time
from argparse import Namespace

from figures import Aim, Figure, options, read, tell
from fill import fill
from home import Home, a_home
from load import run
from proc import memory_mb
from target import a_server, only_ours
from wishes import lanes

LANES = 10_000
SETTLE_S = 0.5
START = Aim(goal=0.5, floor=1)
IDLE = Aim(goal=80, floor=120)
FILLED = {100_000: None, 1_000_000: Aim(goal=15, floor=15)}


async def a_start(home: Home) -> tuple[float, float]:
    """Seconds until all processes answer calls, and megabytes in use a little later."""
    begun = time.perf_counter()
    async with a_server(home) as server:
        took_s = time.perf_counter() - begun
        await asyncio.sleep(SETTLE_S)
        assert server.pid is not None
        return took_s, memory_mb(server.pid)


def told(
    what: str, starts: list[tuple[float, float]], aim: Aim | None, memory: Aim | None
) -> list[Figure]:
    """The figures of some starts."""
    seconds, megabytes = zip(*starts, strict=True)
    return [
        Figure(name=f"command to serving, {what}", unit="s", values=list(seconds), aim=aim),
        Figure(name=f"memory after it, {what}", unit="MB", values=list(megabytes), aim=memory),
    ]


async def measure(given: Namespace) -> list[Figure]:
    """New, there already, and filled."""
    only_ours(given, "the server has to be started for it.")
    new, again = [], []
    for _ in range(given.runs):
        async with a_home(given) as home:
            new.append(await a_start(home))
            again.append(await a_start(home))
    figures = told("a new horde", new, START, IDLE) + told("one that is there", again, START, IDLE)
    many_lanes = 100 if given.quick else LANES
    for waiting, aim in ({1_000: None} if given.quick else FILLED).items():
        async with a_home(given) as home:
            await a_start(home)  # it makes the database
            await fill(home, lanes(many_lanes, []), waiting)
            starts = [await a_start(home) for _ in range(given.runs)]
        figures += told(f"{waiting:,} waiting", starts, aim, None)
    return figures


if __name__ == "__main__":
    given = read(options(__doc__))
    tell(given, run(measure(given)))
