"""Messages of the API /sdapi/v1 as a server reads and answers them.

The fields and their defaults are those of the published description of that API. What is read here
and cannot be drawn by a horde is refused by name (`refusals`); a field that is not here is passed
over, as the programs with this API do themselves.
"""

from typing import Annotated, Any, TypeAlias

import msgspec
from msgspec import Meta

from ordu.protocol.params import Side, Strength

TEXT_LENGTH_MAX = 100_000
NAME_LENGTH_MAX = 300
PICTURES_MAX = 20  # of one request

Text: TypeAlias = Annotated[str, Meta(max_length=TEXT_LENGTH_MAX)]
Name: TypeAlias = Annotated[str, Meta(max_length=NAME_LENGTH_MAX)]
Pixels: TypeAlias = Annotated[int, Meta(ge=0, le=16_384)]
Many: TypeAlias = Annotated[int, Meta(ge=1, le=PICTURES_MAX)]
Seed: TypeAlias = Annotated[int, Meta(ge=-1, le=2**63 - 1)]
Settings: TypeAlias = dict[str, Any]


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """What a picture from a prompt and one from a picture have in common."""

    prompt: Text = ""
    negative_prompt: Text = ""
    styles: list[Any] = msgspec.field(default_factory=list)
    seed: Seed = -1
    subseed: int = -1
    subseed_strength: float = 0.0
    seed_resize_from_h: int = -1
    seed_resize_from_w: int = -1
    sampler_name: Name = ""
    sampler_index: Name = ""  # the older field for the same; both are names
    scheduler: Name = ""
    batch_size: Many = 1
    n_iter: Many = 1
    steps: Annotated[int, Meta(ge=1, le=500)] = 50
    cfg_scale: Annotated[float, Meta(ge=-40, le=100)] = 7.0
    width: Side = 512
    height: Side = 512
    restore_faces: bool = False
    tiling: bool = False
    eta: float | None = None
    denoising_strength: Strength | None = None
    s_min_uncond: float = 0.0
    s_churn: float = 0.0
    s_tmax: float | None = None
    s_tmin: float = 0.0
    s_noise: float = 1.0
    override_settings: Settings = msgspec.field(default_factory=dict)
    refiner_checkpoint: Name = ""
    disable_extra_networks: bool = False
    firstpass_image: str = ""
    infotext: str = ""
    script_name: Name = ""
    alwayson_scripts: Settings = msgspec.field(default_factory=dict)
    force_task_id: Name = ""
    send_images: bool = True


class TextToImage(Picture, frozen=True, kw_only=True):
    """A picture from a prompt."""

    enable_hr: bool = False
    firstphase_width: Pixels = 0
    firstphase_height: Pixels = 0
    hr_scale: Annotated[float, Meta(ge=1, le=8)] = 2.0
    hr_upscaler: Name = ""
    hr_second_pass_steps: Annotated[int, Meta(ge=0, le=500)] = 0
    hr_resize_x: Pixels = 0
    hr_resize_y: Pixels = 0
    hr_checkpoint_name: Name = ""
    hr_sampler_name: Name = ""
    hr_scheduler: Name = ""
    hr_prompt: Text = ""
    hr_negative_prompt: Text = ""
    hr_cfg: float | None = None


class ImageToImage(Picture, frozen=True, kw_only=True):
    """A picture from a picture; the mask is white where it is painted anew."""

    init_images: list[Any] = msgspec.field(default_factory=list)
    resize_mode: Annotated[int, Meta(ge=0, le=3)] = 0
    mask: str = ""
    latent_mask: str = ""
    inpainting_fill: Annotated[int, Meta(ge=0, le=3)] | None = None
    inpaint_full_res: bool | None = None
    inpainting_mask_invert: Annotated[int, Meta(ge=0, le=1)] = 0
    initial_noise_multiplier: float | None = None
    include_init_images: bool = False


class Drawn(msgspec.Struct, frozen=True, kw_only=True):
    """Pictures in Base64, what was asked for, and as JSON text what was drawn."""

    images: list[str]
    parameters: dict[str, Any]
    info: str


class Info(msgspec.Struct, frozen=True, kw_only=True):
    """What was drawn; `infotexts` has for each picture what stands in its file."""

    prompt: str
    all_prompts: list[str]
    negative_prompt: str
    all_negative_prompts: list[str]
    seed: int
    all_seeds: list[int]
    subseed: int
    all_subseeds: list[int]
    subseed_strength: float
    width: int
    height: int
    sampler_name: str
    cfg_scale: float
    steps: int
    batch_size: int
    restore_faces: bool
    face_restoration_model: str | None
    sd_model_name: str
    sd_model_hash: str | None
    denoising_strength: float | None
    extra_generation_params: dict[str, Any]
    index_of_first_image: int
    infotexts: list[str]
    styles: list[str]
    job_timestamp: str
    clip_skip: int
    is_using_inpainting_conditioning: bool
    version: str


class State(msgspec.Struct, frozen=True, kw_only=True):
    """What is being done."""

    skipped: bool = False
    interrupted: bool = False
    stopping_generation: bool = False
    job: str = ""
    job_count: int = 0
    job_timestamp: str = "0"
    job_no: int = 0
    sampling_step: int = 0
    sampling_steps: int = 0


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far the caller's newest call is."""

    progress: float = 0.0
    eta_relative: float = 0.0
    state: State = State()
    current_image: str | None = None
    textinfo: str | None = None


class TaskInput(msgspec.Struct, frozen=True, kw_only=True):
    """Which call is asked about, by the id that its `force_task_id` gave it."""

    id_task: Name


class TaskProgress(msgspec.Struct, frozen=True, kw_only=True):
    """How far one call is."""

    active: bool = False
    queued: bool = False
    completed: bool = False
    progress: float | None = None
    eta: float | None = None
    live_preview: str | None = None
    id_live_preview: int | None = None
    textinfo: str | None = None


class PngInfoInput(msgspec.Struct, frozen=True, kw_only=True):
    """A picture in Base64 whose parameters are asked for."""

    image: str


class PngInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The text in a picture, all texts in it by name, and the parameters that it names."""

    info: str
    items: dict[str, str]
    parameters: dict[str, str]
