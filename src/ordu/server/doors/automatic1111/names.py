"""Names: which of the horde's samplers and models a program means."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from ordu.engine.horde import Horde
from ordu.protocol.automatic1111 import AUTOMATIC, KARRAS, SAMPLERS, UNIFORM
from ordu.protocol.errors import Refused
from ordu.protocol.params import WITHOUT_KARRAS, Sampler
from ordu.server.doors.models import online_models

USUAL_SAMPLER = "Euler"  # of this API, when none is named
# Whose usual schedule is that of Karras; the others' is their plain one.
USUALLY_KARRAS = frozenset({"k_dpmpp_2m", "k_dpmpp_sde", "k_dpmpp_2s_a"})
PLAIN = frozenset({"uniform", "simple"})
ALIASES: Mapping[str, Sampler] = {
    **{ours.casefold(): ours for ours in SAMPLERS},
    **{theirs.casefold(): ours for ours, theirs in SAMPLERS.items()},
    "k_euler_ancestral": "k_euler_a",
}
FILE = re.compile(r"(\.(safetensors|ckpt|pt|gguf))?( \[[0-9a-f]{6,64}\])?\Z", re.IGNORECASE)


class Sampling(NamedTuple):
    """One of the horde's samplers, and whether with the schedule of Karras."""

    sampler: Sampler
    karras: bool

    @property
    def name(self) -> str:
        """What programs call the sampler."""
        return SAMPLERS[self.sampler]

    @property
    def schedule(self) -> str:
        """What programs call its noise schedule."""
        return KARRAS if self.karras else UNIFORM


def sampling_of(name: str, scheduler: str) -> Sampling:
    """The sampler and schedule that are meant; both may be empty.

    Raises:
        Refused: NotFound, ValidationFailed.
    """
    wanted = (name or USUAL_SAMPLER).casefold().strip()
    plain = wanted.removesuffix(f" {KARRAS.casefold()}")
    sampler = ALIASES.get(plain)
    if sampler is None:
        raise Refused(
            "NotFound",
            f"Sampler not found: {name[:60]!r}. GET /sdapi/v1/samplers lists those there are.",
        )
    schedule = scheduler.casefold().strip()
    if schedule not in {"", AUTOMATIC.casefold(), KARRAS.casefold(), *PLAIN}:
        words = f"Hordes know the schedules {AUTOMATIC}, {UNIFORM} and {KARRAS}."
        raise Refused("ValidationFailed", words, errors={"scheduler": words})
    karras = plain != wanted or schedule == KARRAS.casefold()
    if not karras and schedule not in PLAIN:
        karras = sampler in USUALLY_KARRAS
    return Sampling(sampler, karras and sampler not in WITHOUT_KARRAS)


def models_here(horde: Horde) -> list[str]:
    """The models that workers offer now, those of most threads first."""
    online = online_models(horde)
    return sorted(online, key=lambda name: (-online[name].threads, name))


def model_of(horde: Horde, name: str, field: str) -> str:
    """The model that is meant by a name, or by that of its file, in any case.

    Raises:
        Refused: ValidationFailed, naming `field`.
    """
    known = {*models_here(horde), *horde.catalogue.models}
    if name in known:
        return name
    wanted = as_compared(name)
    for each in sorted(known):
        if as_compared(each) == wanted:
            return each
    words = f"There is no model {name[:100]!r}. GET /sdapi/v1/sd-models lists those there are."
    raise Refused("ValidationFailed", words, errors={field: words})


def as_compared(name: str) -> str:
    """A model's name without what a file's has besides, in small letters."""
    return FILE.sub("", name).replace("\\", "/").casefold()
