"""`ordu worker`: make pictures for a horde until told to stop."""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ordu.cli import children
from ordu.cli.failures import INTERRUPTED, WRONG_USAGE, Failure, extra
from ordu.cli.logs import start_logging
from ordu.cli.options import SettingsCommand, read_options, setting_options
from ordu.settings import WorkerSettings

if TYPE_CHECKING:
    from ordu.cli.working import Talk
    from ordu.worker.backends import Backend


@click.command(cls=SettingsCommand)
@setting_options(WorkerSettings)
@click.option("--words", is_flag=True, help="List the words that the backend sketch knows.")
@click.option("--debug", is_flag=True, help="Log everything, with where a backend failed.")
@click.option("--with-parent", is_flag=True, hidden=True)
def worker(config: Path | None, words: bool, debug: bool, with_parent: bool, **given: Any) -> None:
    """Make pictures for a horde and earn kudos.

    The backend says what makes the pictures. `sketch` needs no GPU and no download, and is no
    neural model: it paints scenes by rules, and knows only the words that --words lists.
    Everything else in a prompt is not understood. Other backends are installed as packages, or
    named by module:Class.

    The first Ctrl-C (or SIGTERM) finishes and delivers what is in hand, the second lets go of it.
    """
    if words:
        show_words()
        return
    settings = read_options(WorkerSettings, given, config).values
    backend = backend_of(settings)
    start_logging("debug" if debug else "error")
    if with_parent:
        children.follow_parent()
    from ordu.cli.working import Talk

    with Talk(settings, has_parent=with_parent) as talk:
        was_abandoned = asyncio.run(work(settings, backend, talk))
    if was_abandoned:
        # The backend's threads cannot be stopped, and Python would wait for them.
        sys.stdout.flush()
        os._exit(INTERRUPTED)


def show_words() -> None:
    """List what `sketch` knows."""
    with extra("worker"):
        from ordu.worker.backends.sketch import known_words
    click.echo("The backend sketch knows these words; other words only change the arrangement.")
    click.echo(click.wrap_text(", ".join(known_words()), 78, "  ", "  "))


def backend_of(settings: WorkerSettings) -> "Backend":
    """The backend that the settings name."""
    with extra("worker"):
        from ordu.worker.backends import BackendError, load

        try:
            return load(settings.backend)
        except (LookupError, BackendError) as error:
            raise Failure(str(error.args[0] if error.args else error), WRONG_USAGE) from error
        except ImportError as error:
            if settings.backend == "sketch":
                raise
            raise Failure(
                f"The backend {settings.backend} cannot be loaded: {error}.", WRONG_USAGE
            ) from error


async def work(settings: WorkerSettings, backend: "Backend", talk: "Talk") -> bool:
    """Work until told to stop; says whether what was in hand was let go."""
    from ordu.cli.hordes import connect
    from ordu.worker.loop import Worker

    stop = asyncio.Event()
    async with connect(settings.url, settings.api_key) as horde:
        worker = Worker(horde, backend, settings, on_event=talk.tell)
        was_abandoned = False

        def on_signal() -> None:
            nonlocal was_abandoned
            if stop.is_set():
                was_abandoned = True
                worker.abandon()
            else:
                talk.stopping()
                stop.set()

        for each in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(each, on_signal)
        try:
            await worker.run(stop)
        except LookupError as error:
            raise Failure(str(error.args[0]), WRONG_USAGE) from error
        return was_abandoned
