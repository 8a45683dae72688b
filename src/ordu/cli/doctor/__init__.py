"""`ordu doctor`: what is wrong with the horde on this machine, in words, and how to mend it.

It only looks, also while the server runs and also when hardly anything is left to look at: each
look (`looks`) stands alone, and one that fails is told like what it could have found. No secret is
ever shown.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from ordu.cli.doctor.finding import Finding, Grade
from ordu.cli.failures import FAILED, Failure, extra
from ordu.cli.options import SettingsCommand, read_options, setting_options
from ordu.settings import ServerSettings, SettingError

SECRETS = ("admin_key", "secret", "metrics_token", "oidc_client_secrets")  # no options, as in serve
MAIN = ("data", "database", "images", "host", "port", "public_url")


@click.command(cls=SettingsCommand)
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON.")
@click.option("--quick", is_flag=True, help="Leave out what reads the whole database.")
@setting_options(ServerSettings, main=MAIN, without=SECRETS)
def doctor(config: Path | None, as_json: bool, quick: bool, **given: Any) -> None:
    """Say what is wrong with the horde on this machine, and how to mend it.

    It looks at settings, folders, secret, database, books, pictures, disk, clock, backups, the
    server that runs and the address others see. It changes nothing, shows no secret, and calls
    nobody but your own database, server and public address. The exit code is 1 when something is
    wrong; what only might be better is no failure. For a machine that lends: ordu worker check.

    \b
    Examples: ordu doctor
              ordu doctor --json --quick
    """
    found = list(findings(config, given, quick=quick))
    if as_json:
        click.echo(json.dumps([each.as_dict() for each in found], ensure_ascii=False, indent=1))
    else:
        show(found)
    wrong = sum(each.grade is Grade.WRONG for each in found)
    if wrong:
        things = "thing is" if wrong == 1 else "things are"
        raise Failure("" if as_json else f"{wrong} {things} wrong.", FAILED)


def findings(config: Path | None, given: dict[str, Any], *, quick: bool) -> Iterator[Finding]:
    """Everything that is found; without settings nothing else can be looked at."""
    with extra("server"):
        from ordu.cli.doctor.looks import looks
    try:
        reading = read_options(ServerSettings, given, config)
    except SettingError as error:
        yield Finding(
            Grade.WRONG, "settings", str(error), "Correct that setting; `ordu config` shows all."
        )
        return
    yield Finding(Grade.FINE, "settings", "They can be read.")
    ill: set[str] = set()
    for look in looks(reading, quick=quick):
        if look.needs in ill:
            words = f"Not looked at, because something is wrong with the {look.needs}."
            yield Finding(Grade.NOTE, look.about, words)
            continue
        for each in look.found():
            if each.grade is Grade.WRONG:
                ill.add(each.about)
            yield each


def show(found: list[Finding]) -> None:
    """Tell a person: what is wrong last, where the eye is."""
    from rich.text import Text

    from ordu.cli.console import clean, out

    for each in sorted(found, key=lambda each: list(Grade).index(each.grade)):
        mark, style = MARKS[each.grade]
        line = Text.assemble((mark.ljust(6), style), (f"{each.about}: ", "bold"), clean(each.what))
        out().print(line)
        if each.mend:
            out().print(Text(f"      {clean(each.mend)}"))


MARKS = {
    Grade.FINE: ("ok", "green"),
    Grade.NOTE: ("note", "cyan"),
    Grade.BETTER: ("could", "yellow"),
    Grade.WRONG: ("WRONG", "bold red"),
}
