"""How things stand: the one true sentence about the horde, from memory."""

from dataclasses import dataclass

from markupsafe import Markup

from ordu.engine.horde import Horde
from ordu.engine.sampling import gauges_of
from ordu.web.language import Words


@dataclass(frozen=True)
class Standing:
    """How many machines are here and how many pictures wait."""

    machines: int
    paused: int
    waiting: int
    is_closed: bool
    drawing: int = 0  # of the machines
    wait_s: float | None = None  # until a new picture would be there, where that can be told


@dataclass(frozen=True)
class Sentence:
    """What is said, in parts: in ink, as a fire (who draws), and softer."""

    first: Markup
    second: Markup
    lit: Markup | None = None


def standing_of(horde: Horde) -> Standing:
    """How this horde stands now, without a read. A pause that only moderators see is not told."""
    here = list(horde.presence.here(horde.now()))
    return Standing(
        machines=len(here),
        paused=sum(worker.maintenance_text is not None for worker in here),
        waiting=horde.lanes.jobs,
        is_closed=horde.modes.get("maintenance_mode", False),
        drawing=sum(bool(horde.running.of(worker.id)) for worker in here),
        wait_s=gauges_of(horde).wait_s,
    )


def sentence(words: Words, standing: Standing) -> Sentence:
    """The sentence on top of the page about the horde."""
    say, waiting = words.say, standing.waiting
    if standing.is_closed:
        kept = "horde.kept" if waiting else "horde.come-back"
        return Sentence(say("horde.closed"), say(kept))
    if standing.machines == 0:
        if waiting == 0:
            return Sentence(say("horde.no-machine"), say("horde.lend-one"))
        return Sentence(say("horde.no-machine-and"), say("horde.wait-for-one", count=waiting))
    if standing.drawing:
        here = say("horde.machines", count=standing.machines)
        lit = say("horde.of-them-drawing", count=standing.drawing)
        if standing.machines == 1:
            lit = say("horde.and-drawing")
        return Sentence(say("horde.here-and", machines=here), queue(words, standing), lit)
    return Sentence(machines(words, standing), queue(words, standing))


def machines(words: Words, standing: Standing) -> Markup:
    """Who is here, when nobody draws."""
    if standing.paused == standing.machines:
        return words.say("horde.all-paused", count=standing.machines)
    here = words.say("horde.machines", count=standing.machines)
    if standing.paused == 0:
        return words.say("horde.here", machines=here)
    return words.say("horde.some-paused", machines=here, count=standing.paused)


def queue(words: Words, standing: Standing) -> Markup:
    """Who waits, and how long somebody new would."""
    wait = None if standing.wait_s is None else words.duration(max(1, standing.wait_s))
    if standing.waiting:
        if wait is not None:
            return words.say("horde.wait-and-takes", count=standing.waiting, wait=wait)
        return words.say("horde.wait", count=standing.waiting)
    if standing.paused == standing.machines:
        return words.say("horde.nobody-waits")
    return words.say("horde.ask-now") if wait is None else words.say("horde.takes", wait=wait)
