"""The facts about a picture that are kept with it, and the text they are written as.

    a fox in the snow
    Negative prompt: people
    Steps: 30, Sampler: Euler a, …, Seed: 7, Size: 512x512, Model: sketch, Ordu: "{…}"

What other programs have words for stands there in their words. The last value is JSON of all of it:
the request as it was sent (without pictures, and without what is nobody else's business: webhook,
workers, accounts) and where the picture came from.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from ordu.cli.metadata import foreign
from ordu.client import Picture
from ordu.client.pictures import NEGATIVE_MARK

OURS = "Ordu"
# What is told of a request. Its pictures are too large, and the rest is not about the picture.
TOLD = ("prompt", "params", "models", "nsfw", "censor_nsfw", "source_processing")


class Origin(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a picture came from."""

    id: str = ""
    seed: str = ""
    model: str = ""
    worker_name: str = ""
    worker_id: str = ""


class Parameters(msgspec.Struct, frozen=True):
    """What a picture was asked with: fields of a request as on the wire, and its origin.

    `began_from_picture`: it was drawn over another, which is not kept. `is_ours` is false where it
    was read from the text of another program.
    """

    request: dict[str, Any]
    picture: Origin = Origin()
    began_from_picture: bool = False
    is_ours: bool = True

    @classmethod
    def of(cls, request: Mapping[str, Any], picture: Picture) -> "Parameters":
        """Those of a picture that was made for this request."""
        names = Origin.__struct_fields__
        origin = Origin(**{name: getattr(picture, name) for name in names})
        told = {name: request[name] for name in TOLD if name in request}
        return cls(told, origin, began_from_picture=bool(request.get("source_image")))

    def again(self) -> dict[str, Any]:
        """The fields of a request that asks for the same picture once more."""
        found = self.request.get("params")
        params = dict(found) if isinstance(found, dict) else {}
        if self.picture.seed:
            params["seed"] = self.picture.seed
        models = {"models": [self.picture.model]} if self.picture.model else {}
        return {**self.request, "params": params, **models}


class _Kept(msgspec.Struct, omit_defaults=True):
    """The JSON at the end of the text; foreign bytes until `--like` has checked every field."""

    request: dict[str, Any]
    picture: Origin = Origin()
    began_from_picture: bool = False


def as_text(parameters: Parameters) -> str:
    """The text that is written into a picture's file."""
    positive, _, negative = str(parameters.request.get("prompt", "")).partition(NEGATIVE_MARK)
    lines = [positive.strip()]
    if negative.strip():
        lines.append(f"{foreign.NEGATIVE}{negative.strip()}")
    lines.append(", ".join(f"{name}: {_quoted(value)}" for name, value in _values(parameters)))
    return "\n".join(lines)


def from_text(text: str) -> Parameters | None:
    """What such a text says, ours or another program's; None when it says nothing we know."""
    values = foreign.values_of(text)
    try:
        kept = msgspec.json.decode(values.get(OURS, ""), type=_Kept)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        request = foreign.request_of(text, values)
        return Parameters(request, is_ours=False) if request else None
    return Parameters(kept.request, kept.picture, kept.began_from_picture)


def _values(parameters: Parameters) -> Iterator[tuple[str, str]]:
    """The values of the last line, in the words and the order of other programs."""
    params = parameters.request.get("params") or {}
    yield "Steps", str(params.get("steps", 30))
    sampler = params.get("sampler_name", "")
    yield "Sampler", foreign.SAMPLERS.get(sampler, sampler)
    if params.get("karras"):
        yield "Schedule type", foreign.KARRAS
    yield "CFG scale", f"{params.get('cfg_scale', 5.0):g}"
    seed = parameters.picture.seed or params.get("seed")
    if seed:
        yield "Seed", str(seed)
    yield "Size", f"{params.get('width', 512)}x{params.get('height', 512)}"
    if parameters.picture.model:
        yield "Model", parameters.picture.model
    for name, field in foreign.FURTHER.items():
        if params.get(field) is not None:
            yield name, f"{params[field]:g}"
    kept = _Kept(parameters.request, parameters.picture, parameters.began_from_picture)
    yield OURS, msgspec.json.encode(kept).decode()


def _quoted(value: str) -> str:
    is_plain = not set(value) & set(',:"\n') and value == value.strip()
    return value if is_plain else json.dumps(value, ensure_ascii=False)
