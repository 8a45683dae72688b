"""Names: what the program calls the samplers and steps that the horde names.

Only what the program lists is offered. Some of its names contain others' ("DPM++ 2M Karras" of
old versions is sampler and noise schedule in one).
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ordu.protocol.automatic1111 import (
    AUTOMATIC,
    KARRAS,
    SAMPLERS,
    UNIFORM,
)
from ordu.protocol.params import WITHOUT_KARRAS
from ordu.worker.backends.automatic1111.messages import Sampler, Scheduler

# The horde's names to other names of the same file; by its own name each is found as well.
UPSCALERS: Mapping[str, tuple[str, ...]] = {
    "RealESRGAN_x4plus": ("R-ESRGAN 4x+",),
    "RealESRGAN_x2plus": ("R-ESRGAN 2x+",),
    "RealESRGAN_x4plus_anime_6B": ("R-ESRGAN 4x+ Anime6B",),
    "NMKD_Siax": ("4x_NMKD-Siax_200k",),
    "4x_AnimeSharp": (),
    "4xNomos8kSC": (),
    "4xLSDIRplus": (),
    "4xNomosWebPhoto_RealPLKSR": (),
    "4xNomos2_realplksr_dysample": (),
    "4xNomos2_hq_dat2": (),
    "2xModernSpanimationV1": (),
}


@dataclass(frozen=True)
class Sampling:
    """How a sampler is asked for, without and with the noise schedule of Karras."""

    plain: tuple[str, str | None]  # sampler, and scheduler where there are any
    karras: tuple[str, str | None] | None


@dataclass(frozen=True)
class Upscaler:
    """An upscaler's name, and how many times larger it makes a side."""

    name: str
    factor: int


def samplings(listed: Iterable[Sampler], schedulers: Sequence[Scheduler]) -> dict[str, Sampling]:
    """How each of the horde's samplers is asked for that the program lists."""
    names = {sampler.name for sampler in listed}
    aliases = {alias: each.name for each in listed for alias in each.aliases or ()}
    labels = {each.label or each.name for each in schedulers}
    found: dict[str, Sampling] = {}
    for ours, usual in SAMPLERS.items():
        theirs = usual if usual in names else aliases.get(ours)
        if theirs is None:
            continue
        karras: tuple[str, str | None] | None = None
        if ours not in WITHOUT_KARRAS and KARRAS in labels:
            karras = theirs, KARRAS
        elif ours not in WITHOUT_KARRAS and f"{theirs} {KARRAS}" in names:
            karras = f"{theirs} {KARRAS}", None
        usual_ones = (AUTOMATIC,) if ours in WITHOUT_KARRAS else (UNIFORM, AUTOMATIC)
        plain = next((each for each in usual_ones if each in labels), None)
        found[ours] = Sampling((theirs, plain), karras)
    return found


def upscalers(listed: Iterable[str]) -> dict[str, Upscaler]:
    """Those of the horde's upscalers that the program lists."""
    by_letters = {_letters(name): name for name in listed}
    found = {}
    for ours, others in UPSCALERS.items():
        names = (by_letters.get(_letters(each)) for each in (ours, *others))
        name = next(filter(None, names), None)
        if name is not None:
            found[ours] = Upscaler(name, 2 if "2x" in ours or "x2" in ours else 4)
    return found


def _letters(name: str) -> str:
    """A name as it is compared: small letters and digits; a plus tells some apart."""
    return re.sub(r"[^a-z0-9+]", "", name.casefold())
