"""`ordu workers …`: look at the workers of a horde, change and delete them."""

from typing import Any
from uuid import UUID

import click
from rich.box import SIMPLE_HEAD
from rich.table import Table

from ordu.cli.asking import (
    Asker,
    amount,
    horde_options,
    reason_option,
    show_facts,
    watch_option,
)
from ordu.cli.changing import Changeable
from ordu.cli.console import clean, out
from ordu.cli.options import SettingsCommand
from ordu.cli.sure import check_can_ask, confirm
from ordu.client import Horde
from ordu.client.wire import known
from ordu.protocol.workers import DeletedWorker, PutWorkerSingleRequest, WorkerDetailsStable

CHANGEABLE = Changeable(
    PutWorkerSingleRequest,
    without=frozenset({"team"}),  # there are none yet
    called={"maintenance_msg": "message"},
)


@click.group()
def workers() -> None:
    """Look at the workers of a horde, change and delete them.

    A worker is named by its id or its name. Owners may change and delete their own workers,
    moderators may change all.
    """


@workers.command("list", cls=SettingsCommand)
@click.option("--name", metavar="TEXT", help="Only the worker of this name.")
@click.option(
    "--type",
    "kind",
    type=click.Choice(["image", "text", "interrogation"]),
    help="Only workers that make this.",
)
@watch_option
@horde_options
def list_workers(asker: Asker, name: str | None, kind: str | None) -> None:
    """List the workers that are online.

    \b
    Examples: ordu workers list --type image
              ordu workers list --watch 10
    """
    asker.answer(lambda horde: horde.get_workers(name=name, type=kind), show_workers)


def show_workers(found: list[WorkerDetailsStable]) -> None:
    """Show workers as a table."""
    if not found:
        out().print("No such worker is online.")
        return
    table = Table(box=SIMPLE_HEAD)
    table.add_column("id", no_wrap=True, min_width=36)  # whole, to be copied
    for title in ("worker", "state", "kudos", "models"):
        table.add_column(title, overflow="fold")
    for each in found:
        table.add_row(
            clean(known(each.id, "")),
            clean(known(each.name, "")),
            state_of(each),
            amount(known(each.kudos_rewards, 0.0)),
            clean(", ".join(known(each.models, []))),
        )
    out().print(table)


def state_of(worker: WorkerDetailsStable) -> str:
    """Whether a worker takes jobs, in a word."""
    if worker.paused is True:
        return "paused"
    return "maintenance" if worker.maintenance_mode is True else "working"


@workers.command(cls=SettingsCommand)
@click.argument("worker")
@watch_option
@horde_options
def show(asker: Asker, worker: str) -> None:
    """Show WORKER, online or not.

    \b
    Example: ordu workers show attic
    """
    asker.answer(lambda horde: find(horde, worker), show_facts)


@workers.command(cls=SettingsCommand)
@click.argument("worker")
@CHANGEABLE.options
@horde_options
def edit(asker: Asker, worker: str, **given: Any) -> None:
    """Change something about WORKER and print what was changed.

    \b
    Example: ordu workers edit attic --maintenance --message "Back on Monday"
    """
    change = CHANGEABLE.read(given)
    with asker.horde() as horde:
        changed = horde.put_worker_single(id_of(horde, worker), change)
    asker.tell(changed, show_facts)


@workers.command(cls=SettingsCommand)
@click.argument("worker")
@click.option("--yes", is_flag=True, help="Do not ask first.")
@reason_option
@horde_options
def delete(asker: Asker, worker: str, yes: bool, reason: str | None) -> None:
    """Delete WORKER and its statistics, for good.

    It asks first; where there is nobody to ask, as in a script, it wants --yes.

    \b
    Example: ordu workers delete attic --yes
    """
    check_can_ask("worker", yes=yes)
    with asker.horde() as horde:
        if yes:
            worker_id = id_of(horde, worker)
        else:
            found = find(horde, worker)
            worker_id = known(found.id, "")
            confirm(question_about(found))
        deleted = horde.delete_worker_single(worker_id, reason=reason)
    asker.tell(deleted, show_deleted)


def question_about(worker: WorkerDetailsStable) -> str:
    """What a person is asked before this worker is deleted."""
    name, made = clean(known(worker.name, "")), known(worker.requests_fulfilled, 0)
    return f"Delete {name}, which made {made} pictures, for good?"


def show_deleted(deleted: DeletedWorker) -> None:
    """Show which worker was deleted."""
    name, worker_id = known(deleted.deleted_name, ""), known(deleted.deleted_id, "")
    out().print(f"{clean(name)} ({clean(worker_id)}) is deleted.")


def find(horde: Horde, worker: str) -> WorkerDetailsStable:
    """The worker of this id or name."""
    if is_id(worker):
        return horde.get_worker_single(worker)
    return horde.get_worker_single_name(worker)


def id_of(horde: Horde, worker: str) -> str:
    """The id of the worker of this id or name."""
    return worker if is_id(worker) else known(horde.get_worker_single_name(worker).id, "")


def is_id(worker: str) -> bool:
    """Whether this is a worker's id and no name."""
    try:
        return str(UUID(worker)) == worker.lower()
    except ValueError:
        return False
