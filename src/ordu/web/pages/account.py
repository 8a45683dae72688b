"""The page Account: the balance and its history, the key, and what is kept of a person."""

from ordu.rules.history import Kind
from ordu.web.render import render
from ordu.web.visit import Visit


def account(visit: Visit) -> str:
    """The account of whoever is signed in."""
    return render("account", visit, kinds=tuple(Kind))
