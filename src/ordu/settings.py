"""Every setting of server, worker and client, and the one reader that fills them.

A setting is a field of one of the three structs below: its bounds, its description and what may
be said about it in a refusal stand in its annotation, so the reader, the command line and the
reference all come from the same line. A value comes from the first place that gives one: flag,
environment (`ORDU_` + the name in capitals), file (`ordu.toml`), default. An empty environment
variable gives none. Text is read alike wherever it stands: `on` and `off` for switches, commas
between the items of a list, `name=number` between commas for factors.
"""

import difflib
import ipaddress
import math
import re
import tomllib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, TypeVar

import msgspec
from msgspec import Meta, inspect

MIB = 1024 * 1024
DAY_S = 86_400
PIXELS_MAX = 16_383 * 16_383  # what WebP can hold


def about(
    description: str,
    low: float | None = None,
    high: float | None = None,
    pattern: str | None = None,
    **extra: Any,
) -> Meta:
    """The annotation of a setting.

    `extra` may say: `allowed`, the words of a refusal; `secret`, never shown; `switch`, the flag
    stands alone and turns it off; `check`, what each item of a list must pass.
    """
    if pattern is not None:
        return Meta(description=description, pattern=pattern, extra=extra)
    return Meta(description=description, ge=low, le=high, extra=extra)


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text)
    except ValueError:
        return False
    return True


HordeAddress = Annotated[
    str,
    about(
        "The horde to speak to.",
        pattern=r"^https?://[^\s/?#]+(/[^\s?#]*)?\Z",
        allowed="an address such as https://horde.example.org",
    ),
]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What the three have in common: printed by mistake, they keep their secrets."""

    def __repr__(self) -> str:
        values = (f"{each.name}={each.shown_in(self)}" for each in describe(type(self)))
        return f"{type(self).__name__}({', '.join(values)})"


class ServerSettings(Settings, frozen=True, kw_only=True):
    """What a horde server is told before it starts."""

    data: Annotated[str, about("Folder with everything the horde keeps.", pattern=".")] = "horde"
    host: Annotated[str, about("Address to listen on.", pattern=".")] = "127.0.0.1"
    port: Annotated[int, about("Port to listen on; 0 takes any free one.", 0, 65535)] = 7001
    database: Annotated[
        str,
        about(
            "Where requests and kudos are kept; empty: horde.sqlite3 in the data folder.",
            pattern=r"^(sqlite:///(?!:memory:)[^?#]+)?\Z",
            allowed="sqlite:///PATH (other databases are not served yet), or nothing",
        ),
    ] = ""
    images: Annotated[
        str,
        about(
            "Where pictures are kept; empty: the folder pictures in the data folder.",
            pattern=r"^(file:///[^?#]*)?\Z",
            allowed="file:///FOLDER (other stores are not served yet), or nothing",
        ),
    ] = ""
    public_url: Annotated[
        str,
        about(
            "Address that clients and workers see; empty: http://host:port.",
            pattern=r"^(https?://[^\s/?#]+(/[^\s?#]*)?)?\Z",
            allowed="an address such as https://horde.example.org, or nothing",
        ),
    ] = ""
    rate_limits: Annotated[bool, about("Whether anything is counted by address or time.")] = True
    anonymous: Annotated[bool, about("Whether the key 0000000000 may place requests.")] = True
    trusted_proxies: Annotated[
        tuple[str, ...],
        about(
            "Proxies whose forwarded headers count.",
            allowed="addresses or networks between commas, such as 10.0.0.0/8,::1",
            check=_is_network,
        ),
    ] = ()
    processes: Annotated[
        int, about("Server processes.", 1, 1, allowed="1: several cannot share SQLite yet")
    ] = 1
    admin_key: Annotated[
        str,
        about(
            "Key of user 1, set at every start; empty: made at the first start and shown once.",
            pattern=r"^([A-Za-z0-9_-]{22})?\Z",
            allowed="exactly 22 of the characters A-Z a-z 0-9 _ -",
            secret=True,
        ),
    ] = ""
    secret: Annotated[
        str,
        about(
            "Installation secret; empty: the file secret in the data folder.",
            pattern=r"^([!-~]{22,200})?\Z",
            allowed="22 to 200 visible ASCII characters",
            secret=True,
        ),
    ] = ""
    migrate: Annotated[
        bool, about("Whether an older database is brought up to date at the start.", switch=True)
    ] = True
    request_lifetime_s: Annotated[
        int, about("How long a request lives after its last movement.", 60, DAY_S)
    ] = 1200
    job_ttl_s_min: Annotated[int, about("Least time a worker gets for a job.", 10, DAY_S)] = 150
    faults_max: Annotated[int, about("Faults of one request's jobs that end it.", 1, 100)] = 3
    concurrency: Annotated[int, about("Pictures one user may have waiting.", 1, 100_000)] = 30
    concurrency_anonymous: Annotated[
        int, about("Pictures all anonymous callers may have waiting.", 1, 100_000)
    ] = 500
    request_body_bytes_max: Annotated[
        int, about("The largest body of a call.", 64 * 1024, 1024 * MIB)
    ] = 32 * MIB
    picture_bytes_max: Annotated[int, about("The largest picture file.", 64 * 1024, 256 * MIB)] = (
        16 * MIB
    )
    picture_pixels_max: Annotated[
        int, about("The largest picture, width times height.", 4096, PIXELS_MAX)
    ] = 3072 * 3072 * 4
    links_need_https: Annotated[
        bool, about("Whether pictures are sent inside replies while we are plain http.")
    ] = False
    link_lifetime_s: Annotated[int, about("How long a picture's link works.", 60, DAY_S)] = 1800
    sync_waiters: Annotated[int, about("Calls that may wait for pictures.", 0, 100_000)] = 100
    worker_stale_s: Annotated[int, about("Silence that makes a worker gone.", 10, DAY_S)] = 300
    workers_per_address: Annotated[
        int, about("Workers of untrusted owners at one public address.", 1, 10_000)
    ] = 3
    too_fast_megapixelsteps_per_s: Annotated[
        int, about("Speed that makes a worker suspect; 0: none does.", 0, 1_000_000)
    ] = 20
    trust_threshold: Annotated[
        int, about("Evaluating kudos that make a user trusted.", 0, 1_000_000_000)
    ] = 50_000
    tax: Annotated[float, about("Share of each price the worker does not get.", 0, 1)] = 0.0
    factors: Annotated[
        dict[str, Annotated[float, Meta(ge=0, le=1000)]],
        about("What prices are multiplied with, by name; 1 where none is given."),
    ] = {}
    priority_growth_per_s: Annotated[
        int, about("Priority gained by each second of waiting.", 0, 1_000_000)
    ] = 5
    sweep_interval_s: Annotated[int, about("Pause between rounds of the chores.", 1, 3600)] = 1
    grace_s: Annotated[int, about("Time for what is in hand when asked to stop.", 0, 600)] = 10
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], about("The least that is logged.")
    ] = "info"
    log_format: Annotated[Literal["text", "json"], about("Who reads the log.")] = "text"

    def database_path(self) -> Path:
        """The SQLite file: three slashes are a path from here, four one from the root."""
        if self.database:
            return Path(self.database.removeprefix("sqlite:///"))
        return Path(self.data) / "horde.sqlite3"

    def pictures_url(self) -> str:
        """The URL for `ordu.images.store.open_store`."""
        return self.images or (Path(self.data).resolve() / "pictures").as_uri()

    def public_url_at(self, port: int) -> str:
        """The address clients use, without a slash at the end; `port` is the one really bound."""
        if self.public_url:
            return self.public_url.rstrip("/")
        # A horde that listens everywhere is not reached at the address that means everywhere.
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class WorkerSettings(Settings, frozen=True, kw_only=True):
    """What a worker is told before it starts."""

    url: HordeAddress = "http://127.0.0.1:7001"
    api_key: Annotated[
        str,
        about(
            "Key of the user who earns the kudos.",
            pattern=r"^[!-~]{0,100}\Z",
            allowed="at most 100 visible ASCII characters",
            secret=True,
        ),
    ] = ""
    name: Annotated[str, about("Name of the worker; empty: made from this machine's.")] = ""
    backend: Annotated[str, about("What makes the pictures.", pattern=".")] = "sketch"
    jobs: Annotated[int, about("Jobs in hand at once.", 1, 32)] = 1
    models: Annotated[
        tuple[str, ...], about("Models to offer; empty: all that the backend has.")
    ] = ()
    max_pixels: Annotated[
        int, about("The largest picture to make; 0: as the backend says.", 0, PIXELS_MAX)
    ] = 0
    # On, because a request is marked nsfw unless its author says otherwise: most are.
    nsfw: Annotated[bool, about("Whether requests that may be nsfw are taken.")] = True
    blacklist: Annotated[tuple[str, ...], about("Words whose requests are not taken.")] = ()
    priority_usernames: Annotated[tuple[str, ...], about("Users served first, as name#id.")] = ()
    poll_interval_s: Annotated[float, about("Pause after hearing of no job.", 0.1, 60)] = 1.0


class ClientSettings(Settings, frozen=True, kw_only=True):
    """What the commands and the SDK need to reach a horde."""

    url: HordeAddress = "http://127.0.0.1:7001"
    api_key: Annotated[
        str,
        about(
            "Key to ask with; 0000000000 is anonymous.",
            pattern=r"^[!-~]{1,100}\Z",
            allowed="1 to 100 visible ASCII characters",
            secret=True,
        ),
    ] = "0000000000"
    timeout_s: Annotated[float, about("How long one call may take.", 0.1, 3600)] = 60.0


TABLES: Mapping[type[Settings], str] = {
    ServerSettings: "server",
    WorkerSettings: "worker",
    ClientSettings: "client",
}
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
class Setting:
    """One setting as the command line and the reference describe it."""

    name: str
    type_words: str  # also what a refusal says is allowed
    default: object
    description: str
    flag: str
    environment: str
    is_secret: bool
    is_switch: bool  # the flag stands alone and turns the setting off
    annotation: Any
    type: inspect.Type
    check: Callable[[str], bool] | None

    def shown_in(self, settings: Settings) -> str:
        """Its value as text that could be given back; of a secret only whether it is set."""
        value = getattr(settings, self.name)
        if self.is_secret:
            return "(set)" if value else "(not set)"
        return as_text(value)


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
) -> Reading[T]:
    """The settings of one kind, each from the first place that gives it; else a `SettingError`.

    `flags` maps names of settings to what was given (None: nothing); `file` is the one asked for
    by `--config`, otherwise `ORDU_CONFIG` names it or `ordu.toml` lies in the current folder.
    """
    settings = describe(kind)
    if strange := flags.keys() - {each.name for each in settings}:
        raise TypeError(f"{kind.__name__} has no {', '.join(sorted(strange))}")
    _refuse_misspelt_variables(kind, environ)
    variables = {each.name: environ.get(each.environment) or None for each in settings}
    path = _settings_file(file, environ)
    table = _read_table(path, kind) if path else {}
    values: dict[str, object] = {}
    origins: dict[str, Origin] = {}
    for setting in settings:
        places = (
            ("flag " + setting.flag, Source.FLAG, flags.get(setting.name)),
            ("environment " + setting.environment, Source.ENVIRONMENT, variables.get(setting.name)),
            (f"{path} [{TABLES[kind]}] {setting.name}", Source.FILE, table.get(setting.name)),
        )
        given = (place for place in places if place[2] is not None)
        words, source, value = next(given, ("default", Source.DEFAULT, None))
        origins[setting.name] = Origin(source, words)
        if value is not None:
            values[setting.name] = _value(setting, value, words)
    return Reading(msgspec.convert(values, kind), origins)


@cache
def describe(kind: type[Settings]) -> tuple[Setting, ...]:
    """Every setting of a kind, in the order of its fields."""
    return tuple(_setting(field) for field in msgspec.structs.fields(kind))


def as_text(value: object) -> str:
    """A value the way flags and environment variables take it."""
    match value:
        case bool():
            return "on" if value else "off"
        case Mapping():
            return ",".join(f"{name}={as_text(number)}" for name, number in value.items())
        case list() | tuple():
            return ",".join(as_text(item) for item in value)
        case float():
            return f"{value:.15g}"
        case _:
            return str(value)


def _setting(field: msgspec.structs.FieldInfo) -> Setting:
    metadata = inspect.type_info(field.type)
    if not isinstance(metadata, inspect.Metadata):
        raise TypeError(f"Setting {field.name} has no description.")
    extra = metadata.extra or {}
    is_switch = bool(extra.get("switch"))
    default = field.default
    if default is msgspec.NODEFAULT:
        default = field.default_factory()
    return Setting(
        name=field.name,
        type_words=extra.get("allowed") or _type_words(metadata.type),
        default=default,
        description=(metadata.extra_json_schema or {})["description"],
        flag=("--no-" if is_switch else "--") + field.name.replace("_", "-"),
        environment="ORDU_" + field.name.upper(),
        is_secret=bool(extra.get("secret")),
        is_switch=is_switch,
        annotation=field.type,
        type=metadata.type,
        check=extra.get("check"),
    )


def _type_words(kind: inspect.Type) -> str:
    words = "text"
    match kind:
        case inspect.BoolType():
            words = "on or off"
        case inspect.IntType(ge=low, le=high):
            words = f"a whole number from {low} to {high}"
        case inspect.FloatType(ge=low, le=high):
            words = f"a number from {low} to {high}"
        case inspect.LiteralType(values=values):
            words = "one of " + ", ".join(map(str, values))
        case inspect.VarTupleType():
            words = "texts between commas"
        case inspect.DictType(value_type=numbers):
            words = f"name=number between commas, each {_type_words(numbers)}"
    return words


def _settings_file(file: Path | None, environ: Mapping[str, str]) -> Path | None:
    if file is not None:
        return file
    if named := environ.get("ORDU_CONFIG"):
        return Path(named)
    return beside if (beside := Path("ordu.toml")).exists() else None


def _read_table(path: Path, kind: type[Settings]) -> Mapping[str, object]:
    """The table of this kind; other tables are looked at when their program starts."""
    try:
        with path.open("rb") as opened:
            content = tomllib.load(opened)
    except OSError as error:
        raise SettingError(f"Settings file {path}: {error.strerror or 'unreadable'}.") from error
    except ValueError as error:
        raise SettingError(f"Settings file {path} is not TOML: {_one_line(error)}.") from error
    _refuse_unknown(f"{path}: the table", content, TABLES.values())
    name = TABLES[kind]
    table = content.get(name, {})
    if not isinstance(table, dict):
        raise SettingError(f"{path}: {name} is a table; write its settings below [{name}].")
    _refuse_unknown(f"{path} [{name}]: the setting", table, [each.name for each in describe(kind)])
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
    text = re.sub(r"//[^/@\s]*@", "//(not shown)@", str(given))
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
