"""`ordu kudos …`: what one has, and moving some.

A call that moves kudos carries a fresh `Idempotency-Key`. When the connection breaks nobody knows
whether it arrived, so it is made again with the same key: the horde moves the kudos once.
"""

import time
import uuid
from collections.abc import Callable
from typing import TypeVar

import click
import msgspec
from msgspec import UNSET, UnsetType

from ordu.cli import failures
from ordu.cli.asking import Asker, amount, horde_options, show_facts, watch_option
from ordu.cli.console import clean, out
from ordu.cli.options import SettingsCommand
from ordu.client import BrokenHorde, Horde, Unreachable
from ordu.client.wire import known
from ordu.protocol.kudos import (
    KudosAwarded,
    KudosHistory,
    KudosMovement,
    KudosTransferred,
    PostAwardKudosRequest,
    PostTransferKudosRequest,
)
from ordu.protocol.users import MonthlyKudos, UserKudosDetails

T = TypeVar("T")

PAUSES_S = (0.2, 0.5, 1.0)  # before the second, third and fourth try


class Balance(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a user has, and where it came from."""

    username: str | UnsetType = UNSET
    kudos: float | UnsetType = UNSET
    evaluating_kudos: float | UnsetType | None = UNSET
    monthly_kudos: MonthlyKudos | UnsetType | None = UNSET
    kudos_details: UserKudosDetails | UnsetType = UNSET


def key_option(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command `--idempotency-key`."""
    return click.option(
        "--idempotency-key",
        metavar="TEXT",
        help="Make a call again whose answer was lost. [a new one for each call]",
    )(function)


@click.group()
def kudos() -> None:
    """Show your kudos and what moved, give some to others, award some as the administrator."""


@kudos.command(cls=SettingsCommand)
@watch_option
@horde_options
def show(asker: Asker) -> None:
    """Show the kudos of the key's owner and where they came from.

    \b
    Example: ordu kudos show --api-key YOUR-KEY
    """
    asker.answer(balance, show_facts)


def balance(horde: Horde) -> Balance:
    """What the key's owner has."""
    user = horde.get_find_user()
    return Balance(**{name: getattr(user, name) for name in Balance.__struct_fields__})


@kudos.command(cls=SettingsCommand)
@click.option(
    "--kind",
    type=click.Choice(["earned", "spent", "given", "received", "other"]),
    help="Only these. [all]",
)
@click.option("--limit", type=click.IntRange(1, 200), metavar="NUMBER", help="How many. [50]")
@click.option("--since", metavar="MOMENT", help="Only from then on, as 2026-11-26.")
@click.option("--until", metavar="MOMENT", help="Only before then.")
@horde_options
def history(
    asker: Asker, kind: str | None, limit: int | None, since: str | None, until: str | None
) -> None:
    """List what moved of your kudos, newest first.

    \b
    Example: ordu kudos history --kind earned --since 2026-11-01
    """
    with asker.horde() as horde:
        found = horde.get_kudos_history(kind=kind, limit=limit, since=since, until=until)
    asker.tell(found, show_history)


@kudos.command(cls=SettingsCommand)
@click.argument("user")
@click.argument("amount", type=click.IntRange(1, 2**63 - 1))
@key_option
@horde_options
def give(asker: Asker, user: str, amount: int, idempotency_key: str | None) -> None:
    """Give AMOUNT of your kudos to USER, named as name#17.

    When the connection breaks it is tried again with the same Idempotency-Key, so that a horde
    which knows those (every Ordu) moves the kudos once.

    \b
    Example: ordu kudos give ferris#17 250
    """
    body = PostTransferKudosRequest(username=user, amount=amount)
    with asker.horde() as horde:
        given = once(
            lambda key: horde.post_transfer_kudos(body, idempotency_key=key), idempotency_key
        )
    asker.tell(given, lambda it: show_given(it, user))


@kudos.command(cls=SettingsCommand)
@click.argument("user")
@click.argument("amount", type=click.IntRange(-(10**12), 10**12))
@key_option
@horde_options
def award(asker: Asker, user: str, amount: int, idempotency_key: str | None) -> None:
    """Award AMOUNT of kudos to USER.

    USER is name#17. It takes the administrator's key. A negative amount takes kudos away; a --
    before the two tells it from an option.

    \b
    Example: ordu kudos award ferris#17 1000
             ordu kudos award -- ferris#17 -50
    """
    body = PostAwardKudosRequest(username=user, amount=amount)
    with asker.horde() as horde:
        awarded = once(
            lambda key: horde.post_award_kudos(body, idempotency_key=key), idempotency_key
        )
    asker.tell(awarded, lambda it: show_awarded(it, user))


def show_history(found: KudosHistory) -> None:
    """Show movements as a table."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    movements = known(found.entries, [])
    if not movements:
        out().print("Nothing of that kind has moved.")
        return
    table = Table("when (UTC)", "what", box=SIMPLE_HEAD)
    for name in ("kudos", "balance"):
        table.add_column(name, justify="right")
    for each in movements:
        when = known(each.date, "")[:16].replace("T", " ")
        moved, balance = known(each.amount, 0.0), known(each.balance, 0.0)
        table.add_row(when, clean(what(each)), f"{moved:+,.2f}", f"{balance:,.2f}")
    out().print(table)


def what(movement: KudosMovement) -> str:
    """What a movement was, in a few words."""
    about = known(movement.about, None)
    parts = [known(movement.kind, ""), known(movement.action, "")]
    if about is not None:
        size = (known(about.width, None), known(about.height, None))
        parts += [known(about.user, ""), known(about.model, "")]
        parts += [f"{size[0]} × {size[1]}"] if size[0] and size[1] else []
    parts += [known(movement.worker_name, None) or ""]
    return ", ".join(part for part in dict.fromkeys(parts) if part)


def show_given(given: KudosTransferred, user: str) -> None:
    """Show what was given."""
    out().print(f"{clean(user)} was given {known(given.transferred, 0)} kudos.")


def show_awarded(awarded: KudosAwarded, user: str) -> None:
    """Show what was awarded."""
    out().print(f"{clean(user)} was awarded {amount(known(awarded.awarded, 0.0))} kudos.")


def once(move: Callable[[str], T], idempotency_key: str | None = None) -> T:
    """What the move answers; tried again with the same key when its answer is lost."""
    key = idempotency_key or str(uuid.uuid4())
    for pause_s in PAUSES_S:
        try:
            return move(key)
        except (Unreachable, BrokenHorde):
            time.sleep(pause_s)
    try:
        return move(key)
    except (Unreachable, BrokenHorde) as error:
        code = failures.UNREACHABLE if isinstance(error, Unreachable) else failures.FAILED
        raise failures.Failure(
            f"{failures.in_words(error)}\n  Whether the kudos moved is not known. The same command"
            f" with --idempotency-key {key} moves them once, whatever happened.",
            code,
        ) from error
