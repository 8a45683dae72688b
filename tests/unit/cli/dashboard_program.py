"""A worker's dashboard on whatever terminal this runs, with nothing behind it; for a test.

It tells a few events, then waits for signals as `ordu worker` does: the first asks it to stop, the
second ends it at once as `ordu worker` ends when it lets go. With `fails` it raises instead.
"""

import asyncio
import os
import signal
import sys

from ordu.cli.worker.dashboard import Teller, teller
from ordu.settings import WorkerSettings
from ordu.worker import events

TOLD = [
    events.Idle({"models": 2}),
    events.Took("1", "sdxl", 1024, 1024, 30),
    events.Began("1", "cuda:0"),
    events.Drawn("1", 0.5),
]


async def work(talk: Teller) -> None:
    stop, abandon = asyncio.Event(), asyncio.Event()

    def on_signal() -> None:
        if stop.is_set():
            abandon.set()
        else:
            talk.stopping()
            stop.set()

    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, on_signal)
    for event in TOLD:
        talk.tell(event)
    print("drawn by", type(talk).__name__, flush=True)
    if "fails" in sys.argv:
        raise SystemExit("it failed")
    await abandon.wait()


with teller(WorkerSettings(name="attic"), has_parent=False) as talk:
    asyncio.run(work(talk))
sys.stdout.flush()
os._exit(130)
