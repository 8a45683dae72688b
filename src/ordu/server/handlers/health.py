"""Probes: `/livez` and `/readyz`."""

from ordu.protocol import operations
from ordu.protocol.errors import Refused
from ordu.server.call import Answer, Call, handles
from ordu.store import facts

PLAIN = "text/plain; charset=utf-8"


@handles(operations.get_livez)
async def get_livez(call: Call[None]) -> Answer:  # noqa: ARG001 - the shape of a handler
    """The process answers."""
    return Answer(content=b"ok\n", media_type=PLAIN)


@handles(operations.get_readyz)
async def get_readyz(call: Call[None]) -> Answer:
    """The process can do its work: it is not stopping, and the database answers."""
    if call.horde.is_stopping:
        raise Refused("Unavailable", "This server is stopping.")
    await call.horde.read(facts.modes)
    return Answer(content=b"ok\n", media_type=PLAIN)
