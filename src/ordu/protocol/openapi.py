"""The table of operations as documents for programs: Swagger 2.0 and OpenAPI 3.1.

Swagger is what the public hordes publish and what today's SDKs are generated from, so it keeps the
seed's names, `payload` for the body, and covers `/api/v2`. OpenAPI covers every row. Both say the
same in two dialects, from the same JSON schemas of the messages.

A message that inherits from another is written as `allOf` the other and its own fields, as in the
seed: generated classes then have the same ancestors. A field that narrows an inherited one stands
in both parts, which is sound, because a value has to satisfy all of them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec
from msgspec import inspect

from ordu.protocol.operations import TABLE, Operation, Parameter, Place
from ordu.protocol.replies import RequestError

Json: TypeAlias = dict[str, Any]
Message: TypeAlias = type[msgspec.Struct]

JSON = "application/json"
TYPES: Mapping[type, str] = {str: "string", int: "integer", float: "number", bool: "boolean"}
MASK_RESPONSES: Json = {
    "ParseError": {"description": "When a mask can't be parsed"},
    "MaskError": {"description": "When any error occurs on mask"},
}


def swagger_document(title: str, version: str, base_path: str = "/api") -> Json:
    """The Swagger 2.0 document of everything below `base_path`/v2; paths are relative to it."""
    rows = [row for row in TABLE if row.path.startswith(f"{base_path}/v2/")]
    schemas = _Schemas(rows, "#/definitions/{name}", _as_swagger)
    return {
        "swagger": "2.0",
        "basePath": base_path,
        "paths": _paths(rows, len(base_path), lambda row: _swagger_operation(row, schemas)),
        "info": _info(title, version),
        "produces": [JSON],
        "consumes": [JSON],
        "tags": [{"name": "v2", "description": "API Version 2"}],
        "definitions": schemas.definitions,
        "responses": MASK_RESPONSES,
    }


def openapi_document(title: str, version: str) -> Json:
    """The OpenAPI 3.1 document of all operations."""
    schemas = _Schemas(TABLE, "#/components/schemas/{name}", _as_openapi)
    return {
        "openapi": "3.1.0",
        "info": _info(title, version),
        "paths": _paths(TABLE, 0, lambda row: _openapi_operation(row, schemas)),
        "tags": [
            {"name": "v2", "description": "API Version 2"},
            {"name": "ordu", "description": "What only this horde has"},
        ],
        "components": {"schemas": schemas.definitions, "responses": MASK_RESPONSES},
    }


def _info(title: str, version: str) -> Json:
    return {
        "title": title,
        "version": version,
        "description": f"The API documentation for {title}",
    }


def _paths(
    rows: Sequence[Operation], prefix_length: int, describe: Callable[[Operation], Json]
) -> Json:
    paths: Json = {}
    for row in rows:
        paths.setdefault(row.path[prefix_length:], {})[row.method.lower()] = describe(row)
    return paths


# -- one operation -----------------------------------------------------------------------------


def _swagger_operation(row: Operation, schemas: "_Schemas") -> Json:
    parameters = [_parameter(parameter) | _type(parameter) for parameter in row.parameters]
    if row.request is not None:
        body = {"name": "payload", "in": "body", "required": True}
        parameters.append(body | {"schema": schemas.of(row.request)})
    error = {"schema": schemas.of(RequestError)}
    answer = {} if row.reply is None else {"schema": schemas.of(row.reply)}
    said = _about(row) | {"parameters": parameters, "responses": _responses(row, answer, error)}
    return said if row.produces == JSON else said | {"produces": [row.produces, JSON]}  # refusals


def _openapi_operation(row: Operation, schemas: "_Schemas") -> Json:
    parameters = [
        _parameter(parameter) | {"schema": _type(parameter)} for parameter in row.parameters
    ]
    said = _about(row) | {"parameters": parameters}
    if body := _content(row.request, row.consumes, schemas):
        said["requestBody"] = {"required": True, **body}
    error = _content(RequestError, JSON, schemas)
    answer = _content(row.reply, row.produces, schemas)
    return said | {"responses": _responses(row, answer, error)}


def _about(row: Operation) -> Json:
    said: Json = {"operationId": row.name, "summary": row.summary}
    if row.description:
        said["description"] = row.description
    return said | {"tags": ["v2" if row.path.startswith("/api/v2/") else "ordu"]}


def _parameter(parameter: Parameter) -> Json:
    said: Json = {"name": parameter.name, "in": parameter.place.value}
    if parameter.required or parameter.place is Place.PATH:
        said["required"] = True
    return said | {"description": parameter.description}


def _type(parameter: Parameter) -> Json:
    said = {"type": TYPES[parameter.type]}
    return said | {"format": parameter.format} if parameter.format else said


def _responses(row: Operation, answer: Json, error: Json) -> Json:
    refusals = {
        str(status): {"description": words, **error}
        for status, words in row.statuses_refused.items()
    }
    success = {"description": row.status_text, **answer}
    also = {str(status): {"description": words} for status, words in row.also.items()}
    likewise = {
        str(status): {"description": words, **answer} for status, words in row.likewise.items()
    }
    return {str(row.status): success, **likewise, **also, **dict(sorted(refusals.items()))}


def _content(message: Any, media_type: str, schemas: "_Schemas") -> Json:
    """What goes in or comes out: JSON of a message, bytes of another media type, or nothing."""
    if message is not None:
        return {"content": {media_type: {"schema": schemas.of(message)}}}
    return {} if media_type == JSON else {"content": {media_type: {}}}


# -- schemas -----------------------------------------------------------------------------------


class _Schemas:
    """The JSON schemas of all messages of some rows, in one dialect."""

    def __init__(
        self, rows: Sequence[Operation], reference: str, dialect: Callable[[Json], Json]
    ) -> None:
        self._reference = reference
        self._dialect = dialect
        messages: dict[Message, None] = {}
        for type_ in (RequestError, *(t for row in rows for t in (row.request, row.reply))):
            for message in _messages_in(inspect.type_info(type_)):
                _add_with_parts(message, messages)
        _, flat = msgspec.json.schema_components(messages, ref_template=reference)
        for message in messages:
            _add_real_defaults(message, flat[message.__name__])
        self.definitions: Json = {
            message.__name__: _everywhere(self._definition(message, flat), dialect)
            for message in sorted(messages, key=lambda message: message.__name__)
        }

    def of(self, type_: Any) -> Json:
        """The schema of a message, or of a list of one."""
        (schema,), _ = msgspec.json.schema_components([type_], ref_template=self._reference)
        return _everywhere(schema, self._dialect)

    def _definition(self, message: Message, flat: Mapping[str, Json]) -> Json:
        """The message's own part of its flat schema, and a reference to what it inherits."""
        whole = flat[message.__name__]
        base = _base(message)
        inherited = flat[base.__name__] if base else {"properties": {}, "required": []}
        own: Json = {
            "type": "object",
            "properties": {
                name: schema
                for name, schema in whole["properties"].items()
                if inherited["properties"].get(name) != schema
            },
        }
        if required := [name for name in whole["required"] if name not in inherited["required"]]:
            own["required"] = required
        about = {"description": whole["description"]} if "description" in whole else {}
        if base is None:
            return about | own
        return about | {"allOf": [{"$ref": self._reference.format(name=base.__name__)}, own]}


def _base(message: Message) -> Message | None:
    base = message.__base__
    return base if base is not msgspec.Struct else None


def _messages_in(kind: inspect.Type) -> Iterator[Message]:
    """The structs that a type names, without those inside them."""
    match kind:
        case inspect.StructType(cls=cls):
            yield cls
        case inspect.Metadata(type=inner) | inspect.CollectionType(item_type=inner):
            yield from _messages_in(inner)
        case inspect.DictType(value_type=inner):
            yield from _messages_in(inner)
        case inspect.UnionType(types=members):
            for member in members:
                yield from _messages_in(member)


def _add_with_parts(message: Message, found: dict[Message, None]) -> None:
    """Add a message, what it inherits from and what it contains."""
    if message in found:
        return
    found[message] = None
    if base := _base(message):
        _add_with_parts(base, found)
    for field in _fields(message):
        for part in _messages_in(field.type):
            _add_with_parts(part, found)


def _fields(message: Message) -> Sequence[inspect.Field]:
    kind = inspect.type_info(message)
    assert isinstance(kind, inspect.StructType)
    return kind.fields


def _add_real_defaults(message: Message, schema: Json) -> None:
    """Say what a list is when it is not given, which msgspec says of plain values only."""
    for field in _fields(message):
        if field.default_factory is not msgspec.NODEFAULT:
            default = field.default_factory()
            if isinstance(default, list | dict):
                schema["properties"][field.encode_name]["default"] = default


# -- dialects ----------------------------------------------------------------------------------


def _everywhere(schema: Json, change: Callable[[Json], Json]) -> Json:
    """The schema with this change made to it and to every schema in it."""
    changed = dict(schema)
    if "properties" in schema:
        inner = schema["properties"].items()
        changed["properties"] = {name: _everywhere(field, change) for name, field in inner}
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            changed[key] = _everywhere(schema[key], change)
    for key in ("anyOf", "allOf"):
        if key in schema:
            changed[key] = [_everywhere(part, change) for part in schema[key]]
    return change(changed)


def _as_openapi(schema: Json) -> Json:
    """OpenAPI 3.1 speaks JSON Schema; only what tells nothing is left out."""
    said = {
        key: value
        for key, value in schema.items()
        if key != "title" and not (key == "default" and value is None)
    }
    # Generators take an `enum` without a type for anything.
    if all(isinstance(word, str) for word in said.get("enum", (None,))):
        said["type"] = "string"
    return said


def _as_swagger(schema: Json) -> Json:
    """Swagger 2.0 knows one type for each field, and a reference with an extension at most."""
    plain = _of_one_type(_as_openapi(schema))
    if "$ref" in plain:
        # The extension is for checkers; generators read nothing beside a reference, as they shall.
        return {key: plain[key] for key in ("$ref", "x-nullable") if key in plain}
    for exclusive, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if exclusive in plain:
            plain |= {bound: plain[exclusive], exclusive: True}
    if "examples" in plain:
        plain["example"] = plain.pop("examples")[0]
    return plain


def _of_one_type(schema: Json) -> Json:
    """A union as its text member where it has one; null and other members as extensions.

    No text stands for a list: a union with one may be anything.
    """
    members = [member for member in schema.get("anyOf", ()) if member.get("type") != "null"]
    if not members:
        return schema
    members.sort(key=lambda member: member.get("type") != "string")
    if len(members) > 1 and any(member.get("type") == "array" for member in members):
        members.insert(0, {})
    said: Json = members[0] | {key: value for key, value in schema.items() if key != "anyOf"}
    if len(members) < len(schema["anyOf"]):
        said["x-nullable"] = True
    if others := [member["type"] for member in members[1:]]:
        said["x-also"] = " or ".join(others)
    return said
