"""What a picture request may not say: one table, in the order of protocol sheet 10 §1.5.

A rule about baselines holds where one of the named models is listed in the horde's catalogue with
such a baseline; nothing is guessed about others.
"""

from collections.abc import Callable
from typing import get_args

import msgspec

from ordu.kinds.image import bridges
from ordu.kinds.image.reading import is_painting
from ordu.protocol.errors import Refused
from ordu.protocol.requests import GenerationInput
from ordu.settings import Baseline

LORAS_MAX = 5
TIS_MAX = 20
EXTRA_IMAGES_MAX = 5
WORDS_MAX = 7500
CHARACTERS_MAX = 65_536  # of a prompt; each costs the event loop a moment
FACE_FIXERS = frozenset({"GFPGAN", "CodeFormers", "GFPGANv1.3", "RestoreFormer"})
NO_UPSCALERS = FACE_FIXERS | {"strip_background"}
PIX2PIX = "pix2pix"

ALL_BASELINES: frozenset[str] = frozenset(get_args(Baseline))
PLAIN_BASELINES = frozenset({"stable diffusion 1", "stable_diffusion_xl"})
ONE_PASS_BASELINES = frozenset({"flux_1", "qwen_image", "z_image_turbo"})
CONTROLLED_BASELINES = frozenset({"stable diffusion 1", "stable diffusion 2"})
NOT_FOR_SECOND = frozenset({"normal", "hough"})  # control types that Stable Diffusion 2 has not


class Rule(msgspec.Struct, frozen=True):
    """A reason to refuse a request: its code, whether it holds, and what to do about it."""

    rc: str
    is_broken: Callable[[GenerationInput], bool]
    message: str
    baselines: frozenset[str] | None = None  # only where a model has one of these
    is_for_untrusted: bool = False  # only for those who are not trusted


def upscalers(body: GenerationInput) -> list[str]:
    """The post-processors that make a picture larger, each once."""
    named = dict.fromkeys(body.params.post_processing or ())
    return [name for name in named if name not in NO_UPSCALERS]


def wants_qr_code(body: GenerationInput) -> bool:
    """Whether the workflow for QR codes is asked for."""
    return body.params.workflow == "qr_code"


def has_qr_text(body: GenerationInput) -> bool:
    """Whether there is a text for the QR code."""
    return any(text.reference == "qr_code" for text in body.params.extra_texts or ())


def has_named_version(body: GenerationInput) -> bool:
    """Whether a LoRA is said to be a version and has no version's number."""
    return any(
        lora.is_version and not (lora.name.isascii() and lora.name.isdigit())
        for lora in body.params.loras or ()
    )


def names_post_processor(body: GenerationInput) -> bool:
    """Whether a post-processor is named as a model."""
    return not bridges.POST_PROCESSORS.isdisjoint(body.models)


RULES: tuple[Rule, ...] = (
    Rule(
        "TooManyExtraSourceImages.",
        lambda body: len(body.extra_source_images or ()) > EXTRA_IMAGES_MAX,
        f"At most {EXTRA_IMAGES_MAX} extra source images are taken.",
    ),
    Rule(
        "MoreThanMinExtraSourceImage.",
        lambda body: len(body.extra_source_images or ()) > 1,
        "More than one extra source image is for trusted users.",
        is_for_untrusted=True,
    ),
    Rule(
        "MissingPrompt",
        lambda body: not body.prompt.strip(),
        "The prompt is empty. Say what is to be drawn.",
    ),
    Rule(
        "RequiresTrust",
        lambda body: body.disable_batching and body.params.n > 1,
        "`disable_batching` with more than one picture is for trusted users.",
        is_for_untrusted=True,
    ),
    Rule(
        "HiResMismatch",
        lambda body: body.params.hires_fix,
        "A model named in `models` draws without `params.hires_fix` only.",
        baselines=ONE_PASS_BASELINES,
    ),
    Rule(
        "TooManyLoras",
        lambda body: len(body.params.loras or ()) > LORAS_MAX,
        f"At most {LORAS_MAX} LoRAs may be used at once.",
    ),
    Rule(
        "BadLoraVersion",
        has_named_version,
        "The name of a LoRA with `is_version` is the number of that version: digits only.",
    ),
    Rule(
        "TooManyTIs",
        lambda body: len(body.params.tis or ()) > TIS_MAX,
        f"At most {TIS_MAX} textual inversions may be used at once.",
    ),
    Rule(
        "InvalidTransparencyModel",
        lambda body: body.params.transparent,
        "A model named in `models` cannot draw on a transparent background.",
        baselines=ALL_BASELINES - PLAIN_BASELINES,
    ),
    Rule(
        "ControlNetMismatch.",
        wants_qr_code,
        "A model named in `models` does not know the workflow qr_code.",
        baselines=ALL_BASELINES - PLAIN_BASELINES,
    ),
    Rule(
        "InvalidPromptSize",
        lambda body: len(body.prompt) > CHARACTERS_MAX,
        f"The prompt has more than {CHARACTERS_MAX} characters. Say it shorter.",
    ),
    Rule(
        "InvalidPromptSize",
        lambda body: len(body.prompt.split()) > WORDS_MAX,
        f"The prompt has more than {WORDS_MAX} words. Say it shorter.",
    ),
    Rule(
        "UnexpectedModelName",
        names_post_processor,
        "`models` names a post-processor. Those belong into `params.post_processing`.",
    ),
    Rule(
        "TooManyUpscalers",
        lambda body: len(upscalers(body)) > 1,
        "At most one upscaler may be used. Leave the others out of `params.post_processing`.",
    ),
    Rule(
        "BadCFGDecimals",
        lambda body: round(body.params.cfg_scale, 2) != body.params.cfg_scale,
        "`params.cfg_scale` may have at most two decimals.",
    ),
    Rule(
        "SourceMaskUnnecessary",
        lambda body: bool(body.source_mask) and not body.source_image,
        "There is a mask and no source image to lay it on. Send both or neither.",
    ),
    Rule(
        "ControlNetUnsupported",
        lambda body: bool(body.params.control_type) and PIX2PIX in body.models,
        f"The model {PIX2PIX} works without `params.control_type`.",
    ),
    Rule(
        "ControlNetUnsupported",
        lambda body: body.params.control_type in NOT_FOR_SECOND,
        "A model named in `models` has no such `params.control_type`.",
        baselines=frozenset({"stable diffusion 2"}),
    ),
    Rule(
        "ControlNetSourceMissing",
        lambda body: bool(body.params.control_type) and not body.source_image,
        "`params.control_type` needs a `source_image` to be controlled by.",
    ),
    Rule(
        "ControlNetInpaintingMismatch",
        lambda body: bool(body.params.control_type) and is_painting(body),
        "`params.control_type` does not go with inpainting or outpainting.",
    ),
    Rule(
        "ControlNetMismatch",
        lambda body: bool(body.params.control_type),
        "A model named in `models` works without `params.control_type`.",
        baselines=ALL_BASELINES - CONTROLLED_BASELINES,
    ),
    Rule(
        "InvalidTransparencyImg2Img",
        lambda body: body.params.transparent and bool(body.extra_source_images),
        "`params.transparent` does not go with extra source images.",
    ),
    Rule(
        "InvalidTransparencyCN",
        lambda body: body.params.transparent and bool(body.params.control_type),
        "`params.transparent` does not go with `params.control_type`.",
    ),
    Rule(
        "InvalidRemix",
        lambda body: body.source_processing == "remix",
        "A model named in `models` cannot remix. Those of the baseline stable_cascade can.",
        baselines=ALL_BASELINES - {"stable_cascade"},
    ),
    Rule(
        "InvalidExtraSourceImages.",
        lambda body: bool(body.extra_source_images) and body.source_processing != "remix",
        "Extra source images are for `source_processing: remix` only.",
    ),
    Rule(
        "InvalidExtraTexts.",
        lambda body: bool(body.params.extra_texts) and not wants_qr_code(body),
        "`params.extra_texts` is for the workflow qr_code only.",
    ),
    Rule(
        "MissingExtraTexts.",
        lambda body: wants_qr_code(body) and not has_qr_text(body),
        "The workflow qr_code needs an entry in `params.extra_texts` with the reference qr_code.",
    ),
    Rule(
        "SourceImageRequiredForModel",
        lambda body: (
            not body.source_image and bool({PIX2PIX, "Stable Diffusion 2 Depth"} & set(body.models))
        ),
        "A model named in `models` draws from a source image only. Send one.",
    ),
)


def check(body: GenerationInput, baselines: frozenset[str], *, is_trusted: bool) -> None:
    """Refuse the first rule that is broken; `baselines` are those of the models named."""
    for rule in RULES:
        if rule.baselines is not None and rule.baselines.isdisjoint(baselines):
            continue
        if not (rule.is_for_untrusted and is_trusted) and rule.is_broken(body):
            raise Refused(rule.rc, rule.message)
