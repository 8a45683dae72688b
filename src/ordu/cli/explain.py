"""`ordu explain`: why a request waits or a worker gets no work, and what would help."""

from typing import TypeAlias

import click
from msgspec import UnsetType
from rich.box import SIMPLE_HEAD
from rich.table import Table

from ordu.cli.asking import Asker, amount, horde_options, watch_option
from ordu.cli.console import clean, label, out
from ordu.cli.failures import Failure
from ordu.cli.options import SettingsCommand
from ordu.cli.workers import id_of, is_id
from ordu.client import Horde
from ordu.client.errors import HordeError
from ordu.client.wire import known
from ordu.protocol.explanations import (
    ChangeThatHelps,
    DemandedModel,
    RequestExplanation,
    WorkerExplanation,
)

WIDTH = 13  # of what stands in front of a line
MINUTE_S, HOUR_S = 60, 3600


Explanation: TypeAlias = RequestExplanation | WorkerExplanation


@click.command(cls=SettingsCommand)
@click.argument("id", required=False)
@click.option("--worker", metavar="WORKER", help="Explain this worker, by its name or id.")
@watch_option
@horde_options
def explain(asker: Asker, id: str | None, worker: str | None) -> None:  # noqa: A002 - as it is called
    """Say why a request waits, or why a worker gets no work, and what would help.

    ID is that of a request or of a worker, or a worker's name. Anybody who knows the id of a
    request may ask. The owner of a worker and moderators are told more about it.

    \b
    Example: ordu explain 0199c82c-c000-7182-892f-902bd23f0824
    Example: ordu explain --worker attic
    """
    if (id is None) == (worker is None):
        raise click.UsageError("Say what to explain: ID, or --worker WORKER.")
    asker.answer(
        lambda horde: of_worker(horde, worker) if worker else of_anything(horde, id or ""), show
    )


def show(found: Explanation) -> None:
    """Show why, of whichever it is."""
    if isinstance(found, RequestExplanation):
        show_request(found)
    else:
        show_worker(found)


def of_anything(horde: Horde, id_or_name: str) -> Explanation:
    """The request of this id, or the worker of this id or name."""
    if not is_id(id_or_name):
        return of_worker(horde, id_or_name)
    try:
        return horde.get_async_explain(id_or_name)
    except HordeError as error:
        check_explains(error)
        if error.rc != "RequestNotFound":
            raise
    try:
        return of_worker(horde, id_or_name)
    except HordeError as error:
        if error.rc != "WorkerNotFound":
            raise
        raise Failure(
            f"This horde has neither a request nor a worker with the id {id_or_name}. A request "
            "that is over is kept for a while only."
        ) from error


def of_worker(horde: Horde, worker: str) -> Explanation:
    """The worker of this id or name."""
    worker_id = id_of(horde, worker)
    try:
        return horde.get_worker_explain(worker_id)
    except HordeError as error:
        check_explains(error)
        raise


def check_explains(error: HordeError) -> None:
    """Say so when a horde does not know the operation at all."""
    if error.status in {404, 405} and error.rc not in {"RequestNotFound", "WorkerNotFound"}:
        raise Failure("This horde explains nothing: it is none that Ordu runs.") from error


# A request


def show_request(found: RequestExplanation) -> None:
    """Show why a request waits."""
    console = out()
    state = clean(known(found.state, ""))
    console.print(f"{state[:1].upper()}{state[1:]}", style="bold")
    console.print(f"  {clean(known(found.text, ''))}")
    console.print()
    if known(found.waiting, 0):
        console.print(label("place", place_of(found), WIDTH))
        before = f"{known(found.jobs_before, 0):,} pictures"
        work = amount(known(found.megapixelsteps_before, 0.0))
        console.print(label("before it", f"{before}, {work} megapixelsteps", WIDTH))
    counts = (found.workers_online, found.workers_able, found.workers_free)
    online, able, free = (known(each, 0) for each in counts)
    text = f"{online} online, {able} could serve it, {free} of these free"
    console.print(label("workers", text, WIDTH))
    show_reasons("passed over", [known(each.text, "") for each in known(found.why_not, [])])
    changes = known(found.changes, [])
    if changes:
        console.print(changes_table(changes))


def place_of(request: RequestExplanation) -> str:
    """Where a request stands and when it is drawn, or how long it is kept."""
    place, until = known(request.queue_position, 0), moment(request.wait_time)
    if known(request.starts_in, None) is None:
        return f"{place}; dropped {until} unless a worker comes that can serve it"
    return f"{place}; next picture {moment(request.starts_in)}, done {until}"


def changes_table(changes: list[ChangeThatHelps]) -> Table:
    """What would start it sooner."""
    table = Table(box=SIMPLE_HEAD)
    table.add_column("to start sooner, place it anew", overflow="fold", min_width=30)
    for title in ("workers", "starts", "done"):
        table.add_column(title, no_wrap=True)
    for each in changes:
        more = known(each.workers_more, 0)
        table.add_row(
            clean(known(each.text, "")),
            f"{known(each.workers, 0)} ({more:+d})",
            moment(each.starts_in),
            moment(each.wait_time),
        )
    return table


def moment(seconds: int | UnsetType | None) -> str:
    """When something is, in words."""
    many = known(seconds, None)
    if many is None:
        return "nobody knows when"
    if many <= 0:
        return "at once"
    if many < 2 * MINUTE_S:
        return f"in about {many} s"
    if many < 2 * HOUR_S:
        return f"in about {round(many / MINUTE_S)} min"
    return f"in about {round(many / HOUR_S)} h"


# A worker


def show_worker(found: WorkerExplanation) -> None:
    """Show why a worker gets no work."""
    console = out()
    console.print(clean(known(found.name, "")), style="bold")
    console.print(f"  {clean(known(found.text, ''))}")
    console.print()
    console.print(label("state", state_of(found), WIDTH))
    could = f"{known(found.could_serve, 0):,} of {known(found.waiting_requests, 0):,} requests"
    work = f"{known(found.jobs, 0):,} pictures, {amount(known(found.megapixelsteps, 0.0))}"
    console.print(label("could serve", f"{could}: {work} megapixelsteps", WIDTH))
    rivals = known(found.competitors, 0)
    place = f"{known(found.place, 0)} of {rivals + 1} by speed" if rivals else "without competitors"
    console.print(label("place", place, WIDTH))
    show_reasons("not given", [known(each.text, "") for each in known(found.skipped, [])])
    demand = known(found.demand, [])
    if demand:
        console.print(demand_table(demand))


def state_of(worker: WorkerExplanation) -> str:
    """Where a worker is, in a few words."""
    states = {
        "away": worker.online is False,
        "paused": worker.paused is True,
        "in maintenance": worker.maintenance_mode is True,
    }
    state = ", ".join(name for name, is_so in states.items() if is_so) or "working"
    at_work = known(worker.processing, None)
    threads = known(worker.threads, 1)
    return state if at_work is None else f"{state}, at {at_work} of {threads} pictures at once"


def demand_table(demand: list[DemandedModel]) -> Table:
    """What is in demand, and what it would earn."""
    table = Table(box=SIMPLE_HEAD)
    table.add_column("model", overflow="fold")
    for title in ("offered", "waiting", "megapixelsteps", "workers", "kudos per hour"):
        table.add_column(title, justify="right" if title != "offered" else "left")
    for each in demand:
        table.add_row(
            clean(known(each.name, "")),
            "yes" if each.offered is True else "no",
            f"{known(each.jobs, 0):,}",
            amount(known(each.megapixelsteps, 0.0)),
            f"{known(each.workers, 0):,}",
            amount(known(each.kudos_per_hour, 0.0)),
        )
    return table


def show_reasons(title: str, reasons: list[str]) -> None:
    """Show reasons, a line for each; `title` stands in front of the first."""
    for number, text in enumerate(reasons):
        out().print(label("" if number else title, clean(text), WIDTH))
