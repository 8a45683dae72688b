"""Whole lifecycles: async, pop, submit of a picture, check and status, on durable commits.

Every connection goes through the five calls again and again, with a model that only its own worker
offers, so that it is handed what it has placed. Every picture is another one, and it has to come
back as it was sent. The bare routes are called in the same way; their calls a second are five times
the sequences they answer.
"""

from argparse import Namespace
from collections.abc import Awaitable, Callable

import msgspec
from edge import an_edge, compare, own_rate
from figures import Aim, Figure, options, read, tell
from load import Connection, run
from pictures import Pictures
from target import Target, a_target
from wishes import plain

CALLS = 5
CONNECTIONS = 64  # that many write at once, so that they share commits as in a horde that is busy
PICTURES = 200
AIM = Aim(goal=2_000, floor=1_000, share_of_edge=1 / 25)  # of the edge's calls


class Placed(msgspec.Struct):
    """What is read of the answer to a request or to a pop."""

    id: str


PLACED = msgspec.json.Decoder(Placed)


def lifecycle(
    target: Target,
    connections: int,
    pictures: Pictures,
    *,
    is_real: bool = True,
    model: str = "model",
) -> Callable[[Connection, int], Awaitable[None]]:
    """One lifecycle after the other; the bare routes do not remember what was sent."""
    places = [target.place(n, plain(models=[f"{model} {n}"])) for n in range(connections)]
    pops = [target.pop(n, [f"{model} {n}"]) for n in range(connections)]

    async def once(connection: Connection, number: int) -> None:
        request = PLACED.decode((await connection.ask(places[number])).body)
        job = PLACED.decode((await connection.ask(pops[number])).body)
        picture = pictures.text()
        await connection.ask(target.submit(number, job.id, picture))
        await connection.ask(target.check(request.id))
        status = await connection.ask(target.status(request.id))
        assert not is_real or picture in status.body, "another picture came back"

    return once


async def measure(given: Namespace) -> list[Figure]:
    """Lifecycles of the server and of the bare routes, in turns."""
    many = given.connections
    pictures = Pictures(4 if given.quick else PICTURES)
    with an_edge() as edge:
        async with a_target(given) as target:
            real = lifecycle(target, many, pictures)
            bare = lifecycle(target.at(edge), many, pictures, is_real=False)
            name = f"whole lifecycles, {many} connections"
            found = await compare(given, name, AIM, (target.address, real), (edge, bare), CALLS)
    return [await own_rate(given), found]


if __name__ == "__main__":
    given = read(options(__doc__, connections=CONNECTIONS))
    tell(given, run(measure(given)))
