"""The pages of what went wrong: nothing there, closed, broken; and what an `rc` means."""

from collections.abc import Mapping

from ordu.protocol.errors import STATUS
from ordu.protocol.problems import TITLES, advice
from ordu.web.render import render
from ordu.web.visit import Visit

# The statuses that have words of their own.
SAID: Mapping[int, str] = {404: "404", 405: "405", 429: "429", 503: "503"}


def error(visit: Visit, status: int, request_id: str, *, why: str = "") -> str:
    """What a browser is shown where there is no page, or where one cannot be had now.

    `why` is the reason in the words of whoever refused, where there are any.
    """
    said = SAID.get(status, "refused" if status < 500 else "500")
    return render("error", visit, said=said, why=why, request_id=request_id)


def problem(visit: Visit, rc: str) -> str:
    """What a kind of refusal means, and what one does about it."""
    return render("problem", visit, rc=rc, title=TITLES[rc], advice=advice(rc), status=STATUS[rc])
