"""Settings as the text of a TOML file, each below a line that says what it is.

Written by hand because the libraries for it write no comments, and a file that people are to change
needs them. What `tomllib` reads can be written; `tests/unit/test_settings_writing.py` holds that
what is written reads as the same.
"""

import datetime
import json
import re
from collections.abc import Mapping
from typing import TypeAlias

Place: TypeAlias = tuple[str, ...]  # the names that lead to a value: ("worker", "url")

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def as_toml(content: Mapping[str, object], comments: Mapping[Place, str] | None = None) -> str:
    """The text of a TOML file with this content; `comments` stand above their values.

    Raises:
        TypeError: a value is of a type that TOML does not know.
    """
    return "\n".join(_table((), content, comments or {})).strip("\n") + "\n"


def _table(place: Place, table: Mapping[str, object], comments: Mapping[Place, str]) -> list[str]:
    """The lines of a table: its own values first, because a header ends it."""
    values = {name: value for name, value in table.items() if not isinstance(value, Mapping)}
    inner = {name: value for name, value in table.items() if isinstance(value, Mapping)}
    lines: list[str] = []
    if place and (values or not inner):
        lines += ["", f"[{'.'.join(map(_key, place))}]"]
    for name, value in values.items():
        if comment := comments.get((*place, name)):
            lines.append("# " + "".join(c if c.isprintable() else " " for c in comment))
        lines.append(f"{_key(name)} = {_value(value)}")
    for name, value in inner.items():
        lines += _table((*place, name), value, comments)
    return lines


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _text(name)


def _value(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return _text(value)
        case int() | float():
            return repr(value)
        case datetime.datetime() | datetime.date() | datetime.time():
            return value.isoformat()
        case list() | tuple():
            return f"[{', '.join(map(_value, value))}]"
        case Mapping():
            return f"{{{', '.join(f'{_key(k)} = {_value(v)}' for k, v in value.items())}}}"
        case _:
            raise TypeError(f"TOML has no {type(value).__name__}.")


def _text(text: str) -> str:
    # JSON's escapes are TOML's; only DEL may stand as it is in JSON and not in TOML.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
