"""Being sure: a command that cannot be undone asks first, or is told `--yes`."""

import sys

import click

from ordu.cli.failures import Failure


def check_can_ask(what: str, *, yes: bool) -> None:
    """Refuse where nobody said yes and there is nobody to ask, as in a script.

    Raises:
        click.UsageError: there is no terminal.
    """
    if not yes and not has_terminal():
        raise click.UsageError(f"There is no terminal to ask at: say --yes to delete the {what}.")


def has_terminal() -> bool:
    """Whether there is somebody to ask."""
    return sys.stdin.isatty()


def confirm(question: str) -> None:
    """Ask a person.

    Raises:
        Failure: they said no.
    """
    if not click.confirm(question, err=True):
        raise Failure("Nothing was deleted.")
