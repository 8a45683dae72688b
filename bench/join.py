"""How long it takes from `ordu worker join` to the first picture that a horde has accepted.

The machine is one on which nothing was done yet: an empty home, an empty folder, no settings. The
horde is a new one, and one request waits in it: 512 × 512 pixels with 30 steps. Every default is
taken (`--yes`), so what a person would think at each question is not in it. The built-in painter
draws. The parts are:

    questions    the command starts, asks the horde, gets an account, writes the settings
    self-test    pictures up to the largest size, two at once
    first job    the worker starts, pops, draws, delivers, and the request is done

With `--quick` the self-test may take five seconds only.
"""

import asyncio
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from argparse import Namespace
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import IO

from figures import Aim, Figure, options, read, tell
from home import a_home
from load import run
from target import a_server, only_ours

from ordu.client import AsyncHorde
from ordu.client.wire import ANONYMOUS_KEY, known

MINUTE = Aim(goal=60, floor=60)
PATIENCE_S = 180.0
LOOK_AGAIN_S = 0.01
REQUEST = {
    "prompt": "mountains at sunset",
    "params": {"width": 512, "height": 512, "steps": 30, "n": 1},
    "nsfw": False,
    "r2": True,
}
SETTINGS_WRITTEN, TEST_OVER = "The settings are in ", "What follows:"


@contextlib.contextmanager
def a_new_machine(url: str, *arguments: str) -> Iterator[IO[str]]:
    """The command in an empty folder with an empty home; gives what it says."""
    with tempfile.TemporaryDirectory(prefix="ordu-bench-") as folder:
        kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        process = subprocess.Popen(
            [*(sys.executable, "-m", "ordu.cli", "worker", "join", url, "--yes"), *arguments],
            cwd=folder,
            env=kept | {"HOME": folder, "TMPDIR": folder},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            assert process.stdout is not None
            yield process.stdout
        finally:
            process.terminate()
            process.wait(60)
            assert (Path(folder) / "ordu-worker.toml").exists()


async def said(lines: IO[str], beginning: str) -> float:
    """When a line begins like this."""
    async with asyncio.timeout(PATIENCE_S):
        while line := await asyncio.to_thread(lines.readline):
            if line.startswith(beginning):
                return time.perf_counter()
    raise AssertionError(f"the command never said {beginning!r}")


async def done(horde: AsyncHorde, request_id: str) -> float:
    """When the request has its picture."""
    async with asyncio.timeout(PATIENCE_S):
        while not known((await horde.get_async_check(request_id)).done, default=False):
            await asyncio.sleep(LOOK_AGAIN_S)
    return time.perf_counter()


@contextlib.asynccontextmanager
async def a_waiting_request(given: Namespace) -> AsyncIterator[tuple[AsyncHorde, str]]:
    """A new horde in which one request waits."""
    async with a_home(given) as home, a_server(home) as server:
        url = f"http://{server.address.host}:{server.address.port}"
        async with AsyncHorde(url, ANONYMOUS_KEY) as horde:
            yield horde, known((await horde.post_async_generate(REQUEST)).id, "")


async def a_joining(given: Namespace) -> tuple[float, float, float]:
    """Seconds for the questions, for the self-test, and from there to the picture."""
    arguments = ("--seconds", "5") if given.quick else ()
    async with a_waiting_request(given) as (horde, request_id):
        begun = time.perf_counter()
        with a_new_machine(horde.url, *arguments) as lines:
            asked = await said(lines, SETTINGS_WRITTEN)
            tested = await said(lines, TEST_OVER)
            drawn = await done(horde, request_id)
    return asked - begun, tested - asked, drawn - tested


async def measure(given: Namespace) -> list[Figure]:
    """As often as wanted, each time from nothing."""
    only_ours(given, "a new horde has to be started for it.")
    joinings = [await a_joining(given) for _ in range(given.runs)]
    questions, tests, jobs = map(list, zip(*joinings, strict=True))
    wholes = [sum(parts) for parts in joinings]
    return [
        Figure(name="from the command to the first picture", unit="s", values=wholes, aim=MINUTE),
        Figure(name="of that: questions and settings", unit="s", values=questions),
        Figure(name="of that: self-test", unit="s", values=tests),
        Figure(name="of that: first job", unit="s", values=jobs),
    ]


if __name__ == "__main__":
    given = read(options(__doc__))
    tell(given, run(measure(given)))
