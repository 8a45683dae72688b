"""The doors there are."""

from ordu.server.doors import Door
from ordu.server.doors.openai.door import OPENAI

DOORS: tuple[Door, ...] = (OPENAI,)
