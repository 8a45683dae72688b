"""`ordu audit`: prove the books of the horde on this machine."""

from pathlib import Path
from typing import Any

import click

from ordu.cli.failures import FAILED, Failure, extra
from ordu.cli.here import WHERE, Here, horde_here
from ordu.cli.options import SettingsCommand, read_options, setting_options
from ordu.settings import ServerSettings

WRONG_SHOWN_MAX = 50


@click.command(cls=SettingsCommand)
@setting_options(ServerSettings, only=WHERE)
def audit(config: Path | None, **given: Any) -> None:
    """Prove that the kudos books of the horde on this machine are in order.

    Every entry has to sum to zero, and every balance has to be the sum of its lines. It only
    reads, and may be run beside running servers.
    """
    settings = read_options(ServerSettings, given, config).values
    here = horde_here(settings)
    entries, wrong = examine(here)
    if not wrong:
        many = "entry" if entries == 1 else "entries"
        click.echo(
            f"The books are in order: {entries:,} {many}, each sums to zero,"
            " and every balance is the sum of its lines."
        )
        return
    for line in wrong[:WRONG_SHOWN_MAX]:
        click.echo(line)
    raise Failure(
        f"The books are not in order: {len(wrong)} things are wrong in {here.name}.", FAILED
    )


def examine(here: Here) -> tuple[int, list[str]]:
    """How many entries there are, and what is wrong with them; of one moment."""
    with extra("server"):
        from ordu.store import ledger

    return here.read(lambda tx: (ledger.entry_count(tx), ledger.audit(tx)))
