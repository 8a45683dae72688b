"""Who acts by a call, and why: what handlers hand to the verbs that note acts."""

from ordu.engine import acts
from ordu.engine.acts import By
from ordu.protocol.acts import REASON_LENGTH_MAX
from ordu.protocol.errors import Refused
from ordu.server.call import Call


def by(call: Call[object], reason: str | None) -> By:
    """What the caller does with this call."""
    return acts.by(call.horde, call.user.id, call.operation.name, reason)


def reason_in_query(call: Call[object]) -> str | None:
    """Why, of an operation without a body.

    Raises:
        Refused: BadParameter.
    """
    reason = call.query.get("reason")
    if reason is not None and len(reason) > REASON_LENGTH_MAX:
        raise Refused(
            "BadParameter",
            f"`reason` has {len(reason)} characters; at most {REASON_LENGTH_MAX} fit.",
        )
    return reason
