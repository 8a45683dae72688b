"""`ordu users …`: make users on this machine; look at and change those of any horde.

`create` works on the data folder, also while its server runs, as do `export` and `erase`
(`cli.erasing`); the others ask over the network.
"""

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ordu.cli.asking import (
    Asker,
    amount,
    horde_options,
    reason_option,
    show_facts,
    watch_option,
)
from ordu.cli.changing import Changeable
from ordu.cli.erasing import as_a_guest, erase, export, number_of
from ordu.cli.failures import extra
from ordu.cli.here import WHERE, horde_here
from ordu.cli.options import SettingsCommand, read_options, setting_options
from ordu.cli.sure import check_can_ask, confirm
from ordu.client import Horde
from ordu.client.wire import known
from ordu.protocol.users import PutUserSingleRequest, UserDetailsStable
from ordu.settings import ServerSettings

if TYPE_CHECKING:
    from ordu.engine.accounts import Newcomer


# Without: the other era's name of `worker_invited`, a field that nobody reads, and one that a horde
# of this kind always refuses.
CHANGEABLE = Changeable(
    PutUserSingleRequest,
    without=frozenset({"worker_invite", "filtered", "generate_proxy_passkey"}),
    only_on=frozenset({"reset_suspicion", "undelete"}),
    told={"worker_invited": "(Mods only) How many workers this user may add by invitation."},
)


@click.group()
def users() -> None:
    """Make users, look at them and change them.

    `create`, `export` and `erase` work on the data folder of the horde on this machine, with or
    without a running server. The others ask a horde over the network; how much it tells and lets
    you change depends on the key.
    """


users.add_command(export)
users.add_command(erase)


@users.command(cls=SettingsCommand)
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print the user as JSON.")
@setting_options(ServerSettings, only=WHERE)
def create(config: Path | None, name: str, as_json: bool, **given: Any) -> None:
    """Create a user called NAME and print the key.

    The key is shown this once. It works on the horde of this machine, also while its server runs.
    Over the network people register at the horde's web page or by POST /register.

    \b
    Example: ordu users create ferris
    """
    from ordu.rules import names

    settings = read_options(ServerSettings, given, config).values
    horde_here(settings)
    newcomer = asyncio.run(register(settings, name))
    user = newcomer.user
    alias = names.alias(user.username, user.id)
    if as_json:
        facts = {"username": alias, "id": user.id, "api_key": newcomer.api_key}
        click.echo(json.dumps(facts, ensure_ascii=False))
        return
    show_key(alias, newcomer.api_key)


async def register(settings: ServerSettings, name: str) -> "Newcomer":
    """Add the user to the database."""
    with extra("server"):
        from ordu.engine import accounts, acts
        from ordu.server.run import open_horde

    settings = as_a_guest(settings)
    async with open_horde(settings, settings.public_url_at(settings.port)) as opened:
        api_key = opened.horde.fresh.key()
        key_hash = opened.secret.hash_of(api_key)
        by = acts.by_machine("ordu users create")
        return await accounts.register(opened.horde, name, api_key, key_hash, by=by)


def show_key(alias: str, api_key: str) -> None:
    """Show the new user to a person."""
    from ordu.cli.console import clean, out

    out().print(f"{clean(alias)} has the key\n\n    {api_key}\n\nKeep it: it is shown only now.")


@users.command("list", cls=SettingsCommand)
@click.option("--page", type=click.IntRange(1), metavar="NUMBER", help="Which page. [1]")
@click.option(
    "--sort",
    type=click.Choice(["kudos", "age"]),
    help="Most kudos first, or the oldest account. [kudos]",
)
@click.option("--name", metavar="TEXT", help="Only those whose names begin like this.")
@horde_options
def list_users(asker: Asker, page: int | None, sort: str | None, name: str | None) -> None:
    """List the users of a horde, a page at a time.

    \b
    Examples: ordu users list --sort age --page 2
              ordu users list --name fer
    """
    with asker.horde() as horde:
        found = horde.get_users(page=page, sort=sort, name=name)
    asker.tell(found, show_users)


def show_users(found: list[UserDetailsStable]) -> None:
    """Show users as a table."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    from ordu.cli.console import clean, out

    if not found:
        out().print("No users are on this page.")
        return
    table = Table("user", "kudos", "trusted", "workers", "requests", box=SIMPLE_HEAD)
    for each in found:
        usage = known(each.usage, None)
        table.add_row(
            clean(known(each.username, "")),
            amount(known(each.kudos, 0.0)),
            "yes" if each.trusted is True else "",
            str(known(each.worker_count, 0)),
            str(known(usage.requests, 0) if usage else 0),
        )
    out().print(table)


@users.command(cls=SettingsCommand)
@click.argument("user", required=False)
@watch_option
@horde_options
def show(asker: Asker, user: str | None) -> None:
    """Show USER or the owner of the key.

    USER is name#17 or 17.

    \b
    Example: ordu users show ferris#17
    """
    number = number_of(user) if user else None

    def ask(horde: Horde) -> UserDetailsStable:
        return horde.get_find_user() if number is None else horde.get_user_single(number)

    asker.answer(ask, show_facts)


@users.command(cls=SettingsCommand)
@click.argument("user")
@CHANGEABLE.options
@horde_options
def edit(asker: Asker, user: str, **given: Any) -> None:
    """Change something about USER.

    USER is name#17 or 17; what was changed is printed. Some of it anybody may change about
    themselves, the rest needs the key of a moderator or administrator.

    \b
    Example: ordu users edit ferris#17 --trusted --concurrency 60
    """
    number, change = number_of(user), CHANGEABLE.read(given)
    with asker.horde() as horde:
        changed = horde.put_user_single(number, change)
    asker.tell(changed, show_facts)


@users.command(cls=SettingsCommand)
@click.argument("user")
@click.option("--yes", is_flag=True, help="Do not ask first.")
@reason_option
@horde_options
def delete(asker: Asker, user: str, yes: bool, reason: str | None) -> None:
    """Delete the account of USER.

    USER is name#17 or 17. A deleted account can do nothing; for 30 days `ordu users edit USER
    --undelete` restores it, then it is wiped. It asks first; where there is nobody to ask, as in a
    script, it wants --yes.

    \b
    Example: ordu users delete ferris#17 --yes
    """
    number = number_of(user)
    check_can_ask("account", yes=yes)
    with asker.horde() as horde:
        if not yes:
            confirm(question_about(horde.get_user_single(number)))
        deleted = horde.delete_user_single(number, reason=reason)
    asker.tell(deleted, lambda _: show_deleted(number))


def question_about(user: UserDetailsStable) -> str:
    """What a person is asked before this account is deleted."""
    from ordu.cli.console import clean

    name, kudos = clean(known(user.username, "")), amount(known(user.kudos, 0.0))
    again = ", which is deleted, for good" if user.deleted is True else ""
    return f"Delete the account {name}, which has {kudos} kudos{again}?"


def show_deleted(number: int) -> None:
    """Show what became of the account."""
    from ordu.cli.console import out

    out().print(
        f"User {number} is deleted. To restore the account within 30 days: "
        f"ordu users edit {number} --undelete"
    )
