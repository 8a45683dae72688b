"""A backend as somebody else's package may bring one: two methods and a few settings."""

from typing import Annotated

import msgspec

from ordu.settings import Settings, about
from ordu.worker.backends import NO_SETTINGS, Backend, Drawing, Offer, Picture, Progress


class ForeignSettings(Settings, frozen=True, kw_only=True):
    """What it is told."""

    speed: Annotated[int, about("How fast it is.", 1, 9)] = 1
    key: Annotated[str, about("A secret.", secret=True)] = ""
    names: Annotated[dict[str, str], about("Names for names.")] = msgspec.field(
        default_factory=dict
    )


class ForeignBackend(Backend):
    """Makes nothing."""

    settings_type = ForeignSettings

    def __init__(self, settings: Settings = NO_SETTINGS, device: str = "") -> None:
        self.settings = settings
        self.device = device

    def offer(self) -> Offer:
        return Offer(models=("nothing",), max_pixels=64 * 64)

    def make(self, drawing: Drawing, progress: Progress) -> Picture:
        raise AssertionError(drawing)
