"""What a horde cannot draw of what this API can ask for: one table, by field.

A field counts only with a value that would change the picture; what programs send as the usual
value passes. All that is wrong is told at once.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from ordu.protocol.automatic1111 import FACE_RESTORERS, LATENT
from ordu.protocol.errors import Refused
from ordu.server.doors.automatic1111.messages import (
    PICTURES_MAX,
    ImageToImage,
    Picture,
    Settings,
    TextToImage,
)

CLIP_SKIP_MAX = 12
MODEL, CLIP_SKIP, FACES = (
    "sd_model_checkpoint",
    "CLIP_stop_at_last_layers",
    "face_restoration_model",
)
LEAVE_OUT = "This horde cannot draw with it. Leave it out."


class Rule(msgspec.Struct, frozen=True):
    """A field that is refused, when, and what to do about it."""

    field: str
    is_broken: Callable[[Any], bool]
    words: str = LEAVE_OUT


RULES: tuple[Rule, ...] = (
    Rule("styles", lambda body: bool(body.styles), "There are no styles here; write it out."),
    Rule("subseed_strength", lambda body: body.subseed_strength != 0),
    Rule("seed_resize_from_h", lambda body: body.seed_resize_from_h > 0),
    Rule("seed_resize_from_w", lambda body: body.seed_resize_from_w > 0),
    # Those that programs send whatever the sampler: 0 is usual for DDIM, 1 for ancestral ones.
    Rule("eta", lambda body: body.eta not in {None, 0, 1}),
    Rule("s_min_uncond", lambda body: body.s_min_uncond != 0),
    Rule("s_churn", lambda body: body.s_churn != 0),
    Rule("s_tmin", lambda body: body.s_tmin != 0),
    Rule("s_tmax", lambda body: body.s_tmax not in {None, 0}),
    Rule("s_noise", lambda body: body.s_noise != 1),
    Rule("refiner_checkpoint", lambda body: body.refiner_checkpoint not in {"", "None"}),
    Rule("firstpass_image", lambda body: bool(body.firstpass_image)),
    Rule("infotext", lambda body: bool(body.infotext), "Send the fields themselves."),
    Rule("script_name", lambda body: body.script_name not in {"", "None"}, "There are no scripts."),
    Rule(
        "n_iter",
        lambda body: body.batch_size * body.n_iter > PICTURES_MAX,
        f"batch_size times n_iter is how many pictures: at most {PICTURES_MAX}.",
    ),
)
TWO_PASSES: tuple[Rule, ...] = (
    Rule("firstphase_width", lambda body: body.firstphase_width > 0, "The worker chooses it."),
    Rule("firstphase_height", lambda body: body.firstphase_height > 0, "The worker chooses it."),
    Rule(
        "hr_upscaler",
        lambda body: body.hr_upscaler not in {"", LATENT},
        f"The worker enlarges in its own way. Send {LATENT} or nothing.",
    ),
    Rule(
        "hr_second_pass_steps",
        lambda body: body.hr_second_pass_steps not in {0, body.steps},
        "Both passes have the same steps. Send 0.",
    ),
    Rule("hr_checkpoint_name", lambda body: not _is_same(body.hr_checkpoint_name, "checkpoint")),
    Rule("hr_sampler_name", lambda body: not _is_same(body.hr_sampler_name, "sampler")),
    Rule("hr_scheduler", lambda body: not _is_same(body.hr_scheduler, "scheduler")),
    Rule("hr_prompt", lambda body: body.hr_prompt not in {"", body.prompt}),
    Rule(
        "hr_negative_prompt",
        lambda body: body.hr_negative_prompt not in {"", body.negative_prompt},
    ),
    Rule("hr_cfg", lambda body: body.hr_cfg not in {None, 0, 1, body.cfg_scale}),
)
FROM_PICTURE: tuple[Rule, ...] = (
    Rule(
        "initial_noise_multiplier",
        lambda body: body.initial_noise_multiplier not in {None, 1},
    ),
    Rule("latent_mask", lambda body: bool(body.latent_mask), "Send `mask`."),
    Rule(
        "init_images",
        lambda body: len(body.init_images) > 1,
        "One picture is drawn from. Send one.",
    ),
    Rule(
        "init_images",
        lambda body: not all(isinstance(each, str) for each in body.init_images),
        "A picture is a string: Base64 or a data: address.",
    ),
    Rule(
        "inpainting_fill",
        lambda body: bool(body.mask) and body.inpainting_fill in {2, 3},
        "Send 1 (start from what is there) or 0 (fill it first).",
    ),
    Rule(
        "inpaint_full_res",
        lambda body: bool(body.mask) and body.inpaint_full_res is True,
        "The whole picture is looked at. Send false.",
    ),
)

# Options that say how a program keeps or shows pictures, not what is drawn.
HARMLESS = frozenset(
    {
        *("samples_save", "samples_format", "samples_filename_pattern", "save_txt", "grid_save"),
        *(
            "grid_format",
            "return_grid",
            "return_mask",
            "return_mask_composite",
            "grid_only_if_multiple",
        ),
        *("do_not_show_images", "enable_pnginfo", "jpeg_quality", "webp_lossless", "save_to_dirs"),
        *("export_for_4chan", "grid_save_to_dirs", "directories_filename_pattern"),
        *("live_previews_enable", "live_preview_refresh_period", "show_progress_every_n_steps"),
        *("show_progress_type", "show_progress_grid", "show_progressbar", "sd_checkpoint_cache"),
        *("sd_checkpoints_limit", "sd_vae_checkpoint_cache", "sd_checkpoint_hash"),
        *("add_model_name_to_info", "add_model_hash_to_info", "memmon_poll_rate"),
        *("save_images_add_number", "save_images_before_highres_fix", "save_init_img"),
        *("save_images_before_face_restoration", "save_images_before_color_correction"),
        *("save_mask", "save_mask_composite"),
        *("outdir_samples", "outdir_txt2img_samples", "outdir_img2img_samples", "outdir_grids"),
        *("outdir_txt2img_grids", "outdir_img2img_grids", "outdir_save", "outdir_init_images"),
    }
)
# Options that would change the picture, with the values that do not.
USUAL: Mapping[str, frozenset[Any]] = {
    "sd_vae": frozenset({None, "", "Automatic", "None"}),
    "eta_noise_seed_delta": frozenset({None, 0}),
    "eta_ancestral": frozenset({None, 1}),
    "eta_ddim": frozenset({None, 0}),
    "randn_source": frozenset({None, "GPU"}),
    "face_restoration": frozenset({None, False}),
    "tiling": frozenset({None, False}),
    "img2img_fix_steps": frozenset({None, False}),
    "img2img_color_correction": frozenset({None, False}),
    "initial_noise_multiplier": frozenset({None, 1}),
    "inpainting_mask_weight": frozenset({None, 1}),
    "use_old_karras_scheduler_sigmas": frozenset({None, False}),
    "k_sched_type": frozenset({None, "Automatic"}),
    "s_churn": frozenset({None, 0}),
    "s_noise": frozenset({None, 1}),
    "code_former_weight": frozenset({None, 0.5}),
}


def check(body: Picture) -> None:
    """Refuse what cannot be drawn, all of it at once.

    Raises:
        Refused: ValidationFailed.
    """
    rules = RULES
    if isinstance(body, TextToImage) and body.enable_hr:
        rules += TWO_PASSES
    if isinstance(body, ImageToImage):
        rules += FROM_PICTURE
    errors = {rule.field: rule.words for rule in rules if rule.is_broken(body)}
    errors |= {
        f"alwayson_scripts.{name[:100]}": "This horde has no scripts and extensions. Leave it out."
        for name in body.alwayson_scripts
    }
    refuse(errors | dict(wrong_settings(body.override_settings, "override_settings.")))


def check_settings(settings: Settings) -> None:
    """Refuse options that a horde cannot follow.

    Raises:
        Refused: ValidationFailed.
    """
    refuse(dict(wrong_settings(settings, "")))


def wrong_settings(settings: Settings, prefix: str) -> Iterator[tuple[str, str]]:
    """The options that are wrong, and why."""
    for name, value in settings.items():
        if name in HARMLESS or value is None:
            continue
        field = f"{prefix}{name[:100]}"
        if name == MODEL:
            if not isinstance(value, str):
                yield field, "The name of a model is a string."
        elif name == CLIP_SKIP:
            if not _is_clip_skip(value):
                yield field, f"A whole number from 1 to {CLIP_SKIP_MAX}."
        elif name == FACES:
            if value not in {"", "None", *FACE_RESTORERS.values()}:
                yield field, f"One of {', '.join(FACE_RESTORERS.values())}."
        elif not _is_usual(name, value):
            yield field, LEAVE_OUT


def refuse(errors: Mapping[str, str]) -> None:
    """Refuse these fields, if there are any.

    Raises:
        Refused: ValidationFailed.
    """
    if errors:
        named = ", ".join(errors)
        raise Refused("ValidationFailed", f"This cannot be drawn here: {named}.", errors=errors)


def _is_same(value: str, what: str) -> bool:
    """Whether the second pass is to be as the first."""
    return value.casefold() in {"", "none", f"use same {what}"}


def _is_clip_skip(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= CLIP_SKIP_MAX


def _is_usual(name: str, value: object) -> bool:
    """Whether an option has a value with which the picture is as it is without."""
    if not isinstance(value, str | bool | int | float):
        return False
    return value in USUAL.get(name, ())
