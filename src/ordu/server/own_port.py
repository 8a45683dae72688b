"""A port of its own: of several processes under one socket each is reached by itself, for metrics.

Who connects to the shared socket meets whichever process is quickest, and hardly ever one that has
nothing to do. So with the setting `metrics_port` each also answers at a place of its own: the first
free one of as many ports as there are processes. One that takes another's place waits until that
has left its port, so the ports, and the label `process`, stay the same over a rolling restart.
"""

import asyncio
import logging
import socket

import uvicorn

from ordu.engine.horde import Horde
from ordu.server.listening import bound
from ordu.settings import ServerSettings

log = logging.getLogger(__name__)

LOOK_AGAIN_S = 1.0


async def take_own_port(server: uvicorn.Server, horde: Horde) -> None:
    """Answer at a port of this process's own as soon as one is free."""
    settings = horde.settings
    if not settings.metrics_port:
        return
    while not horde.is_leaving:
        place = free_place(settings)
        if place is not None and server.started:
            number, listener = place
            await answer_at(server, listener)
            horde.process = number
            return
        if place is not None:
            place[1].close()
        await asyncio.sleep(LOOK_AGAIN_S if server.started else 0.05)


def free_place(settings: ServerSettings) -> tuple[int, socket.socket] | None:
    """The first place that no process of this horde has, counted from 1, and a socket there."""
    for number in range(settings.processes):
        try:
            listener = bound(settings.host, settings.metrics_port + number)
        except OSError:
            continue
        return number + 1, listener
    return None


async def answer_at(server: uvicorn.Server, listener: socket.socket) -> None:
    """Answer calls at this socket as at the server's other one; it is closed with that."""
    config = server.config
    protocol = config.http_protocol_class
    opened = await asyncio.get_running_loop().create_server(
        lambda: protocol(  # type: ignore[call-arg] # uvicorn calls it like this, and types it less
            config=config, server_state=server.server_state, app_state=server.lifespan.state
        ),
        sock=listener,
    )
    server.servers.append(opened)
