"""The pages of the operators' texts: terms and privacy."""

from markupsafe import Markup

from ordu.web.render import render
from ordu.web.visit import Visit


def text(visit: Visit, title: str, html: str) -> str:
    """A text that `ordu.web.policies` made into HTML; nothing in it is markup but what it made."""
    said = visit.words.say(f"common.{title}")
    return render("text", visit, title=said, text=Markup(html))  # noqa: S704
