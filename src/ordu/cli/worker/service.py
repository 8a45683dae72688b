"""`ordu worker service`: the worker as a service of its owner's systemd, without root.

The unit names this Python and the settings file; keys stay in that file. On macOS there is no such
service; launchd takes the same command line.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import click

from ordu.cli.console import clean, out, remarks
from ordu.cli.failures import WRONG_USAGE, Failure
from ordu.settings import WORKER_FILE, WorkerSettings, read, settings_file

STOP_S_MAX = 300  # for a picture in hand
SYSTEMCTL_S_MAX = STOP_S_MAX + 30.0
UNIT = """\
# Written by `ordu worker service`; changes of yours belong into: systemctl --user edit {name}
[Unit]
Description=Ordu, a worker that lends this machine to a horde
# What it needs may come later, as a network or another program: it is tried for ever.
StartLimitIntervalSec=0

[Service]
Type=exec
ExecStart={command}
WorkingDirectory={folder}
Restart=on-failure
RestartSec=30
# Stopped by a second signal (130): it was asked to.
RestartPreventExitStatus=130
SuccessExitStatus=130

# SIGTERM to the worker alone: it finishes its picture, with whatever helps it to.
KillMode=mixed
KillSignal=SIGTERM
TimeoutStopSec={stop_s}

# Its owner goes first, and when memory is short it is the one to go.
Nice=10
OOMScoreAdjust=500
# A backend in a process of its own is replaced by the worker.
OOMPolicy=continue

# What no backend needs. Devices, memory that is written and run, and sockets stay: GPUs want them.
UMask=0077
NoNewPrivileges=yes
LockPersonality=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native

[Install]
WantedBy=default.target
"""


@click.command()
@click.argument("name", required=False)
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help=f"The worker's settings, instead of {WORKER_FILE} here.",
)
@click.option("--install", is_flag=True, help="Write the unit for your systemd.")
@click.option("--start", is_flag=True, help="Write it, start it now and at each login.")
@click.option("--remove", is_flag=True, help="Stop the service and remove its unit.")
def service(
    name: str | None, config: Path | None, install: bool, start: bool, remove: bool
) -> None:
    """Run a worker as a service of your systemd.

    It needs no root. Without an option it only prints the unit. Several services on one machine
    each get a NAME and settings of their own by --config.

    \b
    Example: ordu worker service --start
    """
    if remove and (install or start):
        raise Failure("Say --remove or --install, not both.", WRONG_USAGE)
    unit = unit_name(name)
    path = unit_folder() / unit
    if remove:
        _remove(unit, path)
        return
    file = _file_of(config)
    text = unit_text(unit, file)
    if not (install or start):
        sys.stdout.write(text)
        return
    _warn(file)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    out().print(f"Wrote {path}.")
    if start:
        _systemctl("daemon-reload")
        _systemctl("enable", "--now", unit)
        out().print(f"It runs. What it says: journalctl --user --unit {unit} --follow")
    else:
        out().print(
            "To start it, now and at each login:\n"
            "  systemctl --user daemon-reload\n"
            f"  systemctl --user enable --now {unit}"
        )
    out().print("To have it run while you are not logged in as well: loginctl enable-linger")


def unit_name(name: str | None) -> str:
    """The name of the unit.

    Raises:
        Failure: systemd takes no such name.
    """
    if name is None:
        return "ordu-worker.service"
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,60}", name):
        raise Failure(
            f"{clean(name)} cannot name a service: use letters, digits, _ . -", WRONG_USAGE
        )
    return f"ordu-worker@{name}.service"


def unit_folder() -> Path:
    """Where a user's own units lie."""
    named = os.environ.get("XDG_CONFIG_HOME", "")
    config = Path(named) if Path(named).is_absolute() else Path.home() / ".config"
    return config / "systemd" / "user"


def unit_text(unit: str, file: Path) -> str:
    """The unit of a worker with these settings, an absolute path."""
    words = (sys.executable, "-P", "-m", "ordu.cli", "worker", "--config", str(file))
    return UNIT.format(
        name=unit,
        command=" ".join(_quoted(each) for each in words),
        folder=_escaped(str(file.parent)),
        stop_s=STOP_S_MAX,
    )


def _quoted(word: str) -> str:
    """A word of a command line as systemd reads it."""
    text = _escaped(word).replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$")
    return text if re.fullmatch(r"[\w/.@:+=,%$-]+", text) else f'"{text}"'


def _escaped(text: str) -> str:
    """A text in which systemd puts in nothing of its own."""
    if not text.isprintable():
        raise Failure(f"systemd takes no such path: {clean(text)}", WRONG_USAGE)
    return text.replace("%", "%%")


def _file_of(config: Path | None) -> Path:
    found = config or settings_file(os.environ, for_worker=True)
    path = (found or Path(WORKER_FILE)).absolute()
    if not path.is_file():
        raise Failure(
            f"There is no {path}. `ordu worker join URL` writes {WORKER_FILE}; --config names"
            " another file.",
            WRONG_USAGE,
        )
    return path


def _warn(file: Path) -> None:
    """Say what would keep the service from working as it does in this terminal."""
    settings = read(WorkerSettings, {}, {}, file).values
    if not settings.api_key:
        remarks().print(
            f"There is no api_key in {file}, and the service sees no variables of this"
            " terminal: write it there."
        )
    elif file.stat().st_mode & 0o077:
        remarks().print(f"Others can read the key: chmod 600 {file}")


def _remove(unit: str, path: Path) -> None:
    if not path.exists():
        raise Failure(f"There is no {path}.")
    if shutil.which("systemctl"):
        _systemctl("disable", "--now", unit, may_fail=True)
    path.unlink()
    if shutil.which("systemctl"):
        _systemctl("daemon-reload", may_fail=True)
    out().print(f"Removed {path}.")


def _systemctl(*arguments: str, may_fail: bool = False) -> None:
    """Have the user's systemd do something.

    Raises:
        Failure: it is not there or did not.
    """
    command = ["systemctl", "--user", *arguments]
    try:
        done = subprocess.run(  # noqa: S603 - our own words
            command, capture_output=True, text=True, timeout=SYSTEMCTL_S_MAX, check=False
        )
    except FileNotFoundError as error:
        raise Failure("systemctl is not here: this needs systemd.") from error
    except subprocess.TimeoutExpired as error:
        raise Failure(f"{' '.join(command)} takes too long.") from error
    if done.returncode and not may_fail:
        said = clean(done.stderr.strip().replace("\n", " ")) or "it failed"
        raise Failure(f"{' '.join(command)}: {said}")
