"""Run a program that must not reach any other machine: `python on_loopback.py program arguments`.

Every look-up and every connection made from Python to something else is refused and said on
standard error, whatever library asks for it. What C libraries do by themselves is not seen.
"""

import runpy
import sys
from typing import Any

OURS = {"127.0.0.1", "::1", "localhost", "", None}
REFUSED = "not on loopback:"


def stay(event: str, given: tuple[Any, ...]) -> None:
    if event == "socket.getaddrinfo":
        host = given[0]
    elif event in {"socket.connect", "socket.sendto"} and isinstance(given[1], tuple):
        host = given[1][0]
    else:
        return
    if (host.decode() if isinstance(host, bytes) else host) not in OURS:
        print(REFUSED, event, host, file=sys.stderr)
        raise ConnectionRefusedError(f"{REFUSED} {host}")


if __name__ == "__main__":
    sys.addaudithook(stay)
    sys.argv = sys.argv[1:]
    runpy.run_path(sys.argv[0], run_name="__main__")
