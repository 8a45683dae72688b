"""How long a server takes from its command to serving, and how much memory it has then.

Each start has a fresh data folder, so the database is made too; the second figure is a start in a
folder that is there already.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from pathlib import Path

from load import a_server


async def a_start(data: str) -> tuple[float, float]:
    """Seconds until it serves, and megabytes in use then."""
    begun = time.perf_counter()
    async with a_server("--data", data) as (_, _, process):
        took_s = time.perf_counter() - begun
        status = Path(f"/proc/{process.pid}/status").read_text()
        resident = next(line for line in status.splitlines() if line.startswith("VmRSS"))
        return took_s, int(resident.split()[1]) / 1024


async def main(runs: int) -> None:
    """Start again and again."""
    figures: dict[str, list[tuple[float, float]]] = {"a new horde": [], "one that was there": []}
    for _ in range(runs):
        with tempfile.TemporaryDirectory(prefix="ordu-bench-") as data:
            for each in figures.values():
                each.append(await a_start(data))
    for name, each in figures.items():
        seconds, megabytes = zip(*each, strict=True)
        print(
            f"{name:<20} serves after {statistics.median(seconds):.2f} s ({min(seconds):.2f} to"
            f" {max(seconds):.2f}), {statistics.median(megabytes):.0f} MB"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    asyncio.run(main(parser.parse_args().runs))
