"""What of a picture request says how its pictures may look: their size, and what they are like."""

from collections.abc import Mapping
from itertools import combinations
from math import prod

import msgspec

from ordu.rules.results import STRENGTH_FREE, Wanted

# By how much post-processors make each side longer.
FACTORS: Mapping[str, int] = {
    "RealESRGAN_x2plus": 2,
    "2xModernSpanimationV1": 2,
    "RealESRGAN_x4plus": 4,
    "RealESRGAN_x4plus_anime_6B": 4,
    "NMKD_Siax": 4,
    "4x_AnimeSharp": 4,
    "4xNomos8kSC": 4,
    "4xLSDIRplus": 4,
    "4xNomosWebPhoto_RealPLKSR": 4,
    "4xNomos2_realplksr_dysample": 4,
    "4xNomos2_hq_dat2": 4,
}
FACTORS_OF_2022 = (1, 2, 4)  # `use_upscaling` and `use_ldsr` do not say by how much
UPSCALERS_MAX = 4  # of one request, of which every combination is considered
STRENGTH_USUAL = 0.75  # of a request with a source image that does not say it


class Drawing(msgspec.Struct, frozen=True):
    """What is read of a stored picture request (`drawing.DrawingRequest`) with each picture."""

    width: int = 0
    height: int = 0
    denoising_strength: float | None = None
    post_processing: tuple[str, ...] = ()
    control_type: str | None = None
    return_control_map: bool = False
    workflow: str | None = None
    use_ldsr: bool = False
    use_upscaling: bool = False
    source_processing: str | None = None
    has_mask: bool = False


_DRAWING = msgspec.json.Decoder(Drawing)


def wanted(body: bytes) -> Wanted:
    """How the pictures of a stored request may look."""
    drawing = _DRAWING.decode(body)
    given = drawing.denoising_strength
    strength = STRENGTH_USUAL if given is None else given
    is_redrawn = drawing.source_processing == "img2img" and not drawing.has_mask
    is_led = bool(drawing.control_type or drawing.workflow)  # by what it was given
    leaves_source = is_redrawn and not is_led and strength >= STRENGTH_FREE
    return Wanted(
        width=drawing.width,
        height=drawing.height,
        factors=factors(drawing),
        leaves_source=leaves_source,
        varies=not is_led and (drawing.source_processing is None or leaves_source),
    )


def factors(drawing: Drawing) -> tuple[int, ...]:
    """By how much each side may have grown; none where the machine chooses the size.

    An upscaler that a machine has to leave out, for want of memory, is no reason to distrust it.
    """
    if drawing.return_control_map:
        return ()
    if drawing.use_upscaling or drawing.use_ldsr:
        return FACTORS_OF_2022
    if not drawing.post_processing:
        return (1,)
    known = [FACTORS[name] for name in drawing.post_processing if name in FACTORS][:UPSCALERS_MAX]
    some = (each for many in range(len(known) + 1) for each in combinations(known, many))
    return tuple(sorted({prod(each) for each in some}))
