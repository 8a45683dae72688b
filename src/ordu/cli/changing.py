"""Options made from the body of a change: one for each field that a horde lets people change.

The struct of `ordu.protocol` is the table: its fields give the names, the kinds and the help.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import click
import msgspec
from msgspec import inspect

from ordu.protocol.explain import explain

T = TypeVar("T", bound=msgspec.Struct)
F = TypeVar("F", bound=Callable[..., Any])

BESIDES = frozenset({"reason"})  # what is said of a change, and is none
KINDS: Mapping[type[inspect.Type], click.ParamType[Any]] = {
    inspect.IntType: click.INT,
    inspect.FloatType: click.FLOAT,
    inspect.StrType: click.STRING,
}


@dataclass(frozen=True, slots=True)
class Changeable(Generic[T]):
    """What can be changed by the body of this kind.

    `without` are fields that get no option, `only_on` switches that cannot be turned off,
    `called` gives a field's option another name than the field's, `told` another help.
    """

    kind: type[T]
    without: frozenset[str] = frozenset()
    only_on: frozenset[str] = frozenset()
    called: Mapping[str, str] = field(default_factory=dict)
    told: Mapping[str, str] = field(default_factory=dict)

    def options(self, function: F) -> F:
        """Give a command an option for each field."""
        for each in reversed(self._fields()):
            shape = {**_shape(each), "default": None}
            if each.name in self.told:
                shape["help"] = self.told[each.name]
            function = click.option(self._declared(each), each.name, **shape)(function)
        return function

    def read(self, given: Mapping[str, Any]) -> T:
        """The body with the fields that were given.

        Raises:
            click.UsageError: nothing was given, or a value is out of its bounds.
        """
        values = {name: value for name, value in given.items() if value is not None}
        if not values.keys() - BESIDES:
            flags = ", ".join(
                self._flag(each) for each in self._fields() if each.name not in BESIDES
            )
            raise click.UsageError(f"Say what to change: {flags}.")
        try:
            return msgspec.convert(values, self.kind)
        except msgspec.ValidationError as error:
            wrong = explain(self.kind, values) or {"": str(error)}
            raise click.UsageError(
                "\n".join(self._in_words(*each) for each in wrong.items())
            ) from error

    def _fields(self) -> list[inspect.Field]:
        info = inspect.type_info(self.kind)
        assert isinstance(info, inspect.StructType)
        return [each for each in info.fields if each.name not in self.without]

    def _flag(self, each: inspect.Field) -> str:
        return "--" + self.called.get(each.name, each.name).replace("_", "-")

    def _declared(self, each: inspect.Field) -> str:
        flag = self._flag(each)
        if not isinstance(_plain(each), inspect.BoolType) or each.name in self.only_on:
            return flag
        return f"{flag}/--no-{flag.removeprefix('--')}"

    def _in_words(self, name: str, what: str) -> str:
        flags = {each.name: self._flag(each) for each in self._fields()}
        return f"{flags.get(name, name)}: {what}" if name else what


def _plain(each: inspect.Field) -> inspect.Type:
    """The type of a field without its description and without "or nothing"."""
    kind = each.type.type if isinstance(each.type, inspect.Metadata) else each.type
    if isinstance(kind, inspect.UnionType):
        kind = next(one for one in kind.types if not isinstance(one, inspect.NoneType))
    return kind


def _shape(each: inspect.Field) -> dict[str, Any]:
    extra = each.type.extra_json_schema if isinstance(each.type, inspect.Metadata) else None
    shape: dict[str, Any] = {"help": (extra or {}).get("description")}
    kind = type(_plain(each))
    if kind is inspect.BoolType:
        return {**shape, "is_flag": True}
    metavar = "TEXT" if kind is inspect.StrType else "NUMBER"
    return {**shape, "type": KINDS[kind], "metavar": metavar}
