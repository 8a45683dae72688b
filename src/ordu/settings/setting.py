"""One setting: how its field is annotated, and what others read in the annotation."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import msgspec
from msgspec import Meta, inspect

# A password in an address: up to the last @, because it may hold one, or given as a parameter.
PASSWORD = re.compile(r"(\w://[^/@:?\s]*:)\S*@")
PASSWORD_PARAMETER = re.compile(r"([?&](?:ssl)?password=)[^&\s]*", re.IGNORECASE)

# Units stand last in a name, before `min` and `max`.
UNITS = {
    re.compile(r"megapixelsteps_per_s$"): "megapixelsteps per second",
    re.compile(r"_per_s$"): "per second",
    re.compile(r"_s(_min|_max)?$"): "seconds",
    re.compile(r"_bits$"): "bits",
    re.compile(r"_bytes(_min|_max)?$"): "bytes",
    re.compile(r"_pixels(_min|_max)?$"): "pixels",
}


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


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What the three have in common: printed by mistake, they keep their secrets."""

    def __repr__(self) -> str:
        values = (f"{each.name}={each.shown_in(self)}" for each in describe(type(self)))
        return f"{type(self).__name__}({', '.join(values)})"


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

    @property
    def unit(self) -> str | None:
        """What its number counts, as its name says last; None without a unit."""
        return next((unit for ending, unit in UNITS.items() if ending.search(self.name)), None)

    def shown_in(self, settings: Settings) -> str:
        """Its value as text that could be given back; of a secret only whether it is set."""
        value = getattr(settings, self.name)
        if self.is_secret:
            return "(set)" if value else "(not set)"
        return without_password(as_text(value))


def without_password(text: str) -> str:
    """A text in which no address tells its password."""
    return PASSWORD_PARAMETER.sub(r"\1…", PASSWORD.sub(r"\1…@", text))


@cache
def describe(kind: type[Settings], group: str = "") -> tuple[Setting, ...]:
    """Every setting of a kind, in the order of its fields.

    `group` is the backend's name for settings of a backend: they have variables of their own.
    """
    return tuple(_setting(field, group) for field in msgspec.structs.fields(kind))


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


def _setting(field: msgspec.structs.FieldInfo, group: str) -> Setting:
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
        flag=_flag(field.name, group, is_switch=is_switch),
        environment="_".join(["ORDU", *([group] if group else []), field.name]).upper(),
        is_secret=bool(extra.get("secret")),
        is_switch=is_switch,
        annotation=field.type,
        type=metadata.type,
        check=extra.get("check"),
    )


def _flag(name: str, group: str, *, is_switch: bool) -> str:
    if group:
        return f"--set {name}="
    return ("--no-" if is_switch else "--") + name.replace("_", "-")


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
        case inspect.DictType(value_type=inspect.StrType()):
            words = "name=text between commas"
        case inspect.DictType(value_type=numbers):
            words = f"name=number between commas, each {_type_words(numbers)}"
    return words
