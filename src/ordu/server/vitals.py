"""Vitals: how the process itself is doing, as the system tells it; what it does not tell is absent.

The names of these numbers are those that all of Prometheus's own libraries use.
"""

import asyncio
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from ordu.engine.tally import Histogram

LOOK_S = 0.5  # between looks at how late the event loop is
PROC = Path("/proc/self")
STARTED_S = time.time()


class Vital(NamedTuple):
    """One number about the process."""

    name: str
    kind: str
    meaning: str
    value: float


async def watch_lag(lag_s: Histogram) -> None:
    """Count for ever how late the event loop is for an appointment: so long everybody waits."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + LOOK_S
        await asyncio.sleep(LOOK_S)
        lag_s.observe(max(0.0, loop.time() - due))


def vitals() -> Iterator[Vital]:
    """All that is known of this process."""
    yield Vital(
        "process_cpu_seconds_total",
        "counter",
        "Processor time used, in seconds.",
        round(time.process_time(), 3),
    )
    yield Vital(
        "process_start_time_seconds", "gauge", "When it began, in seconds since 1970.", STARTED_S
    )
    with suppress(OSError):
        pages = int((PROC / "statm").read_text(encoding="ascii").split()[1])
        size = pages * os.sysconf("SC_PAGE_SIZE")
        yield Vital("process_resident_memory_bytes", "gauge", "Memory in use, in bytes.", size)
    with suppress(OSError):
        many = len(os.listdir(PROC / "fd"))  # noqa: PTH208 - a path for each is not needed
        yield Vital("process_open_fds", "gauge", "Files and connections that are open.", many)
        most = os.sysconf("SC_OPEN_MAX")
        yield Vital("process_max_fds", "gauge", "How many of them there may be.", most)
