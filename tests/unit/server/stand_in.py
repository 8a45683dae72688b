"""A stand-in for a server process: it writes down what happens to it, and does as the folder says.

stand_in.py FOLDER NUMBER
"""

import os
import signal
import sys
from pathlib import Path

from ordu.cli.children import follow_parent
from ordu.cli.serve import tell_supervisor
from ordu.server.listening import HAND_OVER, Started

FOLDER, NUMBER = Path(sys.argv[1]), sys.argv[2]
HOW = (FOLDER / "how").read_text("utf-8")


def note(what: str) -> None:
    with (FOLDER / "story").open("a", encoding="utf-8") as file:
        file.write(f"{NUMBER} {what}\n")


def end(number: int, _: object) -> None:
    """Stop at the first signal; one that drains does so at the second."""
    note(signal.Signals(number).name)
    if HOW == "deaf":
        return
    if HOW == "drains":
        signal.signal(signal.SIGTERM, lambda *_: (note("second"), sys.exit(0)))
        return
    note("ends")
    sys.exit(0)


for each in (signal.SIGTERM, signal.SIGINT, HAND_OVER):
    signal.signal(each, end)
follow_parent()
note("starts")
if HOW == "dies":
    sys.exit(7)
if HOW == "is killed":
    os.kill(os.getpid(), signal.SIGKILL)
if HOW != "hangs":
    print("something else that a library says")
    note("ready")
    within_s = 0.2 if HOW == "deaf" else 60.0
    tell_supervisor(Started("http://a", "http://b", "horde", f"key of {NUMBER}", within_s))
while True:
    signal.pause()
