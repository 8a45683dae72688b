"""`ordu serve`: run a horde's server on this machine until it is told to stop."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ordu import __version__
from ordu.cli import children
from ordu.cli.failures import extra
from ordu.cli.here import schema_of
from ordu.cli.logs import start_logging
from ordu.cli.options import SettingsCommand, read_options, setting_options
from ordu.settings import ServerSettings

if TYPE_CHECKING:
    from ordu.server.run import Started

MAIN = (
    *("data", "host", "port", "database", "images", "public_url", "rate_limits", "anonymous"),
    *("trusted_proxies", "processes", "migrate"),
)
SECRETS = ("admin_key", "secret")  # not as options: command lines can be read by everybody


@click.command(cls=SettingsCommand)
@click.option("--with-worker", is_flag=True, help="Also run one local worker that sketches.")
@setting_options(ServerSettings, main=MAIN, without=SECRETS)
@click.option("--ready-file", type=click.Path(path_type=Path), hidden=True)
@click.option("--with-parent", is_flag=True, hidden=True)
def serve(
    config: Path | None,
    ready_file: Path | None,
    with_worker: bool,
    with_parent: bool,
    **given: Any,
) -> None:
    """Run a horde's server on this machine.

    The first start makes the data folder, and the administrator, whose key is shown once. Ctrl-C
    or SIGTERM stops it: what is in hand is finished first. Two settings are no options, because
    command lines can be read by everybody: ORDU_ADMIN_KEY and ORDU_SECRET.
    """
    with stopped_by_signals():
        settings = read_options(ServerSettings, given, config).values
        start_logging(settings.log_level, settings.log_format)
        if with_parent:
            children.follow_parent()
        run_until_stopped(serving(settings, ready_file, with_worker=with_worker))


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """Let signals end a start cleanly, until the server listens to them itself."""
    before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    for each in before:
        signal.signal(each, lambda *_: sys.exit(0))
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def serving(
    settings: ServerSettings, ready_file: Path | None, *, with_worker: bool
) -> Coroutine[Any, Any, None]:
    """The server's work, put together."""
    with extra("server"):
        from ordu.server import run
    schema_of(settings.database_path())  # says in a line when that is no database
    farewell: Callable[[], Awaitable[None]] = run.nothing
    tellers: list[Callable[[Started], None]] = [lambda started: tell(started, settings)]
    if ready_file is not None:
        tellers.append(lambda started: write_ready_file(ready_file, started))
    if with_worker:
        from ordu.cli.local_worker import LocalWorker

        local = LocalWorker(Path(settings.data), settings.grace_s)
        tellers.append(lambda started: local.start(started.local_url))
        farewell = local.stop

    def ready(started: "Started") -> None:
        for each in tellers:
            each(started)

    return run.serve(settings, ready, farewell)


def run_until_stopped(work: Coroutine[Any, Any, None]) -> None:
    """Run the server on the quickest event loop there is; a stop that was asked for is success."""
    new_loop: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop
    with suppress(ModuleNotFoundError):  # there is none for Windows
        import uvloop

        new_loop = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(work)


def write_ready_file(path: Path, started: "Started") -> None:
    """Tell the program that started us where we are; the file is whole when it is there."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump({"url": started.local_url, "admin_key": started.new_admin_key}, file)
    draft.replace(path)


def tell(started: "Started", settings: ServerSettings) -> None:
    """Say what the person who started a horde wants to know."""
    from rich.panel import Panel

    from ordu.cli.console import label, ordu, out

    console = out()
    console.print(f"Ordu {__version__} is up at {started.url}", style="bold green")
    if started.new_admin_key:
        console.print(
            Panel.fit(
                f"{started.new_admin_key}\n\nKeep it: it is shown only now.",
                title="The administrator's key",
                padding=(1, 2),
                border_style="yellow",
            )
        )
    at = "" if started.url == "http://127.0.0.1:7001" else f" --url {started.url}"
    lines = {
        "data": str(started.data.resolve()),
        "web page": f"{started.url}/",
        "a picture": f'{ordu()} generate "dunes at sunset"{at}',
        "a worker": f"{ordu()} worker --url {started.url} --api-key KEY",
        "a key": f"{ordu()} users create NAME --data {started.data}",
        "stop": "Ctrl-C",
    }
    for name, text in lines.items():
        console.print(label(name, text))
    if hint := hint_for_others(settings):
        console.print(hint, style="dim")
    sys.stdout.flush()


def hint_for_others(settings: ServerSettings) -> str:
    """What is still to be done before other machines reach this horde; often nothing."""
    if settings.public_url:
        return ""
    if settings.host in {"0.0.0.0", "::"}:  # noqa: S104 - only compared
        return (
            "Other machines reach it, but links to pictures lead to this one's own address: add"
            f" --public-url http://THIS-MACHINE:{settings.port}"
        )
    if settings.host in {"127.0.0.1", "::1", "localhost"}:
        return (
            "Only this machine reaches it. To let others in, add --host 0.0.0.0"
            f" --public-url http://THIS-MACHINE:{settings.port or 7001}"
        )
    return ""
