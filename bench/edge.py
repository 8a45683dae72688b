"""The edge: bare routes of the same framework with the same bodies, for comparison.

What Starlette, msgspec and uvicorn do when nothing is behind them: bodies are decoded, answers are
encoded, and they are as long as a server's. Machines differ and these are shared, so what a server
does is told beside what its edge does in the same run.
"""

import asyncio
import contextlib
import socket
import sys
from argparse import Namespace
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeAlias

import load
import msgspec
import uvicorn
from figures import Aim, Figure
from load import Address, Connection, beside, rate, run
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

Work: TypeAlias = Callable[[Connection, int], Awaitable[object]]

GENERATE = "/api/v2/generate"
ID = "019ab5c8-0f4c-7c65-9f0e-5cfa3e8d6a11"
PICTURE = "A" * 28_000
LINK = f"http://127.0.0.1:7001/pictures/{ID}.webp?until=1764000000&signature=" + "s" * 43
SKIPPED = dict.fromkeys(
    (
        *("worker_id", "performance", "nsfw", "untrusted", "models", "bridge_version"),
        *("unsafe_ip", "img2img", "painting", "post-processing", "lora", "controlnet"),
        *("max_pixels", "blacklist", "kudos", "step_count"),
    ),
    0,
)
DEFAULTS = {
    "sampler_name": "k_euler_a",
    "cfg_scale": 7.5,
    "height": 512,
    "width": 512,
    "karras": False,
    "tiling": False,
    "hires_fix": False,
    "image_is_control": False,
    "return_control_map": False,
    "transparent": False,
    "ddim_steps": 30,
    "n_iter": 1,
}
PROMPT = "a fox in the snow, oil on canvas, soft light, by a painter of the north, highly detailed"
PLACED = {"id": ID, "kudos": 6, "kudos_exact": 6.0}
NOTHING: dict[str, object] = {
    "payload": DEFAULTS,
    "id": None,
    "ids": [],
    "skipped": SKIPPED,
    "model": None,
    "source_image": None,
    "source_processing": "img2img",
    "source_mask": None,
    "extra_source_images": None,
    "r2_upload": None,
    "r2_uploads": None,
    "messages": [],
    "ttl": None,
}
JOB = NOTHING | {
    "payload": DEFAULTS | {"prompt": PROMPT, "seed": "4029386110"},
    "id": ID,
    "ids": [ID],
    "skipped": {},
    "model": "stable_diffusion",
    "r2_upload": LINK,
    "r2_uploads": [LINK],
    "ttl": 150,
}
PROGRESS = {
    "finished": 0,
    "processing": 0,
    "restarted": 0,
    "waiting": 1,
    "done": False,
    "faulted": False,
    "wait_time": 12,
    "queue_position": 1,
    "kudos": 6.0,
    "kudos_exact": 6.0,
    "is_possible": True,
}
MADE = {
    "img": PICTURE,
    "seed": "1",
    "id": ID,
    "censored": False,
    "gen_metadata": [],
    "worker_id": ID,
    "worker_name": "bench worker 1",
    "model": "stable_diffusion",
    "state": "ok",
}


class Place(msgspec.Struct):
    """What a requester says."""

    prompt: str
    params: dict[str, int | float | str | bool]
    models: list[str] = []


class Pop(msgspec.Struct):
    """What a worker says that wants a job."""

    name: str
    models: list[str] = []
    bridge_agent: str = ""


class Submit(msgspec.Struct):
    """What a worker says that has done one."""

    id: str
    generation: str
    seed: int


READ_PLACE = msgspec.json.Decoder(Place)
READ_POP = msgspec.json.Decoder(Pop)
READ_SUBMIT = msgspec.json.Decoder(Submit)


def answer(value: object) -> Response:
    """An answer in JSON."""
    return Response(msgspec.json.encode(value), media_type="application/json")


async def place(request: Request) -> Response:
    READ_PLACE.decode(await request.body())
    return answer(PLACED)


async def pop(request: Request) -> Response:
    """A job for a worker that offers a model which lifecycles ask for."""
    body = READ_POP.decode(await request.body())
    return answer(JOB if body.models[0].startswith("model ") else NOTHING)


async def submit(request: Request) -> Response:
    READ_SUBMIT.decode(await request.body())
    return answer({"reward": 6.0})


async def check(request: Request) -> Response:
    return answer(PROGRESS | {"id": request.path_params["id"]})


async def status(request: Request) -> Response:
    return answer(PROGRESS | {"id": request.path_params["id"], "generations": [MADE]})


ROUTES = [
    Route(f"{GENERATE}/async", place, methods=["POST"]),
    Route(f"{GENERATE}/pop", pop, methods=["POST"]),
    Route(f"{GENERATE}/submit", submit, methods=["POST"]),
    Route(f"{GENERATE}/check/{{id}}", check),
    Route(f"{GENERATE}/status/{{id}}", status),
]


async def serve() -> None:
    """Serve on a free loopback port, say which, and go on until standard input ends."""
    listener = socket.create_server(("127.0.0.1", 0))
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
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    server.should_exit = True
    await serving


@contextlib.contextmanager
def an_edge() -> Iterator[Address]:
    """The bare routes in a process of their own."""
    with beside(__file__) as address:
        yield address


async def own_rate(given: Namespace) -> Figure:
    """What the load itself can do: it must not be what is measured."""
    values = [await load.own_rate(given.connections, given.seconds / 2) for _ in range(given.runs)]
    return Figure(name="calls that the load itself can make", unit="/s", values=values)


async def compare(
    given: Namespace,
    name: str,
    aim: Aim,
    real: tuple[Address, Work],
    bare: tuple[Address, Work],
    calls: int = 1,
) -> Figure:
    """How much of this work is done a second by a server, and how many calls by its edge.

    In turns, because a slow moment of the machine is then one for both. `calls` is how many a piece
    of this work makes.
    """
    rates: dict[Address, list[float]] = {real[0]: [], bare[0]: []}
    for turn in range(given.runs + 1):
        for address, work in (real, bare):
            done = await rate(address, given.connections, given.seconds, work)
            if turn:  # the first is to get warm
                rates[address].append(done)
    return Figure(
        name=name,
        unit="/s",
        values=rates[real[0]],
        edge=[each * calls for each in rates[bare[0]]],
        aim=aim,
    )


if __name__ == "__main__":
    run(serve())
