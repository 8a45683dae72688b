"""A pause: the owner takes the machine back for a while, or until they say otherwise.

It is kept in a file, so that it lasts over a restart of the worker and of the machine: who said
"not before tomorrow" does not want to say it again. The file is the whole truth; a signal only says
that it changed.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import msgspec

from ordu.worker.terms.places import make_folder, replace_file


class Pause(msgspec.Struct, frozen=True, kw_only=True):
    """What the file says; times are seconds since 1970."""

    since: float
    until: float | None = None  # None: until the owner says so

    def is_over(self, now: float) -> bool:
        """Whether its time is over."""
        return self.until is not None and self.until <= now

    def seconds_left(self, now: float) -> float:
        """How long it lasts; infinite when its owner has to end it."""
        return math.inf if self.until is None else max(0.0, self.until - now)


@dataclass(frozen=True, slots=True)
class PauseFile:
    """Where the pause of one worker is kept."""

    path: Path

    def read(self, now: float) -> Pause | None:
        """The pause in force, or None; one that is over or cannot be read counts for nothing."""
        try:
            pause = msgspec.json.decode(self.path.read_bytes(), type=Pause)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            return None
        return None if pause.is_over(now) else pause

    def write(self, pause: Pause) -> None:
        """Keep a pause, for the owner's eyes only.

        Raises:
            OSError: there is nowhere to keep it.
        """
        make_folder(self.path.parent)
        replace_file(self.path, msgspec.json.encode(pause))

    def remove(self) -> None:
        """End the pause.

        Raises:
            OSError: the file is there and cannot be removed.
        """
        self.path.unlink(missing_ok=True)
