"""`ordu completion`: what a shell needs to complete commands, options and their values."""

import shutil
import subprocess

import click
from click.shell_completion import CompletionItem, get_completion_class

from ordu.cli.failures import FAILED, WRONG_USAGE, Failure
from ordu.cli.remembering import known_models

VARIABLE = "_ORDU_COMPLETE"
SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    """Print what SHELL needs to complete `ordu`.

    Commands, options, samplers and the like are completed, and the names of models that this
    machine has heard of. No horde is asked for that.

    \b
    For this shell:   eval "$(ordu completion bash)"       (or zsh)
                      ordu completion fish | source
    For all to come:  the same line in ~/.bashrc or ~/.zshrc;
                      ordu completion fish > ~/.config/fish/completions/ordu.fish
    """
    click.echo(script(shell))


def script(shell: str) -> str:
    """The script for a shell, which is click's own.

    Raises:
        Failure: the shell here is too old for it, or not there.
    """
    from ordu.cli.main import ordu

    kind = get_completion_class(shell)
    assert kind is not None, shell
    if shell == "bash" and shutil.which("bash") is None:
        raise Failure("There is no bash on this machine.", WRONG_USAGE)
    try:
        return kind(ordu, {}, "ordu", VARIABLE).source()
    except (RuntimeError, OSError, subprocess.SubprocessError) as error:
        raise Failure(f"The script for {shell} cannot be made: {error}", FAILED) from error


def complete_model(
    ctx: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """The models this machine has heard of that go on like this."""
    del ctx, parameter
    begun = incomplete.casefold()
    return [CompletionItem(name) for name in known_models() if name.casefold().startswith(begun)]
