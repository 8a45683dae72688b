"""JSON schemas in words: what a field takes, said so that a person can read it aloud.

The schemas are the components of the OpenAPI document. A message is laid out flat, one row for each
field, with the fields of messages inside it below it under dotted names (`params.steps`,
`generations[].seed`), which are also the names that a refusal uses.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import msgspec

Json: TypeAlias = dict[str, Any]
Schemas: TypeAlias = Mapping[str, Json]

WORDS: Mapping[str, tuple[str, str]] = {
    "string": ("text", "texts"),
    "integer": ("whole number", "whole numbers"),
    "number": ("number", "numbers"),
    "boolean": ("true or false", "true or false"),
    "object": ("object", "objects"),
}
BIGGEST = 2**63 - 1  # a bound as wide as the type bounds nothing


@dataclass(frozen=True)
class Field:
    """One row: a field of a message."""

    name: str
    takes: str
    meaning: str
    default: str = ""  # as JSON; empty where nothing stands in for a missing value
    is_required: bool = False

    @property
    def within(self) -> str:
        """The part of the name that says which message it is in, with its dot."""
        return self.name[: len(self.name) - len(self.own_name)]

    @property
    def own_name(self) -> str:
        """The name without that."""
        return self.name.rpartition(".")[2]


def fields_of(schema: Json, schemas: Schemas) -> tuple[Field, ...]:
    """The fields of a message, or of what a list has."""
    return tuple(rows(item_of(schema), schemas, "", frozenset()))


def rows(schema: Json, schemas: Schemas, prefix: str, above: frozenset[str]) -> Iterator[Field]:
    """A row for each field, and below it those of the message inside; `above` stops a circle."""
    properties, required = parts(schema, schemas)
    above |= {name_of(schema)}
    for name, field in properties.items():
        yield Field(
            name=prefix + name,
            takes=takes(field),
            meaning=field.get("description", ""),
            default=as_json(field["default"]) if "default" in field else "",
            is_required=name in required,
        )
        inner = item_of(field)
        if name_of(inner) and name_of(inner) not in above:
            dots = "[]." if inner is not single(field) else "."
            yield from rows(inner, schemas, prefix + name + dots, above)


def parts(schema: Json, schemas: Schemas) -> tuple[dict[str, Json], frozenset[str]]:
    """The properties of a message with those it inherits, and the names that must be there."""
    schema = schemas.get(name_of(schema), schema)
    properties: dict[str, Json] = {}
    required: frozenset[str] = frozenset()
    for part in schema.get("allOf", ()):
        inherited, needed = parts(part, schemas)
        properties |= inherited
        required |= needed
    return properties | schema.get("properties", {}), required | set(schema.get("required", ()))


def single(schema: Json) -> Json:
    """The one member of a union that is not null, or the schema itself."""
    members = [member for member in schema.get("anyOf", ()) if member.get("type") != "null"]
    return members[0] if len(members) == 1 else schema


def item_of(schema: Json) -> Json:
    """What a list has, or the schema itself."""
    schema = single(schema)
    items: Json = schema.get("items", schema)
    return items


def name_of(schema: Json) -> str:
    """The name of the message that is referred to; empty when none is."""
    reference: str = schema.get("$ref", "")
    return reference.rpartition("/")[2]


# In words


def takes(schema: Json) -> str:
    """What a field takes: its type and its bounds."""
    if "anyOf" in schema:
        members = [takes(member) for member in schema["anyOf"] if member.get("type") != "null"]
        said = " or ".join(members)
        return said + ", or null" if len(members) < len(schema["anyOf"]) else said
    if "enum" in schema:
        return "one of " + ", ".join(str(value) for value in schema["enum"])
    if schema.get("type") == "array":
        return list_words(schema)
    return ", ".join(filter(None, (type_words(schema, plural=False), bounds(schema))))


def list_words(schema: Json) -> str:
    """A list: of what, and how many."""
    items = schema.get("items", {})
    if "enum" in items:
        said = "list of " + ", ".join(str(value) for value in items["enum"])
    else:
        inner = bounds(items)
        said = "list of " + type_words(items, plural=True) + (f" of {inner}" if inner else "")
    count = span(schema.get("minItems"), schema.get("maxItems"))
    return f"{said}; {count}" if count else said


def type_words(schema: Json, *, plural: bool) -> str:
    """The type alone."""
    if schema.get("format") == "date-time":
        return "dates with time" if plural else "date with time"
    values = schema.get("additionalProperties")
    if isinstance(values, dict):
        return "object of " + type_words(values, plural=True)
    return WORDS[schema.get("type", "object")][plural]


def bounds(schema: Json) -> str:
    """The bounds of a number or of a text's length."""
    if schema.get("type") == "string":
        length = span(schema.get("minLength"), schema.get("maxLength"))
        return length and f"{length} character{'' if length.endswith(' 1') else 's'}"
    more = f"more than {number(schema['exclusiveMinimum'])}" if "exclusiveMinimum" in schema else ""
    limits = span(schema.get("minimum"), schema.get("maximum"))
    step = f"in steps of {number(schema['multipleOf'])}" if "multipleOf" in schema else ""
    return ", ".join(filter(None, (more, limits, step)))


def span(least: float | None, most: float | None) -> str:
    """A range: `1 to 20`, `at least 1`, `at most 20`; empty when there is no bound."""
    has_least = least is not None and abs(least) < BIGGEST
    has_most = most is not None and abs(most) < BIGGEST
    if has_least and has_most:
        return f"{number(least)} to {number(most)}"
    if has_least:
        return f"at least {number(least)}"
    return f"at most {number(most)}" if has_most else ""


def number(value: float | None) -> str:
    """A number as people write it: `1,000`, `0.5`, `−40`."""
    assert value is not None
    whole = int(value) if float(value).is_integer() else value
    return f"{whole:,}".replace("-", "−")


def as_json(value: object) -> str:
    """A default as it would stand in a body."""
    return msgspec.json.encode(value).decode()
