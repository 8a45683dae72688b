"""A program that is run: its output read with bounds, and all of it ended when it has to end.

It gets a process group of its own, so that what it starts ends with it; only what leaves that group
on purpose (a daemon) can stay. Its error output is read line by line, for progress and for the
words of an error. No shell is involved.
"""

import os
import re
import selectors
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from ordu.worker.backends import BackendError

LINES_KEPT = 20
LINE_BYTES_MAX = 64 * 1024  # of a longer line the rest is dropped
WORDS_MAX = 300
CHUNK_BYTES = 64 * 1024
GRACE_S = 3.0  # from SIGTERM to SIGKILL
DRAIN_S = 2.0  # for what is still in its outputs; only a daemon that holds them open needs it
POLL_S = 0.1
PROGRESS = re.compile(r"\s*progress\s+([0-9]*\.?[0-9]+)\s*")
CENSORED = "censored"


class Lines:
    """Lines out of chunks; a carriage return ends one as well, as progress bars have it."""

    def __init__(self, take: Callable[[str], None]) -> None:
        self._take = take
        self._rest = b""

    def feed(self, chunk: bytes) -> None:
        """Take in a chunk; an empty one is the end."""
        end = b"" if chunk else b"\n"
        *whole, rest = (self._rest + chunk + end).replace(b"\r", b"\n").split(b"\n")
        self._rest = rest[:LINE_BYTES_MAX]
        for line in whole:
            self._take(line[:LINE_BYTES_MAX].decode(errors="replace"))


class Running:
    """The programs of a backend that run now, so that whoever closes it can kill them all."""

    def __init__(self) -> None:
        self._programs: set[Program] = set()
        self._is_closed = False
        self._turn = threading.Lock()  # who closes waits for a program that is being started

    @contextmanager
    def beginning(self, program: "Program") -> Iterator[None]:
        """Start a program meanwhile.

        Raises:
            BackendError: the backend is closed, and nobody would end it.
        """
        with self._turn:
            if self._is_closed:
                raise BackendError("The backend is closed.")
            yield
            self._programs.add(program)

    def has_ended(self, program: "Program") -> None:
        """It needs to be killed no more."""
        self._programs.discard(program)

    def close(self) -> None:
        """Kill all that run, and let none begin."""
        with self._turn:
            self._is_closed = True
        for each in list(self._programs):
            each.kill()


class Program:
    """A running program, with a thread for each of its outputs."""

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        stdin: int | IO[bytes],
        on_output: Callable[[bytes], None],
        running: Running,
    ) -> None:
        """Start it; `on_output` is given what it writes, and at its end nothing (an empty chunk).

        It is among `running` until it has ended.

        Raises:
            BackendError: it cannot be started, or the backend is closed.
        """
        try:
            with running.beginning(self):
                self._process = subprocess.Popen(  # noqa: S603 - its owner names it in a setting
                    command,
                    stdin=stdin,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    env={**_harmless(os.environ), **environment},
                    start_new_session=True,
                )
        except OSError as error:
            raise BackendError(
                f"{command[0]} cannot be started: {error.strerror}; check the setting run."
            ) from error
        self.name = Path(command[0]).name
        self.lines: deque[str] = deque(maxlen=LINES_KEPT)
        self.share = 0.0
        self.is_censored = False
        self._has_ended = False
        self._stop = threading.Event()
        self._readers = [
            threading.Thread(target=self._read, args=(self._process.stdout, on_output)),
            threading.Thread(target=self._read, args=(self._process.stderr, Lines(self.tell).feed)),
        ]
        for each in self._readers:
            each.start()
        self._running = running

    def status(self) -> int | None:
        """How it ended, negative for a signal; None while it runs."""
        return self._process.poll()

    def wait(self, seconds: float) -> int | None:
        """Wait for its end, so long at most; its status then."""
        with suppress(subprocess.TimeoutExpired):
            return self._process.wait(seconds)
        return None

    def write(self, line: bytes) -> None:
        """Send it a line; this waits while it does not read. When it has ended nothing is sent."""
        assert self._process.stdin is not None
        with suppress(OSError, ValueError):  # a closed pipe, a closed file
            self._process.stdin.write(line)
            self._process.stdin.flush()

    def tell(self, line: str) -> None:
        """Take in a line of what it says beside its pictures."""
        if match := PROGRESS.fullmatch(line):
            self.share = min(float(match[1]), 1.0)
        elif line.strip() == CENSORED:
            self.is_censored = True
        elif words := " ".join("".join(c if c.isprintable() else " " for c in line).split()):
            self.lines.append(words[:WORDS_MAX])

    def end(self) -> None:
        """End it and what it started: asked first, killed when it does not listen."""
        if self._has_ended:
            return
        self._has_ended = True
        if self._process.poll() is None:
            self._signal(signal.SIGTERM)
            self.wait(GRACE_S)
        # Also after it ended by itself: what it left behind holds memory, and its outputs open.
        self._signal(signal.SIGKILL)
        self._process.wait()
        self._running.has_ended(self)
        deadline_s = time.monotonic() + DRAIN_S
        for each in self._readers:
            each.join(max(deadline_s - time.monotonic(), 0.0))
        self._stop.set()
        for each in self._readers:
            each.join()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                with suppress(OSError):  # what was not sent cannot be any more
                    pipe.close()

    def kill(self) -> None:
        """Kill it and what it started, at once; `end` is still to be called."""
        self._signal(signal.SIGKILL)

    def why(self) -> str:
        """How it ended, and the last that it said."""
        status = self._process.poll()
        if status is None:
            how = "was stopped"
        elif status < 0:
            how = f"was killed by {_signal_name(-status)}"
        else:
            how = f"ended with status {status}"
        return f"{self.name} {how}: {self.lines[-1] if self.lines else 'it said nothing'}"

    def _signal(self, number: int) -> None:
        # The group's id stays taken while anything of it runs, so that it is nobody else's.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)

    def _read(self, pipe: IO[bytes], take: Callable[[bytes], None]) -> None:
        """Read an output to its end, or until told to stop although something holds it open."""
        with selectors.DefaultSelector() as selector:
            selector.register(pipe, selectors.EVENT_READ)
            while not self._stop.is_set():
                if selector.select(POLL_S):
                    chunk = os.read(pipe.fileno(), CHUNK_BYTES)
                    if not chunk:
                        break
                    take(chunk)
        take(b"")


def _harmless(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without what is set for us: the key to the horde is among it."""
    return {name: text for name, text in environment.items() if not name.startswith("ORDU_")}


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
