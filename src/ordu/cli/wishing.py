"""What may be asked of a horde for a picture: a row for each option of `ordu generate`.

A row says where in the request its value goes (`params.steps`), so that a value out of its bounds
is told by the option it came from. The bounds themselves stand in `ordu.protocol`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, get_args

import click

from ordu.cli.options import SectionOption
from ordu.cli.values import EXTRA_IMAGE, EXTRA_TEXT, LORA, PICTURE, TEXTUAL_INVERSION
from ordu.protocol.params import ControlType, PostProcessor, Sampler
from ordu.protocol.requests import SourceProcessing

F = TypeVar("F", bound=Callable[..., Any])

HOW = "How it is drawn"
SOURCE = "From a picture"
WHO = "Who draws it"
PRICE = "Price and kind of request"


@dataclass(frozen=True, slots=True)
class Row:
    """An option: its flag, where its value goes, what a person is told."""

    flag: str
    place: str
    help: str
    section: str = ""
    type: click.ParamType[Any] | type | None = None
    metavar: str | None = None
    multiple: bool = False

    @property
    def name(self) -> str:
        """What click calls the value."""
        return self.place.replace(".", "_")

    @property
    def shown(self) -> str:
        """The flag as a person is told it."""
        return self.flag.partition("/")[0]


def _choice(kind: Any) -> click.Choice[str]:
    return click.Choice([str(each) for each in get_args(kind)])


ROWS: tuple[Row, ...] = (
    Row("--negative", "negative", "What should not be in the picture.", metavar="TEXT"),
    Row("--n", "params.n", "How many pictures of each prompt. [1]", type=int),
    Row("--width", "params.width", "Pixels, in steps of 64. [512]", type=int),
    Row("--height", "params.height", "Pixels, in steps of 64. [512]", type=int),
    Row("--steps", "params.steps", "Steps of drawing. [30]", type=int),
    Row(
        "--seed",
        "params.seed",
        "A number or any text; the same again gives the same. [chance]",
    ),
    Row("--model", "models", "A model that may do it; repeatable. [any]", multiple=True),
    # How it is drawn
    Row(
        "--sampler",
        "params.sampler_name",
        "How the steps are taken. [k_euler_a]",
        HOW,
        _choice(Sampler),
        "NAME",
    ),
    Row("--karras/--no-karras", "params.karras", "The Karras noise schedule. [on]", HOW),
    Row("--cfg-scale", "params.cfg_scale", "How closely to follow the prompt. [5]", HOW, float),
    Row("--clip-skip", "params.clip_skip", "Last layers of the text encoder left out.", HOW, int),
    Row("--hires-fix/--no-hires-fix", "params.hires_fix", "Draw small first, then enlarge.", HOW),
    Row(
        "--hires-fix-denoising-strength",
        "params.hires_fix_denoising_strength",
        "0 keeps what was drawn small, 1 ignores it.",
        HOW,
        float,
    ),
    Row("--tiling/--no-tiling", "params.tiling", "Edges that fit together.", HOW),
    Row("--transparent/--no-transparent", "params.transparent", "No background.", HOW),
    Row("--lora", "params.loras", "A LoRA and how strongly it acts; repeatable.", HOW, LORA,
        LORA.metavar, multiple=True),
    Row("--ti", "params.tis", "A textual inversion, where it is put; repeatable.", HOW,
        TEXTUAL_INVERSION, TEXTUAL_INVERSION.metavar, multiple=True),
    Row("--post-processing", "params.post_processing", "Done to the finished picture; repeatable.",
        HOW, _choice(PostProcessor), "NAME", multiple=True),
    Row("--facefixer-strength", "params.facefixer_strength", "How strongly faces are corrected.",
        HOW, float),
    Row("--seed-variation", "params.seed_variation", "Step from one picture's seed to the next.",
        HOW, int),
    Row("--workflow", "params.workflow", "A named way of drawing.", HOW,
        click.Choice(["qr_code"])),
    Row("--extra-text", "params.extra_texts", "A text which the workflow needs; repeatable.", HOW,
        EXTRA_TEXT, EXTRA_TEXT.metavar, multiple=True),
    # From a picture
    Row("--source-image", "source_image", "A picture to begin from; - is standard input.", SOURCE,
        PICTURE, "FILE"),
    Row("--source-processing", "source_processing", "What is done with it. [img2img]", SOURCE,
        _choice(SourceProcessing)),
    Row("--source-mask", "source_mask", "Where to paint: white is painted anew.", SOURCE, PICTURE,
        "FILE"),
    Row("--denoising-strength", "params.denoising_strength",
        "0 keeps the source image, 1 ignores it.", SOURCE, float),
    Row("--control-type", "params.control_type", "How the source image guides the drawing.",
        SOURCE, _choice(ControlType), "NAME"),
    Row("--image-is-control/--no-image-is-control", "params.image_is_control",
        "The source image is a control map already.", SOURCE),
    Row("--return-control-map/--no-return-control-map", "params.return_control_map",
        "Get the control map instead of a drawing.", SOURCE),
    Row("--extra-image", "extra_source_images", "One more picture for a remix; repeatable.",
        SOURCE, EXTRA_IMAGE, EXTRA_IMAGE.metavar, multiple=True),
    # Who draws it
    Row("--worker", "workers", "Only this worker, by name or id; repeatable.", WHO,
        metavar="WORKER", multiple=True),
    Row("--not-worker", "not_workers", "Not this worker, by name or id; repeatable.", WHO,
        metavar="WORKER", multiple=True),
    Row("--trusted/--no-trusted", "trusted_workers", "Only workers of trusted users. [off]", WHO),
    Row("--slow-workers/--no-slow-workers", "slow_workers", "Slow ones too. [on]", WHO),
    Row("--extra-slow-workers/--no-extra-slow-workers", "extra_slow_workers",
        "Those too that call themselves extra slow. [off]", WHO),
    Row("--nsfw/--no-nsfw", "nsfw", "The picture may be for adults. [off]", WHO),
    Row("--censor/--no-censor", "censor_nsfw",
        "Have it blacked out if it comes out for adults by accident. [off]", WHO),
    Row("--batching/--no-batching", "batching", "A worker may take several pictures at once. [on]",
        WHO),
    # Price and kind of request
    Row("--allow-downgrade/--no-allow-downgrade", "allow_downgrade",
        "Fewer steps and pixels rather than a refusal for lack of kudos. [off]", PRICE),
    Row("--replacement-filter/--no-replacement-filter", "replacement_filter",
        "Have a suspicious prompt cleaned rather than refused. [on]", PRICE),
    Row("--style", "style", "A style of the horde, where it has some.", PRICE, metavar="NAME"),
    Row("--webhook", "webhook", "An https address that is told of each finished picture.", PRICE,
        metavar="URL"),
    Row("--webhook-end/--no-webhook-end", "webhook_end",
        "It is told of the request's end as well. [off]", PRICE),
    Row("--proxied-account", "proxied_account", "For services: whom this is for.", PRICE,
        metavar="NAME"),
)  # fmt: skip

# Fields of a request that are no option, and why.
NO_OPTION: Mapping[str, str] = {
    "prompt": "the argument",
    "params": "its fields are options",
    "r2": "the client reads both forms",
    "dry_run": "--dry-run, which places nothing",
    "disable_batching": "--no-batching",
    "worker_blacklist": "--not-worker",
    "shared": "without effect",
    "validated_backends": "without effect on pictures",
    "params.toggles": "of 2022, without effect",
    "params.use_gfpgan": "--post-processing GFPGAN",
    "params.use_real_esrgan": "--post-processing RealESRGAN_x4plus",
    "params.use_ldsr": "of 2022",
    "params.use_upscaling": "of 2022",
    "params.special": "for special models of the public horde, by programs",
}


def wish_options(function: F) -> F:
    """Give a command an option for each row."""
    for row in reversed(ROWS):
        is_switch = row.type is None and "/" in row.flag
        shape: dict[str, Any] = {"is_flag": True} if is_switch else {"type": row.type or str}
        if row.multiple:
            shape["multiple"] = True
        else:
            shape["default"] = None
        option = click.option(
            row.flag, row.name, cls=SectionOption, section=row.section, help=row.help,
            metavar=row.metavar, shell_complete=_completed(row), **shape,
        )  # fmt: skip
        function = option(function)
    return function


def _completed(row: Row) -> Callable[..., Any] | None:
    """What a shell is told about the option's values; of choices click knows them."""
    if row.place != "models":
        return None
    from ordu.cli.completion import complete_model

    return complete_model


def option_of(place: str) -> str:
    """The option whose value goes to this place of a request, or to one above it."""
    flags = {row.place: row.shown for row in ROWS}
    while place:
        if place in flags:
            return flags[place]
        place = place.rpartition(".")[0]
    return "PROMPT"
