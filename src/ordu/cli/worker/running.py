"""Running a worker from the command line: signals, what is shown, the end."""

import asyncio
import os
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ordu.cli import children
from ordu.cli.failures import INTERRUPTED, WRONG_USAGE, Failure, extra
from ordu.cli.logs import start_logging
from ordu.cli.worker.opening import Opened, open_settings
from ordu.settings import WorkerSettings

if TYPE_CHECKING:
    from ordu.cli.worker.dashboard import Teller
    from ordu.client import AsyncHorde
    from ordu.worker.backends import Backend
    from ordu.worker.events import Event
    from ordu.worker.terms.running import RunningWorker


def run(
    given: Mapping[str, Any],
    sets: Sequence[str],
    config: Path | None,
    *,
    debug: bool,
    with_parent: bool,
    plain: bool = False,
    backends: "Sequence[Backend] | None" = None,
) -> None:
    """Work until told to stop, with these backends if they are open already."""
    opened = open_settings(given, sets, config)
    start_logging("debug" if debug else "error")
    if with_parent:
        children.follow_parent()
    from ordu.cli.worker.dashboard import teller

    with _announced(opened.settings) as running:
        backends = backends or open_backends(opened)
        devices = [each.device for each in backends]
        is_plain = plain or debug
        with teller(
            opened.settings, has_parent=with_parent, is_plain=is_plain, devices=devices
        ) as talk:
            end = asyncio.run(work(opened, backends, talk, running))
    if end.has_lost_a_thread:
        # It cannot be stopped, and Python would wait for it.
        sys.stdout.flush()
        os._exit(INTERRUPTED if end.was_abandoned else 0)
    if end.was_abandoned:
        raise Failure("", INTERRUPTED)


def show_words() -> None:
    """List what `sketch` knows."""
    with extra("worker"):
        from ordu.worker.backends.sketch import known_words
    click.echo("The backend sketch knows these words; other words only change the arrangement.")
    click.echo(click.wrap_text(", ".join(known_words()), 78, "  ", "  "))


def open_backends(opened: Opened, most: int | None = None) -> "list[Backend]":
    """The backend on each of its devices, or on the first few, ready to say what it offers.

    Raises:
        Failure: it works on none of them.
    """
    from ordu.worker.backends import BackendError
    from ordu.worker.devices import open_devices

    def tell(device: str, error: BackendError) -> None:
        click.echo(f"ordu: {device} is left out: {error}", err=True)

    settings = opened.settings
    try:
        return open_devices(
            opened.backend,
            settings.backend,
            opened.backend_settings,
            apart=settings.apart,
            most=most,
            on_failure=tell,
        )
    except BackendError as error:
        raise Failure(str(error), WRONG_USAGE) from error


@contextmanager
def _announced(settings: WorkerSettings) -> Iterator["RunningWorker"]:
    """Let `ordu worker status`, `pause` and `stop` find this worker for as long as it runs."""
    from ordu.worker.terms.running import AlreadyRunning, RunningWorker

    try:
        with RunningWorker(settings) as running:
            yield running
    except AlreadyRunning as error:
        raise Failure(str(error), WRONG_USAGE) from error


@dataclass(frozen=True)
class End:
    """How a worker ended."""

    was_abandoned: bool
    has_lost_a_thread: bool


async def work(
    opened: Opened, backends: "Sequence[Backend]", talk: "Teller", running: "RunningWorker"
) -> End:
    """Work until told to stop."""
    from ordu.cli.hordes import connect
    from ordu.worker.loop import Worker
    from ordu.worker.terms.owner import OwnersGate

    settings = opened.settings
    stop = asyncio.Event()
    gate = OwnersGate(settings, running.pause)
    gate.listen()

    def tell(event: "Event") -> None:
        running.tell(event)
        talk.tell(event)

    async with connect(settings) as horde:
        worker = Worker(horde, backends, settings, on_event=tell, gate=gate)
        was_abandoned = False

        def on_signal() -> None:
            nonlocal was_abandoned
            if stop.is_set():
                was_abandoned = True
                worker.abandon()
            else:
                running.stopping()
                talk.stopping()
                stop.set()

        for each in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(each, on_signal)
        looking = asyncio.create_task(_look_up_owner(horde, talk))
        try:
            await worker.run(stop)
        except LookupError as error:
            raise Failure(str(error.args[0]), WRONG_USAGE) from error
        finally:
            looking.cancel()
        return End(was_abandoned, worker.has_lost_a_thread)


async def _look_up_owner(horde: "AsyncHorde", talk: "Teller") -> None:
    """Tell what the owner had before, where the horde says it; nothing depends on that."""
    from ordu.client import HordeError
    from ordu.client.wire import known

    with suppress(HordeError):
        talk.owner_had(known((await horde.get_find_user()).kudos, 0.0))
