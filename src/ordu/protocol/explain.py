"""What is wrong with a body: every violation at once, in words for the person who sent it.

Decoding is fast and stops at the first fault. When it failed, this second pass walks the type and
the JSON value side by side and collects all faults, each under its dotted path (`params.width`,
`forms.0`): what was given, and what is allowed. It knows the types that request bodies are made
of; a test holds it to that, and another to agree with msgspec about what is a fault at all.
"""

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sized
from dataclasses import dataclass
from itertools import accumulate, islice
from re import search
from sys import float_info
from types import NoneType
from typing import Any, TypeAlias

from msgspec import inspect

VIOLATIONS_MAX = 50  # more than a person reads
SHOWN_MAX = 60  # characters of what was given
LISTED_MAX = 400  # characters of a list of allowed values
BITS_MAX = 128  # whole numbers with more bits are told by their size

ROOT = "body"  # the path of a body that is not even the right kind of thing

Violations: TypeAlias = Iterator[tuple[str, str]]


def explain(type_: Any, value: Any) -> dict[str, str]:
    """Every way in which this decoded JSON value is no `type_`, as dotted path -> words.

    A null in a field that may be left out counts as left out.
    """
    return dict(islice(_violations(inspect.type_info(type_), value, ""), VIOLATIONS_MAX))


def _violations(kind: inspect.Type, value: Any, path: str) -> Violations:
    # JSON types tell the members of a union apart: msgspec allows no others. 5 may be a float, too.
    members = sorted(_members(kind), key=lambda member: isinstance(member, inspect.FloatType))
    member = next((member for member in members if type(value) in _json_types(member)), None)
    if member is None:
        yield path or ROOT, f"{_given(value)} Allowed: {_any_of(members)}."
    else:
        yield from KINDS[type(member)].check(member, value, path)


def _members(kind: inspect.Type) -> Iterator[inspect.Type]:
    """The members of a union, or the one type itself; without their documentation."""
    match kind:
        case inspect.Metadata(type=inner):
            yield from _members(inner)
        case inspect.UnionType(types=types):
            for member in types:
                yield from _members(member)
        case _:
            yield kind


def _json_types(kind: inspect.Type) -> tuple[type, ...]:
    """What the JSON decoder can make of a value of this kind."""
    if isinstance(kind, inspect.LiteralType):
        return tuple(map(type, kind.values))
    return KINDS[type(kind)].json


# -- things made of other things ---------------------------------------------------------------


def _in_struct(kind: inspect.StructType, value: dict[str, Any], path: str) -> Violations:
    for field in kind.fields:
        here = _below(path, field.encode_name)
        if field.required and field.encode_name not in value:
            yield here, "This field is required."
        elif field.required or value.get(field.encode_name) is not None:
            yield from _violations(field.type, value[field.encode_name], here)


def _in_list(kind: inspect.CollectionType, value: list[Any], path: str) -> Violations:
    yield from _in_length(kind, value, path)
    for index, element in enumerate(islice(value, kind.max_length)):
        yield from _violations(kind.item_type, element, _below(path, str(index)))


def _in_dict(kind: inspect.DictType, value: dict[str, Any], path: str) -> Violations:
    yield from _in_length(kind, value, path)
    for name, element in islice(value.items(), kind.max_length):
        here = _below(path, _shortened(name))
        yield from _violations(kind.key_type, name, here)
        yield from _violations(kind.value_type, element, here)


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


# -- single values -----------------------------------------------------------------------------


def _in_anything(_kind: inspect.Type, _value: Any, _path: str) -> Violations:
    yield from ()


def _in_choice(kind: inspect.LiteralType, value: Any, path: str) -> Violations:
    if value not in kind.values:
        yield path or ROOT, f"{_shown(value)} is not among the values. Allowed: {_allowed(kind)}."


def _in_text(kind: inspect.StrType, value: str, path: str) -> Violations:
    yield from _in_length(kind, value, path)
    if kind.pattern is not None and not search(kind.pattern, value):
        yield path or ROOT, f"{_shown(value)} does not match. Allowed: {_allowed(kind)}."


def _in_length(kind: Any, value: Sized, path: str) -> Violations:
    too_short = kind.min_length is not None and len(value) < kind.min_length
    too_long = kind.max_length is not None and len(value) > kind.max_length
    if too_short or too_long:
        unit = KINDS[type(kind)].unit
        given = f"{_shown(value)} has" if isinstance(value, str) else "There are"
        few_or_many = "few" if too_short else "many"
        allowed = _range(ge=kind.min_length, le=kind.max_length)
        yield (
            path or ROOT,
            f"{given} too {few_or_many} {unit} ({len(value)}). Allowed: {allowed} {unit}.",
        )


def _in_bounds(kind: Any, value: float, path: str) -> Violations:
    wrong = _out_of_bounds(kind, value)
    if wrong:
        allowed = _bounds(kind) or "what a 64-bit float can hold"
        yield path or ROOT, f"{_shown(value)} is {wrong}. Allowed: {allowed}."


def _out_of_bounds(kind: Any, value: float) -> str | None:
    bounds = (
        (kind.ge, operator.lt, "too small"),
        (kind.gt, operator.le, "too small"),
        (kind.le, operator.gt, "too large"),
        (kind.lt, operator.ge, "too large"),
    )
    for bound, is_beyond, words in bounds:
        if bound is not None and is_beyond(value, bound):
            return words
    if isinstance(kind, inspect.FloatType) and abs(value) > float_info.max:
        return "too large" if value > 0 else "too small"
    step = kind.multiple_of
    return None if step is None or value % step == 0 else f"not a multiple of {_number(step)}"


# -- words -------------------------------------------------------------------------------------


def _any_of(members: list[inspect.Type]) -> str:
    """What may be given instead. Null is no advice: it only says that the field may be left out."""
    useful = [member for member in members if not isinstance(member, inspect.NoneType)]
    return " or ".join(map(_allowed, useful or members))


def _allowed(kind: inspect.Type) -> str:
    """What may be given, such as `a whole number (64 to 3072 in steps of 64)`."""
    noun = KINDS[type(kind)].noun
    match kind:
        case inspect.LiteralType(values=values):
            return _listed(values)
        case inspect.IntType() | inspect.FloatType():
            return f"{noun} ({bounds})" if (bounds := _bounds(kind)) else noun
        case inspect.StrType(pattern=str(pattern)):
            return f"{noun} that matches {pattern}"
    return noun


def _bounds(kind: Any) -> str:
    """The bounds of a number in words; empty when it has none."""
    words = _range(kind.ge, kind.le, kind.gt, kind.lt)
    if kind.multiple_of is None:
        return words
    step = _number(kind.multiple_of)
    from_a_step = kind.ge is not None and kind.ge % kind.multiple_of == 0
    return f"{words} in steps of {step}" if from_a_step else f"{words} multiples of {step}".strip()


def _range(
    ge: float | None = None,
    le: float | None = None,
    gt: float | None = None,
    lt: float | None = None,
) -> str:
    if ge is not None and le is not None:
        return f"{_number(ge)} to {_number(le)}"
    named = (("at least", ge), ("more than", gt), ("at most", le), ("less than", lt))
    return " and ".join(f"{words} {_number(bound)}" for words, bound in named if bound is not None)


def _listed(values: Iterable[Any]) -> str:
    """As many of the values as fit, and how many more there are."""
    shown = sorted(map(_shown, values))
    room = accumulate(len(words) + 2 for words in shown)
    fitting = sum(end <= LISTED_MAX for end in room)
    more = f" and {len(shown) - fitting} more" if fitting < len(shown) else ""
    return ", ".join(shown[:fitting]) + more


def _given(value: Any) -> str:
    """A sentence about what was given instead of something of another JSON type."""
    if isinstance(value, list | dict) or value is None:
        return f"This is {_JSON_NOUNS[type(value)]}."
    return f"{_shown(value)} is {_JSON_NOUNS[type(value)]}."


def _shown(value: Any) -> str:
    """A text, number or truth value as it stands in JSON; shortened, with nothing invisible."""
    if isinstance(value, str):
        return f'"{_shortened(value, SHOWN_MAX - 2)}"'
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    return _number(value)


def _number(value: float) -> str:
    """`5.0` is shown as 5; a number that nobody would read to its end by its size."""
    if isinstance(value, int):
        return (
            str(value) if value.bit_length() <= BITS_MAX else f"A {value.bit_length()}-bit number"
        )
    return repr(value).removesuffix(".0")


def _shortened(text: str, length_max: int = SHOWN_MAX) -> str:
    escaped = "".join(map(_visible, text[: length_max + 1]))
    return escaped if len(escaped) <= length_max else escaped[: length_max - 1] + "…"


def _visible(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode()


# -- the kinds of types that bodies are made of ------------------------------------------------


@dataclass(frozen=True, slots=True)
class Kind:
    """How a type is written in JSON, what it is called, and what may be wrong with a value."""

    json: tuple[type, ...]
    noun: str
    check: Callable[[Any, Any, str], Violations]
    unit: str = ""  # what its length counts


_JSON_NOUNS = {
    str: "a string",
    int: "a whole number",
    float: "a number",
    bool: "a truth value",
    NoneType: "null",
    list: "a list",
    dict: "an object",
}
KINDS: Mapping[type[inspect.Type], Kind] = {
    inspect.AnyType: Kind(tuple(_JSON_NOUNS), "anything", _in_anything),
    inspect.NoneType: Kind((NoneType,), "null", _in_anything),
    inspect.BoolType: Kind((bool,), "true or false", _in_anything),
    inspect.IntType: Kind((int,), "a whole number", _in_bounds),
    inspect.FloatType: Kind((float, int), "a number", _in_bounds),
    inspect.StrType: Kind((str,), "a string", _in_text, "characters"),
    inspect.LiteralType: Kind((), "one of a few values", _in_choice),
    inspect.ListType: Kind((list,), "a list", _in_list, "entries"),
    inspect.DictType: Kind((dict,), "an object", _in_dict, "fields"),
    inspect.StructType: Kind((dict,), "an object", _in_struct),
}
