"""The page Lend a machine: the command that brings one in, and one's own machines."""

from ordu.web.render import render
from ordu.web.visit import Visit


def lend(visit: Visit) -> str:
    """The command, and the machines of whoever is signed in."""
    return render("lend", visit)
