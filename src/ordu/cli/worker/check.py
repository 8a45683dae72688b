"""`ordu worker check`: is everything there that a worker needs, and if not, how is that mended?"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
import msgspec

from ordu.cli.asking import json_option, print_json
from ordu.cli.console import clean, out
from ordu.cli.failures import FAILED, Failure
from ordu.cli.options import SettingsCommand, setting_options
from ordu.cli.worker.checks import examine
from ordu.cli.worker.command import said, set_option
from ordu.cli.worker.findings import Finding, Mark
from ordu.settings import WorkerSettings

MAIN = ("url", "api_key", "name", "backend")
STYLES = {Mark.GOOD: "green", Mark.WARNING: "yellow", Mark.BAD: "red", Mark.UNKNOWN: "dim"}
WIDTH = 10  # of what a finding is about


class Report(msgspec.Struct, frozen=True):
    """All findings, for programs."""

    works: bool
    findings: list[Finding]


@click.command(cls=SettingsCommand)
@setting_options(WorkerSettings, main=MAIN)
@set_option
@click.option("--no-picture", is_flag=True, help="Do not make a picture.")
@json_option
@click.pass_context
def check(
    ctx: click.Context,
    /,
    config: Path | None,
    sets: tuple[str, ...],
    no_picture: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Check settings, horde, key, name and backend of this machine's worker, and make a picture.

    \b
    ✓ is well · ! works, but look at it · ✗ keeps it from working · ? cannot be told
    Exit codes: 0 it can work · 1 something keeps it from working
    """
    given = said(ctx, {"config": config, "sets": sets, **given})
    config, sets = given.pop("config"), given.pop("sets")
    findings = examine(given, sets, config, picture=not no_picture)
    found = list(findings) if as_json else list(shown(findings))
    works = not any(each.mark is Mark.BAD for each in found)
    if as_json:
        print_json(Report(works, found))
    if not works:
        raise Failure("", FAILED)  # the findings have said it


def shown(findings: Iterable[Finding]) -> Iterable[Finding]:
    """The same findings, each shown when it is there: some take their time."""
    for each in findings:
        out().print(
            f"{each.mark.value} {each.about.ljust(WIDTH)}{clean(each.words)}",
            style=STYLES[each.mark],
        )
        if each.mend:
            out().print(" " * (WIDTH + 2) + clean(each.mend))
        out().file.flush()
        yield each
