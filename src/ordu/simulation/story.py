"""A story: what happened in which order, in words."""

import re
from collections import Counter

from ordu.simulation.agenda import Agenda

LINES_MAX = 20_000
IDENTIFIER = re.compile(
    r"(?:(?:request|job) )?([0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12})"
)


class Story:
    """What was told of one run; ids are told as short names in the order they came up."""

    def __init__(self, agenda: Agenda) -> None:
        self.agenda = agenda
        self.lines: list[tuple[int, str]] = []
        self.names: dict[str, str] = {}
        self.named: Counter[str] = Counter()

    def tell(self, line: str) -> None:
        """Note what happens now."""
        if len(self.lines) < LINES_MAX:
            self.lines.append((self.agenda.now_ms, line))

    def name(self, identifier: str, kind: str) -> None:
        """Give an id a name to be told by: `request 3`."""
        if identifier not in self.names:
            self.named[kind] += 1
            self.names[identifier] = f"{kind} {self.named[kind]}"

    def in_words(self, text: str) -> str:
        """A text with names for ids."""
        return IDENTIFIER.sub(lambda found: self.names.get(found[1], found[0]), text)

    def told(self, newest: int | None = None) -> list[str]:
        """The story, or its newest lines."""
        lines = self.lines if newest is None else self.lines[-newest:]
        return [f"{moment / 1000:9.3f} s  {self.in_words(line)}" for moment, line in lines]
