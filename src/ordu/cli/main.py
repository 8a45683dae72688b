"""The command `ordu`: what commands there are, said without loading any of them."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import click
from click.shell_completion import CompletionItem

from ordu import __version__
from ordu.cli import failures


@dataclass(frozen=True, slots=True)
class Entry:
    """A command: the module and function it is in, and its line in the help of `ordu`."""

    place: str
    help: str


# The help of `ordu` in its order, in sections. A new command is a line here and a file beside this.
SECTIONS: Mapping[str, Mapping[str, Entry]] = {
    "See it work": {
        "demo": Entry("demo:demo", "From nothing to two pictures, on this machine."),
    },
    "Ask a horde": {
        "generate": Entry("generate:generate", "Have pictures made from a prompt and save them."),
        "inspect": Entry("inspecting:inspect", "Show what a picture was asked with."),
        "status": Entry("status:status", "Show load, workers and models of a horde."),
        "explain": Entry("explain:explain", "Say why a request waits or a worker gets no work."),
    },
    "Your account and others": {
        "users": Entry("users:users", "Make, show and change users of a horde."),
        "kudos": Entry("kudos:kudos", "Show your kudos, give some, award some."),
    },
    "Lend this machine": {
        "worker": Entry("worker.command:worker", "Make pictures for a horde and earn kudos."),
    },
    "Run a horde": {
        "serve": Entry("serve:serve", "Run a horde's server on this machine."),
        "workers": Entry("workers:workers", "Show, change and delete workers of a horde."),
        "modes": Entry("modes:modes", "Show and switch maintenance and the other modes."),
        "news": Entry("news:news", "Show, publish and take back news."),
        "simulate": Entry("simulate:simulate", "Search simulated hordes for a broken promise."),
        "move": Entry("move:move", "Move a horde from SQLite to PostgreSQL or back."),
        "backup": Entry("backup:backup", "Copy a whole horde while it works."),
        "restore": Entry("restore:restore", "Bring a backup back, or prove that it can be."),
        "doctor": Entry("doctor:doctor", "Say what is wrong with a horde, and how to mend it."),
        "audit": Entry("audit:audit", "Prove that the kudos books of a horde are in order."),
        "config": Entry("config:config", "Show the settings in force and where they come from."),
    },
    "This command": {
        "completion": Entry("completion:completion", "Complete commands and options in a shell."),
    },
}
COMMANDS: Mapping[str, Entry] = {
    name: entry for section in SECTIONS.values() for name, entry in section.items()
}


class LazyGroup(click.Group):
    """A group that loads a command when it is called, and turns errors into failures."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name, loaded now."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module, _, function = COMMANDS[cmd_name].place.partition(":")
        command: click.Command = getattr(import_module(f"ordu.cli.{module}"), function)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands in the help, by section."""
        del ctx
        width = max(map(len, COMMANDS))
        for title, entries in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl(
                    [(name.ljust(width), each.help) for name, each in entries.items()]
                )

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The commands that go on like this; unlike click's own way, none of them is loaded."""
        found = [
            CompletionItem(name, help=entry.help)
            for name, entry in COMMANDS.items()
            if name.startswith(incomplete)
        ]
        options = click.Command.shell_complete(self, ctx, incomplete)
        return found + options

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; an error that is expected becomes one line and an exit code."""
        try:
            return super().invoke(ctx)
        except (Exception, KeyboardInterrupt) as error:
            failure = failures.of(error)
            if failure is None:
                raise
            raise failure from error


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(
    __version__, "-V", "--version", prog_name="ordu", message="%(prog)s %(version)s"
)
def ordu() -> None:
    """Ordu is a horde you can run yourself.

    People ask for pictures, other people's machines draw them, kudos pay for it. `ordu demo` shows
    all of it in a few seconds; `ordu COMMAND --help` explains a command.
    """


def main() -> None:
    """Run the command line of this process."""
    sys.exit(ordu.main(prog_name="ordu"))
