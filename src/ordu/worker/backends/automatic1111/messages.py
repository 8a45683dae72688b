"""Messages of the API /sdapi/v1: what it is asked and what it answers, as far as it is used.

Fields with the value `UNSET` are not sent: versions that do not know them stay content.
"""

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType


class Text2Image(msgspec.Struct, kw_only=True):
    """A picture from a prompt."""

    prompt: str
    negative_prompt: str
    seed: int
    steps: int
    cfg_scale: float
    width: int
    height: int
    sampler_name: str
    scheduler: str | UnsetType = UNSET
    denoising_strength: float | UnsetType = UNSET
    tiling: bool = False
    enable_hr: bool | UnsetType = UNSET
    hr_resize_x: int | UnsetType = UNSET
    hr_resize_y: int | UnsetType = UNSET
    hr_upscaler: str | UnsetType = UNSET
    override_settings: dict[str, Any]
    # The model stays loaded: the next job mostly wants it again.
    override_settings_restore_afterwards: bool = False
    force_task_id: str
    # Pictures of others are no business of the owner's folders.
    do_not_save_samples: bool = True
    do_not_save_grid: bool = True
    save_images: bool = False
    send_images: bool = True


class Image2Image(Text2Image, kw_only=True):
    """A picture from a picture; the mask is white where it is painted anew."""

    init_images: list[str]
    resize_mode: int = 0
    mask: str | UnsetType = UNSET
    mask_blur: int | UnsetType = UNSET
    inpainting_fill: int | UnsetType = UNSET  # 0: filled with colours around it, 1: as it is
    inpaint_full_res: bool | UnsetType = UNSET
    inpainting_mask_invert: int | UnsetType = UNSET


class Images(msgspec.Struct):
    """Pictures that were made, in Base64."""

    images: list[str] | None = None


class Extras(msgspec.Struct, kw_only=True):
    """One step after drawing."""

    image: str
    resize_mode: int = 0
    show_extras_results: bool = True
    upscaling_resize: float = 1.0
    upscaler_1: str = "None"
    gfpgan_visibility: float = 0.0
    codeformer_visibility: float = 0.0
    codeformer_weight: float = 0.5


class ExtrasImage(msgspec.Struct):
    """The picture after that step, in Base64."""

    image: str | None = None


class Model(msgspec.Struct):
    """A model that is there."""

    title: str
    filename: str | None = None


class Sampler(msgspec.Struct):
    """A sampler that is there."""

    name: str
    aliases: list[str] | None = None


class Named(msgspec.Struct):
    """A LoRA, an upscaler or a face restorer that is there."""

    name: str


class Scheduler(msgspec.Struct):
    """A noise schedule that is there."""

    name: str
    label: str = ""


class Options(msgspec.Struct):
    """Of the program's many options the model that is loaded."""

    sd_model_checkpoint: str | None = None


class State(msgspec.Struct):
    """What the program does, for whomever."""

    job: str | None = None
    job_count: int | None = None
    interrupted: bool | int | None = None
    skipped: bool | int | None = None

    @property
    def is_idle(self) -> bool:
        """Whether it draws nothing."""
        return not self.job and not self.job_count

    @property
    def was_cut_short(self) -> bool:
        """Whether somebody stopped the last picture, or this one."""
        return bool(self.interrupted or self.skipped)


class AllProgress(msgspec.Struct):
    """How far the picture is that is drawn now, whosever it is."""

    progress: float | None = None
    state: State | None = None


class TaskProgress(msgspec.Struct):
    """How far one picture is, by its own id."""

    active: bool = False
    queued: bool = False
    completed: bool = False
    progress: float | None = None

    @property
    def is_known(self) -> bool:
        """Whether the program knows this id; old versions and some others do not."""
        return self.active or self.queued or self.completed


class Problem(msgspec.Struct):
    """Why it did not work."""

    error: str = ""
    detail: Any = ""
    errors: str = ""
