"""Commands that ask a horde something and show the answer: to people in lines, to programs as JSON.

`@horde_options` gives a command `--json` and the settings of a client, and hands it one `Asker`
instead of them.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec
from msgspec import UNSET

from ordu.cli.options import read_options, setting_options
from ordu.client import Horde
from ordu.settings import ClientSettings

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])

WATCH_S, WATCH_S_MIN, WATCH_S_MAX = 5, 1, 3600
IN_SECONDS = frozenset({"uptime", "account_age"})


@dataclass(frozen=True, slots=True)
class Asker:
    """Who is asked, and how the answer is to be shown."""

    settings: ClientSettings
    as_json: bool
    config: Path | None = None
    watch_s: float | None = None  # asked again after so long, until Ctrl-C

    def horde(self) -> Horde:
        """The horde to ask; to be closed."""
        from ordu.cli.hordes import connect_plainly

        return connect_plainly(self.settings)

    def answer(self, ask: Callable[[Horde], T], show: Callable[[T], None]) -> None:
        """Ask, and print the answer or show it to a person; with `--watch` again and again."""
        with self.horde() as horde:
            if self.watch_s is not None:
                from ordu.cli.watching import watch

                watch(lambda: ask(horde), show, self.watch_s, as_json=self.as_json)
                return
            found = ask(horde)
        self.tell(found, show)

    def tell(self, answer: T, show: Callable[[T], None]) -> None:
        """Print the answer as JSON, or show it to a person."""
        if self.as_json:
            print_json(answer)
        else:
            show(answer)


def horde_options(function: F) -> Callable[..., Any]:
    """Give a command `--json` and the settings of a client; it gets an `Asker` first."""

    @wraps(function)
    def called(
        config: Path | None, as_json: bool, watch_s: float | None = None, **given: Any
    ) -> Any:
        ours = {name: given.pop(name) for name in ClientSettings.__struct_fields__}
        settings = read_options(ClientSettings, ours, config).values
        return function(Asker(settings, as_json, config, watch_s), **given)

    return json_option(setting_options(ClientSettings)(called))


def watch_option(function: F) -> F:
    """Give a command `--watch`; it stands above `@horde_options`."""
    return click.option(
        "--watch",
        "watch_s",
        type=Seconds(),
        is_flag=False,
        flag_value=str(WATCH_S),
        default=None,
        metavar="[SECONDS]",
        help=f"Ask again every so many seconds, until Ctrl-C. [{WATCH_S}]",
    )(function)


class Seconds(click.ParamType[float]):
    """How often to ask again."""

    name = "seconds"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """The seconds; what is no number was meant for something else."""
        try:
            seconds = float(value)
        except ValueError:
            self.fail(f"{value!r} is no number of seconds; write --watch last.", param, ctx)
        if not WATCH_S_MIN <= seconds <= WATCH_S_MAX:
            self.fail(f"it is {WATCH_S_MIN} to {WATCH_S_MAX} seconds.", param, ctx)
        return seconds


def reason_option(function: F) -> F:
    """Give a command `--reason`; it stands above `@horde_options`."""
    return click.option(
        "--reason",
        metavar="TEXT",
        help="Why; those who run the horde find it in their log of acts.",
    )(function)


def json_option(function: F) -> F:
    """Give a command `--json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")(
        function
    )


def print_json(answer: object) -> None:
    """Print an answer for a program."""
    click.echo(msgspec.json.format(msgspec.json.encode(answer)).decode())


def show_facts(answer: msgspec.Struct) -> None:
    """Show a person what an answer tells, a line for each field."""
    from ordu.cli.console import label, out

    lines = list(facts(answer))
    width = max((len(name) for name, _ in lines), default=0) + 2
    for name, text in lines:
        out().print(label(name, text, width if text else 0))


def facts(answer: msgspec.Struct) -> Iterator[tuple[str, str]]:
    """The fields of an answer in words; what it does not tell, or leaves empty, is not there."""
    for field in msgspec.structs.fields(answer):
        value = getattr(answer, field.name)
        name = field.name.replace("_", " ")
        if isinstance(value, msgspec.Struct):
            inner = [(f"  {each}", text) for each, text in facts(value)]
            yield from [(name, ""), *inner] if inner else []
        elif value is not UNSET and value is not None and value not in ("", []):
            seconds = " s" if field.name in IN_SECONDS else ""
            yield name, in_words(value) + seconds


def in_words(value: object) -> str:
    """A value of an answer as text that is safe to show."""
    from ordu.cli.console import clean

    match value:
        case bool():
            return "yes" if value else "no"
        case float():
            return amount(value)
        case list():
            return ", ".join(map(in_words, value))
        case msgspec.Struct():
            return " ".join(text for _, text in facts(value))
        case Mapping():
            return ", ".join(f"{clean(str(name))}={in_words(each)}" for name, each in value.items())
    return clean(str(value))


def amount(number: float) -> str:
    """An amount with two digits after the point at most, and never in powers of ten: 1234.5."""
    return f"{number:.2f}".rstrip("0").rstrip(".")
