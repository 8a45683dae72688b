"""Missteps: calls that were refused, that failed or whose caller left, each in one line of the log.

The line has what finds the call again and what tells one cause from another: the request's id
(which its caller was told), operation, `rc`, status, duration, and the number of the user. It has
no path, for the id of a request in it lets everybody see that; no body, no key; and an address only
where the operator wants that (`log_addresses`).
"""

import logging

from starlette.requests import Request as HttpRequest
from starlette.types import Scope

from ordu.engine.horde import Horde
from ordu.protocol.errors import Refused
from ordu.server.pacing import Paced
from ordu.server.ratelimits import canonical

log = logging.getLogger(__name__)
log.addFilter(Paced())

BROKEN = "InternalError"
HUNG_UP = "HungUp"  # the caller left; no rc, as nobody was told
OTHER = "other"  # what is no operation: pages, files, paths that are not there
WAITS = ":waits"  # behind the name of an operation whose caller wanted to wait


def note(http: HttpRequest, rc: str) -> None:
    """A call was refused with this rc; it is logged when it is answered."""
    http.scope.setdefault("state", {})["rc"] = rc


def broken(http: HttpRequest, error: Exception) -> Refused:
    """Log a mistake of our own with its traceback; what is told of it, without its details."""
    note(http, BROKEN)
    state = http.scope["state"]
    request_id, operation = state.get("request_id", "-"), state.get("operation", OTHER)
    fields = {"request_id": request_id, "operation": operation}
    log.error("%s (%s) failed", operation, request_id, exc_info=error, extra={"fields": fields})
    return told(request_id)


def told(request_id: str) -> Refused:
    """What is said of our own mistake, without its details."""
    return Refused(
        BROKEN, f"Something broke on this horde's side. Tell its operators the id {request_id}."
    )


class Missteps:
    """Counts every call that was answered, and logs those that were not answered as wished."""

    def __init__(self, horde: Horde) -> None:
        self.tally = horde.tally
        self.with_addresses = horde.settings.log_addresses

    def done(self, scope: Scope, status: int, took_s: float) -> None:
        """A call is over; the status is 0 where nothing was sent."""
        state = scope["state"]
        operation = state.get("operation", OTHER)
        is_waiting = "waits" in state
        self.tally.note_answer(operation + WAITS if is_waiting else operation, status, took_s)
        rc = state.get("rc")
        if rc is not None:
            self.refused(scope, operation, rc, status, took_s)

    def refused(self, scope: Scope, operation: str, rc: str, status: int, took_s: float) -> None:
        """Count a refusal, and say it in a line."""
        self.tally.note_refusal(rc)
        if not log.isEnabledFor(logging.INFO):
            return
        state = scope["state"]
        fields = {
            "request_id": state["request_id"],
            "operation": operation,
            "rc": rc,
            "status": status,
            "took_ms": round(took_s * 1000, 1),
            "user": state.get("user_id"),
        }
        if self.with_addresses:
            client = scope.get("client")
            fields["address"] = canonical(client[0]) if client else ""
        text = " ".join(f"{name}={value}" for name, value in fields.items() if value is not None)
        log.info("refused: %s", text, extra={"fields": fields})
