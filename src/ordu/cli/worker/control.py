"""`ordu worker status`, `pause`, `resume` and `stop`: the workers at work on this machine.

They speak to the process of a worker, not to its horde, and find it by what it says of itself in
a file (`ordu.worker.terms.running`).
"""

import os
import re
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress

import click
import msgspec

from ordu.cli.console import clean, label, ordu, out
from ordu.cli.failures import WRONG_USAGE, Failure
from ordu.worker.terms.owner import paused_in_words
from ordu.worker.terms.pause import Pause
from ordu.worker.terms.running import PAUSE, RESUME, Found, Record, running_workers

END_S_MAX = 15.0  # for how long the end of a worker that lets go of everything is waited for
AGAIN_S = 1.0
POLL_S = 0.05
PAUSE_S_MAX = 366 * 24 * 3600
UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 24 * 3600}

name_argument = click.argument("name", required=False)
all_option = click.option("--all", "every", is_flag=True, help="All workers on this machine.")


def read_time(ctx: click.Context, param: click.Parameter, value: str | None) -> float | None:
    """A time such as `90m`, `2h` or `1h30m`, in seconds."""
    del ctx, param
    if value is None:
        return None
    parts = re.findall(r"([0-9]{1,9})([smhd])", value.strip().lower())
    seconds = sum(int(number) * UNITS_S[unit] for number, unit in parts)
    is_whole = "".join(number + unit for number, unit in parts) == value.strip().lower()
    if not is_whole or not 1 <= seconds <= PAUSE_S_MAX:
        raise click.BadParameter(f"{clean(value)} is no time; write 30m, 2h or 1h30m.")
    return seconds


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A running worker, as `status --json` says it."""

    worker: Record
    is_paused: bool
    paused_until: float | None  # seconds since 1970; None: not paused, or until `resume`


@click.command()
@name_argument
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
def status(name: str | None, as_json: bool) -> None:
    """Show the workers that run on this machine.

    With NAME only those of that name.

    \b
    Example: ordu worker status
    """
    found = running_workers(os.environ)
    if name is not None:
        found = _called(found, name)
    if as_json:
        sys.stdout.write(msgspec.json.encode([_shown(each) for each in found]).decode() + "\n")
    elif not found:
        out().print("No worker of yours runs on this machine.")
    for number, each in enumerate([] if as_json else found):
        if number:
            out().print()
        _show(each)


@click.command()
@name_argument
@all_option
@click.option(
    "--for",
    "seconds",
    callback=read_time,
    metavar="TIME",
    help="For so long, as 30m, 2h or 1h30m; without it until `ordu worker resume`.",
)
def pause(name: str | None, every: bool, seconds: float | None) -> None:
    """Have the running worker NAME take no new jobs for a while.

    What it has in hand is finished and delivered. The pause lasts even when the worker or the
    machine is started anew.

    \b
    Example: ordu worker pause --for 2h
    """
    now = time.time()
    wanted = Pause(since=now, until=None if seconds is None else now + seconds)
    for each in _chosen(name, every=every):
        if each.pause is None:
            raise Failure("There is nowhere to keep a pause: HOME is not set.")
        each.pause.write(wanted)
        _send(each.record, PAUSE)
        in_hand = f"; {each.record.jobs} in hand is finished" if each.record.jobs else ""
        out().print(f"{clean(each.record.name)} is {paused_in_words(wanted, now)}{in_hand}.")


@click.command()
@name_argument
@all_option
def resume(name: str | None, every: bool) -> None:
    """Have the running worker NAME take jobs again.

    \b
    Example: ordu worker resume
    """
    for each in _chosen(name, every=every):
        if each.pause is not None:
            each.pause.remove()
        _send(each.record, RESUME)
        out().print(f"{clean(each.record.name)} takes jobs again, when its hours and so on allow.")


@click.command()
@name_argument
@all_option
@click.option("--now", is_flag=True, help="Let go of what is in hand, and wait for the end.")
def stop(name: str | None, every: bool, now: bool) -> None:
    """Stop the running worker NAME.

    What it has in hand is delivered first; with --now the horde gives that to somebody else.

    \b
    Example: ordu worker stop attic --now
    """
    for each in _chosen(name, every=every):
        record = each.record
        if now:
            _end(record)
            out().print(f"{clean(record.name)} has stopped.")
            continue
        if not record.is_stopping:  # a second signal would let go of what is in hand
            _send(record, signal.SIGTERM)
        first = f"finishes {record.jobs} in hand and " if record.jobs else ""
        out().print(f"{clean(record.name)} {first}stops.")


# -- finding ---------------------------------------------------------------------------------------


def _chosen(name: str | None, *, every: bool) -> list[Found]:
    """The workers that a command is about: at least one.

    Raises:
        Failure: none is meant, or it is not clear which.
    """
    found = running_workers(os.environ)
    if name is not None:
        if every:
            raise Failure("Say a name or --all, not both.", WRONG_USAGE)
        return _called(found, name)
    if not found:
        raise Failure("No worker of yours runs on this machine.")
    if len(found) > 1 and not every:
        raise Failure(
            f"Several workers run here: say --all or one of {_names(found)}.", WRONG_USAGE
        )
    return found


def _called(found: Sequence[Found], name: str) -> list[Found]:
    """Those of this name: several when they work for several hordes."""
    called = [each for each in found if each.record.name == name]
    if not called:
        known = f"running are {_names(found)}" if found else "none is running"
        raise Failure(f"No worker called {clean(name)} runs on this machine; {known}.")
    return called


def _names(found: Sequence[Found]) -> str:
    return clean(", ".join(dict.fromkeys(each.record.name for each in found)))


# -- signals ---------------------------------------------------------------------------------------


def _send(record: Record, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):  # it ended meanwhile
        os.kill(record.pid, number)


def _end(record: Record) -> None:
    """Have it let go of everything, and wait for its end."""
    deadline = time.monotonic() + END_S_MAX
    send_at = time.monotonic()
    while _is_there(record):
        if time.monotonic() >= deadline:
            raise Failure(
                f"{clean(record.name)} does not end; to end it by force: kill -KILL {record.pid}"
            )
        if time.monotonic() >= send_at:  # the first asks, the second has it let go
            _send(record, signal.SIGTERM)
            send_at = time.monotonic() + AGAIN_S
        time.sleep(POLL_S)


def _is_there(record: Record) -> bool:
    return any(each.record.pid == record.pid for each in running_workers(os.environ))


# -- showing ---------------------------------------------------------------------------------------


def _shown(found: Found) -> Shown:
    pause_ = _pause_of(found)
    return Shown(
        worker=found.record,
        is_paused=pause_ is not None,
        paused_until=pause_.until if pause_ else None,
    )


def _pause_of(found: Found) -> Pause | None:
    return found.pause.read(time.time()) if found.pause else None


def _doing(found: Found) -> str:
    """What it does, in a few words: `working`, `paused by its owner until 18:30, 1 in hand`."""
    record, pause_ = found.record, _pause_of(found)
    words = "drawing" if record.jobs else "waiting for work"
    if record.is_stopping:
        words = "stopping"
    elif pause_ is not None:
        words = paused_in_words(pause_, time.time())
    elif record.waits and not record.waits.startswith("paused by its owner"):
        words = record.waits
    return clean(f"{words}, {record.jobs} in hand" if record.jobs else words)


def _show(found: Found) -> None:
    record = found.record
    since = time.strftime("%Y-%m-%d %H:%M", time.localtime(record.since))
    many = "picture" if record.pictures == 1 else "pictures"
    out().print(label("worker", f"{clean(record.name)} (process {record.pid})"))
    out().print(label("horde", clean(record.url)))
    out().print(label("backend", clean(record.backend)))
    out().print(label("since", since))
    out().print(label("now", _doing(found)))
    out().print(label("done", f"{record.pictures} {many}, {record.kudos:g} kudos"))
    if _pause_of(found) is not None:
        out().print(f"  {ordu()} worker resume ends the pause.")
