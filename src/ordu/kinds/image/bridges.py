"""Bridges: what the programs that draw can do, by their name and version (protocol sheet 11 §1.2).

A worker's program names itself in `bridge_agent`, `name:version:address`. What it can do stands in
the tables below; what its owner lets it do is said by the pop. A program that is not in the tables
can draw from text only. One of 2022 sends no agent and goes by `bridge_version`. Ordu's own worker
can do what its pop says. That pictures which are not safe are replaced is expected of all others.
"""

import re
from collections.abc import Iterable, Mapping
from typing import get_args

from ordu.protocol.params import WITHOUT_KARRAS, PostProcessor, Sampler
from ordu.rules.matching import Feature

OWN_AGENT = "Ordu"
VERSION = re.compile(r"(\d{1,9})(\.\d{1,9}){0,2}([-+].*)?")
POST_PROCESSORS: frozenset[str] = frozenset(get_args(PostProcessor))
SAMPLERS: tuple[str, ...] = get_args(Sampler)


def sampler_feature(sampler: str, *, karras: bool) -> str:
    """The feature of drawing with this sampler."""
    return f"sampler:{sampler}" + ("+karras" if karras and sampler not in WITHOUT_KARRAS else "")


def sampler_of(features: Iterable[str]) -> tuple[str, bool]:
    """The sampler that one of these features stands for, and whether it is with karras."""
    feature = next(each for each in features if each in ALL_SAMPLERS)
    name, _, karras = feature.removeprefix("sampler:").partition("+")
    return name, bool(karras)


def post_feature(name: str) -> str:
    """The feature of this post-processor."""
    return f"post:{name}"


def posts(*names: str) -> frozenset[str]:
    """The features of these post-processors."""
    return frozenset(map(post_feature, names))


def with_karras(names: Iterable[str]) -> frozenset[str]:
    """The features of samplers that a program knows with and without karras."""
    return frozenset(
        sampler_feature(name, karras=karras) for name in names for karras in (True, False)
    )


def plain(*names: str) -> frozenset[str]:
    """The features of samplers that a program knows without karras only."""
    return frozenset(sampler_feature(name, karras=False) for name in names)


F = Feature
K_SAMPLERS = (
    *("k_lms", "k_heun", "k_euler", "k_euler_a", "k_dpm_2", "k_dpm_2_a", "k_dpm_fast"),
    *("k_dpm_adaptive", "k_dpmpp_2s_a", "k_dpmpp_2m"),
)
NEWER_POSTS = posts(
    *("4xNomos8kSC", "4xLSDIRplus", "4xNomosWebPhoto_RealPLKSR", "4xNomos2_realplksr_dysample"),
    *("4xNomos2_hq_dat2", "2xModernSpanimationV1", "GFPGANv1.3", "RestoreFormer"),
)
ALL_SAMPLERS = with_karras(SAMPLERS)
# A program that says nothing that we know: as the widespread one of its time.
USUAL_SAMPLERS = with_karras((*K_SAMPLERS, "dpmsolver", "k_dpmpp_sde")) | plain("DDIM")

# For each program what each version added; a version has what those before it have.
ADDED: Mapping[str, Mapping[int, frozenset[str]]] = {
    "AI Horde Worker reGen": {
        1: frozenset(
            {F.IMG2IMG, F.PAINTING, F.POST_PROCESSING, F.CONTROLNET, F.IMAGE_IS_CONTROL}
            | {F.RETURN_CONTROL_MAP, F.CLIP_SKIP, F.HIRES_FIX, F.TILING}
        )
        | posts("GFPGAN", "RealESRGAN_x4plus", "RealESRGAN_x2plus", "RealESRGAN_x4plus_anime_6B")
        | posts("NMKD_Siax", "4x_AnimeSharp", "CodeFormers", "strip_background")
        | with_karras(name for name in SAMPLERS if name not in {"lcm", "PLMS"}),
        2: frozenset({F.TEXTUAL_INVERSION, F.LORA}),
        3: frozenset({F.LORA_VERSIONS}) | with_karras(["lcm"]),
        5: frozenset({F.EXTRA_SOURCE_IMAGES}),
        7: frozenset({F.QR_CODE}),
        8: frozenset({F.TRANSPARENT}),
        9: frozenset({F.FLUX}),
        13: NEWER_POSTS,
    },
    "AI Horde Worker": {
        0: with_karras((*K_SAMPLERS, "dpmsolver")),
        3: frozenset({F.IMG2IMG}),
        4: frozenset({F.PAINTING}),
        7: frozenset({F.POST_PROCESSING}) | posts("GFPGAN", "RealESRGAN_x4plus"),
        9: posts("CodeFormers"),
        12: with_karras(["k_dpmpp_sde"]),
        13: frozenset({F.HIRES_FIX, F.CLIP_SKIP}),
        15: frozenset({F.CONTROLNET}),
        17: plain("DDIM"),
        18: frozenset({F.RETURN_CONTROL_MAP})
        | posts("strip_background", "RealESRGAN_x4plus_anime_6B"),
        19: posts("NMKD_Siax", "4x_AnimeSharp"),
        21: posts("RealESRGAN_x2plus"),
        22: frozenset({F.LORA}),
        23: frozenset({F.IMAGE_IS_CONTROL}),
        24: frozenset({F.TEXTUAL_INVERSION}),
    },
    "SD-WebUI Stable Horde Worker Bridge": {
        1: frozenset({F.IMG2IMG, F.PAINTING})
        | posts("CodeFormers")
        | with_karras((*K_SAMPLERS, "k_dpmpp_sde"))
        | plain("DDIM", "PLMS"),
        2: frozenset({F.TILING}),
        4: frozenset({F.CLIP_SKIP}),
    },
    "HordeAutoWebBridge": {
        1: frozenset({F.IMG2IMG, F.PAINTING})
        | with_karras(("k_lms", "k_dpm_2", "k_dpm_2_a", "k_dpmpp_2s_a", "k_dpmpp_2m", "dpmsolver"))
        | plain("k_heun", "k_euler", "k_euler_a", "k_dpm_fast", "k_dpm_adaptive"),
        2: frozenset({F.TILING}),
    },
}
EVERYTHING = frozenset(Feature) | posts(*POST_PROCESSORS) | ALL_SAMPLERS
CENSORING = frozenset({F.CENSOR})
UNKNOWN = USUAL_SAMPLERS | CENSORING
HAVE_FIELDS = frozenset({F.IMG2IMG, F.PAINTING, F.POST_PROCESSING, F.CONTROLNET, F.LORA})

# Programs of 2022, by `bridge_version`; they know nothing of karras, which does them no harm.
OF_2022: Mapping[int, frozenset[str]] = {
    1: with_karras((*K_SAMPLERS, "dpmsolver", "k_dpmpp_sde", "lcm")),
    2: frozenset({F.IMG2IMG, F.POST_PROCESSING}) | posts("GFPGAN", "RealESRGAN_x4plus"),
    3: plain("DDIM", "PLMS"),
}


def abilities(agent: str | None, bridge_version: int) -> frozenset[str]:
    """What a worker's program can do, whatever its owner lets it do."""
    if agent is None:
        return up_to(OF_2022, max(bridge_version, 1)) | CENSORING
    name, _, rest = agent.partition(":")
    name = "AI Horde Worker" if name.startswith("AI Horde Worker~") else name
    if name == OWN_AGENT:
        return EVERYTHING
    version = VERSION.fullmatch(rest.partition(":")[0])
    if name not in ADDED or version is None:
        return UNKNOWN
    return up_to(ADDED[name], int(version[1])) | CENSORING


def said(features: Iterable[str]) -> frozenset[str]:
    """What Ordu's own worker can do that says so; words that nobody knows mean nothing.

    What a pop has a field for is left to that field, and every backend of ours is newer than Flux.
    Without a word about samplers any will do.
    """
    can = EVERYTHING.intersection(features)
    samplers = frozenset() if can & ALL_SAMPLERS else ALL_SAMPLERS
    return can | samplers | HAVE_FIELDS | {F.FLUX}


def up_to(added: Mapping[int, frozenset[str]], version: int) -> frozenset[str]:
    """What all versions up to this one added."""
    return frozenset().union(*(features for least, features in added.items() if least <= version))
