"""What a picture is made of: the object `params` of a request, and its twin in a job's payload.

`ModelPayloadRootStable` has the fields that both share, in the widest form: any of them may be
missing or null and none is bounded, because a worker has to be able to read a job of a server that
is newer than itself. `ModelGenerationInputStable` narrows them to what a request may say: bounds
are the union of both eras, defaults are those really used (protocol sheet 10 §1.2).
"""

from collections.abc import Sequence
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import UNSET, Meta, UnsetType

Sampler: TypeAlias = Literal[
    "k_lms",
    "k_heun",
    "k_euler",
    "k_euler_a",
    "k_dpm_2",
    "k_dpm_2_a",
    "k_dpm_fast",
    "k_dpm_adaptive",
    "k_dpmpp_2s_a",
    "k_dpmpp_2m",
    "k_dpmpp_sde",
    "dpmsolver",
    "lcm",
    "DDIM",
    "PLMS",
]
WITHOUT_KARRAS = frozenset({"DDIM", "PLMS"})  # samplers with no noise schedule of Karras
PostProcessor: TypeAlias = Literal[
    "GFPGAN",
    "RealESRGAN_x4plus",
    "RealESRGAN_x2plus",
    "RealESRGAN_x4plus_anime_6B",
    "NMKD_Siax",
    "4x_AnimeSharp",
    "CodeFormers",
    "strip_background",
    "4xNomos8kSC",
    "4xLSDIRplus",
    "4xNomosWebPhoto_RealPLKSR",
    "4xNomos2_realplksr_dysample",
    "4xNomos2_hq_dat2",
    "2xModernSpanimationV1",
    "GFPGANv1.3",
    "RestoreFormer",
]
ControlType: TypeAlias = Literal[
    "canny",
    "hed",
    "depth",
    "normal",
    "openpose",
    "seg",
    "scribble",
    "fakescribbles",
    "hough",
]

Side: TypeAlias = Annotated[int, Meta(ge=64, le=3072, multiple_of=64)]
Strength: TypeAlias = Annotated[float, Meta(ge=0, le=1)]
Weight: TypeAlias = Annotated[float, Meta(ge=-5, le=5)]
Name: TypeAlias = Annotated[str, Meta(min_length=1, max_length=255)]


class Lora(msgspec.Struct, frozen=True, kw_only=True):
    """A LoRA to draw with; what is not given is filled in before a worker sees it."""

    name: Annotated[Name, Meta(description="The name of the LoRA, or the id of a version of it.")]
    model: Annotated[Weight, Meta(description="How strongly it acts on the model.")] = 1.0
    clip: Annotated[
        Weight, Meta(description="How strongly it acts on the reading of the text.")
    ] = 1.0
    inject_trigger: Annotated[
        Annotated[str, Meta(min_length=1, max_length=30)] | UnsetType | None,
        Meta(description="Add the LoRA's trigger that is most like this text to the prompt."),
    ] = UNSET
    is_version: Annotated[
        bool, Meta(description="True when `name` is the number of a version; then only digits.")
    ] = False


class TextualInversion(msgspec.Struct, frozen=True, kw_only=True):
    """A textual inversion (embedding) to draw with; handed to the worker as given."""

    name: Annotated[Name, Meta(description="The name of the textual inversion.")]
    inject_ti: Annotated[
        Literal["prompt", "negprompt"] | UnsetType | None,
        Meta(
            description="Put it into the prompt or the negative prompt without being asked there."
        ),
    ] = UNSET
    strength: Annotated[
        Weight | UnsetType | None, Meta(description="How strongly it acts when it is put in.")
    ] = UNSET


class ExtraText(msgspec.Struct, frozen=True, kw_only=True):
    """A text beside the prompt which a workflow needs."""

    text: Annotated[str, Meta(min_length=1, max_length=10_000, description="The text itself.")]
    reference: Annotated[
        str,
        Meta(min_length=3, max_length=255, description="What the workflow knows the text by."),
    ]


class ModelPayloadRootStable(msgspec.Struct, frozen=True, kw_only=True):
    """The fields that `params` of a request and the payload of a job share, unbounded."""

    sampler_name: Annotated[
        str | UnsetType | None, Meta(description="The sampler to draw with.")
    ] = UNSET
    toggles: Annotated[
        list[int] | UnsetType | None,
        Meta(description="Special toggles of the web UI of 2022. Accepted and ignored."),
    ] = UNSET
    cfg_scale: Annotated[
        float | UnsetType | None, Meta(description="How closely the picture follows the prompt.")
    ] = UNSET
    denoising_strength: Annotated[
        float | UnsetType | None,
        Meta(description="How far the picture may go from its source image."),
    ] = UNSET
    seed: Annotated[
        str | UnsetType | None, Meta(description="The seed to use to generate this request.")
    ] = UNSET
    height: Annotated[
        int | UnsetType | None, Meta(description="The height of the image to generate.")
    ] = UNSET
    width: Annotated[
        int | UnsetType | None, Meta(description="The width of the image to generate.")
    ] = UNSET
    seed_variation: Annotated[
        int | UnsetType | None,
        Meta(
            description="If passed with multiple n, the provided seed will be incremented every"
            " time by this value."
        ),
    ] = UNSET
    use_gfpgan: Annotated[
        bool | UnsetType | None,
        Meta(description="Set to true to process the image with GFPGAN (face correction)."),
    ] = UNSET
    use_real_esrgan: Annotated[
        bool | UnsetType | None,
        Meta(description="Set to true to process the image with RealESRGAN."),
    ] = UNSET
    use_ldsr: Annotated[
        bool | UnsetType | None,
        Meta(description="Set to true to process the image with LDSR."),
    ] = UNSET
    use_upscaling: Annotated[
        bool | UnsetType | None, Meta(description="Set to true to upscale the image.")
    ] = UNSET
    karras: Annotated[
        bool | UnsetType | None,
        Meta(description="Use the Karras noise schedule. Without effect on DDIM and PLMS."),
    ] = UNSET
    tiling: Annotated[
        bool | UnsetType | None,
        Meta(description="Make an image whose edges fit together when it is repeated."),
    ] = UNSET
    hires_fix: Annotated[
        bool | UnsetType | None,
        Meta(description="Draw small first, then enlarge and go over it again."),
    ] = UNSET
    hires_fix_denoising_strength: Annotated[
        float | UnsetType | None,
        Meta(description="How far the second pass of `hires_fix` may go from the first."),
    ] = UNSET
    clip_skip: Annotated[
        int | UnsetType | None,
        Meta(description="How many of the last layers of the text encoder to leave out."),
    ] = UNSET
    facefixer_strength: Annotated[
        float | UnsetType | None, Meta(description="How strongly faces are corrected.")
    ] = UNSET
    post_processing: Annotated[
        Sequence[str] | UnsetType | None,
        Meta(description="What is done to the finished image, in this order."),
    ] = UNSET
    control_type: Annotated[
        str | UnsetType | None,
        Meta(description="The ControlNet with which the source image guides the drawing."),
    ] = UNSET
    image_is_control: Annotated[
        bool | UnsetType | None,
        Meta(description="The source image is already a control map and is not converted."),
    ] = UNSET
    return_control_map: Annotated[
        bool | UnsetType | None,
        Meta(description="Send back the control map instead of a drawing."),
    ] = UNSET
    transparent: Annotated[
        bool | UnsetType | None, Meta(description="Draw on a transparent background.")
    ] = UNSET
    loras: Annotated[
        list[Lora] | UnsetType | None, Meta(description="The LoRAs to draw with, at most 5.")
    ] = UNSET
    tis: Annotated[
        list[TextualInversion] | UnsetType | None,
        Meta(description="The textual inversions to draw with, at most 20."),
    ] = UNSET
    workflow: Annotated[
        str | UnsetType | None, Meta(description="A named way of drawing which the worker knows.")
    ] = UNSET
    extra_texts: Annotated[
        list[ExtraText] | UnsetType | None, Meta(description="The texts which `workflow` needs.")
    ] = UNSET
    special: Annotated[
        dict[str, Any] | UnsetType | None,
        Meta(description="Data for special models of the public horde. Not served here."),
    ] = UNSET


class ModelGenerationInputStable(ModelPayloadRootStable, frozen=True, kw_only=True):
    """`params` of a request: how the picture is to be drawn."""

    steps: Annotated[
        int,
        Meta(ge=1, le=500, description="How many steps to draw. More take longer and cost more."),
    ] = 30
    n: Annotated[int, Meta(ge=1, le=20, description="The amount of images to generate.")] = 1
    sampler_name: Annotated[Sampler, Meta(description="The sampler to draw with.")] = "k_euler_a"
    toggles: Annotated[
        Annotated[list[Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]], Meta(max_length=100)]
        | None,
        Meta(description="Special toggles of the web UI of 2022. Accepted and ignored."),
    ] = None
    cfg_scale: Annotated[
        float,
        Meta(
            ge=-40,
            le=100,
            description="How closely the picture follows the prompt; at most 2 decimals.",
        ),
    ] = 5.0
    denoising_strength: Annotated[
        Strength | None, Meta(description="How far the picture may go from its source image.")
    ] = None
    seed: Annotated[
        Annotated[str, Meta(max_length=1000)] | None,
        Meta(description="The seed: digits or any text. Without one each image gets its own."),
    ] = None
    height: Annotated[Side, Meta(description="The height of the image to generate.")] = 512
    width: Annotated[Side, Meta(description="The width of the image to generate.")] = 512
    seed_variation: Annotated[
        Annotated[int, Meta(ge=1, le=1000)] | None,
        Meta(
            description="If passed with multiple n, the provided seed will be incremented every"
            " time by this value."
        ),
    ] = None
    use_gfpgan: Annotated[
        bool, Meta(description="As `post_processing` with GFPGAN (face correction).")
    ] = False
    use_real_esrgan: Annotated[
        bool, Meta(description="As `post_processing` with RealESRGAN_x4plus.")
    ] = False
    use_ldsr: Annotated[bool, Meta(description="A wish of 2022 for LDSR upscaling.")] = False
    use_upscaling: Annotated[bool, Meta(description="A wish of 2022 for upscaling.")] = False
    karras: Annotated[
        bool, Meta(description="Use the Karras noise schedule. Without effect on DDIM and PLMS.")
    ] = True
    tiling: Annotated[
        bool, Meta(description="Make an image whose edges fit together when it is repeated.")
    ] = False
    hires_fix: Annotated[
        bool, Meta(description="Draw small first, then enlarge and go over it again.")
    ] = False
    hires_fix_denoising_strength: Annotated[
        Strength | None,
        Meta(description="How far the second pass of `hires_fix` may go from the first."),
    ] = None
    clip_skip: Annotated[
        Annotated[int, Meta(ge=1, le=12)] | None,
        Meta(description="How many of the last layers of the text encoder to leave out."),
    ] = None
    facefixer_strength: Annotated[
        Strength | None, Meta(description="How strongly faces are corrected.")
    ] = None
    post_processing: Annotated[
        Annotated[list[PostProcessor], Meta(max_length=100)] | None,
        Meta(description="What is done to the finished image, in this order."),
    ] = None
    control_type: Annotated[
        ControlType | None,
        Meta(description="The ControlNet with which the source image guides the drawing."),
    ] = None
    image_is_control: Annotated[
        bool, Meta(description="The source image is already a control map and is not converted.")
    ] = False
    return_control_map: Annotated[
        bool, Meta(description="Send back the control map instead of a drawing.")
    ] = False
    transparent: Annotated[bool, Meta(description="Draw on a transparent background.")] = False
    # How many are too many is a rule with an rc of its own; the bounds here only keep bodies small.
    loras: Annotated[
        Annotated[list[Lora], Meta(max_length=100)] | None,
        Meta(description="The LoRAs to draw with, at most 5."),
    ] = None
    tis: Annotated[
        Annotated[list[TextualInversion], Meta(max_length=100)] | None,
        Meta(description="The textual inversions to draw with, at most 20."),
    ] = None
    workflow: Annotated[
        Literal["qr_code"] | None, Meta(description="A named way of drawing: `qr_code`.")
    ] = None
    extra_texts: Annotated[
        Annotated[list[ExtraText], Meta(max_length=100)] | None,
        Meta(description="The texts which `workflow` needs."),
    ] = None
    special: Annotated[
        dict[str, Any] | None,
        Meta(description="Data for special models of the public horde. Not served here."),
    ] = None
