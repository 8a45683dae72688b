"""`ordu modes`: the modes of a horde, shown and switched."""

from typing import Any

import click

from ordu.cli.asking import Asker, horde_options, show_facts
from ordu.cli.changing import Changeable
from ordu.cli.options import SettingsCommand
from ordu.protocol.status import PutHordeModesRequest

CHANGEABLE = Changeable(
    PutHordeModesRequest,
    without=frozenset({"maintenance_mode", "invite_only_mode", "raid_mode"}),  # the same again
)


class ShowingGroup(click.Group):
    """A group that shows where no command is named."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put `show` in front of what names no command."""
        if not args or (args[0].startswith("-") and args[0] not in ctx.help_option_names):
            args = ["show", *args]
        return super().parse_args(ctx, args)


@click.group(cls=ShowingGroup)
def modes() -> None:
    """Show the modes of a horde, or switch them.

    `ordu modes` alone shows them. In maintenance a horde takes no new requests; with invited
    workers only it takes no new ones but theirs; in a raid it tells and admits less.
    """


@modes.command(cls=SettingsCommand)
@horde_options
def show(asker: Asker) -> None:
    """Show which modes are on; some are told only to moderators.

    \b
    Example: ordu modes show --api-key MODERATORS-KEY
    """
    with asker.horde() as horde:
        found = horde.get_horde_modes()
    asker.tell(found, show_facts)


@modes.command("set", cls=SettingsCommand)
@CHANGEABLE.options
@horde_options
def switch(asker: Asker, **given: Any) -> None:
    """Switch modes on or off and print what was changed.

    \b
    Example: ordu modes set --maintenance --no-raid
    """
    change = CHANGEABLE.read(given)
    with asker.horde() as horde:
        changed = horde.put_horde_modes(change)
    asker.tell(changed, show_facts)
