"""Backends that go wrong in all the ways a process can; named by module:Class in the tests.

The prompt of a drawing says what happens. They run in processes of their own, never in a test's.
"""

import ctypes
import logging
import os
import resource
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Annotated, ClassVar

from ordu.settings import Settings, about
from ordu.worker.backends import (
    NO_SETTINGS,
    Backend,
    BackendBrokenError,
    BackendError,
    Cancelled,
    Drawing,
    Offer,
    OutOfMemoryError,
    Picture,
    Progress,
)

FOREVER_S = 3600
MEMORY_MAX = 2 * 2**30
log = logging.getLogger(__name__)


class OddSettings(Settings, frozen=True, kw_only=True):
    """What the tests tell the backend."""

    token: Annotated[str, about("A key of something.", secret=True)] = ""
    models: Annotated[tuple[str, ...], about("What it offers.")] = ("fox",)
    folder: Annotated[str, about("Where it leaves traces.")] = ""
    fails: Annotated[str, about("What happens at its start.")] = ""


class OddBackend(Backend):
    """Does as the prompt says."""

    settings_type: ClassVar[type[Settings]] = OddSettings
    is_apart = True

    def __init__(self, settings: Settings = NO_SETTINGS, device: str = "") -> None:
        assert isinstance(settings, OddSettings)
        self.settings = settings
        self.device = device
        self.offers = 0
        self.together = threading.Barrier(2, timeout=30)
        start = settings.fails
        if start == "once started" and self._was_here("started"):
            start = "refuse"
        if start == "refuse" or start == device != "":
            raise BackendError(f"There is no such device as {device or 'this'}.")
        if start == "exit":
            print("no driver found", file=sys.stderr, flush=True)
            os._exit(3)
        if start == "hang":
            time.sleep(FOREVER_S)
        if start == "bug":
            raise ValueError("a bug")

    @classmethod
    def devices(cls, settings: Settings) -> tuple[str, ...]:
        assert isinstance(settings, OddSettings)
        return settings.models

    def offer(self) -> Offer:
        self.offers += 1
        if "no offer" in self.settings.models:
            raise BackendError("Nothing at present.")
        if "wrong offer" in self.settings.models:
            return "an offer"  # type: ignore[return-value]  # that is what is wrong
        if "slow offer" in self.settings.models:
            time.sleep(FOREVER_S)
        return Offer(
            models=self.settings.models,
            max_pixels=4096,
            features=frozenset({self.device, f"offer {self.offers}"}),
            megapixelsteps_per_s_max=1.5,
        )

    def make(self, drawing: Drawing, progress: Progress) -> Picture:
        verb, _, rest = drawing.prompt.partition(" ")
        picture = getattr(self, f"_{verb}")(drawing, progress, rest)
        return picture if picture is not None else Picture(f"{os.getpid()}".encode())

    def close(self) -> None:
        if self.settings.folder:
            self._was_here("closed")

    def _was_here(self, name: str) -> bool:
        mark = Path(self.settings.folder, name)
        was_here = mark.exists()
        mark.touch()
        return was_here

    # -- what a prompt says ----------------------------------------------------------------------

    def _draw(self, drawing: Drawing, progress: Progress, rest: str) -> None:
        for share in (0.0, 0.5, 1.0):
            progress(share)

    def _tell(self, drawing: Drawing, progress: Progress, rest: str) -> Picture:
        words = f"{drawing!r} {self.settings.token} {self.device}"
        return Picture(words.encode(), is_censored=True)

    def _echo(self, drawing: Drawing, progress: Progress, rest: str) -> Picture:
        return Picture(drawing.source_image or b"")

    def _together(self, drawing: Drawing, progress: Progress, rest: str) -> None:
        self.together.wait()

    def _environment(self, drawing: Drawing, progress: Progress, rest: str) -> Picture:
        return Picture(Path(f"/proc/{os.getpid()}/{rest}").read_bytes())

    def _raise(self, drawing: Drawing, progress: Progress, rest: str) -> None:
        errors: dict[str, BaseException] = {
            "backend": BackendError("No such sampler."),
            "memory": OutOfMemoryError("Too large for this card."),
            "broken": BackendBrokenError("The card is gone."),
            "cancelled": Cancelled(),
            "other": KeyError("sampler"),
            "silent": RuntimeError(),
            "exit": SystemExit(4),
            "surrogate": BackendError("\ud800 is no letter"),
            "long": BackendError("x" * 1_000_000),
        }
        raise errors[rest]

    def _kill(self, drawing: Drawing, progress: Progress, rest: str) -> None:
        progress(0.5)
        os.kill(os.getpid(), getattr(signal, rest))
        time.sleep(FOREVER_S)

    def _exit(self, drawing: Drawing, progress: Progress, rest: str) -> None:
        print("about to leave", file=sys.stderr, flush=True)
        os._exit(int(rest))

    def _segfault(self, drawing: Drawing, progress: Progress, rest: str) -> None:
        ctypes.string_at(0)

    def _hog(self, drawing: Drawing, progress: Progress, rest: str) -> None:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MAX, MEMORY_MAX))
        bytearray(2 * MEMORY_MAX)

    def _hang(self, drawing: Drawing, progress: Progress, rest: str) -> None:
        progress(0.1)
        time.sleep(FOREVER_S)

    def _freeze(self, drawing: Drawing, progress: Progress, rest: str) -> None:
        """Hang with the interpreter in hand, so that no other thread runs."""
        progress(0.1)
        Path(self.settings.folder, "frozen").touch()
        ctypes.PyDLL(None).sleep(FOREVER_S)

    def _obey(self, drawing: Drawing, progress: Progress, rest: str) -> None:
        """Draw until nobody wants it any more; leave a trace of that."""
        try:
            while True:
                progress(0.1)
                time.sleep(0.01)
        finally:
            self._was_here("let go")

    def _flood(self, drawing: Drawing, progress: Progress, rest: str) -> None:
        for number in range(20_000):
            print(f"line {number} {'x' * 200}", file=sys.stderr if number % 2 else sys.stdout)
        sys.stdout.write("y" * 1_000_000)
        sys.stdout.flush()
        sys.stderr.write("\r 10 %\r 20 %\rlast words\n")

    def _huge(self, drawing: Drawing, progress: Progress, rest: str) -> Picture:
        return Picture(bytes(256 * 2**20))

    def _nothing(self, drawing: Drawing, progress: Progress, rest: str) -> str:
        return "a picture"

    def _text(self, drawing: Drawing, progress: Progress, rest: str) -> Picture:
        return Picture("a picture")  # type: ignore[arg-type]  # that is what is wrong

    def _offspring(self, drawing: Drawing, progress: Progress, rest: str) -> Picture:
        """Start another program; the picture is its number."""
        program = subprocess.Popen(["sleep", str(FOREVER_S)])
        return Picture(str(program.pid).encode())

    def _fork(self, drawing: Drawing, progress: Progress, rest: str) -> None:
        """Die with a fork that holds everything open."""
        if os.fork() == 0:
            time.sleep(FOREVER_S)
        os._exit(5)

    def _deaf(self, drawing: Drawing, progress: Progress, rest: str) -> None:
        """Let go of the worker, and hold the interpreter before anybody notices."""
        sys.setswitchinterval(FOREVER_S)
        system = ctypes.PyDLL(None)
        for number in range(3, 100):
            system.shutdown(number, socket.SHUT_RDWR)  # of what is no socket, nothing
        system.sleep(FOREVER_S)

    def _garble(self, drawing: Drawing, progress: Progress, rest: str) -> None:
        """Write these bytes to the worker's socket."""
        for number in range(3, 100):
            with suppress(OSError):
                if stat.S_ISSOCK(os.fstat(number).st_mode):
                    os.write(number, bytes.fromhex(rest))
        time.sleep(FOREVER_S)

    def _log(self, drawing: Drawing, progress: Progress, rest: str) -> None:
        log.warning("a warning")
        print("printed")
        sys.stdout.flush()

    def _read(self, drawing: Drawing, progress: Progress, rest: str) -> Picture:
        return Picture(b"end of input" if sys.stdin.read() == "" else b"input")
