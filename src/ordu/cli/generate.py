"""`ordu generate`: from prompts to pictures in files."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from ordu.cli.liking import read_like
from ordu.cli.options import SectionOption, SettingsCommand, read_options, setting_options
from ordu.cli.requesting import PROMPTS_BYTES_MAX, Like, prompts_in, requests_of
from ordu.cli.saving import Pattern
from ordu.cli.values import read_file, read_stdin
from ordu.cli.wishing import PRICE, wish_options
from ordu.settings import ClientSettings

KEPT = "What is kept and shown"
PREVIEWS = ("auto", "on", "blocks", "off")


def read_pattern(ctx: click.Context, parameter: click.Parameter, text: str | None) -> Pattern:
    """What `--out` says."""
    try:
        return Pattern.read(text)
    except ValueError as error:
        raise click.BadParameter(str(error), ctx, parameter) from error


def read_prompts(ctx: click.Context, parameter: click.Parameter, path: str | None) -> list[str]:
    """The prompts of `--prompts`."""
    if path is None:
        return []
    try:
        if path == "-":
            data = read_stdin(ctx, PROMPTS_BYTES_MAX, "prompts")
        else:
            data = read_file(path, PROMPTS_BYTES_MAX)
    except ValueError as error:
        raise click.BadParameter(f"{error}.", ctx, parameter) from error
    return prompts_in(data, "standard input" if path == "-" else path)


@click.command(cls=SettingsCommand)
@click.argument("prompt", nargs=-1)
@click.option(
    "--out",
    metavar="PATTERN",
    callback=read_pattern,
    help="Folder or file to save to; may have {prompt}, {seed}, {n}, {model}, {id}, {date}.",
)
@click.option(
    "--prompts",
    metavar="FILE",
    callback=read_prompts,
    help="Prompts from a file, one on each line; - is standard input.",
)
@click.option(
    "--like",
    metavar="FILE",
    callback=read_like,
    help="Take what is not said from this picture: its prompt, model, seed, size and the rest.",
)
@click.option("--any-seed", is_flag=True, help="Not the seed of --like, but by chance.")
@click.option("--any-model", is_flag=True, help="Not the model of --like, but any.")
@wish_options
@click.option(
    "--dry-run", is_flag=True, cls=SectionOption, section=PRICE, help="Only say what it costs."
)
@click.option(
    "--at-once", type=click.IntRange(1, 30), default=3, cls=SectionOption, section=PRICE,
    metavar="NUMBER", help="How many of several prompts are asked for at a time. [3]",
)  # fmt: skip
@click.option(
    "--wait-s", type=click.FloatRange(1, 86_400), default=1200.0, cls=SectionOption, section=PRICE,
    metavar="NUMBER", help="Take a request back that is not done after so long. [1200]",
)  # fmt: skip
@click.option("--overwrite", is_flag=True, cls=SectionOption, section=KEPT,
              help="Replace files that are there instead of choosing another name.")  # fmt: skip
@click.option("--grid", is_flag=True, cls=SectionOption, section=KEPT,
              help="Save a sheet of all pictures besides them.")  # fmt: skip
@click.option("--metadata/--no-metadata", default=True, cls=SectionOption, section=KEPT,
              help="Keep prompt, seed and the rest in the picture's file. [on]")  # fmt: skip
@click.option(
    "--preview", type=click.Choice(PREVIEWS), default="auto", cls=SectionOption, section=KEPT,
    help="Show pictures on this terminal: where it can, with blocks where it cannot, never. [auto]",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print what was saved as JSON.")
@setting_options(ClientSettings)
def generate(
    config: Path | None, prompt: tuple[str, ...], prompts: list[str], like: Like | None,
    any_seed: bool, any_model: bool, dry_run: bool, as_json: bool, **given: Any,
) -> None:  # fmt: skip # what is said of the requests; the rest is the wish
    """Have pictures made from each PROMPT and save them.

    Waits until they are done and shows the place in line meanwhile. Ctrl-C takes the requests back.
    A PROMPT of - reads prompts from standard input.

    \b
    Examples: ordu generate "a fox in the snow" --n 4 --grid --out foxes/
              ordu generate --like fox.webp --any-seed --steps 50
              ordu generate --prompts prompts.txt --dry-run

    \b
    Exit codes: 0 saved · 1 refused or failed · 2 called wrongly
                3 the horde cannot be reached · 130 stopped with Ctrl-C
    """
    ours = {name: given.pop(name) for name in ClientSettings.__struct_fields__}
    settings = read_options(ClientSettings, ours, config).values
    texts = [*typed(prompt), *prompts]
    requests = requests_of(texts, given, without(like, seed=any_seed, model=any_model))

    from ordu.cli import fulfilling

    fulfilling.say(like.remarks if like else ())
    if dry_run:
        fulfilling.tell_prices(settings, requests, as_json=as_json)
        return
    out = replace(given["out"], overwrites=given["overwrite"])
    wanted = fulfilling.Wanted(
        out, given["preview"], given["at_once"], given["wait_s"], as_json,
        has_grid=given["grid"], has_metadata=given["metadata"],
    )  # fmt: skip
    fulfilling.fulfil(settings, requests, wanted)


def typed(arguments: Sequence[str]) -> list[str]:
    """The prompts on the command line; - stands for those on standard input."""
    found: list[str] = []
    for each in arguments:
        if each == "-":
            try:
                data = read_stdin(click.get_current_context(), PROMPTS_BYTES_MAX, "prompts")
            except ValueError as error:
                raise click.UsageError(f"PROMPT: {error}.") from error
            found += prompts_in(data, "standard input")
        else:
            found.append(each)
    return found


def without(like: Like | None, *, seed: bool, model: bool) -> Like | None:
    """What `--like` says, without its seed or its model where these are not wanted."""
    if like is None:
        return None
    fields = {**like.fields, "params": dict(like.fields.get("params", {}))}
    if model:
        fields.pop("models", None)
    if seed:
        fields["params"].pop("seed", None)
    return replace(like, fields=fields)
