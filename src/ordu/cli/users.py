"""`ordu users …`: users of the horde on this machine, also while its server runs."""

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from ordu.cli.failures import extra
from ordu.cli.here import WHERE, database_here
from ordu.cli.options import SettingsCommand, read_options, setting_options
from ordu.settings import ServerSettings

if TYPE_CHECKING:
    from ordu.engine.accounts import Newcomer


@click.group()
def users() -> None:
    """Create users of the horde on this machine.

    It works on the horde's data folder, with or without a running server. Over the network people
    register at the horde's web page or by POST /register.
    """


@users.command(cls=SettingsCommand)
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print the user as JSON.")
@setting_options(ServerSettings, only=WHERE)
def create(config: Path | None, name: str, as_json: bool, **given: Any) -> None:
    """Create a user called NAME and print the key, this once."""
    from ordu.rules import names

    settings = read_options(ServerSettings, given, config).values
    database_here(settings)
    newcomer = asyncio.run(register(settings, name))
    user = newcomer.user
    alias = names.alias(user.username, user.id)
    if as_json:
        facts = {"username": alias, "id": user.id, "api_key": newcomer.api_key}
        click.echo(json.dumps(facts, ensure_ascii=False))
        return
    show(alias, newcomer.api_key)


async def register(settings: ServerSettings, name: str) -> "Newcomer":
    """Add the user to the database."""
    with extra("server"):
        from ordu.engine import accounts
        from ordu.server.run import open_horde

    # Only the user is to be added: neither the schema nor the administrator's key is touched.
    settings = msgspec.structs.replace(settings, migrate=False, admin_key="")
    async with open_horde(settings, settings.public_url_at(settings.port)) as opened:
        api_key = opened.horde.fresh.key()
        return await accounts.register(opened.horde, name, api_key, opened.secret.hash_of(api_key))


def show(alias: str, api_key: str) -> None:
    """Show the new user to a person."""
    from ordu.cli.console import clean, out

    out().print(f"{clean(alias)} has the key\n\n    {api_key}\n\nKeep it: it is shown only now.")
