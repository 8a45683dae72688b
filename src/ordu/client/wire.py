"""From Python to the wire and back, without sending anything: addresses, bodies, answers.

Both clients, sync and async, share what is here. The idea: say little and read anything. A body
has only the fields that differ from their defaults, so that a server of another era is not shown
what it does not know; an answer may lack fields, have more of them, or write numbers differently.
"""

import base64
import binascii
import uuid
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple, TypeAlias, TypeVar
from urllib.parse import quote, urlsplit

import httpx
import msgspec
from msgspec import UNSET, UnsetType

from ordu import __version__
from ordu.client.errors import BadInput, BrokenHorde, HordeError, TooMuch, Unreachable, class_for
from ordu.protocol.decoding import decode_reply
from ordu.protocol.jobs import PopInputStable
from ordu.protocol.kudos import PostAwardKudosRequest, PostTransferKudosRequest
from ordu.protocol.operations import Key, Operation
from ordu.protocol.params import ModelGenerationInputStable
from ordu.protocol.requests import GenerationInput, RequestAsync

DEFAULT_URL = "http://127.0.0.1:7001"
ANONYMOUS_KEY = "0000000000"
CLIENT_AGENT = f"ordu:{__version__}:local"
REPLY_BYTES_MAX = 512 * 1024 * 1024  # a status with twenty large pictures as text
PICTURE_BYTES_MAX = 256 * 1024 * 1024
CANCEL_TIMEOUT_S = 5.0  # somebody who wants to leave is not kept longer
WAIT_TIMEOUT_S = 90.0  # a server lets a call wait for 60 at most
SYNC_TIMEOUT_S = 3600.0  # post_sync_generate answers when the pictures are there
QUIET_S_MAX = 40.0  # a stream has a sign of life every 15 seconds
REFUSAL_BYTES_MAX = 1024 * 1024
MESSAGE_CHARACTERS_MAX = 200
TIMEOUT_S_MIN = 0.1
CONNECTIONS_MAX = 250
IDLE_CONNECTIONS_MAX = 50

IDEMPOTENCY_KEY = "Idempotency-Key"

NOTHING_MORE = 204  # all events were seen
NOT_MODIFIED = 304

T = TypeVar("T")
Fields: TypeAlias = Mapping[str, Any]  # a body given as plain values instead of a struct
Query: TypeAlias = dict[str, str | int]
Ids: TypeAlias = Mapping[str, str | int]  # what stands in the braces of a path

# Fields that are sent though they have their default, because it is another one in another era
# (protocol sheets 10 §1 and 11 §1), or because an amount of money is better said than assumed.
ALWAYS: Mapping[type[msgspec.Struct], frozenset[str]] = {
    GenerationInput: frozenset({"params", "models", "nsfw", "censor_nsfw", "r2"}),
    ModelGenerationInputStable: frozenset(
        {"steps", "n", "width", "height", "cfg_scale", "sampler_name", "karras"}
    ),
    PopInputStable: frozenset(
        {
            *{"models", "max_pixels", "nsfw", "threads", "limit_max_steps", "extra_slow_worker"},
            *{"allow_img2img", "allow_painting", "allow_post_processing"},
            *{"allow_controlnet", "allow_sdxl_controlnet", "allow_lora"},
        }
    ),
    PostTransferKudosRequest: frozenset({"amount"}),
    PostAwardKudosRequest: frozenset({"amount"}),
}


# -- asking ------------------------------------------------------------------------------------


def root_of(url: str) -> str:
    """The root of a horde from its address with or without `/api`, `/api/v2` and slashes.

    Raises:
        ValueError: it is no http or https address.
    """
    parts = urlsplit(url.strip())
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"{url!r} is no address of a horde; one looks like {DEFAULT_URL}")
    path = parts.path.rstrip("/")
    for suffix in ("/api/v2", "/api"):
        if path.endswith(suffix):
            path = path.removesuffix(suffix).rstrip("/")
            break
    return f"{parts.scheme}://{parts.netloc}{path}"


def path_of(operation: Operation, ids: Ids) -> str:
    """The path of an operation with its ids filled in and made safe."""
    return operation.path.format_map(
        {name: quote(str(value), safe="") for name, value in ids.items()}
    )


def headers_of(
    operation: Operation, apikey: str | None, more: Mapping[str, str | None]
) -> dict[str, str]:
    """The headers of a call; where a key is required and none is known, the anonymous one.

    `more` are those that may be given.

    Raises:
        BadInput: the key cannot be one.
    """
    if apikey and not (apikey.isascii() and apikey.isprintable() and " " not in apikey):
        # Refused here, because those below tell what they cannot send.
        raise BadInput(
            "The API key has a character in it that no key has, perhaps a blank or the end of a"
            " line. Copy it again."
        )
    headers = {"Accept": operation.produces}
    if operation.key is Key.REQUIRED:
        headers["apikey"] = apikey or ANONYMOUS_KEY
    elif operation.key is Key.OPTIONAL and apikey:
        headers["apikey"] = apikey
    headers |= {name: value for name, value in more.items() if value is not None}
    if operation.request is not None:
        headers["Content-Type"] = "application/json"
    return headers


def fresh_key() -> str:
    """A new `Idempotency-Key`: what is repeated under it is done once."""
    return str(uuid.uuid4())


def query_of(**values: str | int | None) -> Query:
    """The query parameters that were given."""
    return {name: value for name, value in values.items() if value is not None}


def body_of(payload: msgspec.Struct | Fields | None) -> bytes | None:
    """The JSON of a body: of a struct what is worth saying, of plain values all of it."""
    return None if payload is None else msgspec.json.encode(_worth_saying(payload))


def _worth_saying(value: Any) -> Any:
    if isinstance(value, msgspec.Struct):
        return {
            field.encode_name: _worth_saying(getattr(value, field.name))
            for field in msgspec.structs.fields(value)
            if _is_told(value, field)
        }
    if isinstance(value, list | tuple):
        return [_worth_saying(element) for element in value]
    if isinstance(value, Mapping):
        return {name: _worth_saying(element) for name, element in value.items()}
    return value


def _is_told(struct: msgspec.Struct, field: msgspec.structs.FieldInfo) -> bool:
    value = getattr(struct, field.name)
    if value is UNSET:
        return False
    if field.required or field.name in ALWAYS.get(type(struct), frozenset()):
        return True
    factory = field.default_factory
    return bool(value != (field.default if factory is msgspec.NODEFAULT else factory()))


# -- reading -----------------------------------------------------------------------------------


class Answer(NamedTuple):
    """What came back: status, headers and all of the body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def read(answer: Answer, kind: type[T], name: str) -> T:
    """What the operation of this name was answered with, whatever era wrote it, or its error."""
    try:
        return decode_reply(kind, succeeded(answer).body)
    except msgspec.ValidationError as error:
        raise BrokenHorde(f"The answer to {name} cannot be understood: {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        text = _shortened(answer.body)
        raise BrokenHorde(f"The answer to {name} is no JSON: {text}") from error


def succeeded(answer: Answer) -> Answer:
    """The same answer when it is none of refusal or error; else the `HordeError` it stands for."""
    if 200 <= answer.status < 300:
        return answer
    raise refusal(answer)


def offers_events(answer: Answer) -> bool:
    """Whether a horde that took a request offers to tell what happens to it."""
    return 'rel="monitor"' in answer.headers.get("link", "")


def honours_key(answer: Answer) -> bool:
    """Whether a horde shows that it does a call with the same `Idempotency-Key` once."""
    return IDEMPOTENCY_KEY.lower() in answer.headers


def is_stream(response: httpx.Response, operation: Operation) -> bool:
    """Whether this is what an operation that streams answers."""
    kind = response.headers.get("content-type", "")
    is_one = response.status_code == operation.status and kind.startswith(operation.produces)
    return is_one or response.status_code == NOTHING_MORE


def no_stream(answer: Answer) -> HordeError:
    """The error for an answer that should be a stream and is none."""
    if 200 <= answer.status < 300:
        return BrokenHorde("The horde has no stream of events there.", status=answer.status)
    return refusal(answer)


def known(value: T | UnsetType | None, default: T) -> T:
    """A field of an answer, or the default when the horde did not tell it."""
    return default if value is None or isinstance(value, UnsetType) else value


class _ErrorBody(msgspec.Struct):
    """The body of a refusal as foreign servers may write it."""

    message: Any = None
    rc: Any = None
    errors: Any = None


def refusal(answer: Answer) -> HordeError:
    """The error that an answer with an error status stands for."""
    try:
        said = msgspec.json.decode(answer.body, type=_ErrorBody)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        # A page of a proxy; too many calls are too many, whoever counts them.
        kind: type[HordeError] = TooMuch if answer.status == 429 else BrokenHorde
        said = _ErrorBody(message=_in_words(answer))
    else:
        kind = class_for(said.rc, answer.status)
    errors = said.errors if isinstance(said.errors, dict) else {}
    return kind(
        str(said.message or f"The horde answered with status {answer.status}."),
        rc=said.rc if isinstance(said.rc, str) else None,
        status=answer.status,
        errors={str(field): str(what) for field, what in errors.items()},
        request_id=answer.headers.get("x-request-id"),
        retry_after_s=_retry_after_s(answer.headers),
    )


def in_numbers(placed: RequestAsync) -> float:
    """The price of a request in kudos, as exactly as the horde tells it."""
    return known(placed.kudos_exact, known(placed.kudos, 0.0))


def place_of(address: str) -> str:
    """Where an address leads, without what may be secret: the path of a link, a password."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def unreachable(address: str, error: Exception) -> Unreachable:
    """The error for a call that got no answer from this address."""
    place = place_of(address)
    was_sent = False
    match error:
        case httpx.ConnectError() | httpx.ConnectTimeout():
            what = "cannot be reached; is it running, and is the address right?"
        case httpx.PoolTimeout():
            what = "was not asked: too many calls of this program are underway."
        case httpx.TimeoutException():
            what, was_sent = "did not answer in time.", True
        case _:
            what, was_sent = f"broke the connection off ({type(error).__name__}).", True
    unreachable = Unreachable(f"{place} {what}")
    unreachable.was_sent = was_sent
    return unreachable


def leads_inside(place: str) -> BrokenHorde:
    """The error for a link of a horde outside into the network of whoever follows it."""
    return BrokenHorde(
        f"The horde gave a link into a private network, to {place}; it was not followed. If you"
        " know what is there, allow it: the setting private_links, or private_links=True in a"
        " program."
    )


def picture_from_text(text: str) -> bytes:
    """The bytes of a picture that came as Base64, also as a `data:` address."""
    encoded = text.partition(",")[2] if text.startswith("data:") else text
    try:
        data = base64.b64decode("".join(encoded.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BrokenHorde("The horde sent a picture that is no Base64.") from error
    if not data:
        raise BrokenHorde("The horde sent an empty picture.")
    return data


def too_large(address: str, bytes_max: int) -> BrokenHorde:
    """The error for an answer that does not end."""
    return BrokenHorde(f"{place_of(address)} sent more than {bytes_max} bytes.")


def _in_words(answer: Answer) -> str:
    if 300 <= answer.status < 400:
        place = answer.headers.get("location", "an unknown place")
        return f"The horde has moved to {place}: use that address."
    return f"The horde answered with status {answer.status}: {_shortened(answer.body)}"


def _shortened(body: bytes) -> str:
    text = " ".join(body[: 4 * MESSAGE_CHARACTERS_MAX].decode(errors="replace").split())
    if len(text) > MESSAGE_CHARACTERS_MAX:
        text = text[:MESSAGE_CHARACTERS_MAX] + "…"
    return repr(text)


def _retry_after_s(headers: Mapping[str, str]) -> float | None:
    """How long to wait, said in seconds or as a time; a time is read by the horde's own clock."""
    said = headers.get("retry-after", "")
    if said.isascii() and said.isdigit():
        return float(said)
    try:
        then, now = (parsedate_to_datetime(text) for text in (said, headers.get("date", "")))
        return max(0.0, (then - now).total_seconds())
    except (TypeError, ValueError):  # not said, no time, or one of them without a zone
        return None
