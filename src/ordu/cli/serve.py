"""`ordu serve`: run a horde's server on this machine until it is told to stop."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import msgspec

from ordu import __version__
from ordu.cli import children, supervising
from ordu.cli.failures import extra
from ordu.cli.here import schema_of
from ordu.cli.logs import start_logging
from ordu.cli.options import SettingsCommand, read_options, setting_options
from ordu.server.listening import HAND_OVER, Started
from ordu.settings import Reading, ServerSettings
from ordu.settings.setting import without_password

MAIN = (
    *("data", "host", "port", "database", "images", "public_url", "rate_limits", "anonymous"),
    *("trusted_proxies", "processes", "drain_s", "migrate"),
)
# Not as options: command lines can be read by everybody.
SECRETS = ("admin_key", "secret", "metrics_token")


@click.command(cls=SettingsCommand)
@click.option("--with-worker", is_flag=True, help="Also run one local worker that sketches.")
@setting_options(ServerSettings, main=MAIN, without=SECRETS)
@click.option("--ready-file", type=click.Path(path_type=Path), hidden=True)
@click.option("--with-parent", is_flag=True, hidden=True)
@click.option("--inherit", type=int, hidden=True)  # the socket of the process that supervises us
@click.option("--process", "number", type=int, hidden=True)  # what it calls us
def serve(
    config: Path | None,
    ready_file: Path | None,
    with_worker: bool,
    with_parent: bool,
    inherit: int | None,
    number: int | None,
    **given: Any,
) -> None:
    """Run a horde's server on this machine.

    The first start makes the data folder, and the administrator, whose key is shown once. Ctrl-C
    or SIGTERM stops it: what is in hand is finished first. With several processes, SIGHUP replaces
    one after the other. Three settings are no options, because command lines can be read by
    everybody: ORDU_ADMIN_KEY, ORDU_SECRET and ORDU_METRICS_TOKEN.
    """
    with stopped_by_signals():
        reading = read_options(ServerSettings, given, config)
        settings = reading.values
        start_logging(settings.log_level, settings.log_format, number)
        if with_parent:
            children.follow_parent()
        if inherit is not None:
            run_until_stopped(serving(reading, Telling([tell_supervisor]), inherit, number or 0))
            return
        supervising.check_may_share(settings)
        telling = telling_people(settings, ready_file, with_worker=with_worker)
        if settings.processes == 1:
            run_until_stopped(serving(reading, telling))
            return
        words = supervising.same_command(given, config)
        asyncio.run(supervising.supervise(settings, words, telling.ready, telling.end))


@dataclass
class Telling:
    """Who is told that calls are answered, and that the end begins."""

    tellers: list[Callable[[Started], None]]
    farewell: Callable[[], Awaitable[None]] | None = None

    def ready(self, started: Started) -> None:
        """Calls are answered."""
        for each in self.tellers:
            each(started)

    async def end(self) -> None:
        """The end begins."""
        if self.farewell is not None:
            await self.farewell()


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """Let signals end a start cleanly, until the server listens to them itself."""
    before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM, HAND_OVER)}
    for each in before:
        signal.signal(each, lambda *_: sys.exit(0))
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def telling_people(
    settings: ServerSettings, ready_file: Path | None, *, with_worker: bool
) -> Telling:
    """Who is told of a server that a person or a program of theirs has started."""
    telling = Telling([lambda started: tell(started, settings)])
    if ready_file is not None:
        telling.tellers.append(lambda started: write_ready_file(ready_file, started))
    if with_worker:
        from ordu.cli.local_worker import LocalWorker

        local = LocalWorker(Path(settings.data), settings.grace_s)
        telling.tellers.append(lambda started: local.start(started.local_url))
        telling.farewell = local.stop
    return telling


def serving(
    reading: Reading[ServerSettings],
    telling: Telling,
    inherit: int | None = None,
    number: int = 0,
) -> Coroutine[Any, Any, None]:
    """The server's work, put together."""
    settings = reading.values
    with extra("server"):
        from ordu.server import run
    if not settings.is_postgres:
        schema_of(settings.database_path())  # says in a line when that is no database
    return run.serve(settings, telling.ready, telling.end, inherit, reading.origins, number)


def run_until_stopped(work: Coroutine[Any, Any, None]) -> None:
    """Run the server on the quickest event loop there is; a stop that was asked for is success."""
    new_loop: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop
    with suppress(ModuleNotFoundError):  # there is none for Windows
        import uvloop

        new_loop = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(work)


def tell_supervisor(started: Started) -> None:
    """Tell the process that started us, in a line."""
    sys.stdout.buffer.write(msgspec.json.encode(started) + b"\n")
    sys.stdout.flush()


def write_ready_file(path: Path, started: Started) -> None:
    """Tell the program that started us where we are; the file is whole when it is there."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump({"url": started.local_url, "admin_key": started.new_admin_key}, file)
    draft.replace(path)


def tell(started: Started, settings: ServerSettings) -> None:
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
        **places(started, settings),
        "web page": f"{started.url}/",
        "a picture": f'{ordu()} generate "dunes at sunset"{at}',
        "a worker": f"{ordu()} worker join {started.url}",
        "a key": f"{ordu()} users create NAME --data {started.data}{books_of(settings)}",
        "stop": "Ctrl-C",
    }
    for name, text in lines.items():
        console.print(label(name, text))
    if hint := hint_for_others(settings):
        console.print(hint, style="dim")
    sys.stdout.flush()


def places(started: "Started", settings: ServerSettings) -> dict[str, str]:
    """Where everything is; what lies in the data folder has no line of its own."""
    elsewhere = {"database": settings.database, "pictures": settings.images}
    given = {name: without_password(url) for name, url in elsewhere.items() if url}
    return {"data": str(Path(started.data).resolve())} | given


def books_of(settings: ServerSettings) -> str:
    """The option for a command that has to find the same books."""
    return f" --database '{without_password(settings.database)}'" if settings.database else ""


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
