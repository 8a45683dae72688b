"""The query parameter `model_state`: which models an answer is about."""

from collections.abc import Callable

from ordu.protocol.errors import Refused
from ordu.server.call import Call

STATES = ("known", "custom", "all")


def choice(call: Call[None], otherwise: str) -> Callable[[str], bool]:
    """Whether a model of this name is asked for: one in the horde's catalogue, another, or any.

    Raises:
        Refused: BadRequest.
    """
    state = call.query.get("model_state", otherwise)
    if state not in STATES:
        raise Refused(
            "BadRequest", f"`model_state` is one of {', '.join(STATES)}; not {state[:40]!r}."
        )
    if state == "all":
        return lambda _: True
    catalogue, is_known = call.horde.catalogue, state == "known"
    return lambda name: catalogue.is_listed(name) is is_known
