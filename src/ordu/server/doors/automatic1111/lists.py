"""Lists: what a program of this API has, as far as a horde has anything like it.

Interfaces ask for all of them when they start. What a horde does not have is an empty list.
"""

from typing import Any

from ordu.engine.horde import Horde
from ordu.protocol.automatic1111 import AUTOMATIC, KARRAS, LATENT, SAMPLERS, UNIFORM
from ordu.server.doors.automatic1111.names import ALIASES, models_here


def sd_models(horde: Horde) -> list[dict[str, Any]]:
    """The models that workers offer now.

    Programs read a model's name from its file's, so that has an ending.
    """
    return [
        {
            "title": name,
            "model_name": name,
            "hash": None,
            "sha256": None,
            "filename": f"{name}.safetensors",
            "config": None,
        }
        for name in models_here(horde)
    ]


SAMPLERS_LIST: list[dict[str, Any]] = [
    {
        "name": theirs,
        "aliases": sorted(alias for alias, name in ALIASES.items() if name == ours),
        "options": {},
    }
    for ours, theirs in SAMPLERS.items()
]
SCHEDULERS_LIST: list[dict[str, Any]] = [
    {
        "name": label.casefold(),
        "label": label,
        "aliases": None,
        "default_rho": -1,
        "need_inner_model": False,
    }
    for label in (AUTOMATIC, UNIFORM, KARRAS)
]

# By the last part of the path. Face restorers and upscalers are for `extra-single-image`, which is
# not here: a program that found some would ask for it. `restore_faces` works all the same.
FIXED: dict[str, Any] = {
    "samplers": SAMPLERS_LIST,
    "schedulers": SCHEDULERS_LIST,
    "latent-upscale-modes": [{"name": LATENT}],
    "upscalers": [],
    "face-restorers": [],
    "realesrgan-models": [],
    "sd-vae": [],
    "sd-modules": [],
    "loras": [],
    "embeddings": {"loaded": {}, "skipped": {}},
    "hypernetworks": [],
    "prompt-styles": [],
    "scripts": {"txt2img": [], "img2img": []},
    "script-info": [],
    "extensions": [],
    "cmd-flags": {"api": True},
    "memory": {"ram": {"error": "unavailable"}, "cuda": {"error": "unavailable"}},
}
# Asked for when an interface thinks that something changed; here lists are always of now.
REFRESHED = ("refresh-checkpoints", "refresh-vae", "refresh-loras", "refresh-embeddings")
