"""`ordu config`: what is in force, and where each value came from."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from ordu.cli.failures import Failure
from ordu.cli.options import read_options
from ordu.settings import (
    BACKENDS,
    TABLES,
    Reading,
    Setting,
    Settings,
    WorkerSettings,
    describe,
)


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

    Of all PARTs, or of one: server, worker (with its backend) or client. Secrets are not shown.
    """
    parts = [
        Part(name, describe(kind), read_options(kind, {}, config))
        for kind, name in TABLES.items()
        if part in {None, name}
    ]
    if part in {None, "worker"}:
        parts += backend_parts(config)
    if as_json:
        facts = {each.name: as_facts(each) for each in parts}
        click.echo(json.dumps(facts, indent=2, ensure_ascii=False))
        return
    for each in parts:
        show(each)


@dataclass(frozen=True)
class Part:
    """The settings of one program, or of the worker's backend."""

    name: str
    settings: Sequence[Setting]
    reading: Reading[Any]


def backend_parts(config: Path | None) -> list[Part]:
    """The settings of the backend that a worker here would use; none if it cannot be loaded."""
    from ordu.cli.worker.opening import backend_class, read_backend, table_of

    name = read_options(WorkerSettings, {}, config).values.backend
    try:
        backend = backend_class(name)
    except Failure:
        return []
    settings = describe(backend.settings_type, table_of(name))
    reading = read_backend(name, backend, config=config)
    return [Part(f"{BACKENDS}.{table_of(name)}", settings, reading)] if settings else []


def as_facts(part: Part) -> Mapping[str, Any]:
    """Values and origins for programs."""
    return {
        setting.name: {
            "value": value_of(setting, part.reading.values),
            "from": str(part.reading.origins[setting.name]),
        }
        for setting in part.settings
    }


def value_of(setting: Setting, values: Settings) -> object:
    """A value with its type; of a text what may be shown."""
    value = getattr(values, setting.name)
    return setting.shown_in(values) if setting.is_secret or isinstance(value, str) else value


def show(part: Part) -> None:
    """Values and origins for people; what was set stands out."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    from ordu.cli.console import clean, out

    table = Table(part.name, "value", "from", box=SIMPLE_HEAD, title_justify="left")
    for setting in part.settings:
        origin = str(part.reading.origins[setting.name])
        style = "dim" if origin == "default" else "bold"
        value = clean(setting.shown_in(part.reading.values)) or "-"
        cells = (setting.name, value, clean(origin))
        table.add_row(*(Text(cell, style=style, overflow="fold") for cell in cells))
    out().print(table)
