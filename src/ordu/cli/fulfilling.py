"""One call of `ordu generate` after its options were read: ask, show, save, say what was saved."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import click

from ordu.cli import interrupts, remembering
from ordu.cli.asking import amount
from ordu.cli.console import clean, remarks
from ordu.cli.failures import FAILED, Failure, extra
from ordu.cli.hordes import connect
from ordu.cli.ordering import Order, Saved, prices, prompt_of, with_worker_ids
from ordu.cli.pixels import PixelsError
from ordu.cli.progress import Board
from ordu.cli.saving import Pattern, Saver
from ordu.cli.terminal.previews import previews
from ordu.protocol.requests import GenerationInput
from ordu.settings import ClientSettings

REMARKS_MAX = 20


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be done with the pictures of a call."""

    out: Pattern
    preview: str
    at_once: int
    wait_s: float
    as_json: bool
    has_grid: bool = False
    has_metadata: bool = True


def say(lines: Sequence[str]) -> None:
    """Remarks on standard error, a line for each."""
    for each in lines[:REMARKS_MAX]:
        click.echo(clean(each), err=True)


def tell_prices(
    settings: ClientSettings, requests: Sequence[GenerationInput], *, as_json: bool
) -> None:
    """Say what the requests would cost."""

    async def asked() -> list[float]:
        async with connect(settings, settings.timeout_s) as horde:
            return await prices(horde, await with_worker_ids(horde, requests))

    found = list(zip(requests, interrupts.run(asked()), strict=True))
    if as_json:
        facts = [{"prompt": prompt_of(each), "kudos": price} for each, price in found]
        click.echo(json.dumps(facts, indent=2, ensure_ascii=False))
        return
    for request, price in found:
        params = request.params
        what = f"{params.n} × {params.width}×{params.height}, {params.steps} steps"
        click.echo(f"{amount(price)} kudos  {clean(prompt_of(request))} ({what})")
    if len(found) > 1:
        click.echo(f"{amount(sum(price for _, price in found))} kudos together")


def fulfil(settings: ClientSettings, requests: Sequence[GenerationInput], wanted: Wanted) -> None:
    """Have the requests fulfilled, and say where the pictures are, whatever happens.

    Raises:
        Failure: something failed, or it was stopped.
        HordeError: the horde refused the only request, or all of them.
    """
    if wanted.has_grid:
        with extra("worker", "save a grid"):
            import PIL as _pillow  # noqa: F401, N811 - only whether it is there
    shown = previews(wanted.preview, remarks())
    wanted.out.prepare()
    saver = Saver(wanted.out)
    order = Order(requests, saver, shown, wanted.at_once, wanted.wait_s, wanted.has_metadata)

    async def asked() -> None:
        async with connect(settings, settings.timeout_s) as horde:
            order.requests = await with_worker_ids(horde, requests)
            with Board(remarks(), expected=len(requests)) as board:
                await order.fulfil(horde, board)

    try:
        interrupts.run(asked())
    finally:
        finish(order, saver, wanted)


def finish(order: Order, saver: Saver, wanted: Wanted) -> None:
    """Say what was saved, and save the grid."""
    say(order.remarks)
    if not order.saved:
        return
    remembering.remember_models(each.picture.model for each in order.saved)
    grid = save_grid(order.saved, saver) if wanted.has_grid else None
    if wanted.as_json:
        facts = [facts_of(each) for each in order.saved]
        click.echo(json.dumps(facts, indent=2, ensure_ascii=False))
    else:
        for each in order.saved:
            picture = each.picture
            by = f"seed {picture.seed}, drawn by {picture.worker_name}"
            click.echo(f"{each.path}  ({clean(by)})")
    if grid is not None:
        # With --json standard output is the pictures' facts alone.
        click.echo(f"{grid}  (all {len(order.saved)})", err=wanted.as_json)


def facts_of(saved: Saved) -> dict[str, object]:
    """What a program is told of a picture."""
    picture = saved.picture
    return {
        "path": str(saved.path),
        "bytes": saved.size_bytes,
        "prompt": saved.prompt,
        "id": picture.id,
        "seed": picture.seed,
        "model": picture.model,
        "worker_name": picture.worker_name,
        "worker_id": picture.worker_id,
        "censored": picture.censored,
    }


def save_grid(saved: Sequence[Saved], saver: Saver) -> str:
    """Save the sheet of all pictures, named after the first; returns where it lies.

    Raises:
        Failure: a picture cannot be read; all of them are saved.
    """
    from ordu.cli.grids import sheet

    first = saved[0].path
    try:
        data = sheet([each.path for each in saved])
    except PixelsError as error:
        raise Failure(f"The grid was not saved. {error}", FAILED) from error
    return str(saver.write(first.with_name(f"{first.stem}-grid.webp"), data))
