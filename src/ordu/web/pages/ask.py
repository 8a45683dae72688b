"""The page Ask: the first page, where pictures are asked for and come."""

from collections.abc import Mapping, Sequence
from typing import get_args

import msgspec

from ordu.protocol.automatic1111 import SAMPLERS
from ordu.protocol.params import ControlType, PostProcessor, Sampler
from ordu.protocol.requests import RequestStatusStable
from ordu.web.render import render
from ordu.web.visit import Visit

PICTURES_MAX = 20
REFRESH_S = 5  # how often a page without scripts looks again


class Terms(msgspec.Struct, frozen=True):
    """What of a horde's settings somebody should know who asks."""

    takes_guests: bool
    upfront: str  # whose price is held: `heavy`, `all`, `none`
    kept_s: int


class Typed(msgspec.Struct, frozen=True):
    """What was typed into the plain form, and what is wrong with it."""

    fields: Mapping[str, str] = {}
    error: str = ""


def ask(visit: Visit, terms: Terms, typed: Typed | None = None) -> str:
    """The composer, what is under way, and the pictures kept in this browser."""
    return render(
        "ask",
        visit,
        terms=terms,
        typed=typed or Typed(),
        pictures_max=PICTURES_MAX,
        samplers=samplers(),
        post_processors=get_args(PostProcessor),
        control_types=get_args(ControlType),
    )


def samplers() -> Sequence[tuple[str, str]]:
    """The samplers by their name on the wire and the one people know."""
    names: Mapping[str, str] = {str(name): shown for name, shown in SAMPLERS.items()}
    return [(name, names.get(name, name)) for name in get_args(Sampler)]


def asked(visit: Visit, status: RequestStatusStable, kept_s: int) -> str:
    """How far a request is, for who has no scripts: it looks again by itself until it is done."""
    return render("asked", visit, status=status, refresh_s=REFRESH_S, kept_s=kept_s)
