"""Servers, workers and commands as real processes, in folders of their own, on free ports.

Every process is started with a mark in its environment and with its standard input held by us, so
that it ends when the tests do, whatever happens, and so that a test can prove that none is left.
"""

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from ordu.client import Horde
from ordu.client.wire import known

HERE = Path(__file__).parent
START_S_MAX = 30.0
STOP_S_MAX = 20.0
POLL_S = 0.05
MARK = "TEST_PROCESSES"

T = TypeVar("T")


def until(look: Callable[[], T], what: str, within_s: float = START_S_MAX) -> T:
    """What a look gives, once it gives something true."""
    deadline = time.monotonic() + within_s
    while not (found := look()):
        assert time.monotonic() < deadline, f"waited {within_s:.0f} s for {what}"
        time.sleep(POLL_S)
    return found


@dataclass
class Running:
    """A process and the files it writes to."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self.process.wait(STOP_S_MAX)

    def end(self, within_s: float = STOP_S_MAX) -> int:
        """Wait for its end; returns the exit code."""
        return self.process.wait(within_s)

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")


@dataclass
class Server(Running):
    """A server that answers calls."""

    url: str
    admin_key: str | None
    data: Path

    def horde(self, apikey: str | None = None) -> Horde:
        return Horde(self.url, apikey)

    def register(self, name: str) -> str:
        """A new user's key."""
        with self.horde() as horde:
            return known(horde.post_register({"username": name}).api_key, "")


@dataclass
class Processes:
    """What a test starts; all of it is gone when the test is over."""

    folder: Path
    command: tuple[str, ...] = (sys.executable, "-m", "ordu.cli")
    mark: str = field(default_factory=lambda: uuid.uuid4().hex)
    started: list[Running] = field(default_factory=list)

    def environment(self, **more: str) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ORDU_")}
        temporary, owned = self.folder / "temporary", self.folder / "owned"
        for each in (temporary, owned):
            each.mkdir(exist_ok=True)
        ours = {
            MARK: self.mark, "TMPDIR": str(temporary), "PYTHONPATH": str(HERE),
            # Where running workers are found, and their pauses kept.
            "XDG_RUNTIME_DIR": str(owned), "XDG_STATE_HOME": str(owned),
            "ORDU_ON_BATTERY": "on",
        }  # fmt: skip
        return kept | ours | more

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """A command that ends by itself."""
        return subprocess.run(
            [sys.executable, "-m", "ordu.cli", *arguments],
            cwd=self.folder,
            env=self.environment(**environment),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def start(
        self,
        name: str,
        *arguments: str,
        program: Sequence[str] | None = None,
        **environment: str,
    ) -> Running:
        """A command that goes on; of ours, unless it is given to another program."""
        words = program or self.command
        return self.program(name, *words, *arguments, **environment)

    def program(self, name: str, *command: str, **environment: str) -> Running:
        """Any program that goes on."""
        log = self.folder / f"{len(self.started)}-{name}.log"
        with log.open("wb") as file:
            process = subprocess.Popen(
                command,
                cwd=self.folder,
                env=self.environment(**environment),
                stdin=subprocess.PIPE,
                stdout=file,
                stderr=subprocess.STDOUT,
            )
        running = Running(name, process, log)
        self.started.append(running)
        return running

    def server(
        self,
        *arguments: str,
        data: str = "horde",
        program: Sequence[str] | None = None,
        **environment: str,
    ) -> Server:
        """A server on a free port."""
        ready = self.folder / f"ready-{len(self.started)}.json"
        if "--rate-limits" not in arguments:  # tests call faster than people do
            arguments = ("--rate-limits", "off", *arguments)
        places = ("--data", data, "--port", "0", "--ready-file", str(ready), "--with-parent")
        running = self.start("server", "serve", *places, *arguments, program=program, **environment)

        def is_ready() -> bool:
            assert running.process.poll() is None, running.said()
            return ready.exists()

        until(is_ready, "the server")
        facts = json.loads(ready.read_bytes())
        server = Server(
            running.name,
            running.process,
            running.log,
            facts["url"],
            facts["admin_key"],
            self.folder / data,
        )
        self.started[-1] = server
        return server

    def worker(
        self, server: Server, api_key: str, *arguments: str, name: str = "attic", **environment: str
    ) -> Running:
        """A worker that the server has heard of."""
        running = self.start(
            "worker",
            *("worker", "--url", server.url, "--name", name, "--poll-interval-s", "0.1"),
            *("--with-parent", *arguments),
            ORDU_API_KEY=api_key,
            **environment,
        )

        def is_there() -> bool:
            assert running.process.poll() is None, running.said()
            with server.horde() as horde:
                return name in {known(each.name, "") for each in horde.get_workers()}

        until(is_there, "the worker")
        return running

    def left(self) -> list[str]:
        """The processes with our mark that still run, as `number: command line`."""
        wanted = f"{MARK}={self.mark}".encode()
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if wanted in (folder / "environ").read_bytes().split(b"\0"):
                    command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                    if command:  # a zombie has none
                        found.append(f"{folder.name}: {command}")
            except OSError:  # it has just gone, or is not ours to look at
                continue
        return found

    def end(self) -> None:
        """Kill what still runs and show what everything said, for a test that failed."""
        for running in self.started:
            if running.process.poll() is None:
                running.kill()
            if running.process.stdin is not None:
                running.process.stdin.close()
            print(f"-- {running.log.name}, exit code {running.process.returncode}")
            print(running.said()[-4000:])
