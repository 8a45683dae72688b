"""`python -m tests.system.chaos.latency`: from a placed request to a worker at another machine.

Two servers on one PostgreSQL. Workers wait at the one (`Prefer: wait`), requests are placed at the
other, one after the other. Told is the time from the moment a request is sent until a worker has
read its job, the time of the placing alone, which is part of it, and the time of a call that does
nothing (a heartbeat), in turns with the others: that is what the machine itself takes.
"""

import argparse
import asyncio
import base64
import sys
import tempfile
import time
from pathlib import Path

import msgspec
from tests.system.chaos.crowd import SIDE, Crowd, User, a_picture
from tests.system.chaos.running import Plan, Run
from tests.system.chaos.stage import Stage

from ordu.client import AsyncHorde

WAIT_S = 30


class Latencies(msgspec.Struct):
    """In milliseconds."""

    requests: int
    workers: int
    nothing_p50: float
    nothing_p99: float
    placing_p50: float
    placing_p99: float
    to_worker_p50: float
    to_worker_p99: float
    to_worker_most: float

    def as_text(self) -> str:
        """For people."""
        nothing = f"p50 {self.nothing_p50:6.1f} ms   p99 {self.nothing_p99:6.1f} ms"
        placing = f"p50 {self.placing_p50:6.1f} ms   p99 {self.placing_p99:6.1f} ms"
        arriving = f"p50 {self.to_worker_p50:6.1f} ms   p99 {self.to_worker_p99:6.1f} ms"
        return (
            f"{self.requests} requests, {self.workers} workers that wait at another server\n"
            f"a call that does nothing  {nothing}\n"
            f"placing alone             {placing}\n"
            f"placed to job at worker   {arriving}   most {self.to_worker_most:6.1f} ms"
        )


class Watch:
    """Who waits, and when which request arrived."""

    def __init__(self) -> None:
        self.arrived: asyncio.Queue[float] = asyncio.Queue()

    async def worker(self, horde: AsyncHorde, owner: User, number: int) -> None:
        """Wait for jobs, note when they come, and bring their pictures."""
        picture = base64.b64encode(a_picture(number)).decode()
        body = {
            "name": f"worker {number}",
            "models": ["stable_diffusion"],
            "max_pixels": SIDE * SIDE,
            "bridge_agent": "Ordu:1:x",
        }
        while True:
            found = await horde.post_job_pop(body, owner.key, prefer=f"wait={WAIT_S}")
            if found.id:
                self.arrived.put_nowait(time.perf_counter())
                done = {"id": found.id, "generation": picture, "seed": 1, "state": "ok"}
                await horde.post_job_submit(done, owner.key)


async def measure(run: Run, many: int, workers: int) -> Latencies:
    """Place so many, one after the other, and wait for each to arrive."""
    crowd: Crowd = run.crowd
    await crowd.register()
    here, there = crowd.addresses.hordes
    watch = Watch()
    waiting = [
        asyncio.create_task(watch.worker(there, crowd.owners[0], each)) for each in range(workers)
    ]
    wish = {"prompt": "a fox", "params": {"width": SIDE, "height": SIDE, "steps": 1}, "nsfw": False}
    nothing, placing, to_worker = [], [], []
    try:
        await asyncio.sleep(2)
        for _ in range(many):
            began = time.perf_counter()
            await here.get_heartbeat()
            nothing.append(time.perf_counter() - began)
            began = time.perf_counter()
            await here.post_async_generate(wish, crowd.payers[0].key)
            placing.append(time.perf_counter() - began)
            async with asyncio.timeout(WAIT_S):
                to_worker.append(await watch.arrived.get() - began)
            await asyncio.sleep(0.02)  # the worker comes back and waits
    finally:
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        await crowd.addresses.close()
    for times in (nothing, placing, to_worker):
        times.sort()
    return Latencies(
        many,
        workers,
        *(at(nothing, share) for share in (0.5, 0.99)),
        *(at(placing, share) for share in (0.5, 0.99)),
        *(at(to_worker, share) for share in (0.5, 0.99)),
        at(to_worker, 1),
    )


def at(ordered: list[float], share: float) -> float:
    """The value below which this share of them lies, in milliseconds."""
    return round(1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))], 1)


def main() -> int:
    """Measure, and tell."""
    parser = argparse.ArgumentParser(prog="python -m tests.system.chaos.latency")
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--workers", type=int, default=5)
    parser.add_argument("--processes", type=int, default=1, help="of the server that is placed at")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ordu-latency-") as temporary:
        stage = Stage(Path(temporary), processes=given.processes)
        try:
            with asyncio.Runner() as runner:
                found = runner.run(measure(Run(stage, Plan()), given.requests, given.workers))
        finally:
            stage.close()
    print(msgspec.json.encode(found).decode() if given.json else found.as_text())
    return 0


if __name__ == "__main__":
    sys.exit(main())
