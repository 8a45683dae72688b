"""Checks of requests that wait, each with its true position and how long it will take.

Of a queue with 100 waiting and of one with 10,000, in 100 lanes; every call asks about another
request than the one before. Workers that could serve them are there, so there is something to
compute.
"""

import asyncio
import itertools
from argparse import Namespace

import msgspec
from edge import an_edge, compare, own_rate
from figures import Aim, Figure, options, read, tell
from load import Address, Connection, run
from target import Target, a_target, each, wait_in_queue
from wishes import lanes, offer

SHORT, LONG, LANES = 100, 10_000, 100
WORKERS = 100
OUTLOOKS_S = 1.1  # who could serve what may be known as it was a second ago
AIM = Aim(goal=15_000, floor=8_000, share_of_edge=1 / 4)


class Progress(msgspec.Struct):
    """What is read of a check."""

    waiting: int
    queue_position: int
    wait_time: int
    is_possible: bool = True


async def checks(
    given: Namespace, name: str, target: Target, edge: Address, ids: list[str]
) -> Figure:
    """Checks a second of the server and of the bare routes."""
    calls = itertools.cycle([target.check(request_id) for request_id in ids])

    async def check(connection: Connection, _: int) -> None:
        await connection.ask(next(calls))

    return await compare(given, f"checks, {name}", AIM, (target.address, check), (edge, check))


async def position_of_last(target: Target, ids: list[str]) -> float:
    """Where the request stands that was placed last, once that is known to all."""
    await asyncio.sleep(OUTLOOKS_S)
    async with target.address.connections(1) as (connection,):
        answers = [await connection.ask(target.check(request_id)) for request_id in ids]
    found = [msgspec.json.decode(answer.body, type=Progress) for answer in answers]
    assert all(progress.waiting and progress.queue_position > 0 for progress in found)
    return found[-1].queue_position


async def measure(given: Namespace) -> list[Figure]:
    """A short queue first, then a long one."""
    long, many_lanes = (500, 20) if given.quick else (LONG, LANES)
    bodies = lanes(many_lanes, [])
    figures = [await own_rate(given)]
    with an_edge() as edge:
        async with a_target(given, waiting=long) as target:
            await each(target, [target.pop(number, **offer(number)) for number in range(WORKERS)])
            ids: list[str] = []
            for waiting in (SHORT, long):
                ids += await wait_in_queue(target, bodies, waiting - len(ids))
                last = await position_of_last(target, ids)
                figures += [
                    Figure(name=f"position of the last of {waiting:,}", unit="", values=[last]),
                    await checks(given, f"{waiting:,} waiting", target, edge, ids),
                ]
    return figures


if __name__ == "__main__":
    given = read(options(__doc__))
    tell(given, run(measure(given)))
