"""What was measured: figures, what they should be, and how they are told.

The goals and floors are those of the project's issue about speed. Machines differ, so a rate is
also held against the edge: bare routes of the same framework, measured in turns with it.
"""

import argparse
import statistics
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

import msgspec
from home import POSTGRES, SQLITE, place_of

RATE = "/s"


class Aim(msgspec.Struct, frozen=True):
    """What a figure should be, and what it must be at least."""

    goal: float
    floor: float
    share_of_edge: float = 0  # the least; 0 where there is no edge to compare with


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """Something measured several times."""

    name: str
    unit: str
    values: list[float]
    aim: Aim | None = None
    edge: list[float] = []  # calls a second of the bare routes, measured in turns with it
    series: str = ""  # the line of the plot it is a point of
    waiting: int = 0  # how long the queue was

    @property
    def median(self) -> float:
        """The middle one."""
        return statistics.median(self.values)

    @property
    def share(self) -> float:
        """How much of the edge's rate is left; 0 where there is no edge."""
        return self.median / statistics.median(self.edge) if self.edge else 0

    @property
    def verdict(self) -> str:
        """How it stands against its goal and floor."""
        if self.aim is None:
            return ""
        if not self.is_as_good_as(self.aim.floor):
            return "below the floor"
        if self.edge and self.share < self.aim.share_of_edge:
            return "floor, not of the edge"
        return "goal" if self.is_as_good_as(self.aim.goal) else "floor"

    def is_as_good_as(self, limit: float) -> bool:
        """Whether the median reaches this: rates are to be high, all else is to be low."""
        return self.median >= limit if self.unit == RATE else self.median <= limit


def told(value: float) -> str:
    """A value with as many digits as mean something."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def line(figure: Figure) -> str:
    """A figure on the terminal."""
    values = figure.values
    text = f"{figure.name:<64} {told(figure.median):>8} {figure.unit}"
    if len(values) > 1:
        text += f" ({told(min(values))} to {told(max(values))}, {len(values)} runs)"
    if figure.edge:
        text += (
            f", 1/{1 / figure.share:.1f} of the edge's {told(statistics.median(figure.edge))} calls"
        )
    return text + (f": {figure.verdict}" if figure.verdict else "")


def p50(values: list[float]) -> float:
    """The middle one."""
    return statistics.median(values)


def p99(values: list[float]) -> float:
    """The one that only a hundredth is above."""
    return statistics.quantiles(values, n=100)[98] if len(values) > 1 else values[0]


# The scripts


def options(what: str | None, *, connections: int = 20) -> ArgumentParser:
    """What every script can be told."""
    parser = ArgumentParser(description=what, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", help="measure this server; without it, one is started")
    parser.add_argument("--owner", action="append", help="key of an owner of workers; repeatable")
    parser.add_argument("--requester", action="append", help="key of a requester; repeatable")
    parser.add_argument("--workers-each", type=int, default=4, help="workers an owner may have")
    parser.add_argument("--pid", type=int, help="the server's process, for memory and CPU")
    add_database(parser)
    parser.add_argument("--processes", type=int, default=1, help="of the server that is started")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3, help="of one run")
    parser.add_argument("--connections", type=int, default=connections)
    parser.add_argument("--quick", action="store_true", help="only see whether it works")
    parser.add_argument("--figures", type=Path, help="write the figures into this file")
    return parser


def add_database(parser: ArgumentParser) -> None:
    """Let it be said where the server that is started keeps its books."""
    parser.add_argument(
        "--database",
        default=SQLITE,
        metavar=f"{SQLITE}|{POSTGRES}|URL",
        help="of the server that is started; postgres: one of its own, with durable commits;"
        " URL: a PostgreSQL server on which databases may be made",
    )


def check_database(database: str, processes: int) -> None:
    """End here when that is no database, or has no room for so many processes."""
    if database not in {SQLITE, POSTGRES} and not database.startswith("postgres"):
        sys.exit("Say --database sqlite, --database postgres, or --database postgresql://….")
    if processes > 1 and database == SQLITE:
        sys.exit("Several processes cannot share SQLite: say --database postgres.")


def read(parser: ArgumentParser) -> Namespace:
    """What this script was told."""
    given = parser.parse_args()
    check_database(given.database, given.processes)
    if given.url and (given.database, given.processes) != (SQLITE, 1):
        sys.exit("With --url, database and processes are those of that server: leave them out.")
    if given.quick:
        given.runs, given.seconds = 1, 0.2
    return given


def tell(given: Namespace, figures: list[Figure]) -> None:
    """Print the figures, each with where it was measured, and write them down when asked to."""
    place = place_of(given.database, given.processes)
    if place and not getattr(given, "many", None):  # else each of them says so itself
        figures = [msgspec.structs.replace(each, name=f"{each.name} ({place})") for each in figures]
    for figure in figures:
        print(line(figure), flush=True)
    if given.figures:
        given.figures.write_bytes(msgspec.json.encode(figures))
