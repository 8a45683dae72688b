"""The page Ask: the first page, where pictures are asked for and come."""

from ordu.web.render import render
from ordu.web.visit import Visit


def ask(visit: Visit, *, takes_guests: bool) -> str:
    """The composer, what is under way, and the pictures kept in this browser."""
    return render("ask", visit, takes_guests=takes_guests)
