"""`ordu demo`: a whole horde for a moment, from nothing to two pictures.

Nothing in it is pretended: server and worker are processes like anybody's, and the pictures are
asked for through the Python client. All of it lives in a temporary folder and leaves only pictures.
"""

import asyncio
import json
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import click
from rich.console import Console

from ordu.cli import interrupts
from ordu.cli.children import Child, clean_environment
from ordu.cli.console import label, ordu, out, remarks
from ordu.cli.failures import FAILED, Failure, extra, in_words
from ordu.cli.progress import Board
from ordu.cli.saving import slug
from ordu.client import AsyncHorde, HordeError, Picture, Progress
from ordu.client.wire import known
from ordu.protocol.registration import RegistrationInput

START_S_MAX = 60.0  # a slow machine with a cold disk
PICTURE_S_MAX = 120.0
POLL_S = 0.05

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Wish:
    """A picture the demo asks for."""

    prompt: str
    width: int
    height: int


WISHES = (Wish("dunes at sunset", 768, 512), Wish("island map, red and blue", 640, 640))


@dataclass
class Stage:
    """What the demo has started and what it tells."""

    folder: Path
    out: Path
    console: Console
    children: list[Child] = field(default_factory=list)

    def start(self, name: str, *arguments: str, **environment: str) -> Child:
        """Start a command of ours."""
        child = Child(name, list(arguments), clean_environment(**environment), self.folder)
        self.children.append(child)
        return child

    def stop(self) -> None:
        """Stop what was started, the last first."""
        for child in reversed(self.children):
            child.stop()

    def tell(self, what: str, began: float, more: str = "") -> None:
        """A line with the time that something took."""
        taken = f"{time.monotonic() - began:5.1f} s"
        self.console.print(label(what, f"{taken}   {more}".rstrip(), 26))


@click.command()
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("demo"),
    metavar="DIR",
    help="Where the pictures go. [demo]",
)
def demo(out: Path) -> None:
    """From nothing to two pictures, on this machine.

    Starts a server and a worker, asks for two pictures through the Python client, saves them, and
    stops everything. Needs nothing but this package and keeps nothing but the pictures.
    """
    with extra("server"):
        import uvicorn as _server  # noqa: F401 - only whether it is there
    with extra("worker"):
        import numpy as _worker  # noqa: F401 - only whether it is there
    out.mkdir(parents=True, exist_ok=True)
    interrupts.run(show(out))


async def show(folder: Path) -> None:
    """The whole demo, with everything taken away at the end."""
    console = out()
    console.print("A horde on this machine: one server, one worker, two pictures", style="bold")
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="ordu-demo-") as temporary:
        stage = Stage(Path(temporary), folder, console)
        with taken_down(stage):
            saved = await play(stage)
            stopping = time.monotonic()
            stage.stop()
            stage.tell("server and worker stopped", stopping)
    stage.tell("all of it", began)
    console.print("\nThe pictures:", style="bold")
    for path in saved:
        console.print(f"  {path}")
    console.print("\nTo keep a horde running:", style="bold")
    console.print(f"  make serve        or: {ordu()} serve --with-worker")
    console.print("  Its web page is then http://127.0.0.1:7001/")


@contextmanager
def taken_down(stage: Stage) -> Iterator[None]:
    """Whatever happens, stop what was started; of a failure show what the processes said."""
    try:
        yield
    except (HordeError, TimeoutError, OSError, Failure) as error:
        stage.stop()
        for child in stage.children:
            remarks().print(f"\n-- the last words of the {child.name} --", style="bold")
            remarks().print(child.tail() or "(none)")
        raise Failure(f"The demo failed: {in_words(error)}", FAILED) from error
    finally:
        stage.stop()


async def play(stage: Stage) -> list[Path]:
    """Start a horde and have two pictures made; returns where they lie."""
    began = time.monotonic()
    ready_file = stage.folder / "ready.json"
    stage.start(
        "server", "serve", "--port", "0", "--data", "horde", "--ready-file", ready_file.name
    )
    url = await until(stage, lambda: find_url(ready_file), "the server to be up")
    async with AsyncHorde(url) as horde:
        artist = await register(horde, "artist")
        stage.tell("server up", began, url)
        began = time.monotonic()
        friend = await register(horde, "friend")
        stage.start("worker", "worker", "--url", url, "--on-battery", "on", ORDU_API_KEY=friend)
        await until(stage, lambda: is_worker_in(horde), "the worker to come")
        stage.tell("worker in", began, "backend sketch: rules and words, no neural model")
        with Board(remarks()) as board:
            drawn = [draw(stage, horde, wish, artist, board.add(wish.prompt)) for wish in WISHES]
            results = await asyncio.gather(*drawn)
        for wish, path, seconds in results:
            size = f"{wish.width}×{wish.height}"
            stage.console.print(label(wish.prompt, f"{seconds:5.1f} s   {path}, {size}", 26))
        earned = known((await horde.get_find_user(friend)).kudos, 0.0)
        stage.console.print(label("the worker's owner has", f"{earned:g} kudos now", 26))
    return [path for _, path, _ in results]


async def until(stage: Stage, look: Callable[[], Awaitable[T | None]], what: str) -> T:
    """What a look finds, once it finds something, while all that was started lives."""
    deadline = time.monotonic() + START_S_MAX
    while True:
        found = await look()
        if found is not None:
            return found
        for child in stage.children:
            if not child.is_alive:
                code = child.process.returncode
                raise Failure(f"the {child.name} ended with exit code {code}.")
        if time.monotonic() > deadline:
            raise Failure(f"waited {START_S_MAX:.0f} s for {what}.")
        await asyncio.sleep(POLL_S)


async def find_url(ready_file: Path) -> str | None:
    """The address that the server wrote down, once it has."""
    return url_in(ready_file)


def url_in(ready_file: Path) -> str | None:
    """The address in the file, if the file is there."""
    try:
        return str(json.loads(ready_file.read_bytes())["url"])
    except FileNotFoundError:
        return None


async def is_worker_in(horde: AsyncHorde) -> bool | None:
    """Whether the horde has heard of a worker."""
    return True if await horde.get_workers() else None


async def register(horde: AsyncHorde, name: str) -> str:
    """Register a user; returns the key."""
    return known((await horde.post_register(RegistrationInput(username=name))).api_key, "")


async def draw(
    stage: Stage,
    horde: AsyncHorde,
    wish: Wish,
    api_key: str,
    on_progress: Callable[[Progress], None],
) -> tuple[Wish, Path, float]:
    """Have one picture made; returns it with where it lies and how long it took."""
    began = time.monotonic()
    pictures: list[Picture] = await horde.generate(
        wish.prompt,
        width=wish.width,
        height=wish.height,
        apikey=api_key,
        on_progress=on_progress,
        timeout_s=PICTURE_S_MAX,
    )
    path = stage.out / f"{slug(wish.prompt)}{pictures[0].suffix}"
    path.write_bytes(pictures[0].data)
    return wish, path, time.monotonic() - began
