"""`ordu news …`: show a horde's news; publish and take back those of the horde on this machine."""

import re
import textwrap
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import click

from ordu.cli.asking import Asker, horde_options, json_option, print_json
from ordu.cli.failures import Failure, extra
from ordu.cli.here import WHERE, Here, horde_here
from ordu.cli.options import SettingsCommand, read_options, setting_options
from ordu.client.wire import known
from ordu.protocol.errors import Refused
from ordu.protocol.status import (
    MANY_MAX,
    NEWS_LENGTH_MAX,
    TAG_LENGTH_MAX,
    TITLE_LENGTH_MAX,
    URL_LENGTH_MAX,
    WEB_ADDRESS,
    Importance,
    Newspiece,
)
from ordu.settings import ServerSettings

IMPORTANCES = get_args(Importance)


class Bounded(click.ParamType[str]):
    """A text with at least a letter and no more than so many characters."""

    name = "text"

    def __init__(self, most: int) -> None:
        self.most = most

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The text without space around it."""
        text = value.strip()
        if not 1 <= len(text) <= self.most:
            self.fail(f"It has {len(text)} characters; allowed are 1 to {self.most}.", param, ctx)
        return text


class Address(Bounded):
    """An address of the web."""

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The address as it is."""
        text = super().convert(value, param, ctx)
        if not re.match(WEB_ADDRESS, text):
            self.fail(f"{text!r} is no address that begins with http:// or https://.", param, ctx)
        return text


def bounded_many(
    ctx: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> list[str]:
    """Not too many of them."""
    if len(values) > MANY_MAX:
        raise click.BadParameter(f"There may be {MANY_MAX} at most.", ctx, parameter)
    return list(values)


@click.group()
def news() -> None:
    """Show a horde's news, publish some and take them back.

    `add` and `remove` work on the data folder of the horde on this machine or on its --database,
    with or without a running server, which tells the news at once. `list` asks over the network;
    with --data or --database it reads there and shows the numbers that `remove` wants.
    """


@news.command("list", cls=SettingsCommand)
@click.option(
    "--data",
    metavar="DIR",
    help="Read the horde of this data folder instead of asking; shows the numbers.",
)
@click.option("--database", metavar="URL", help="The same for the horde of this database.")
@horde_options
def list_news(asker: Asker, data: str | None, database: str | None) -> None:
    """Show the news, the newest first.

    \b
    Example: ordu news list
             ordu news list --data horde
    """
    if data is not None or database is not None:
        given = {"data": data, "database": database}
        settings = read_options(ServerSettings, given, asker.config).values
        asker.tell(news_here(horde_here(settings)), show_news)
        return
    with asker.horde() as horde:
        asker.tell(horde.get_horde_news(), show_news)


@news.command(cls=SettingsCommand)
@click.argument("text", type=Bounded(NEWS_LENGTH_MAX))
@click.option("--title", type=Bounded(TITLE_LENGTH_MAX), metavar="TEXT", help="Its title.")
@click.option(
    "--importance",
    type=click.Choice(IMPORTANCES, case_sensitive=False),
    metavar="|".join(IMPORTANCES),
    default=IMPORTANCES[0],
    help=f"How critical it is. [{IMPORTANCES[0]}]",
)
@click.option(
    "--tag",
    "tags",
    type=Bounded(TAG_LENGTH_MAX),
    metavar="WORD",
    multiple=True,
    callback=bounded_many,
    help="What it is about; repeatable.",
)
@click.option(
    "--more-info",
    "more_info_urls",
    type=Address(URL_LENGTH_MAX),
    metavar="URL",
    multiple=True,
    callback=bounded_many,
    help="Where to read more; repeatable.",
)
@json_option
@setting_options(ServerSettings, only=WHERE)
def add(
    config: Path | None, text: str, title: str | None, importance: str, tags: list[str],
    more_info_urls: list[str], as_json: bool, **given: Any,
) -> None:  # fmt: skip # one piece of news, and where to put it
    """Publish TEXT as news and print its number.

    \b
    Example: ordu news add "The horde moves on Friday." --title Moving --importance Upcoming
    """
    here = horde_here(read_options(ServerSettings, given, config).values)
    with extra("server"):
        from ordu.engine import acts
        from ordu.engine import news as verbs

    piece = verbs.NewsChange(text, importance, title, tags, more_info_urls)
    by = acts.by_machine("ordu news add")
    number = here.change(lambda tx: verbs.publish(tx, piece, by)).id
    if as_json:
        print_json({"number": number})
    else:
        click.echo(f"Published as number {number}.")


@news.command(cls=SettingsCommand)
@click.argument("number", type=click.IntRange(1, 2**63 - 1))
@json_option
@setting_options(ServerSettings, only=WHERE)
def remove(config: Path | None, number: int, as_json: bool, **given: Any) -> None:
    """Take back the news of this NUMBER.

    `ordu news list --data DIR` shows the numbers, or --database URL where the books are there.

    \b
    Example: ordu news remove 3
    """
    here = horde_here(read_options(ServerSettings, given, config).values)
    with extra("server"):
        from ordu.engine import acts
        from ordu.engine import news as verbs

    by = acts.by_machine("ordu news remove")
    try:
        here.change(lambda tx: verbs.take_back(tx, number, by))
    except Refused as refused:
        raise Failure(refused.message) from refused
    if as_json:
        print_json({"number": number})
    else:
        click.echo(f"Number {number} is taken back.")


def news_here(here: Here) -> list[Newspiece]:
    """The news of the horde on this machine."""
    with extra("server"):
        from ordu.store import news as table

    return [
        Newspiece(
            id=each.id,
            date_published=datetime.fromtimestamp(each.published_at / 1000, UTC).date().isoformat(),
            newspiece=each.newspiece,
            importance=each.importance,
            title=each.title,
            tags=each.tags,
            more_info_urls=each.more_info_urls,
        )
        for each in here.read(table.newest)
    ]


def show_news(pieces: Sequence[Newspiece]) -> None:
    """Show news to a person."""
    from ordu.cli.console import clean, out

    console = out()
    if not pieces:
        console.print("There is no news.")
    for each in pieces:
        number = known(each.id, None)
        head = [
            "" if number is None else f"{number}.",
            known(each.date_published, ""),
            known(each.importance, ""),
            known(each.title, ""),
            *(f"#{tag}" for tag in known(each.tags, [])),
        ]
        console.print(clean("  ".join(filter(None, head))), style="bold")
        lines = [*known(each.newspiece, "").splitlines(), *known(each.more_info_urls, [])]
        console.print(textwrap.indent("\n".join(map(clean, lines)), "  "))
