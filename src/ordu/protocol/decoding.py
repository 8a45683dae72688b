"""From bytes to messages: one fast pass for good input, a slow and patient one for the rest.

The fast pass is the typed decoder. When it fails, the body is read without types, forgiven what
both eras forgive (a null is "not given", `1.0` is the integer 1), and converted once more; what is
still wrong then is explained field by field. Whatever the bytes are, the caller gets a message or
a `Refused`, nothing else.
"""

import re
from collections.abc import Iterator
from itertools import chain
from typing import Any, TypeVar

import msgspec

from ordu.protocol.errors import Refused
from ordu.protocol.explain import explain

DEPTH_MAX = 32  # objects and lists within each other; the deepest message of ours has 4
# Texts, commas and brackets of a body. Ten million empty objects, which are 32 MB, once held up
# everybody for 40 seconds and took 1.5 GB.
PARTS_MAX = 20_000
REPLY_PARTS_MAX = 2_000_000  # of a server's answer that is not quite what it should be

T = TypeVar("T")

_decoders: dict[Any, msgspec.json.Decoder[Any]] = {}  # one for each type of the table

# Strings are skipped whole: possessive, so that a picture of megabytes costs one pass.
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[\[\]{},]', re.DOTALL)
_HALF_PAIR = re.compile(rb"\\u[dD][89a-fA-F]")


def decode(wanted: type[T], raw: bytes) -> T:
    """The message of this type in a request's body, or `Refused` with everything that is wrong."""
    if _is_frequent(b"{", raw) or _is_frequent(b"[", raw) or raw.count(b",") > PARTS_MAX // 4:
        _refuse_form(raw)
    try:
        message = _decoder(wanted).decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        message = _decode_patiently(wanted, raw)
    if b"\\" in raw and rb"\u0000" in raw:  # to look for one byte takes a fortieth of the time
        _refuse_nul(_read(raw))
    return message


def decode_reply(wanted: type[T], raw: bytes) -> T:
    """The message of this type in a server's answer, read with the same patience.

    Raises `msgspec.DecodeError` when it is none (a page of a proxy, a server of another kind).
    """
    try:
        return _decoder(wanted).decode(raw)
    except msgspec.ValidationError:
        if raw.count(b",") + raw.count(b"[") + raw.count(b"{") > REPLY_PARTS_MAX:
            raise  # read without its type it would take many times its size of memory
        return msgspec.convert(forgive(msgspec.json.decode(raw)), wanted)


def forgive(value: Any) -> Any:
    """The same JSON value without null fields, and with integers for numbers such as `1.0`."""
    match value:
        case dict():
            return {key: forgive(inner) for key, inner in value.items() if inner is not None}
        case list():
            return [forgive(inner) for inner in value]
        case float() if value.is_integer():
            return int(value)
        case _:
            return value


def _decoder(wanted: type[T]) -> msgspec.json.Decoder[T]:
    if wanted not in _decoders:
        _decoders[wanted] = msgspec.json.Decoder(wanted)
    return _decoders[wanted]


def _decode_patiently(wanted: type[T], raw: bytes) -> T:
    value = forgive(_read(raw))
    if not isinstance(value, dict):
        raise Refused("MalformedBody", "The body of the call must be a JSON object: {…}.")
    try:
        return msgspec.convert(value, wanted)
    except msgspec.ValidationError as error:
        # The explanation walks the types itself; should it find nothing, the first error stands.
        errors = explain(wanted, value) or {"body": str(error)}
        raise Refused(
            "ValidationFailed", "Input payload validation failed", errors=errors
        ) from None


def _read(raw: bytes) -> Any:
    """The JSON value in these bytes, or `Refused` in words for people."""
    if not raw.strip():
        raise Refused("MalformedBody", "The call has no body. Send a JSON object.")
    try:
        return msgspec.json.decode(raw)
    except UnicodeDecodeError:
        raise Refused("MalformedBody", "The body of the call is not UTF-8 text.") from None
    except RecursionError:
        raise _too_deep() from None
    except msgspec.ValidationError:  # what no type is needed to find out
        raise Refused("MalformedBody", "The body contains a number that is too large.") from None
    except msgspec.DecodeError as error:
        half = " A \\u escape may be half of a pair." if _HALF_PAIR.search(raw) else ""
        raise Refused("MalformedBody", f"The body is not valid JSON: {error}.{half}") from None


def _is_frequent(bracket: bytes, raw: bytes) -> bool:
    """Whether brackets could be nested too deep; a picture in the body is passed over at once."""
    at = -1
    for _ in range(DEPTH_MAX // 2 + 1):  # of the brackets on too deep a way half are of one kind
        at = raw.find(bracket, at + 1)
        if at < 0:
            return False
    return True


def _refuse_form(raw: bytes) -> None:
    """Refuse what is nested too deep, or is of so many parts that to read it takes long."""
    depth = 0
    for number, token in enumerate(_TOKEN.finditer(raw)):
        if number > PARTS_MAX:
            raise Refused("MalformedBody", f"The body has more than {PARTS_MAX} parts.")
        character = raw[token.start() : token.start() + 1]
        depth += (character in b"[{") - (character in b"]}")
        if depth > DEPTH_MAX:
            raise _too_deep()


def _too_deep() -> Refused:
    return Refused(
        "MalformedBody", f"The body is nested too deep. At most {DEPTH_MAX} levels are read."
    )


def _refuse_nul(value: Any) -> None:
    if any("\0" in text for text in _texts(value)):
        raise Refused("NulByteInPayload", "The body contains a NUL character. Leave it out.")


def _texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            yield from value
            yield from chain.from_iterable(map(_texts, value.values()))
        case list():
            yield from chain.from_iterable(map(_texts, value))
