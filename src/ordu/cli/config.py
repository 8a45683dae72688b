"""`ordu config`: what is in force, and where each value came from."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from ordu.cli.options import read_options
from ordu.settings import TABLES, Reading, Setting, Settings, describe


@click.command()
@click.argument("part", required=False, type=click.Choice(list(TABLES.values())))
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Read settings from this file instead of ordu.toml here.",
)
def config(config: Path | None, part: str | None, as_json: bool) -> None:
    """Show the settings in force here and where each comes from.

    Of all PARTs, or of one: server, worker or client. Secrets are not shown.
    """
    readings = {
        name: (kind, read_options(kind, {}, config))
        for kind, name in TABLES.items()
        if part in {None, name}
    }
    if as_json:
        facts = {name: as_facts(kind, reading) for name, (kind, reading) in readings.items()}
        click.echo(json.dumps(facts, indent=2, ensure_ascii=False))
        return
    for name, (kind, reading) in readings.items():
        show(name, kind, reading)


def as_facts(kind: type[Settings], reading: Reading[Any]) -> Mapping[str, Any]:
    """Values and origins for programs."""
    return {
        setting.name: {
            "value": value_of(setting, reading.values),
            "from": str(reading.origins[setting.name]),
        }
        for setting in describe(kind)
    }


def value_of(setting: Setting, values: Settings) -> object:
    """A value with its type; of a text what may be shown."""
    value = getattr(values, setting.name)
    return setting.shown_in(values) if setting.is_secret or isinstance(value, str) else value


def show(name: str, kind: type[Settings], reading: Reading[Any]) -> None:
    """Values and origins for people; what was set stands out."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    from ordu.cli.console import clean, out

    table = Table(name, "value", "from", box=SIMPLE_HEAD, title_justify="left")
    for setting in describe(kind):
        origin = str(reading.origins[setting.name])
        style = "dim" if origin == "default" else "bold"
        value = clean(setting.shown_in(reading.values)) or "-"
        cells = (setting.name, value, clean(origin))
        table.add_row(*(Text(cell, style=style, overflow="fold") for cell in cells))
    out().print(table)
