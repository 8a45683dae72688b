"""What can be wished for with a prompt: every field of a request that has a meaning, by keyword.

`Wish` lists them once, with their types; the methods that take a prompt take them all. What is not
given is left to the horde, but for four fields: any model will do, the picture is to be fit for
everybody, it is not censored, and it comes as a link.
"""

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias, TypedDict, Unpack

import msgspec

from ordu.client.pictures import NEGATIVE_MARK
from ordu.client.sources import Source, as_source
from ordu.client.wire import Fields
from ordu.protocol.params import (
    ControlType,
    ExtraText,
    Lora,
    ModelGenerationInputStable,
    PostProcessor,
    Sampler,
    TextualInversion,
)
from ordu.protocol.requests import ExtraSourceImage, GenerationInput, SourceProcessing

Asked: TypeAlias = str | GenerationInput | Fields  # a prompt, or a whole request


class Wish(TypedDict, total=False):
    """The keywords beside a prompt. None is the same as not given."""

    # How it is drawn.
    negative_prompt: str | None  # what should not be in it
    models: Sequence[str] | None  # any of these; empty: any that there is
    width: int  # pixels, in steps of 64
    height: int
    steps: int
    n: int  # how many pictures, 20 at most
    seed: int | str | None  # the same again draws the same again
    seed_variation: int | None  # from picture to picture
    sampler_name: Sampler
    cfg_scale: float  # how closely to follow the prompt
    karras: bool
    tiling: bool
    clip_skip: int | None
    hires_fix: bool
    hires_fix_denoising_strength: float | None  # 0 to 1
    transparent: bool
    loras: Sequence[str | Lora] | None  # by name, or with strengths
    tis: Sequence[str | TextualInversion] | None
    workflow: str | None
    extra_texts: Sequence[ExtraText] | None
    special: Mapping[str, Any] | None
    # What it is drawn from.
    source_image: Source | None
    source_mask: Source | None
    source_processing: SourceProcessing
    extra_source_images: Sequence[Source | ExtraSourceImage] | None
    denoising_strength: float | None  # 0 keeps the source image, 1 ignores it
    control_type: ControlType | None
    image_is_control: bool
    return_control_map: bool
    # What is done to it afterwards.
    post_processing: Sequence[PostProcessor]
    facefixer_strength: float | None  # 0 to 1
    # Who draws it, and on which terms.
    nsfw: bool
    censor_nsfw: bool
    replacement_filter: bool
    workers: Sequence[str] | None  # ids
    worker_blacklist: bool  # True: all but `workers`
    trusted_workers: bool
    slow_workers: bool
    extra_slow_workers: bool
    validated_backends: bool
    disable_batching: bool
    allow_downgrade: bool
    shared: bool
    r2: bool  # links instead of text; either way `Picture.data` has the bytes
    proxied_account: str | None
    webhook: str | None  # an https address that is told
    webhook_end: bool  # it is told of the end of the request as well (Ordu only)
    style: str | None


UNLESS_SAID: Mapping[str, Any] = {"models": [], "nsfw": False, "censor_nsfw": False, "r2": True}
NAMES = frozenset(Wish.__annotations__)
_PARAMS = frozenset(ModelGenerationInputStable.__struct_fields__)


def wish(prompt: str, **wanted: Unpack[Wish]) -> GenerationInput:
    """The request for what is wanted, for `generate_many` and to be changed or kept.

    Raises:
        TypeError: there is no such keyword.
        ValueError: a source image is no picture, or too large.
        OSError: the file of a source image cannot be read.

    Example:
        foxes = [wish("a fox", seed=seed, width=512) for seed in range(3)]
    """
    check_names(wanted)
    given = {name: _value(name, value) for name, value in wanted.items() if value is not None}
    negative = given.pop("negative_prompt", "")
    drawn = {name: value for name, value in given.items() if name in _PARAMS}
    rest = {name: value for name, value in given.items() if name not in _PARAMS}
    return GenerationInput(
        prompt=f"{prompt}{NEGATIVE_MARK}{negative}" if negative else prompt,
        params=ModelGenerationInputStable(**drawn),
        **{**UNLESS_SAID, **rest},
    )


def request_of(asked: Asked, wanted: Wish) -> GenerationInput | Fields:
    """The request that a prompt with keywords stands for, or the request that was given.

    Raises:
        TypeError: a whole request came with keywords.
    """
    if isinstance(asked, str):
        return wish(asked, **wanted)
    if wanted:
        raise TypeError(
            f"{', '.join(wanted)}: keywords go with a prompt; this is a whole request already."
        )
    return asked


def without_drawing(asked: GenerationInput | Fields) -> GenerationInput | Fields:
    """The same request, asked only for its price."""
    if isinstance(asked, GenerationInput):
        return msgspec.structs.replace(asked, dry_run=True)
    return {**asked, "dry_run": True}


def check_names(wanted: Iterable[str]) -> None:
    """Raise `TypeError` for a keyword that there is not."""
    for name in wanted:
        if name not in NAMES:
            near = difflib.get_close_matches(name, NAMES, 1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise TypeError(f"There is no keyword {name!r} for a prompt.{hint}")


def _value(name: str, value: Any) -> Any:
    convert = _CONVERTED.get(name)
    if convert is not None:
        return convert(value)
    return list(value) if isinstance(value, tuple) else value


def _extra(image: Source | ExtraSourceImage) -> ExtraSourceImage:
    if isinstance(image, ExtraSourceImage):
        return image
    return ExtraSourceImage(image=as_source(image, "An extra source image"))


_CONVERTED: Mapping[str, Callable[[Any], Any]] = {
    "seed": str,
    "models": list,
    "workers": list,
    "extra_texts": list,
    "post_processing": lambda names: list(names) or None,
    "loras": lambda all_: [Lora(name=each) if isinstance(each, str) else each for each in all_],
    "tis": lambda all_: [
        TextualInversion(name=each) if isinstance(each, str) else each for each in all_
    ],
    "source_image": as_source,
    "source_mask": lambda image: as_source(image, "The mask"),
    "extra_source_images": lambda images: [_extra(image) for image in images],
}
