"""What stands behind the question mark of several operations: moments, and how much is wanted."""

from datetime import UTC, datetime

from ordu.protocol.errors import Refused
from ordu.rules.lifecycle import Millis
from ordu.server.call import Call

DIGITS_MAX = 9


def moment_of(call: Call[None], name: str) -> Millis | None:
    """A moment that a caller names, as ISO 8601; in UTC when it has no zone.

    Raises:
        Refused: BadParameter.
    """
    text = call.query.get(name)
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        millis = round(moment.timestamp() * 1000)
    except (ValueError, OverflowError):
        millis = -1
    if millis < 0:
        raise Refused("BadParameter", f"`{name}` is a moment as 2026-11-26 or 2026-11-26T21:14Z.")
    return Millis(millis)


def limit_of(call: Call[None], *, usual: int, most: int) -> int:
    """How many entries of a list a caller wants.

    Raises:
        Refused: BadParameter.
    """
    text = call.query.get("limit", str(usual))
    is_number = text.isascii() and text.isdigit() and len(text) <= DIGITS_MAX
    if not is_number or not 1 <= int(text) <= most:
        raise Refused("BadParameter", f"`limit` is a whole number from 1 to {most}.")
    return int(text)
