"""Commands of ours as processes of their own, that never outlive the one who started them.

A child is started with a pipe as its standard input and `--with-parent`: when the pipe closes,
because its parent stopped or was killed, the child stops too.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path

ABANDON_AFTER_S = 5.0  # a child whose parent is gone may take so long to finish
STOP_S_MAX = 15.0
TAIL_LINES = 20


def command(*arguments: str) -> list[str]:
    """The command line of `ordu …` with the Python and the packages of this process."""
    return [sys.executable, "-P", "-m", "ordu.cli", *arguments]


def clean_environment(**more: str) -> dict[str, str]:
    """Our environment without settings of ours, and with these."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ORDU_")}
    return kept | more


def follow_parent() -> None:
    """Stop this process, as by SIGTERM, when its parent lets go of our standard input."""
    threading.Thread(target=_follow, name="follow-parent", daemon=True).start()


def _follow() -> None:
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(ABANDON_AFTER_S)
    os.kill(os.getpid(), signal.SIGTERM)


class Child:
    """A process of ours whose words go to a file."""

    def __init__(
        self, name: str, arguments: list[str], environment: Mapping[str, str], folder: Path
    ) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(  # noqa: S603 - our own command
                command(*arguments, "--with-parent"),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=dict(environment),
                cwd=folder,
                start_new_session=True,  # Ctrl-C is for the parent, which stops its children
            )

    @property
    def is_alive(self) -> bool:
        """Whether it still runs."""
        return self.process.poll() is None

    def ask_to_stop(self) -> None:
        """Ask it to finish what it holds and stop."""
        if self.is_alive:
            self.process.terminate()

    def stop(self) -> int:
        """Wait until it has stopped, in the end by force; returns its exit code."""
        self.ask_to_stop()
        try:
            return self.process.wait(STOP_S_MAX)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()
        finally:
            if self.process.stdin is not None:
                self.process.stdin.close()

    def tail(self) -> str:
        """The last lines it said."""
        text = self.log.read_text(encoding="utf-8", errors="replace")
        return "\n".join(text.splitlines()[-TAIL_LINES:])
