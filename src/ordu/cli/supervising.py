"""`ordu serve --processes N`: the process that starts the others, and what it does on a signal."""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from ordu.cli.children import command
from ordu.cli.failures import FAILED, Failure
from ordu.server.listening import Started, listen
from ordu.server.supervisor import Supervisor, outcome
from ordu.settings import ServerSettings, SettingError, describe


def check_may_share(settings: ServerSettings) -> None:
    """Refuse several processes on a database that has room for one.

    Raises:
        SettingError: it has.
    """
    if settings.processes > 1 and not settings.is_postgres:
        raise SettingError(
            f"{settings.processes} server processes cannot share SQLite: say where a PostgreSQL"
            " database is with --database postgresql://…, or leave processes at 1."
        )


def same_command(given: Mapping[str, object], config: Path | None) -> list[str]:
    """The command line of a server with the settings that we were given as options.

    Environment and file are read by the new process itself, as they are then.
    """
    flags = {each.name: each for each in describe(ServerSettings)}
    words = [] if config is None else [f"--config={config}"]
    for name, text in given.items():
        if text is not None:
            words.append(
                flags[name].flag if flags[name].is_switch else f"{flags[name].flag}={text}"
            )
    return ["serve", *words]


async def supervise(
    settings: ServerSettings,
    words: Sequence[str],
    ready: Callable[[Started], None],
    farewell: Callable[[], Awaitable[None]],
) -> None:
    """Keep the processes of this server running until told to stop.

    Raises:
        SettingError: the address cannot be listened on.
        Failure: the first process ended before it was ready.
    """
    with listen(settings) as listener:
        descriptor = listener.fileno()

        def command_of(number: int) -> list[str]:
            ours = ("--with-parent", f"--inherit={descriptor}", f"--process={number}")
            return command(*words, *ours)

        supervisor = Supervisor(command_of, settings.processes, descriptor)
        obey_signals(supervisor)
        code = await supervisor.run(ready, farewell)
    if code > 0:
        raise Failure("", code)  # it has said why
    if code < 0:
        raise Failure(f"The first server process was {outcome(code)} before it was ready.", FAILED)


def obey_signals(supervisor: Supervisor) -> None:
    """SIGTERM and SIGINT stop all processes, SIGHUP renews them one after the other.

    A terminal that is closed sends SIGHUP as well: to whoever was started in it, that is the end.
    """
    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, supervisor.stop, each)
    had_terminal = sys.stdin is not None and sys.stdin.isatty()

    def hang_up() -> None:
        if had_terminal and not os.isatty(0):
            supervisor.stop(signal.SIGTERM)
        else:
            supervisor.renew()

    loop.add_signal_handler(signal.SIGHUP, hang_up)
