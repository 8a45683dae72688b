"""Reading what is asked for at this door: JSON or the fields of a form, strictly and by name."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import msgspec

from ordu.protocol.decoding import decode
from ordu.protocol.errors import Refused
from ordu.server.doors.openai.errors import FieldRefused
from ordu.server.doors.openai.messages import NOT_SERVED, Asked, AskedPicture

SHOWN_MAX = 60  # characters of an unknown field's name

T = TypeVar("T", bound=Asked)

_PATH = re.compile(r" - at `\$\.?([^`]*)`")


def from_json(wanted: type[T], raw: bytes) -> T:
    """What is asked for in a JSON body; a null counts as not given.

    Raises:
        Refused: MalformedBody, ValidationFailed, NulByteInPayload, or `FieldRefused`.
    """
    asked = decode(wanted, raw)
    check_names(wanted, msgspec.json.decode(raw, type=dict[str, msgspec.Raw]))
    check_together(asked)
    return asked


def from_fields(wanted: type[T], fields: Mapping[str, str]) -> T:
    """What is asked for in the text fields of a form; an empty one counts as not given.

    Raises:
        Refused: `FieldRefused`.
    """
    check_names(wanted, fields)
    values: dict[str, Any] = {name: text for name, text in fields.items() if text}
    if "loras" in values:
        values["loras"] = in_json("loras", values["loras"])
    try:
        asked = msgspec.convert(values, wanted, strict=False)
    except msgspec.ValidationError as error:
        raise refused_field(str(error)) from error
    if any("\0" in text for text in fields.values()):
        raise Refused("NulByteInPayload", "The form contains a NUL character. Leave it out.")
    check_together(asked)
    return asked


def in_json(name: str, text: str) -> Any:
    """The value of a form's field that is JSON."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise FieldRefused(name, f"'{name}' in a form is JSON text, and this is none.") from error


def refused_field(error: str) -> FieldRefused:
    """What the decoder says is wrong, as the refusal of a field."""
    missing = re.search(r"missing required field `(\w+)`", error)
    if missing:
        name = missing[1]
        words = f"Missing required parameter: '{name}'."
        return FieldRefused(name, words, code="missing_required_parameter")
    path = _PATH.search(error)
    name = path[1] if path else "body"
    return FieldRefused(name, f"'{name}': {_PATH.sub('', error)}.")


def check_names(wanted: type[Asked], names: Iterable[str]) -> None:
    """Refuse the first field that is not served here."""
    known = {field.name for field in msgspec.structs.fields(wanted)}
    for name in names:
        if name in known:
            continue
        if name in NOT_SERVED:
            words = f"'{name}' means nothing to a horde and is not served. Leave it out."
            raise FieldRefused(name, words, code="unsupported_parameter")
        name = name[:SHOWN_MAX]  # noqa: PLW2901 - it is told, and may be megabytes
        raise FieldRefused(
            name,
            f"Unknown parameter: '{name}'. Known here: {', '.join(sorted(known))}.",
            code="unknown_parameter",
        )


def check_together(asked: Asked) -> None:
    """Refuse fields that do not go with each other."""
    if not isinstance(asked, AskedPicture):
        return
    chosen, compression = asked.output_format, asked.output_compression
    if asked.response_format == "url":
        if asked.stream:
            words = "A stream brings pictures as 'b64_json' only, not as links."
            raise FieldRefused("response_format", words)
        if chosen in {"png", "jpeg"} or compression != 100:
            raise FieldRefused(
                "output_format",
                "Links lead to the picture as its worker sent it, which is WebP. Leave out "
                "'output_format' and 'output_compression', or take 'b64_json'.",
            )
    if compression != 100 and chosen not in {"jpeg", "webp"}:
        words = "'output_compression' needs an 'output_format' of jpeg or webp."
        raise FieldRefused("output_compression", words)
    if asked.background == "transparent" and chosen == "jpeg":
        words = "A JPEG has no transparent background. Take png or webp."
        raise FieldRefused("output_format", words)
