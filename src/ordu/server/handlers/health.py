"""Probes: `/livez` and `/readyz`.

A server that is starting answers neither: it listens, but takes no call before it can do its work.
"""

import asyncio

from ordu.protocol import operations
from ordu.protocol.errors import Refused
from ordu.server.call import Answer, Call, handles

PLAIN = "text/plain; charset=utf-8"
DATABASE_S_MAX = 2.0  # a database that takes longer is as good as away


@handles(operations.get_livez)
async def get_livez(call: Call[None]) -> Answer:  # noqa: ARG001 - the shape of a handler
    """The process answers."""
    return Answer(content=b"ok\n", media_type=PLAIN)


@handles(operations.get_readyz)
async def get_readyz(call: Call[None]) -> Answer:
    """The process can do its work: it stays, and the database answers and can be written."""
    if call.horde.is_leaving and not call.horde.is_replaced:
        raise Refused("Unavailable", "This server is stopping.")
    try:
        async with asyncio.timeout(DATABASE_S_MAX):
            await call.horde.probe()
    except TimeoutError as error:
        raise Refused("Unavailable", "The database does not answer.") from error
    return Answer(content=b"ok\n", media_type=PLAIN)
