"""The network between the servers and everybody else: it loses, doubles and delays."""

from collections.abc import Callable, Sequence

from msgspec.structs import asdict

from ordu.engine.progress import Progress
from ordu.protocol.errors import Refused
from ordu.simulation.faults import Fault
from ordu.simulation.server import Answer, Gone, Server, Verb
from ordu.simulation.stage import Stage
from ordu.store.requests import Request

LATENCY_MS_MAX = 50
LATE_MS_MAX = 60_000
PATIENCE_MS = 30_000


class Network:
    """Carries calls to a server, each to any of them, and answers back."""

    def __init__(self, stage: Stage, servers: Sequence[Server]) -> None:
        self.agenda = stage.agenda
        self.chance = stage.chance
        self.faults = stage.faults
        self.story = stage.story
        self.servers = servers
        self.calls = 0

    def call(self, who: str, what: str, verb: Verb, answer: Answer) -> None:
        """Call the server. `answer` is called once: with its answer, or with why there is none."""
        self.calls += 1
        self.story.tell(f"{who} {what}")
        once = Once(answer, lambda outcome: self.story.tell(f"   {who} hears: {shown(outcome)}"))
        self.agenda.after(PATIENCE_MS, lambda: once(Gone("no answer in time")))
        if self.faults.strikes(Fault.CALL_LOST):
            return
        for _ in range(2 if self.faults.strikes(Fault.CALL_TWICE) else 1):
            delay_ms = self.delay(Fault.CALL_LATE)
            self.agenda.after(
                delay_ms, lambda: self.any().run(verb, lambda outcome: self.back(once, outcome))
            )

    def any(self) -> Server:
        """Whom a balancer chooses."""
        return self.servers[0] if len(self.servers) == 1 else self.chance.choice(self.servers)

    def back(self, once: "Once", outcome: object) -> None:
        """Carry an answer back."""
        if not self.faults.strikes(Fault.ANSWER_LOST):
            self.agenda.after(self.delay(Fault.ANSWER_LATE), lambda: once(outcome))

    def delay(self, late: Fault) -> int:
        """How long a message takes."""
        return self.chance.randrange(
            1, LATE_MS_MAX if self.faults.strikes(late) else LATENCY_MS_MAX
        )


class Once:
    """Somebody who waits for one answer: the first counts."""

    def __init__(self, answer: Answer, hear: Callable[[object], None]) -> None:
        self.answer = answer
        self.hear = hear
        self.is_answered = False

    def __call__(self, outcome: object) -> None:
        """Hear an answer."""
        if not self.is_answered:
            self.is_answered = True
            self.hear(outcome)
            self.answer(outcome)


def shown(outcome: object) -> str:
    """An answer in a story."""
    if isinstance(outcome, Refused):
        return f"no ({outcome.rc})"
    if isinstance(outcome, Progress):
        outcome = outcome.request
    if isinstance(outcome, Request):
        counts = ", ".join(
            f"{many} {name}" for name, many in asdict(outcome.counts).items() if many
        )
        return f"{outcome.id} is {outcome.state}: {counts}"
    return str(outcome)
