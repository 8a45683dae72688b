"""`ordu generate`: from a prompt to pictures in files."""

import json
from pathlib import Path
from typing import Any, get_args

import click

from ordu.cli.options import SettingsCommand, read_options, setting_options
from ordu.cli.saving import Pattern
from ordu.client import Picture, RequestFaulted
from ordu.protocol.params import Sampler
from ordu.settings import ClientSettings


def read_pattern(ctx: click.Context, parameter: click.Parameter, text: str | None) -> Pattern:
    """What `--out` says."""
    try:
        return Pattern.read(text)
    except ValueError as error:
        raise click.BadParameter(str(error), ctx, parameter) from error


@click.command(cls=SettingsCommand)
@click.argument("prompt")
@click.option(
    "--out",
    metavar="PATTERN",
    callback=read_pattern,
    help="Folder or file to save to; may have {prompt}, {seed}, {number}, {id}.",
)
@click.option("--n", type=int, default=1, help="How many pictures. [1]")
@click.option("--width", type=int, default=512, help="Pixels, in steps of 64. [512]")
@click.option("--height", type=int, default=512, help="Pixels, in steps of 64. [512]")
@click.option("--steps", type=int, default=30, help="Steps of drawing. [30]")
@click.option("--seed", help="A number or any text; the same again gives the same. [chance]")
@click.option("--model", "models", multiple=True, help="A model that may do it; repeatable. [any]")
@click.option("--negative", metavar="TEXT", help="What should not be in the picture.")
@click.option("--cfg-scale", type=float, default=5.0, help="How closely to follow the prompt. [5]")
@click.option(
    "--sampler",
    type=click.Choice(get_args(Sampler)),
    metavar="NAME",
    default="k_euler_a",
    help="How the steps are taken. [k_euler_a]",
)
@click.option(
    "--source-image",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="A picture to begin from.",
)
@click.option("--denoising-strength", type=float, help="0 keeps the source image, 1 ignores it.")
@click.option("--json", "as_json", is_flag=True, help="Print what was saved as JSON.")
@setting_options(ClientSettings)
def generate(
    config: Path | None, out: Pattern, as_json: bool, url: str | None, api_key: str | None,
    timeout_s: str | None, **wish: Any,
) -> None:  # fmt: skip # one group of settings, the rest is the wish
    """Have pictures made from PROMPT and save them.

    Waits until they are done and shows the place in line meanwhile. Ctrl-C takes the request back.

    \b
    Exit codes: 0 saved · 1 refused or failed · 2 called wrongly
                3 the horde cannot be reached · 130 stopped with Ctrl-C
    """
    given = {"url": url, "api_key": api_key, "timeout_s": timeout_s}
    settings = read_options(ClientSettings, given, config).values
    out.prepare()
    try:
        pictures = ask(settings, wish)
    except RequestFaulted as fault:
        report(fault.pictures, out, wish["prompt"], as_json=as_json)
        raise
    report(pictures, out, wish["prompt"], as_json=as_json)


def ask(settings: ClientSettings, wish: dict[str, Any]) -> list[Picture]:
    """Ask the horde and wait, showing how far it is."""
    from ordu.cli import interrupts
    from ordu.cli.console import remarks
    from ordu.cli.hordes import connect
    from ordu.cli.progress import Board

    path: Path | None = wish["source_image"]
    source_image = path.read_bytes() if path else None
    prompt = wish["prompt"]

    async def asked() -> list[Picture]:
        async with connect(settings.url, settings.api_key, settings.timeout_s) as horde:
            with Board(remarks()) as board:
                return await horde.generate(
                    prompt,
                    models=wish["models"] or None,
                    n=wish["n"],
                    width=wish["width"],
                    height=wish["height"],
                    steps=wish["steps"],
                    seed=wish["seed"],
                    negative_prompt=wish["negative"],
                    cfg_scale=wish["cfg_scale"],
                    sampler_name=wish["sampler"],
                    source_image=source_image,
                    denoising_strength=wish["denoising_strength"],
                    on_progress=board.add(prompt),
                )

    return interrupts.run(asked())


def report(pictures: list[Picture], out: Pattern, prompt: str, *, as_json: bool) -> None:
    """Save the pictures and say where they are."""
    paths = out.save(pictures, prompt)
    if as_json:
        facts = [
            {
                "path": str(path),
                "bytes": len(picture.data),
                "id": picture.id,
                "seed": picture.seed,
                "model": picture.model,
                "worker_name": picture.worker_name,
                "worker_id": picture.worker_id,
                "censored": picture.censored,
            }
            for path, picture in zip(paths, pictures, strict=True)
        ]
        click.echo(json.dumps(facts, indent=2, ensure_ascii=False))
        return
    for path, picture in zip(paths, pictures, strict=True):
        click.echo(f"{path}  (seed {picture.seed}, drawn by {picture.worker_name})")
