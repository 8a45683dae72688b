"""`ordu move`: take a whole horde from one database to another."""

import asyncio
import re
from contextlib import AsyncExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Self

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from ordu.cli.failures import WRONG_USAGE, Failure, extra
from ordu.settings import ServerSettings
from ordu.settings.setting import without_password

if TYPE_CHECKING:
    from ordu.images.store import Pictures
    from ordu.store.moving import End, Moved

ADDRESS = re.compile(r"sqlite:///(?!:memory:)[^?#]+|postgres(ql)?://\S+")


class Address(click.ParamType[str]):
    """Where a horde keeps its books, as `--database` of `ordu serve` has it."""

    name = "url"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The address as it is."""
        if not ADDRESS.fullmatch(value):
            self.fail(
                f"{without_password(value)} is neither sqlite:///PATH nor"
                " postgresql://USER:PASSWORD@HOST/NAME.",
                param,
                ctx,
            )
        return value


@click.command()
@click.option(
    "--from",
    "source",
    type=Address(),
    required=True,
    metavar="URL",
    envvar="ORDU_MOVE_FROM",
    help="Where the horde is, such as sqlite:///horde/horde.sqlite3; or ORDU_MOVE_FROM.",
)
@click.option(
    "--to",
    "target",
    type=Address(),
    required=True,
    metavar="URL",
    envvar="ORDU_MOVE_TO",
    help="An empty database for it, such as postgresql://ordu@db/horde; or ORDU_MOVE_TO.",
)
@click.option(
    "--images-from",
    metavar="URL",
    help="Also copy the pictures, from here: file:///FOLDER or s3://BUCKET/PREFIX.",
)
@click.option("--images-to", metavar="URL", help="Where the pictures are to be.")
def move(source: str, target: str, images_from: str | None, images_to: str | None) -> None:
    """Move a whole horde from one database to another.

    Either may be SQLite or PostgreSQL. Stop the horde's servers first. The move is one transaction:
    if it fails or is stopped, it has not happened, and the source stays as it is in any case. Both
    sides are compared before it counts. The file `secret` is not moved, and pictures only with
    --images-from and --images-to.

    \b
    Example: ordu move --from sqlite:///horde/horde.sqlite3 --to postgresql://ordu@db/horde
    """
    from ordu.cli.console import remarks

    if source == target:
        raise Failure("--from and --to are the same database.", WRONG_USAGE)
    if bool(images_from) != bool(images_to):
        raise Failure("Give both of --images-from and --images-to, or none.", WRONG_USAGE)
    with extra("server"):
        from ordu.store import moving
    if is_postgres(source) or is_postgres(target):
        with extra("server,postgres"):
            from ordu.store.moving import postgres  # noqa: F401 - says what is not installed
    try:
        with Board(remarks()) as board:
            work = moving_on(source, target, board, images_from, images_to)
            moved, pictures = asyncio.run(work)
    except moving.MoveError as error:
        raise Failure(str(error)) from error
    show(source, target, moved, pictures)


async def moving_on(
    source: str, target: str, board: "Board", images_from: str | None, images_to: str | None
) -> tuple["Moved", int | None]:
    """Open both ends, and move between them; it counts when this has ended.

    The pictures come last: without them nothing is to have happened.
    """
    async with AsyncExitStack() as stack:
        one = await entered(stack, source, "source")
        other = await entered(stack, target, "target")
        if is_postgres(source) or is_postgres(target):
            moved = await bridged_move(one, other, board)
        else:
            from ordu.store.moving import move

            moved = move(one, other, board)
        if not images_from or not images_to:
            return moved, None
        from ordu.images.moving import copy_pictures

        lie = await opened_pictures(stack, images_from, source)
        go = await opened_pictures(stack, images_to, target)
        return moved, await copy_pictures(lie, go)


async def bridged_move(source: "End", target: "End", board: "Board") -> "Moved":
    """Move where at least one end is a PostgreSQL database."""
    from ordu.store import reaching
    from ordu.store.bridge import bridged
    from ordu.store.moving import move

    try:
        return await bridged(lambda: move(source, target, board))
    except reaching.GIVEN_UP as error:
        why = reaching.in_words("", error)
        raise Failure(f"The move was given up and nothing was changed: {why}") from error


async def opened_pictures(stack: AsyncExitStack, url: str, database: str) -> "Pictures":
    """The place of pictures beside a database, until the stack is left."""
    from ordu.engine.clock import SystemClock
    from ordu.images.store import open_store

    try:
        pictures = open_store(url, SystemClock().now, is_shared=is_postgres(database))
        stack.callback(pictures.close)
        await pictures.check()
    except ValueError as error:
        raise Failure(f"{without_password(url)}: {error}", WRONG_USAGE) from error
    return pictures


async def entered(stack: AsyncExitStack, url: str, side: str) -> "End":
    """The `source` or the `target` of a move, until the stack is left."""
    if not is_postgres(url):
        from ordu.store.moving import sqlite

        of_file = {"source": sqlite.source, "target": sqlite.target}[side]
        return stack.enter_context(of_file(ServerSettings(database=url).database_path()))
    from ordu.store import reaching
    from ordu.store.moving import postgres

    of_server = {"source": postgres.source, "target": postgres.target}[side]
    try:
        return await stack.enter_async_context(of_server(url))
    except reaching.CANNOT_BE_USED as error:
        raise Failure(reaching.why_not(url, error)) from error


def is_postgres(url: str) -> bool:
    """Whether this is the address of a PostgreSQL database."""
    return ServerSettings(database=url).is_postgres


class Board:
    """How far a move is: a bar on a terminal, else a line for each table that is begun, or none."""

    def __init__(self, console: Console, *, with_lines: bool = True) -> None:
        self.console = console
        self.with_lines = with_lines
        self.bars = Progress(
            TextColumn("  {task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.completed:,} of {task.total:,}", markup=False),
            TimeElapsedColumn(),
            console=console,
            disable=not console.is_terminal,
            transient=True,
        )
        self.bar = self.bars.add_task("reading the source", total=0)

    def __enter__(self) -> Self:
        self.bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.bars.stop()

    def begin(self, step: str, table: str, rows: int) -> None:
        """It is copying or comparing so many rows of this table now."""
        what = f"{step} {table}"
        self.bars.reset(self.bar, description=what, total=rows)
        if self.with_lines and not self.console.is_terminal and rows:
            many = "row" if rows == 1 else "rows"
            self.console.print(f"  {what}: {rows:,} {many}")

    def advance(self, rows: int) -> None:
        """So many more of them are done."""
        self.bars.advance(self.bar, rows)


def show(source: str, target: str, moved: "Moved", pictures: int | None) -> None:
    """Say what was done, and what is to be done next."""
    from ordu.cli.console import clean, label, ordu, out

    console = out()
    shown = without_password(target)
    console.print(f"Moved {without_password(source)} to {shown}", style="bold green")
    width = max(map(len, moved.rows)) + 2
    for table, rows in moved.rows.items():
        console.print(label(table, f"{rows:,}", width))
    console.print(
        f"All {sum(moved.rows.values()):,} rows arrived as they were. The books are in order on"
        f" both sides: {moved.entries:,} entries, and the same totals for each of {moved.users:,}"
        " users."
    )
    if moved.left:
        console.print(f"Not a horde's, and left behind: {clean(', '.join(moved.left))}")
    if pictures is not None:
        console.print(f"Pictures copied: {pictures:,}.")
    console.print(
        "What is to be done next:\n"
        f"  1. Start the servers with --database '{shown}'\n"
        "     and the same secret: the file `secret` of the data folder, or ORDU_SECRET.\n"
        "     --images says where pictures are.\n"
        f"  2. Prove the books there: {ordu()} audit --database '{shown}'\n"
        "  3. Keep the old database as a backup, and start no server on it any more."
    )
