"""Probes: `/livez` and `/readyz`.

A server that is starting answers neither: it listens, but takes no call before it can do its work.
"""

import asyncio
from collections.abc import Awaitable
from pathlib import Path

from ordu.engine.horde import Horde
from ordu.images.keeping import room_at
from ordu.protocol import operations
from ordu.protocol.errors import Refused
from ordu.server.call import Answer, Call, handles

PLAIN = "text/plain; charset=utf-8"
ANSWER_S_MAX = 2.0  # what takes longer is as good as away
PROBED = "readyz.webp"  # a picture that need not be there


@handles(operations.get_livez)
async def get_livez(call: Call[None]) -> Answer:  # noqa: ARG001 - the shape of a handler
    """The process answers."""
    return Answer(content=b"ok\n", media_type=PLAIN)


@handles(operations.get_readyz)
async def get_readyz(call: Call[None]) -> Answer:
    """The process can do its work: it stays, the database answers and can be written, pictures can
    be reached, and there is room for more."""
    horde = call.horde
    if horde.is_leaving and not horde.is_replaced:
        raise Refused("Unavailable", "This server is stopping.")
    await within(horde.probe(), "The database does not answer.")
    await within(horde.pictures.size(PROBED), "The place of pictures does not answer.")
    check_room(horde)
    return Answer(content=b"ok\n", media_type=PLAIN)


async def within(look: Awaitable[object], otherwise: str) -> None:
    """Look at something that must answer soon.

    Raises:
        Refused: Unavailable, it does not; or what the look itself is refused with.
    """
    try:
        async with asyncio.timeout(ANSWER_S_MAX):
            await look
    except TimeoutError as error:
        raise Refused("Unavailable", otherwise) from error


def check_room(horde: Horde) -> None:
    """Refuse where not even the largest picture could be kept, or nothing could be written down.

    Raises:
        Refused: Unavailable.
    """
    folder = room_at(Path(horde.settings.data))
    for room in (horde.pictures.room(), folder):
        if room is not None and room.free < horde.settings.picture_bytes_max:
            raise Refused("Unavailable", "The disk is full.")
