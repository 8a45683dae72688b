"""How things stand: the one true sentence about the horde, from memory."""

from dataclasses import dataclass

from markupsafe import Markup

from ordu.engine.horde import Horde
from ordu.web.language import Words


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

    first: Markup
    second: Markup


def standing_of(horde: Horde) -> Standing:
    """How this horde stands now, without a read."""
    here = list(horde.presence.here(horde.now()))
    return Standing(
        machines=len(here),
        paused=sum(not worker.takes_from_all for worker in here),
        waiting=horde.lanes.jobs,
        is_closed=horde.modes.get("maintenance_mode", False),
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
    return Sentence(machines(words, standing), queue(words, standing))


def machines(words: Words, standing: Standing) -> Markup:
    """Who is here."""
    if standing.paused == standing.machines:
        return words.say("horde.all-paused", count=standing.machines)
    here = words.say("horde.machines", count=standing.machines)
    if standing.paused == 0:
        return words.say("horde.here", machines=here)
    return words.say("horde.some-paused", machines=here, count=standing.paused)


def queue(words: Words, standing: Standing) -> Markup:
    """Who waits."""
    if standing.waiting:
        return words.say("horde.wait", count=standing.waiting)
    if standing.paused == standing.machines:
        return words.say("horde.nobody-waits")
    return words.say("horde.ask-now")
