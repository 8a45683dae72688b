"""`ordu simulate`: lives of a simulated horde in which much goes wrong, and what broke."""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from ordu.cli.console import remarks
from ordu.cli.failures import FAILED, WRONG_USAGE, Failure, extra

if TYPE_CHECKING:
    from ordu.simulation.run import Report

SAID_EVERY = 500  # seeds, where progress is no moving bar


@click.command()
@click.option("--seeds", type=click.IntRange(1), default=200, show_default=True, metavar="N")
@click.option("--from", "first", type=click.IntRange(0), default=0, help="The first seed.")
@click.option(
    "--steps",
    type=click.IntRange(1, 100_000),
    default=50,
    show_default=True,
    help="Calls that are made in each while faults strike.",
)
@click.option(
    "--processes",
    type=click.IntRange(1, 4),
    default=1,
    show_default=True,
    metavar="N",
    help="Servers that share one database; with several, the rules of PostgreSQL hold.",
)
@click.option(
    "--database",
    default="",
    metavar="URL",
    help="A PostgreSQL that runs the statements, in a schema of its own that is dropped again.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def simulate(
    seeds: int, first: int, steps: int, processes: int, database: str, as_json: bool
) -> None:
    """Live through simulated hordes and look for a broken promise.

    Each seed is one: the real queue, books and store, with people, workers, a network and a disk
    that the seed decides about. Nothing is read or written on this machine. It stops at the first
    seed in which an invariant breaks, tells what happened, and how to see it again.
    """
    with extra("server"):
        from ordu.simulation.run import run_seeds
    if database and not database.startswith(("postgresql://", "postgres://")):
        raise Failure("--database takes the address of a PostgreSQL: postgresql://….", WRONG_USAGE)
    with counting(seeds) as progress, driver(needed=processes > 1 or bool(database)):
        report = run_seeds(
            range(first, first + seeds),
            steps,
            processes=processes,
            database=database,
            progress=progress,
        )
    if as_json:
        click.echo(json.dumps(facts(report), indent=2, ensure_ascii=False))
    else:
        click.echo("\n".join(in_words(report)))
    if report.failures:
        raise Failure("" if as_json else "a promise was broken.", FAILED)


@contextmanager
def driver(*, needed: bool) -> Iterator[None]:
    """Say what to do where the driver of PostgreSQL is missing, or cannot reach its server."""
    if not needed:
        yield
        return
    with extra("server,postgres"):
        from ordu.store.postgres import UNREACHABLE
    try:
        yield
    except UNREACHABLE as error:
        raise Failure(f"The database cannot be used: {error or type(error).__name__}.") from error


@contextmanager
def counting(seeds: int) -> Iterator[Any]:
    """Tell how many seeds are done: as a bar on a terminal, else a line now and then."""
    if not sys.stderr.isatty():

        def say(report: "Report") -> None:
            if report.seeds % SAID_EVERY == 0:
                remarks().print(f"{report.seeds} of {seeds} seeds")

        yield say
        return
    from rich.progress import Progress

    with Progress(console=remarks()) as bars:
        task = bars.add_task("seeds", total=seeds)
        yield lambda report: bars.update(task, completed=report.seeds)


def facts(report: "Report") -> Mapping[str, Any]:
    """A report for programs."""
    return {
        "seeds": report.seeds,
        "steps": report.steps,
        "events": report.events,
        "calls": report.calls,
        "commits": report.commits,
        "server_starts": report.lives,
        "simulated_s": round(report.simulated_s),
        "seconds": round(report.seconds, 2),
        "slowest_seed": report.slowest_seed,
        "slowest_s": round(report.slowest_s, 3),
        "outcome": dict(report.outcome.most_common()),
        "faults": {str(fault): many for fault, many in report.faults.most_common()},
        "checked": {str(invariant): many for invariant, many in report.checked.most_common()},
        "failures": [
            {
                "seed": failure.seed,
                "invariant": str(failure.invariant),
                "wrong": failure.wrong,
                "story": failure.story,
                "command": failure.command,
            }
            for failure in report.failures
        ],
    }


def in_words(report: "Report") -> Iterator[str]:
    """A report for people."""
    for failure in report.failures:
        yield f"Seed {failure.seed}:"
        yield from failure.story
        yield f"Broken: {failure.invariant}."
        yield from (f"  {line}" for line in failure.wrong)
        yield f"See it again with: {failure.command}"
        yield ""
    pace = report.seeds / report.seconds if report.seconds else 0.0
    yield f"{report.seeds:,} seeds of {report.steps} calls under faults, {pace:.0f} a second"
    yield (
        f"  {report.events:,} events, {report.calls:,} calls served, {report.commits:,} commits,"
        f" {report.lives:,} starts of the server, {report.simulated_s / 86_400:.1f} days lived"
    )
    yield f"  slowest: seed {report.slowest_seed}, {report.slowest_s:.2f} s"
    yield "What came of it"
    yield from (f"  {many:>9,}  {what}" for what, many in report.outcome.most_common())
    yield "What went wrong"
    yield from (f"  {many:>9,}  {fault}" for fault, many in report.faults.most_common())
    yield "What was checked"
    yield from (f"  {many:>9,}  {what}" for what, many in report.checked.most_common())
