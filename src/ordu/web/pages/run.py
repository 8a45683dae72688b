"""The page Run it: for those who run the horde."""

from ordu.web.render import render
from ordu.web.visit import Visit


def run(visit: Visit) -> str:
    """What moderators and the administrator see and do."""
    return render("run", visit)
