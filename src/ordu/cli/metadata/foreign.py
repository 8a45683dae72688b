"""The text that many programs write into pictures, read as far as a horde has words for it.

what is in the picture
Negative prompt: what is not
Steps: 20, Sampler: Euler a, Schedule type: Karras, CFG scale: 7, Seed: 7, Size: 512x512, …
"""

import json
import math
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from ordu.client.pictures import NEGATIVE_MARK
from ordu.protocol import automatic1111

NEGATIVE = "Negative prompt: "
KARRAS = automatic1111.KARRAS
VALUES_MAX = 200

SAMPLERS: Mapping[str, str] = dict(automatic1111.SAMPLERS.items())
FURTHER: Mapping[str, str] = {
    "Denoising strength": "denoising_strength",
    "Clip skip": "clip_skip",
}
NAMES: Mapping[str, str] = {theirs: ours for ours, theirs in SAMPLERS.items()}


def values_of(text: str) -> dict[str, str]:
    """The values of the last line: `name: value` with commas between, or quoted as in JSON."""
    line = text.rstrip().rpartition("\n")[2]
    found: dict[str, str] = {}
    position = 0
    while position < len(line) and len(found) < VALUES_MAX:
        colon = line.find(":", position)
        if colon < 0:
            break
        name, start = line[position:colon].strip(" ,"), colon + 1
        if line.startswith(" ", start):
            start += 1
        value, position = _value(line, start)
        found[name] = value
    return found


def _value(line: str, start: int) -> tuple[str, int]:
    """The value that begins here, and where it ends."""
    if line.startswith('"', start):
        try:
            text, end = json.JSONDecoder().raw_decode(line, start)
        except ValueError:
            pass
        else:
            return str(text), end
    comma = line.find(",", start)
    end = len(line) if comma < 0 else comma
    return line[start:end].strip(), end


def request_of(text: str, values: Mapping[str, str]) -> dict[str, Any]:
    """The fields of a request that a foreign text speaks of; empty when it is no such text."""
    if "Steps" not in values:
        return {}
    prompt, negative = prompts_of(text)
    params: dict[str, Any] = {}
    for name, (field, kind) in _FIELDS.items():
        with suppress(ValueError):
            if name in values:
                params[field] = kind(values[name])
    if size := re.fullmatch(r"([0-9]{1,5})x([0-9]{1,5})", values.get("Size", "")):
        params["width"], params["height"] = int(size[1]), int(size[2])
    if sampler := values.get("Sampler"):
        name = sampler.removesuffix(f" {KARRAS}")  # older programs put the schedule there
        params["sampler_name"] = NAMES.get(name, name)
        params["karras"] = name != sampler or values.get("Schedule type") == KARRAS
    models = {"models": [values["Model"]]} if values.get("Model") else {}
    joined = f"{prompt}{NEGATIVE_MARK}{negative}" if negative else prompt
    return {**({"prompt": joined} if joined else {}), "params": params, **models}


def prompts_of(text: str) -> tuple[str, str]:
    """What should and what should not be in the picture, above the last line."""
    above = text.rstrip().rpartition("\n")[0]
    positive, mark, negative = f"\n{above}".partition(f"\n{NEGATIVE.rstrip()}")
    return positive.strip(), negative.strip() if mark else ""


def _finite(text: str) -> float:
    if not math.isfinite(number := float(text)):
        raise ValueError(text)
    return number


_FIELDS: Mapping[str, tuple[str, Callable[[str], Any]]] = {
    "Steps": ("steps", int),
    "CFG scale": ("cfg_scale", _finite),
    "Seed": ("seed", str),
    "Denoising strength": ("denoising_strength", _finite),
    "Clip skip": ("clip_skip", int),
}
