"""Callers: what is remembered of each between calls, in memory and bounded.

This API is that of a program on one's own machine, which has one user and a state. A horde has many
users and none; so for each caller, who is a user at an address, it is remembered what was asked for
last (`progress` and `interrupt` are about that) and which options were set. The processes of a
horde tell each other. What is forgotten, or was lost with its process, reads as if nothing had been
asked for or set.
"""

from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from ordu.engine.tidings import AnyItem, AskedAsProgram, SetAsProgram
from ordu.rules.lifecycle import Millis
from ordu.server.call import Call
from ordu.server.ratelimits import address_of

CALLERS_MAX = 5_000  # the one who was heard of longest ago is forgotten
CALLS_MAX = 8  # of one caller
OPTIONS_MS = 24 * 3_600_000  # so long after they were set last options hold


def never() -> Millis:
    """The time of a memory that forgets nothing by itself."""
    return Millis(0)


@dataclass(slots=True)
class Remembered:
    """What is remembered of one caller."""

    calls: deque[AskedAsProgram] = field(default_factory=lambda: deque(maxlen=CALLS_MAX))
    options: SetAsProgram | None = None
    heard_at: Millis = field(default_factory=never)


class Callers:
    """What is remembered of all of them in this process; `tell` is for the others."""

    def __init__(
        self, tell: Callable[[AnyItem], None] | None = None, now: Callable[[], Millis] = never
    ) -> None:
        self.tell = tell
        self.now = now
        self.by_name: OrderedDict[str, Remembered] = OrderedDict()

    def asked(self, item: AskedAsProgram) -> None:
        """A caller asked for pictures."""
        self.hear(item)
        if self.tell is not None:
            self.tell(item)

    def set(self, item: SetAsProgram) -> None:
        """A caller set options."""
        self.hear(item)
        if self.tell is not None:
            self.tell(item)

    def hear(self, item: AskedAsProgram | SetAsProgram) -> None:
        """Remember it, and tell nobody."""
        known = self.by_name.setdefault(item.who, Remembered())
        self.by_name.move_to_end(item.who)
        known.heard_at = self.now()
        if isinstance(item, AskedAsProgram):
            known.calls.append(item)
        else:
            known.options = item
        while len(self.by_name) > CALLERS_MAX:
            self.by_name.popitem(last=False)

    def forget_before(self, moment: Millis) -> None:
        """Forget those that were not heard of since."""
        while self.by_name:
            who, known = next(iter(self.by_name.items()))
            if known.heard_at >= moment:
                break
            del self.by_name[who]

    def newest(self, who: str) -> AskedAsProgram | None:
        """What this caller asked for last."""
        known = self.by_name.get(who)
        return known.calls[-1] if known is not None and known.calls else None

    def by_task(self, who: str, task_id: str) -> AskedAsProgram | None:
        """What this caller asked for with this id."""
        known = self.by_name.get(who)
        calls = known.calls if known is not None else ()
        return next((each for each in reversed(calls) if each.task_id == task_id), None)

    def options(self, who: str, now: Millis) -> SetAsProgram | None:
        """The options that this caller has set lately."""
        known = self.by_name.get(who)
        options = known.options if known is not None else None
        return options if options is not None and now - options.at < OPTIONS_MS else None


def name_of(call: Call[object]) -> str:
    """Who calls: a user, from an address."""
    return f"{call.user.id} {address_of(call.http)}"
