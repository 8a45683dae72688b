"""Pops when nothing fits: of an empty queue, and of one in which 10,000 wait in 1,000 lanes.

What waits asks for models that nobody offers; each pop says how many it passed over, and why. Every
connection is a worker of its own.
"""

from argparse import Namespace

import msgspec
from edge import an_edge, compare, own_rate
from figures import Aim, Figure, options, read, tell
from load import Address, Connection, run
from target import Target, a_target, wait_in_queue
from wishes import UNWANTED, lanes

WAITING, LANES = 10_000, 1_000
AIM = Aim(goal=12_000, floor=6_000, share_of_edge=1 / 4)


class Skipped(msgspec.Struct):
    """How many were passed over because of their models."""

    models: int


class Popped(msgspec.Struct):
    """What is read of an answer without a job."""

    id: str | None
    skipped: Skipped


async def pops(given: Namespace, name: str, target: Target, edge: Address) -> Figure:
    """Pops a second of the server and of the bare routes."""
    calls = [target.pop(number, [UNWANTED]) for number in range(given.connections)]

    async def pop(connection: Connection, number: int) -> None:
        await connection.ask(calls[number])

    return await compare(given, f"pops, {name}", AIM, (target.address, pop), (edge, pop))


async def passed_over(target: Target) -> int:
    """How many requests a pop says it has passed over."""
    async with target.address.connections(1) as (connection,):
        answer = await connection.ask(target.pop(0, [UNWANTED]))
    popped = msgspec.json.decode(answer.body, type=Popped)
    assert popped.id is None, "there was a job where none should be"
    return popped.skipped.models


async def measure(given: Namespace) -> list[Figure]:
    """An empty queue first, then one that is not."""
    waiting, many_lanes = (100, 10) if given.quick else (WAITING, LANES)
    figures = [await own_rate(given)]
    with an_edge() as edge:
        async with a_target(given, waiting=waiting) as target:
            before = await passed_over(target)
            figures.append(await pops(given, "empty queue", target, edge))
            await wait_in_queue(target, lanes(many_lanes, [], is_offered=False), waiting)
            assert await passed_over(target) == before + waiting
            name = f"{waiting:,} waiting in {many_lanes:,} lanes that do not fit"
            figures.append(await pops(given, name, target, edge))
    return figures


if __name__ == "__main__":
    given = read(options(__doc__))
    tell(given, run(measure(given)))
