"""From what a person said to what works: the worker's settings, the backend, its settings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ordu.cli.failures import WRONG_USAGE, Failure, extra
from ordu.cli.options import read_options
from ordu.settings import Reading, Settings, WorkerSettings, describe

if TYPE_CHECKING:
    from ordu.worker.backends import Backend


@dataclass(frozen=True)
class Opened:
    """What a worker is started with."""

    settings: WorkerSettings
    backend: "type[Backend]"
    backend_settings: Settings


def open_settings(
    given: Mapping[str, Any], sets: Sequence[str] = (), config: Path | None = None
) -> Opened:
    """The settings in force, from options, environment and file.

    Raises:
        Failure: the backend is not there, or `--set` names none of its settings.
        SettingError: a setting cannot be used.
    """
    return open_backend(read_options(WorkerSettings, given, config).values, sets, config)


def open_backend(
    settings: WorkerSettings,
    sets: Sequence[str] = (),
    config: Path | None = None,
    found: Mapping[str, object] | None = None,
) -> Opened:
    """The backend that the settings name, and its own; `found` are those it found by itself.

    Raises:
        Failure: the backend is not there, or `--set` names none of its settings.
        SettingError: a setting cannot be used.
    """
    backend = backend_class(settings.backend)
    reading = read_backend(settings.backend, backend, sets, config, found)
    return Opened(settings, backend, reading.values)


def read_backend(
    name: str,
    backend: "type[Backend]",
    sets: Sequence[str] = (),
    config: Path | None = None,
    found: Mapping[str, object] | None = None,
) -> Reading[Settings]:
    """The settings of a backend, and where each came from."""
    kind, table = backend.settings_type, table_of(name)
    said = _assignments(sets, [each.name for each in describe(kind, table)], table)
    return read_options(kind, {**(found or {}), **said}, config, backend=table)


def table_of(backend: str) -> str:
    """The name that settings of this backend are kept under: its own, or that of its class."""
    return backend.rpartition(":")[2]


def backend_class(name: str) -> "type[Backend]":
    """The class of the backend of this name."""
    with extra("worker"):
        from ordu.worker.backends import load

        try:
            return load(name)
        except LookupError as error:
            raise Failure(str(error.args[0] if error.args else error), WRONG_USAGE) from error
        except ImportError as error:
            if name == "sketch":
                raise
            raise Failure(f"The backend {name} cannot be loaded: {error}.", WRONG_USAGE) from error


def _assignments(sets: Sequence[str], known: Sequence[str], backend: str) -> dict[str, str]:
    values: dict[str, str] = {}
    for each in sets:
        name, equals, value = each.partition("=")
        if not equals or name.strip() not in known:
            raise Failure(
                f"--set {each}: write NAME=VALUE; the backend {backend} has"
                f" {', '.join(known) or 'no settings'}.",
                WRONG_USAGE,
            )
        values[name.strip()] = value
    return values
