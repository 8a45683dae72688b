"""Running a worker from the command line: signals, what is shown, the end."""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ordu.cli import children
from ordu.cli.failures import INTERRUPTED, WRONG_USAGE, Failure, extra
from ordu.cli.logs import start_logging
from ordu.cli.worker.opening import Opened, open_settings

if TYPE_CHECKING:
    from ordu.cli.worker.dashboard import Teller
    from ordu.worker.backends import Backend


def run(
    given: Mapping[str, Any],
    sets: Sequence[str],
    config: Path | None,
    *,
    debug: bool,
    with_parent: bool,
    plain: bool = False,
) -> None:
    """Work until told to stop."""
    opened = open_settings(given, sets, config)
    start_logging("debug" if debug else "error")
    if with_parent:
        children.follow_parent()
    from ordu.cli.worker.dashboard import teller

    backend = made(opened)
    with teller(opened.settings, has_parent=with_parent, is_plain=plain or debug) as talk:
        was_abandoned = asyncio.run(work(opened, backend, talk))
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


def made(opened: Opened) -> "Backend":
    """The backend, ready to say what it offers."""
    from ordu.worker.backends import BackendError

    try:
        device = opened.backend.devices(opened.backend_settings)[0]
        return opened.backend(opened.backend_settings, device)
    except BackendError as error:
        raise Failure(str(error), WRONG_USAGE) from error


async def work(opened: Opened, backend: "Backend", talk: "Teller") -> bool:
    """Work until told to stop; says whether what was in hand was let go."""
    from ordu.cli.hordes import connect
    from ordu.worker.loop import Worker

    settings = opened.settings
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
