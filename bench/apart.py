"""What it costs that a backend runs in a process of its own: the same picture with and without.

A backend that gives back the picture it was handed, so that nothing is measured but the way there
and back; and the time from nothing to a process that can be asked, first and after a crash.

    python bench/apart.py [--rounds 300]
"""

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from ordu.worker.apart import Apart, Limits
from ordu.worker.backends import Backend, BackendError, Drawing, Offer, Picture, Progress

NAME = "apart:Echo"
SIZES = {"1 kB": 1_000, "1 MB": 1_000_000, "16 MB": 16_000_000}
STEPS = 30
STARTS = 10


class Echo(Backend):
    """Gives back the source image."""

    def offer(self) -> Offer:
        """Say anything."""
        return Offer(("echo",), 2**20)

    def make(self, drawing: Drawing, progress: Progress) -> Picture:
        """Hand it back after its steps."""
        if drawing.source_image is None:
            os._exit(1)
        for step in range(drawing.steps):
            progress(step / drawing.steps)
        return Picture(drawing.source_image)


def milliseconds(action: Callable[[], object], rounds: int) -> list[float]:
    """How long it takes, each time, in order."""
    times = []
    for _ in range(rounds):
        begun = time.perf_counter()
        action()
        times.append((time.perf_counter() - begun) * 1000)
    return sorted(times)


def told(what: str, times: list[float]) -> None:
    """One line: median, and the slowest of twenty."""
    slow = times[int(len(times) * 0.95)]
    print(f"{what:<44} {statistics.median(times):9.3f} ms, 95 %: {slow:9.3f} ms")


def measure_pictures(where: str, backend: Backend, rounds: int) -> None:
    """Pictures there and back, and the question before each pop."""
    for size, size_bytes in SIZES.items():
        data = os.urandom(size_bytes)
        for steps in (0, STEPS):
            drawing = Drawing("", steps=steps, source_image=data)
            times = milliseconds(partial(backend.make, drawing, lambda share: None), rounds)
            told(f"{where}: {size} there and back, {steps} steps", times)
    told(f"{where}: offer", milliseconds(backend.offer, rounds))


def measure_starts() -> None:
    """Processes from nothing, and again after one has crashed."""
    opened: list[Apart] = []
    told("a process is ready", milliseconds(lambda: opened.append(Apart(NAME)), STARTS))
    told("a process is closed", milliseconds(lambda: opened.pop().close(), STARTS))

    apart = Apart(NAME, limits=Limits(pause_s=0))

    def crash() -> None:
        try:
            apart.make(Drawing(""), lambda share: None)
        except BackendError:
            apart.offer()

    told("it crashes, and another can be asked", milliseconds(crash, STARTS))
    apart.close()


if __name__ == "__main__":
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--rounds", type=int, default=300)
    rounds = given.parse_args().rounds
    measure_pictures("in process", Echo(), rounds)
    with_process = Apart(NAME)
    measure_pictures("apart", with_process, rounds)
    with_process.close()
    measure_starts()
