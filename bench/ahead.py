"""How busy a worker keeps its device when the horde is far away, with and without a job ahead.

The worker's own loop, a horde that answers after a while (each call takes the time there and back,
and a picture goes up a line of its own speed), and a device that takes a given time for a picture.
Nothing else runs: what is lost is lost by waiting.

    python bench/ahead.py            a minute
"""

import asyncio
import itertools
import time
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table

from ordu.client import AsyncHorde
from ordu.settings import WorkerSettings
from ordu.worker.backends import Backend, Drawing, Offer, Picture, Progress
from ordu.worker.loop import Worker

PICTURE = b"RIFF....WEBP" + bytes(400_000)
UPLINK_BYTES_PER_S = 2_500_000  # 20 Mbit/s
PICTURES = 10  # of each run
STEPS = 20


class Device(Backend):
    """Takes so long for each picture, and tells its progress at each step."""

    def __init__(self, picture_s: float) -> None:
        self.picture_s = picture_s
        self.busy_s = 0.0
        self.began: list[float] = []
        self.ended_at = 0.0

    def offer(self) -> Offer:
        return Offer(models=("sdxl",), max_pixels=1024 * 1024)

    def make(self, drawing: Drawing, progress: Progress) -> Picture:
        self.began.append(time.perf_counter())
        for step in range(STEPS):
            time.sleep(self.picture_s / STEPS)
            progress((step + 1) / STEPS)
        self.ended_at = time.perf_counter()
        self.busy_s += self.ended_at - self.began[-1]
        return Picture(PICTURE)


def far_away(latency_s: float) -> httpx.MockTransport:
    """A horde that always has a job."""
    numbers = itertools.count()

    async def answer(call: httpx.Request) -> httpx.Response:
        await asyncio.sleep(latency_s)
        reply: dict[str, Any] = {"reward": 10.0}
        if call.url.path.endswith("/pop"):
            payload = {"prompt": "a fox", "width": 1024, "height": 1024, "ddim_steps": STEPS}
            number = f"job-{next(numbers)}"
            reply = {"id": number, "model": "sdxl", "payload": payload, "skipped": {}}
        else:
            await asyncio.sleep(len(call.content) / UPLINK_BYTES_PER_S)
        return httpx.Response(200, json=reply)

    return httpx.MockTransport(answer)


async def busy_share(picture_s: float, latency_s: float, prefetch: int) -> float:
    """The share of the time in which the device made pictures, from the first to the last."""
    device = Device(picture_s)
    settings = WorkerSettings(name="attic", prefetch=prefetch)
    stop = asyncio.Event()
    async with AsyncHorde("http://far.test", "k", transport=far_away(latency_s)) as horde:
        running = asyncio.create_task(Worker(horde, [device], settings).run(stop))
        while len(device.began) < PICTURES:
            await asyncio.sleep(0.01)
        stop.set()
        await running
    return device.busy_s / (device.ended_at - device.began[0])


async def all_shares(cases: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Of each case without and with a job ahead; all at once, because all of them only wait."""
    runs = [busy_share(*case, prefetch=ahead) for case in cases for ahead in (0, 1)]
    shares = await asyncio.gather(*runs)
    return list(zip(shares[::2], shares[1::2], strict=True))


def main() -> None:
    table = Table("a picture takes", "the horde is away", "no job ahead", "one job ahead")
    cases = list(itertools.product((0.5, 1.0, 3.0), (0.05, 0.3)))
    for (picture_s, latency_s), shares in zip(cases, asyncio.run(all_shares(cases)), strict=True):
        cells = [f"{picture_s:g} s", f"{latency_s * 1000:.0f} ms"]
        table.add_row(*cells, *(f"{share:.0%} busy" for share in shares))
    Console().print(table)


if __name__ == "__main__":
    main()
