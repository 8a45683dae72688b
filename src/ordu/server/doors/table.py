"""The doors there are."""

from ordu.engine.horde import Horde
from ordu.server.doors import Door, automatic1111


def doors(horde: Horde) -> tuple[Door, ...]:
    """The doors of a horde."""
    return automatic1111.doors(horde)
