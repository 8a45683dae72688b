"""Which backends could be used on this machine: all that are installed look around at once."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from threading import Thread

from ordu.cli.failures import extra

LOOK_S = 3.0  # for all of them together
BUILT_IN = "sketch"
SKETCH_WORDS = (
    "sketch, the built-in painter: needs nothing, but is no neural model;"
    " it paints scenes by rules and knows few words"
)


@dataclass(frozen=True, slots=True)
class Choice:
    """A backend that could be used, with what its settings have to say for it."""

    backend: str
    words: str
    settings: Mapping[str, object] = field(default_factory=dict)
    rank: int = 0


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found, the best first and the built-in painter last, and what could not look."""

    choices: tuple[Choice, ...]
    silent: Mapping[str, str]  # backends, and why each said nothing


def look_around(names: Sequence[str] = (), limit_s: float = LOOK_S) -> Looked:
    """What these backends find on this machine, of all that are installed when none is named."""
    with extra("worker"):
        from ordu.worker.backends import installed

    wanted = list(names or installed())
    looks = [_Look(name) for name in wanted if name != BUILT_IN]
    for look in looks:
        look.start()
    deadline = time.monotonic() + limit_s
    for look in looks:
        look.join(max(0.0, deadline - time.monotonic()))
    silent = {
        look.backend: look.problem or f"it took longer than {limit_s:g} s"
        for look in looks
        if look.problem or look.is_alive()
    }
    found = [choice for look in looks if look.backend not in silent for choice in look.choices]
    found.sort(key=lambda choice: (-choice.rank, choice.backend))
    last = [Choice(BUILT_IN, SKETCH_WORDS)] if BUILT_IN in wanted else []
    return Looked((*found, *last), silent)


class _Look(Thread):
    """One backend looking around; a daemon, so that one that hangs keeps nobody."""

    def __init__(self, backend: str) -> None:
        super().__init__(name=f"ordu-look-{backend}", daemon=True)
        self.backend = backend
        self.choices: list[Choice] = []
        self.problem = ""

    def run(self) -> None:
        """Load the backend and ask it."""
        from ordu.worker.backends import load

        try:
            self.choices = [
                Choice(self.backend, each.words, each.settings, each.rank)
                for each in load(self.backend).find()
            ]
        except Exception as error:  # noqa: BLE001 - a backend is somebody else's code
            self.problem = str(error) or type(error).__name__
