"""`ordu status`: load, workers and models of a horde."""

import click
import msgspec
from rich.box import SIMPLE_HEAD
from rich.table import Table

from ordu.cli.asking import Asker, amount, horde_options, watch_option
from ordu.cli.console import clean, label, out
from ordu.cli.options import SettingsCommand
from ordu.cli.remembering import remember_models
from ordu.client import Horde
from ordu.client.wire import known
from ordu.protocol.status import ActiveModel, HordeModes, HordePerformanceStable
from ordu.protocol.workers import WorkerDetailsStable


class Standing(msgspec.Struct, frozen=True):
    """What a horde tells about itself."""

    url: str
    load: HordePerformanceStable
    modes: HordeModes
    workers: list[WorkerDetailsStable]
    models: list[ActiveModel]


@click.command(cls=SettingsCommand)
@watch_option
@horde_options
def status(asker: Asker) -> None:
    """Show load, workers and models of a horde.

    \b
    Examples: ordu status --url http://192.168.1.20:7001
              ordu status --watch
    """
    asker.answer(ask, show)


def ask(horde: Horde) -> Standing:
    """Ask the horde."""
    models = horde.get_models()
    remember_models(known(each.name, "") for each in models)
    return Standing(
        horde.url,
        horde.get_horde_load(),
        horde.get_horde_modes(),
        horde.get_workers(),
        models,
    )


def show(standing: Standing) -> None:
    """Show it to a person."""
    console = out()
    load = standing.load
    console.print(standing.url, style="bold")
    console.print(label("waiting", f"{known(load.queued_requests, 0)} pictures", 10))
    speed = known(load.past_minute_megapixelsteps, 0.0)
    console.print(label("drawn", f"{speed:g} megapixelsteps in the last minute", 10))
    console.print(label("modes", modes_in_words(standing.modes), 10))
    console.print(workers_table(standing.workers) if standing.workers else "  no worker is here")
    if standing.models:
        console.print(models_table(standing.models))


def modes_in_words(modes: HordeModes) -> str:
    """The modes that are on."""
    names = {
        "maintenance": modes.maintenance_mode,
        "invitation only": modes.invite_only_mode,
        "raid": modes.raid_mode,
    }
    return ", ".join(name for name, is_on in names.items() if is_on is True) or "open to all"


def workers_table(workers: list[WorkerDetailsStable]) -> Table:
    """The workers that are here."""
    table = Table("worker", "models", "largest", "pictures", "kudos", box=SIMPLE_HEAD)
    for each in workers:
        pixels = known(each.max_pixels, 0)
        side = round(pixels**0.5)
        table.add_row(
            clean(known(each.name, "")),
            clean(", ".join(known(each.models, []))),
            f"{side}×{side}",
            str(known(each.requests_fulfilled, 0)),
            amount(known(each.kudos_rewards, 0.0)),
        )
    return table


def models_table(models: list[ActiveModel]) -> Table:
    """The models offered or waited for."""
    table = Table("model", "workers", "waiting", box=SIMPLE_HEAD)
    for each in models:
        waiting = known(each.jobs, 0.0)
        table.add_row(clean(known(each.name, "")), str(known(each.count, 0)), f"{waiting:g}")
    return table
