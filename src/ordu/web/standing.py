"""How things stand: what the first page says in one true sentence, from memory."""

from dataclasses import dataclass

from ordu.engine.horde import Horde


@dataclass(frozen=True)
class Standing:
    """How many machines are here and how many pictures wait."""

    machines: int
    paused: int
    waiting: int
    is_closed: bool


@dataclass(frozen=True)
class Sentence:
    """What is said, in two parts: the first in ink, the second softer."""

    first: str
    second: str


def standing_of(horde: Horde) -> Standing:
    """How this horde stands now, without a read."""
    here = list(horde.presence.here(horde.now()))
    return Standing(
        machines=len(here),
        paused=sum(not worker.takes_from_all for worker in here),
        waiting=horde.lanes.jobs,
        is_closed=horde.modes.get("maintenance_mode", False),
    )


def sentence(standing: Standing) -> Sentence:
    """The sentence on top of the first page."""
    if standing.is_closed:
        return Sentence("Closed for maintenance.", kept(standing.waiting))
    if standing.machines == 0:
        return without_machines(standing.waiting)
    return Sentence(machines(standing), waiting(standing))


def kept(count: int) -> str:
    """What happens to those who asked before."""
    if count == 0:
        return "Come back a little later."
    return "What you asked for before is kept."


def without_machines(count: int) -> Sentence:
    """Nobody draws."""
    if count == 0:
        return Sentence("No machine is here.", "Lend one, and this horde can draw.")
    wait = "and 1 picture waits for one." if count == 1 else f"and {count:,} pictures wait for one."
    return Sentence("No machine is here,", wait)


def machines(standing: Standing) -> str:
    """Who is here."""
    if standing.paused == standing.machines:
        if standing.machines == 1:
            return "1 machine is here, and it is paused."
        return f"{standing.machines:,} machines are here, all of them paused."
    said = (
        "1 machine is here"
        if standing.machines == 1
        else f"{standing.machines:,} machines are here"
    )
    return f"{said}, {standing.paused:,} of them paused." if standing.paused else f"{said}."


def waiting(standing: Standing) -> str:
    """Who waits."""
    if standing.waiting == 1:
        return "1 picture waits."
    if standing.waiting:
        return f"{standing.waiting:,} pictures wait."
    if standing.paused == standing.machines:
        return "Nobody is waiting."
    return "Nobody is waiting: ask now and you are first in line."
