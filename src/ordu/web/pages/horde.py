"""The page The horde: who is here, what waits, how fast it goes."""

from ordu.web.render import render
from ordu.web.standing import Standing, sentence
from ordu.web.visit import Visit


def horde(visit: Visit, standing: Standing) -> str:
    """How things stand now."""
    return render("horde", visit, sentence=sentence(visit.words, standing))
