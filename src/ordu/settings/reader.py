"""The one reader: each value from the first place that gives it, or one clear line why not."""

import difflib
import math
import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Generic, TypeVar

import msgspec
from msgspec import inspect

from ordu.settings.remote import ClientSettings, WorkerSettings
from ordu.settings.server import ServerSettings
from ordu.settings.setting import Setting, Settings, as_text, describe, without_password

TABLES: Mapping[type[Settings], str] = {
    ServerSettings: "server",
    WorkerSettings: "worker",
    ClientSettings: "client",
}
BACKENDS = "backends"  # the table with a table for each backend, which has settings of its own
WORKER_FILE = "ordu-worker.toml"
T = TypeVar("T", bound=Settings)


class SettingError(Exception):
    """A setting that cannot be used: one line saying which, from where, and what is allowed."""


class Source(StrEnum):
    """The places a value can come from; the first that gives one counts."""

    FLAG = "flag"
    ENVIRONMENT = "environment"
    FILE = "file"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where one value came from; as text for people: `environment ORDU_PORT`."""

    source: Source
    words: str

    def __str__(self) -> str:
        return self.words


@dataclass(frozen=True, slots=True)
class Reading(Generic[T]):
    """The values in force and where each came from."""

    values: T
    origins: Mapping[str, Origin]


def read(
    kind: type[T],
    flags: Mapping[str, object | None],
    environ: Mapping[str, str],
    file: Path | None = None,
    *,
    backend: str = "",
) -> Reading[T]:
    """The settings of one kind, each from the first place that gives it; else a `SettingError`.

    `flags` maps names of settings to what was given (None: nothing); `file` is the one asked for
    by `--config`, otherwise `settings_file` finds it. `backend` names the backend whose kind it is.
    """
    settings = describe(kind, backend)
    if strange := flags.keys() - {each.name for each in settings}:
        raise TypeError(f"{kind.__name__} has no {', '.join(sorted(strange))}")
    _refuse_misspelt_variables(kind, environ)
    variables = {each.name: environ.get(each.environment) or None for each in settings}
    for_worker = bool(backend) or kind is WorkerSettings
    path = file or settings_file(environ, for_worker=for_worker)
    place = (BACKENDS, backend) if backend else (TABLES[kind],)
    table = _read_table(path, place, [each.name for each in settings]) if path else {}
    values: dict[str, object] = {}
    origins: dict[str, Origin] = {}
    for setting in settings:
        places = (
            ("flag " + setting.flag, Source.FLAG, flags.get(setting.name)),
            ("environment " + setting.environment, Source.ENVIRONMENT, variables.get(setting.name)),
            (f"{path} [{'.'.join(place)}] {setting.name}", Source.FILE, table.get(setting.name)),
        )
        given = (place for place in places if place[2] is not None)
        words, source, value = next(given, ("default", Source.DEFAULT, None))
        origins[setting.name] = Origin(source, words)
        if value is not None:
            values[setting.name] = _value(setting, value, words)
    return Reading(msgspec.convert(values, kind), origins)


def settings_file(environ: Mapping[str, str], *, for_worker: bool = False) -> Path | None:
    """The file that is read when none is asked for, if there is one.

    `ORDU_CONFIG` names it; else it is `ordu.toml` in the current folder, and for a worker before
    that `ordu-worker.toml`.
    """
    if named := environ.get("ORDU_CONFIG"):
        return Path(named)
    names = (WORKER_FILE, "ordu.toml") if for_worker else ("ordu.toml",)
    return next((path for path in map(Path, names) if path.exists()), None)


def _read_table(path: Path, place: tuple[str, ...], known: Collection[str]) -> Mapping[str, object]:
    """The table at this place; other tables are looked at when their program starts."""
    try:
        with path.open("rb") as opened:
            content = tomllib.load(opened)
    except OSError as error:
        raise SettingError(f"Settings file {path}: {error.strerror or 'unreadable'}.") from error
    except ValueError as error:
        raise SettingError(f"Settings file {path} is not TOML: {_one_line(error)}.") from error
    _refuse_unknown(f"{path}: the table", content, [*TABLES.values(), BACKENDS])
    table: object = content
    for depth, name in enumerate(place, 1):
        table = table.get(name, {}) if isinstance(table, dict) else table
        if not isinstance(table, dict):
            words = ".".join(place[:depth])
            raise SettingError(f"{path}: {words} is a table; write its settings below [{words}].")
    assert isinstance(table, dict)
    _refuse_unknown(f"{path} [{'.'.join(place)}]: the setting", table, known)
    return table


def _refuse_unknown(place: str, given: Mapping[str, object], known: Collection[str]) -> None:
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1, 0.5)
            hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}."
            raise SettingError(f"{place} {_one_line(name)} is unknown; {hint}")


def _refuse_misspelt_variables(kind: type[Settings], environ: Mapping[str, str]) -> None:
    """Stop at a variable that is nearly one of ours; others beginning with ORDU_ are not ours."""
    known = {each.environment for other in TABLES for each in describe(other)} | {"ORDU_CONFIG"}
    own = [each.environment for each in describe(kind)]
    for name in environ:
        if name.startswith("ORDU_") and name not in known:
            near = difflib.get_close_matches(name, own, 1, 0.85)
            if near:
                raise SettingError(f"Environment {name} is unknown; did you mean {near[0]}?")


def _value(setting: Setting, given: object, words: str) -> object:
    """What was given, as its type and within its bounds."""
    value = _from_text(setting.type, given.strip()) if isinstance(given, str) else given
    try:
        value = msgspec.convert(value, setting.annotation)
    except (msgspec.ValidationError, OverflowError) as error:
        raise _refusal(setting, given, words) from error
    if not _is_finite(value):
        raise _refusal(setting, given, words)
    if setting.check and isinstance(value, tuple) and not all(map(setting.check, value)):
        raise _refusal(setting, given, words)
    return value


def _refusal(setting: Setting, given: object, words: str) -> SettingError:
    shown = "the value given (not shown)" if setting.is_secret else _one_line(as_text(given))
    return SettingError(
        f"Setting {setting.name} ({words}): {shown} is not allowed; it takes {setting.type_words}."
    )


def _one_line(given: object) -> str:
    """What was given, short, on one line, and without a password inside a URL."""
    text = without_password(re.sub(r"//\S*@", "//(not shown)@", str(given)))
    text = "".join(each if each.isprintable() else "?" for each in text)
    return (text if len(text) <= 80 else text[:77] + "...") or "nothing"


_SWITCH_WORDS: Mapping[str, bool] = {
    **dict.fromkeys(("on", "true", "yes", "1"), True),
    **dict.fromkeys(("off", "false", "no", "0"), False),
}


def _from_text(kind: inspect.Type, text: str) -> object:
    """Text as the type it stands for; unchanged where it stands for none, to be refused."""
    match kind:
        case inspect.BoolType():
            return _SWITCH_WORDS.get(text.lower(), text)
        case inspect.IntType():
            return int(text) if re.fullmatch(r"[+-]?[0-9]{1,30}", text) else text
        case inspect.FloatType():
            return (
                float(text) if re.fullmatch(r"[+-]?[0-9]*\.?[0-9]+(e[+-]?[0-9]+)?", text) else text
            )
        case inspect.VarTupleType():
            return tuple(part.strip() for part in text.split(",") if part.strip())
        case inspect.DictType(value_type=numbers):
            pairs = (part.partition("=") for part in text.split(",") if part.strip())
            return {name.strip(): _from_text(numbers, number.strip()) for name, _, number in pairs}
        case _:
            return text


def _is_finite(value: object) -> bool:
    numbers = value.values() if isinstance(value, dict) else (value,)
    return all(math.isfinite(each) for each in numbers if isinstance(each, float))
