"""The stage: what everybody in one simulation shares."""

import random
from dataclasses import dataclass

from ordu.settings import ServerSettings
from ordu.simulation.agenda import Agenda, WallClock
from ordu.simulation.faults import Faults
from ordu.simulation.history import History
from ordu.simulation.story import Story


@dataclass(frozen=True)
class Stage:
    """Time, chance, what goes wrong, what is told and what is remembered."""

    settings: ServerSettings
    pace: int  # how many times more slowly than usual everybody acts
    chance: random.Random
    agenda: Agenda
    clock: WallClock
    story: Story
    faults: Faults
    history: History
