"""The checks of `ordu worker check`, one function for each subject; each finding is a line.

They go from what is nearest to what is farthest. A check whose ground is missing is left out: of a
horde that does not answer nothing else is said.
"""

import os
import platform
import shutil
import stat
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ordu.cli.failures import Failure
from ordu.cli.options import read_options
from ordu.cli.worker.checking_backend import check_backend
from ordu.cli.worker.checking_horde import check_horde
from ordu.cli.worker.checking_terms import check_terms, gate_of
from ordu.cli.worker.findings import Finding, bad, good, warning
from ordu.cli.worker.opening import open_backend
from ordu.settings import SettingError, WorkerSettings, settings_file

FREE_BYTES_MIN = 1024**3


def examine(
    given: Mapping[str, Any], sets: Sequence[str], config: Path | None, *, picture: bool
) -> Iterator[Finding]:
    """All findings, each as soon as it is known."""
    yield from check_file(config)
    yield from check_machine()
    try:
        settings = read_options(WorkerSettings, given, config).values
    except SettingError as error:
        yield bad("settings", str(error), "Change or remove it there.")
        return
    demanded = yield from check_horde(settings)
    try:
        opened = open_backend(settings, sets, config)
    except (Failure, SettingError) as error:
        words = error.message if isinstance(error, Failure) else str(error)
        yield bad("backend", words, "ordu worker join finds what this machine has.")
    else:
        yield from check_backend(opened, demanded, picture=picture)
    yield from check_terms(settings, gate_of(settings))


def check_file(config: Path | None) -> Iterator[Finding]:
    """The settings file: that it is there, can be read, and keeps the key to its owner."""
    path = config or settings_file(os.environ, for_worker=True)
    if path is None:
        words = "there is no ordu-worker.toml here: options, environment and defaults count"
        yield warning("settings", words, "ordu worker join URL writes one.")
        return
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        yield bad("settings", f"{path}: {error.strerror or error}", "--config names another file.")
        return
    except ValueError:
        return  # said where the settings are read
    table = content.get("worker")
    holds_key = isinstance(table, dict) and bool(table.get("api_key"))
    if holds_key and os.name == "posix" and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        words = f"{path} holds your key, and others on this machine can get at it"
        yield warning("settings", words, f"chmod 600 {path}")
    else:
        yield good("settings", f"{path}")


def check_machine() -> Iterator[Finding]:
    """Python, Pillow, and room on the disk."""
    try:
        from PIL import features
    except ImportError:
        yield bad("Python", "Pillow is not installed", "pip install 'ordu[worker]'")
        return
    version = f"Python {platform.python_version()}"
    if features.check("webp"):
        yield good("Python", f"{version}, pictures can be written as WebP")
    else:
        words = f"{version}, but its Pillow cannot write WebP"
        yield bad("Python", words, "pip install --force-reinstall pillow")
    free = shutil.disk_usage(Path.cwd()).free
    words = f"{free / 1024**3:.1f} GiB are free here"
    if free < FREE_BYTES_MIN:
        yield warning("disk", words, "Make room: logs and models need some.")
    else:
        yield good("disk", words)
