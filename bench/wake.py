"""How soon a request that is placed is in the hands of a worker that waits for it.

Workers wait with `Prefer: wait=60`. From when the request is sent until the worker has read the
whole answer with its job; then the picture is submitted and the worker waits again. First alone,
then beside a thousand other workers that wait for what does not come and ten thousand clients that
wait for their pictures; and what all these cost while nothing happens. Where there are several
processes, another one takes the request than the one at which the worker waits.
"""

import asyncio
import contextlib
import itertools
import time
from argparse import Namespace
from collections.abc import AsyncIterator, Sequence

import msgspec
from figures import Aim, Figure, options, p50, p99, read, tell
from load import Connection, run
from pictures import Pictures
from proc import cpu_s
from target import WORKERS_EACH, Target, a_target, apart, wait_in_queue
from wishes import UNOFFERED, UNWANTED, plain

IDLE, CLIENTS, ROUNDS = 1_000, 10_000, 100
PREFER = "Prefer: wait=60\r\n"
MODEL = "model 0"
PAUSE_S = 0.01  # until a worker that has just asked waits
QUIET_S = 5.0
SETTLE_S = 5.0  # until all that wait have been heard
AIM = Aim(goal=20, floor=50)


class Job(msgspec.Struct):
    """What is read of the answer to a pop."""

    id: str | None


async def woken_ms(target: Target, pictures: Pictures, model: str = MODEL) -> float:
    """How long one request takes to the worker that waits for it."""
    async with apart(target) as (requester, worker):
        popping = worker.send(target.pop(0, [model], prefer=PREFER))
        await asyncio.sleep(PAUSE_S)
        sent_at = time.perf_counter()
        placing = requester.send(target.place(0, plain(models=[model])))
        answer = await popping
        took_ms = (time.perf_counter() - sent_at) * 1000
        assert b"preference-applied" in answer.head.lower(), "this server lets no worker wait"
        job = msgspec.json.decode(answer.body, type=Job)
        assert job.id is not None, "nobody gave it the job"
        await placing
        await worker.ask(target.submit(0, job.id, pictures.text()))
    return took_ms


async def keep_waiting(connection: Connection, call: bytes) -> None:
    """Wait, and when the time is over, wait again."""
    while True:
        await connection.ask(call)


@contextlib.asynccontextmanager
async def waiting(target: Target, calls: Sequence[bytes], settle_s: float) -> AsyncIterator[None]:
    """Let so many wait meanwhile."""
    async with target.address.connections(len(calls)) as opened:
        tasks = [
            asyncio.create_task(keep_waiting(each, call))
            for each, call in zip(opened, calls, strict=True)
        ]
        try:
            await asyncio.sleep(settle_s)
            yield
        finally:
            ended = [task for task in tasks if task.done()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        assert not ended, f"{len(ended)} were refused to wait: {ended[0]}"


async def measure_beside(
    given: Namespace, target: Target, pictures: Pictures, beside: str
) -> list[Figure]:
    """How soon a worker is woken, and what the server costs while nothing happens."""
    figures = []
    if target.pid:
        before = cpu_s(target.pid)
        quiet_s = given.seconds if given.quick else QUIET_S
        await asyncio.sleep(quiet_s)
        share = (cpu_s(target.pid) - before) / quiet_s * 100
        name = f"the server while nothing happens, {beside}"
        figures.append(Figure(name=name, unit="% of a core", values=[share]))
    runs = [
        [await woken_ms(target, pictures) for _ in range(3 if given.quick else ROUNDS)]
        for _ in range(given.runs)
    ]
    for what, of, aim in (("median", p50, None), ("p99", p99, AIM)):
        name = f"placed to in the hands of a waiting worker, {beside}: {what}"
        figures.append(Figure(name=name, unit="ms", values=list(map(of, runs)), aim=aim))
    return figures


async def measure(given: Namespace) -> list[Figure]:
    """Alone, then beside many."""
    idle, clients = (20, 50) if given.quick else (IDLE, CLIENTS)
    pictures = Pictures(4)
    async with a_target(given, idle // WORKERS_EACH + 1, clients) as target:
        figures = await measure_beside(given, target, pictures, "alone")
        ids = await wait_in_queue(target, [plain(models=[UNOFFERED])], clients)
        others = itertools.cycle(range(1, target.workers))  # the first is the one that is woken
        calls = itertools.chain(
            (target.pop(next(others), [UNWANTED], prefer=PREFER) for _ in range(idle)),
            (target.check(request_id, prefer=PREFER) for request_id in ids),
        )
        async with waiting(target, list(calls), given.seconds if given.quick else SETTLE_S):
            beside = f"beside {idle:,} workers and {clients:,} clients that wait"
            figures += await measure_beside(given, target, pictures, beside)
    return figures


if __name__ == "__main__":
    given = read(options(__doc__))
    tell(given, run(measure(given)))
