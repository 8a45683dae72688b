"""The edge: a bare route of the same framework with the same bodies, for comparison.

What Starlette, msgspec and uvicorn do when nothing is behind them. Machines differ and these are
shared, so what a server does is told beside what its edge does in the same run.
"""

import asyncio
import socket

import msgspec
import uvicorn
import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

SKIPPED = {"worker_id": 0, "performance": 0, "nsfw": 0, "models": 1, "max_pixels": 0, "kudos": 0}
NOTHING = {"id": None, "ids": [], "payload": {"ddim_steps": 30, "n_iter": 1}, "skipped": SKIPPED}
CHECKED = {"finished": 0, "processing": 0, "waiting": 1, "done": False, "queue_position": 1}


class Pop(msgspec.Struct):
    """What a worker says."""

    name: str
    models: list[str] = []
    bridge_agent: str = ""


POP = msgspec.json.Decoder(Pop)


async def pop(request: Request) -> Response:
    """Read the body, answer with nothing."""
    POP.decode(await request.body())
    return Response(msgspec.json.encode(NOTHING), media_type="application/json")


async def check(request: Request) -> Response:
    """Answer with a state."""
    state = CHECKED | {"id": request.path_params["id"]}
    return Response(msgspec.json.encode(state), media_type="application/json")


ROUTES = [
    Route("/api/v2/generate/pop", pop, methods=["POST"]),
    Route("/api/v2/generate/check/{id}", check),
]


async def main() -> None:
    """Serve on a free loopback port, and say which."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    config = uvicorn.Config(
        Starlette(routes=ROUTES),
        loop="none",
        http="httptools",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
    )
    await uvicorn.Server(config).serve(sockets=[listener])


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
