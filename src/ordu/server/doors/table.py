"""The doors there are."""

from ordu.engine.horde import Horde
from ordu.server.doors import Door, automatic1111
from ordu.server.doors.openai.door import OPENAI


def doors(horde: Horde) -> tuple[Door, ...]:
    """The doors of a horde."""
    return (OPENAI, *automatic1111.doors(horde))
