"""What comes in at this door and goes out of it.

Fields that mean nothing to a horde have a type that takes only the values which change nothing, so
that others are refused by name. Ours stand at the end of each struct.
"""

from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import UNSET, Meta, UnsetType

from ordu.protocol.params import Lora, Sampler, Strength

PROMPT_LENGTH_MAX = 32_000
Text: TypeAlias = Annotated[str, Meta(max_length=PROMPT_LENGTH_MAX)]
Prompt: TypeAlias = Annotated[str, Meta(min_length=1, max_length=PROMPT_LENGTH_MAX)]
Ignored: TypeAlias = Annotated[str, Meta(max_length=1000)]
OutputFormat: TypeAlias = Literal["png", "webp", "jpeg"]
Quality: TypeAlias = Literal["auto", "low", "medium", "high", "xhigh", "max", "standard", "hd"]

DENOISING_OF_VARIATIONS = 0.6
PROMPT_OF_VARIATIONS = "the same picture, slightly different"


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What all three ways to ask for pictures share."""

    model: Annotated[str, Meta(min_length=1, max_length=255)] = "best"
    n: Annotated[int, Meta(ge=1, le=10)] = 1
    size: Annotated[str, Meta(pattern=r"^(auto|[0-9]{1,5}x[0-9]{1,5})\Z")] = "auto"
    response_format: Literal["b64_json", "url"] = "b64_json"
    user: Ignored | None = None
    safety_identifier: Ignored | None = None
    # Ours.
    negative_prompt: Text | None = None
    steps: Annotated[int, Meta(ge=1, le=500)] | None = None
    seed: Annotated[int, Meta(ge=0)] | Annotated[str, Meta(max_length=1000)] | None = None
    cfg_scale: Annotated[float, Meta(ge=-40, le=100)] | None = None
    sampler_name: Sampler | None = None
    loras: Annotated[list[Lora], Meta(max_length=100)] | None = None


class AskedPicture(Asked, frozen=True, kw_only=True):
    """What generations and edits share."""

    prompt: Prompt
    background: Literal["auto", "opaque", "transparent"] = "auto"
    moderation: Literal["auto", "low"] = "auto"
    output_compression: Annotated[int, Meta(ge=0, le=100)] = 100
    output_format: OutputFormat | None = None  # None: as the worker sent it, which is WebP
    quality: Quality = "auto"
    stream: bool = False
    partial_images: Annotated[int, Meta(ge=0, le=3)] = 0


class AskedGeneration(AskedPicture, frozen=True, kw_only=True):
    """The body of `/v1/images/generations`."""

    style: Literal["vivid"] | None = None


class AskedEdit(AskedPicture, frozen=True, kw_only=True):
    """The fields of `/v1/images/edits`, without its files."""

    input_fidelity: Literal["low", "high"] | None = None
    # Ours.
    denoising_strength: Strength | None = None


class AskedVariation(Asked, frozen=True, kw_only=True):
    """The fields of `/v1/images/variations`, without its file."""

    # Ours.
    prompt: Prompt = PROMPT_OF_VARIATIONS
    denoising_strength: Strength = DENOISING_OF_VARIATIONS


# Fields of OpenAI's that no horde can serve: told from fields that nobody knows.
NOT_SERVED = frozenset(
    {"complexity", "frame_count", "frame_duration_ms", "markup", "prompt_rewriter", "svg"}
)


class Details(msgspec.Struct, frozen=True):
    """Tokens by what they stand for."""

    image_tokens: int = 0
    text_tokens: int = 0


class Usage(msgspec.Struct, frozen=True):
    """What a call has cost: no tokens, which a horde does not count, but kudos."""

    kudos: float
    input_tokens: int = 0
    input_tokens_details: Details = Details()
    output_tokens: int = 0
    output_tokens_details: Details = Details()
    total_tokens: int = 0


class Image(msgspec.Struct, frozen=True, kw_only=True):
    """One picture; what stands after its content is ours."""

    b64_json: str | UnsetType = UNSET
    url: str | UnsetType = UNSET
    id: str
    model: str
    seed: str
    worker_name: str
    censored: bool


class Images(msgspec.Struct, frozen=True, kw_only=True):
    """The answer with all pictures."""

    created: int  # seconds since 1970
    background: Literal["transparent", "opaque"]
    data: list[Image]
    output_format: str
    quality: str
    size: str
    usage: Usage


class Completed(msgspec.Struct, frozen=True, kw_only=True):
    """The event that brings one picture; what stands after `usage` is ours."""

    type: str
    b64_json: str
    background: Literal["transparent", "opaque"]
    created_at: int  # seconds since 1970
    output_format: str
    quality: str
    size: str
    usage: Usage
    id: str
    model: str
    seed: str
    worker_name: str
    censored: bool


class ModelObject(msgspec.Struct, frozen=True, kw_only=True):
    """A model that is online, or an alias of one."""

    id: str
    created: int  # seconds since 1970: when the first worker with it came to this horde
    object: Literal["model"] = "model"
    owned_by: str = "horde"


class ModelList(msgspec.Struct, frozen=True, kw_only=True):
    """The models that are online."""

    data: list[ModelObject]
    object: Literal["list"] = "list"


class Error(msgspec.Struct, frozen=True, kw_only=True):
    """A "no"."""

    message: str
    type: str
    param: str | None
    code: str | None


class ErrorBody(msgspec.Struct, frozen=True):
    """The body of a "no"."""

    error: Error
