"""Asking a person: each question has an answer that Enter gives, and `--yes` gives it unasked."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import click

from ordu.cli import sure
from ordu.cli.console import clean, out
from ordu.cli.failures import WRONG_USAGE, Failure, in_words
from ordu.client import HordeError

TRIES_MAX = 5  # of one question; then something is wrong that asking does not mend

T = TypeVar("T")


class Questions:
    """What stands between the program and the person, if there is one."""

    def __init__(self, *, yes: bool) -> None:
        if not yes and not sure.has_terminal():
            raise click.UsageError(
                "There is no terminal to ask at: say --yes to take every default, and give what"
                " has none by options (--help lists them)."
            )
        self.is_quiet = yes

    def ask(
        self,
        question: str,
        default: str,
        check: Callable[[str], T],
        *,
        hidden: bool = False,
        enter: str = "",
    ) -> T:
        """What the check makes of the answer; asked again when the check refuses it.

        `enter` says what Enter does, where the default itself is not to be shown.

        Raises:
            Failure: the default is refused and nobody is asked, or it was asked too often.
        """
        if self.is_quiet:
            return check(default)
        words = f"{question} [{enter or clean(default)}]"
        for _ in range(TRIES_MAX):
            answer = click.prompt(words, default=default, show_default=False, hide_input=hidden)
            try:
                return check(str(answer).strip())
            except (Failure, HordeError) as error:
                out().print(f"  {clean(_message(error))}", style="yellow")
        raise Failure("That did not work out; start again when you know more.", WRONG_USAGE)

    def choose(self, title: str, options: Sequence[str]) -> int:
        """The index of one of these; the first is the default."""
        if self.is_quiet or len(options) == 1:
            return 0
        out().print(title)
        for number, words in enumerate(options, 1):
            out().print(f"  {number}  {clean(words)}")

        def chosen(answer: str) -> int:
            if not answer.isdecimal() or not 1 <= int(answer) <= len(options):
                raise Failure(f"Choose a number from 1 to {len(options)}.")
            return int(answer) - 1

        return self.ask("Which", "1", chosen)

    def tell(self, line: str, style: str | None = None) -> None:
        """A line that is no question."""
        out().print(line, style=style)
        out().file.flush()


def _message(error: Failure | HordeError) -> str:
    return error.message if isinstance(error, Failure) else in_words(error)
