"""`X-Fields`: the mask with which a caller asks for only some fields of an answer.

    mask := "{" list "}" | list         list := item ("," item)* [","]
    item := name [ "{" list "}" ]       name := letters, digits, _ : - *

All other characters are skipped, and a comma between two names may be left out. A mask is compiled
once per (operation, text): parsed into a tree, checked against the reply type, and cut down to what
that type has. Applying it is then one walk over the answer (protocol sheet 01 §5). `shape` joins it
with the null rule (§4.4) and is what the server calls.
"""

import re
from collections import deque
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, TypeAlias

import msgspec
from msgspec import inspect

from ordu.protocol.errors import Refused
from ordu.protocol.operations import Nulls, Operation

TEXT_MAX = 2000  # characters of one mask
DEPTH_MAX = 8  # braces within braces, the outer pair not counted
MASKS_KEPT = 256  # compiled masks in memory; programs send the same few again and again

REST = "*"  # stands for all fields that are not named


class Mask(msgspec.Struct, frozen=True):
    """A compiled mask: what to pick, in the order of the answer; None picks a field whole."""

    picks: dict[str, "Mask | None"]

    def apply(self, value: Any) -> Any:
        """The value with only the picked fields; each element of a list by itself.

        What is not made of fields (null, or a number in a field without a type) stays as it is.
        """
        if isinstance(value, list):
            return [self.apply(element) for element in value]
        return dict(self._picked(value)) if isinstance(value, dict) else value

    def _picked(self, value: dict[str, Any]) -> Iterator[tuple[str, Any]]:
        for name, inner in self.picks.items():
            if name == REST:
                yield from ((key, value[key]) for key in value if key not in self.picks)
            elif name in value:
                yield name, inner.apply(value[name]) if inner else value[name]


def shape(operation: Operation, reply: Any, mask_text: str | None = None) -> bytes:
    """The JSON bytes of a reply: the operation's null rule kept, the caller's mask applied."""
    if not mask_text and operation.nulls is Nulls.KEEP:
        return msgspec.json.encode(reply)
    value = msgspec.to_builtins(reply, str_keys=True)
    if mask_text:
        value = compile_mask(operation, mask_text).apply(value)
    # After the mask, because a mask can leave an object empty, and empty objects are left out too.
    if operation.nulls is Nulls.SKIP:
        value = _without_nulls(value)
    return msgspec.json.encode(value)


def leave_out_nulls(value: dict[str, Any]) -> dict[str, Any]:
    """The fields that are neither null nor an empty object; `false`, 0, "" and [] stay."""
    return {name: field for name, field in value.items() if field is not None and field != {}}


@lru_cache(maxsize=MASKS_KEPT)
def compile_mask(operation: Operation, text: str) -> Mask:
    """The mask that `text` asks for on this operation's reply, or a refusal `BadMask`.

    A text that names nothing and has no braces asks for everything.
    """
    if len(text) > TEXT_MAX:
        raise _parse_error(f"It has {len(text)} characters; at most {TEXT_MAX} are read")
    # What is no JSON is sent whole, but a broken mask is still a broken mask.
    reply = inspect.AnyType() if operation.reply is None else inspect.type_info(operation.reply)
    return _fit(_parse(text), reply)


def _without_nulls(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_nulls(element) for element in value]
    return leave_out_nulls(value) if isinstance(value, dict) else value


# -- text to tree ------------------------------------------------------------------------------

Tree: TypeAlias = "dict[str, Tree | None]"  # None: a name without braces

_TOKEN = re.compile(r"[{},]|[\w:*-]+")
_WORDS = {"{": "opening bracket", "}": "closing bracket", ",": "comma"}


def _parse(text: str) -> Tree:
    tokens = deque(_TOKEN.findall(text))
    if not tokens:
        return {REST: None}
    braced = tokens[0] == "{"
    if braced:
        tokens.popleft()
    tree = _read_list(tokens, 0, braced)
    if tokens:
        raise _unexpected(tokens[0])
    return tree


def _read_list(tokens: deque[str], depth: int, braced: bool) -> Tree:
    """Take one list off the tokens and, when it is braced, its closing bracket."""
    if depth > DEPTH_MAX:
        raise _parse_error(f"Brackets stand deeper than {DEPTH_MAX} in each other")
    tree: Tree = {}
    previous = "{"
    while tokens:
        part = tokens.popleft()
        if part == "}" and braced:
            return tree
        if part == "{" and previous not in _WORDS:
            tree[previous] = _read_list(tokens, depth + 1, braced=True)
            part = "}"
        elif part in "{}" or (part == "," and previous in "{,"):
            raise _unexpected(part)
        elif part != ",":
            tree[part] = None
        previous = part
    if braced:
        raise _parse_error("Missing closing bracket")
    return tree


def _unexpected(part: str) -> Refused:
    return _parse_error(f"Unexpected {_WORDS.get(part, 'name')}")


def _parse_error(what: str) -> Refused:
    return Refused("BadMask", f"Mask parse error: {what}")


# -- tree to mask ------------------------------------------------------------------------------


def _fit(wanted: Tree, kind: inspect.Type) -> Mask:
    """The mask for a reply of this kind, without the names it lacks: that bounds its size."""
    container = next(_containers(kind), None)
    if container is None:
        raise Refused("BadMask", "Mask error: Mask is inconsistent with model")
    picks: dict[str, Mask | None] = {}
    for name, inner in wanted.items():
        field = inspect.AnyType() if name == REST else _field(container, name)
        if field is not None:
            nested = None if inner is None else _fit(inner, field)
            picks[name] = nested if inner else None  # `name{}` is all of it
    return Mask(picks)


def _containers(kind: inspect.Type) -> Iterator[inspect.Type]:
    """What has fields in a type: itself, its elements, or the members of a union."""
    match kind:
        case inspect.StructType() | inspect.DictType() | inspect.AnyType():
            yield kind
        case inspect.Metadata(type=inner):
            yield from _containers(inner)
        case inspect.CollectionType(item_type=inner):
            yield from _containers(inner)
        case inspect.UnionType(types=members):
            for member in members:
                yield from _containers(member)


def _field(container: inspect.Type, name: str) -> inspect.Type | None:
    match container:
        case inspect.StructType(fields=fields):
            return next((field.type for field in fields if field.encode_name == name), None)
        case inspect.DictType(value_type=value):
            return value
    return inspect.AnyType()
