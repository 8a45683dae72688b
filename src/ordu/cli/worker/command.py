"""The command `ordu worker` and its own commands, which are loaded when they are called."""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from ordu.cli.options import SettingsCommand, setting_options
from ordu.settings import WorkerSettings

# Name of a command → module of this package and the function in it. Its help is the function's.
COMMANDS: Mapping[str, str] = {
    "join": "join:join",
    "check": "check:check",
    "status": "control:status",
    "pause": "control:pause",
    "resume": "control:resume",
    "stop": "control:stop",
    "service": "service:service",
}
MAIN = ("url", "api_key", "name", "backend", "models", "max_pixels", "nsfw", "hours")


class WorkerGroup(SettingsCommand, click.Group):
    """Runs a worker by itself; its commands are about one."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of the commands."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name, loaded now."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module, _, function = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(f"ordu.cli.worker.{module}"), function)
        return command

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The options in the help, and after them the commands."""
        super().format_options(ctx, formatter)
        self.format_commands(ctx, formatter)


# Settings of whichever backend is chosen.
set_option = click.option(
    "--set",
    "sets",
    multiple=True,
    metavar="NAME=VALUE",
    help="A setting of the backend; docs/reference/backends/ lists them. Can be repeated.",
)


def said(ctx: click.Context, given: Mapping[str, Any]) -> dict[str, Any]:
    """What was given to one of the commands, behind its name or before it."""
    before = ctx.parent.params if ctx.parent else {}
    return {
        name: before.get(name, value) if value in (None, ()) else value
        for name, value in given.items()
    }


@click.group(cls=WorkerGroup, invoke_without_command=True)
@setting_options(WorkerSettings, main=MAIN)
@set_option
@click.option("--words", is_flag=True, help="List the words that the backend sketch knows.")
@click.option("--plain", is_flag=True, help="Tell what happens in lines, without the dashboard.")
@click.option("--debug", is_flag=True, help="Log everything, with where a backend failed.")
@click.option("--with-parent", is_flag=True, hidden=True)
@click.pass_context
def worker(
    ctx: click.Context,
    /,
    config: Path | None,
    sets: tuple[str, ...],
    words: bool,
    plain: bool,
    debug: bool,
    with_parent: bool,
    **given: Any,
) -> None:
    """Make pictures for a horde and earn kudos.

    The backend says what makes the pictures. `sketch` needs no GPU and no download, and is no
    neural model: it paints scenes by rules, and knows only the words that --words lists.
    Everything else in a prompt is not understood. `ordu worker join URL` finds better ones on this
    machine and writes ordu-worker.toml; docs/reference/backends/ describes each.

    The first Ctrl-C (or SIGTERM) finishes and delivers what is in hand, the second lets go of it.
    """
    if ctx.invoked_subcommand is not None:
        return
    from ordu.cli.worker import running

    if words:
        running.show_words()
        return
    running.run(given, sets, config, debug=debug, with_parent=with_parent, plain=plain)
