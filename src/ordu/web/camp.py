"""The camp: the machines of a horde as lozenges on a lattice, and as a list.

Which lozenge stands for whom, and in which order: plain values. Where each stands on the lattice is
the stylesheet's business, 14 and 13 in turn on a wide screen, 7 and 6 on a phone.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

LOZENGES_MAX = 120
LISTED_MAX = LOZENGES_MAX  # every lozenge that has a name leads to a row


class Doing(StrEnum):
    """What a machine is at, busiest first."""

    DRAWING = "drawing"
    WAITING = "waiting"
    PAUSED = "paused"


ORDER = list(Doing)


@dataclass(frozen=True)
class Machine:
    """A machine that is here. `megapixelsteps` are those of a second, once it has shown them."""

    id: str
    name: str
    doing: Doing
    models: tuple[str, ...]
    megapixelsteps: float | None


@dataclass(frozen=True)
class Lozenge:
    """One machine; or several that do the same, of which none is named."""

    doing: Doing
    machine: Machine | None


@dataclass(frozen=True)
class Camp:
    """What is drawn: lozenges, how many machines one stands for, and who is listed below."""

    lozenges: tuple[Lozenge, ...]
    machines_each: int
    listed: tuple[Machine, ...]
    unlisted: int
    counts: dict[Doing, int]

    @property
    def total(self) -> int:
        """How many machines are here."""
        return sum(self.counts.values())


def camp(machines: Sequence[Machine]) -> Camp:
    """The camp of these machines."""
    ordered = sorted(machines, key=lambda each: (ORDER.index(each.doing), each.name, each.id))
    found = Counter(each.doing for each in ordered)
    counts = {doing: found[doing] for doing in Doing}
    each = machines_each(counts)
    lozenges = (
        [Lozenge(machine.doing, machine) for machine in ordered]
        if each == 1
        else [Lozenge(doing, None) for doing in Doing for _ in range(-(-counts[doing] // each))]
    )
    return Camp(
        lozenges=tuple(lozenges),
        machines_each=each,
        listed=tuple(ordered[:LISTED_MAX]),
        unlisted=max(0, len(ordered) - LISTED_MAX),
        counts=counts,
    )


def machines_each(counts: dict[Doing, int]) -> int:
    """How many machines a lozenge stands for, so that there are not too many of them.

    A state that somebody is in has a lozenge at least.
    """
    each = 1
    while sum(-(-count // each) for count in counts.values()) > LOZENGES_MAX:
        each += 1
    return each
