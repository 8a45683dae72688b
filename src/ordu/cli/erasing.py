"""`ordu users export` and `ordu users erase`: one person's data, for a request by mail.

They work on the horde of this machine, also while its server runs.
"""

import asyncio
import os
import re
from pathlib import Path
from typing import Any

import click
import msgspec

from ordu.cli.failures import Failure, extra
from ordu.cli.here import WHERE, horde_here
from ordu.cli.options import SettingsCommand, read_options, setting_options
from ordu.cli.sure import check_can_ask, confirm
from ordu.settings import ServerSettings

PLACES = (*WHERE, "images", "public_url")


@click.command(cls=SettingsCommand)
@click.argument("user")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write it here, for you alone to read, instead of printing it.",
)
@setting_options(ServerSettings, only=PLACES)
def export(config: Path | None, user: str, out: Path | None, **given: Any) -> None:
    """Write down everything that the horde on this machine keeps of USER, as JSON.

    USER is name#17 or 17. Links to pictures in it work for as long as links do.

    \b
    Example: ordu users export ferris#17 --out ferris.json
    """
    settings = read_options(ServerSettings, given, config).values
    horde_here(settings)
    document = asyncio.run(exported(settings, number_of(user)))
    if out is None:
        click.echo(document.decode(), nl=False)
        return
    descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "wb") as file:  # noqa: PTH123 - of a descriptor
        file.write(document)
    click.echo(f"{out} has everything that is kept of user {number_of(user)}.", err=True)


async def exported(settings: ServerSettings, number: int) -> bytes:
    """The document."""
    with extra("server"):
        from ordu.rules.money import UserId
        from ordu.server.exports import document
        from ordu.server.run import open_horde
        from ordu.store import users as stored

    settings = as_a_guest(settings)
    async with open_horde(settings, settings.public_url_at(settings.port)) as opened:
        user = await opened.horde.read(lambda tx: stored.known(tx, UserId(number)))
        if user is None:
            raise Failure(f"There is no user with the id {number}.")
        return b"".join([piece async for piece in document(opened.horde, user)])


@click.command(cls=SettingsCommand)
@click.argument("user")
@click.option("--yes", is_flag=True, help="Do not ask first.")
@setting_options(ServerSettings, only=PLACES)
def erase(config: Path | None, user: str, yes: bool, **given: Any) -> None:
    """Erase USER from the horde on this machine, at once and for good.

    USER is name#17 or 17. Name, words, key, workers, requests and pictures go; the number and the
    movements of kudos stay, for the books must add up. Backups that were made before still have
    it all. It asks first; where there is nobody to ask, as in a script, it wants --yes.

    \b
    Example: ordu users erase ferris#17
    """
    number = number_of(user)
    check_can_ask("account", yes=yes)
    settings = read_options(ServerSettings, given, config).values
    horde_here(settings)
    if not yes:
        confirm(f"Erase user {number} for good, without thirty days to think it over?")
    asyncio.run(erased(settings, number))
    click.echo(f"Nothing is left of user {number} but the number and the movements of kudos.")


async def erased(settings: ServerSettings, number: int) -> None:
    """Have it done."""
    with extra("server"):
        from ordu.engine import acts, leaving
        from ordu.rules.money import UserId
        from ordu.server.run import open_horde

    settings = as_a_guest(settings)
    async with open_horde(settings, settings.public_url_at(settings.port)) as opened:
        await leaving.erase(opened.horde, UserId(number), acts.by_machine("ordu users erase"))


def as_a_guest(settings: ServerSettings) -> ServerSettings:
    """The same, touching neither the schema nor the administrator's key."""
    return msgspec.structs.replace(settings, migrate=False, admin_key="")


def number_of(user: str) -> int:
    """The number of a user who is named as name#17 or 17."""
    found = re.fullmatch(r"(?:.*#)?([0-9]{1,15})", user, re.DOTALL)
    if found is None:
        raise click.UsageError(f"A user is named as name#17 or 17, not {user!r}.")
    return int(found[1])
