"""For those who receive webhooks: whether a message is from the horde, and fresh.

    from ordu.client import webhooks

    message = webhooks.verify(request.headers, request.body, secret)
    print(message["event"], message["request"])

`secret` is what `Horde.get_webhook_secret()` gives. The body must be the bytes that came, before
anything has parsed them. The scheme is that of Standard Webhooks, so any library for it will do.
"""

import hmac
import time
from collections.abc import Mapping
from typing import Any

import msgspec

from ordu.protocol.webhooks import (
    ID_HEADER,
    SIGNATURE_HEADER,
    SIGNATURE_PREFIX,
    TIMESTAMP_HEADER,
    key_of,
    signature,
)

TOLERANCE_S = 300  # how far the clocks of horde and receiver may be apart
SIGNATURES_MAX = 10


class BadWebhook(Exception):  # noqa: N818 - in the manner of the client's other errors
    """A message is not to be believed: not signed with this secret, changed, or too old."""


def verify(
    headers: Mapping[str, str],
    body: bytes,
    secret: str,
    *,
    tolerance_s: int = TOLERANCE_S,
    now_s: float | None = None,
) -> dict[str, Any]:
    """The message, when it was signed with this secret not longer ago than the tolerance.

    `headers` may be written in any case; `now_s` is the present in seconds since 1970, where it is
    not that of this machine.

    Raises:
        BadWebhook: it was not, or something is missing.
        ValueError: the secret is none.
    """
    key = key_of(secret)
    by_name = {name.lower(): value for name, value in headers.items()}
    message_id, timestamp, given = (
        field(by_name, name) for name in (ID_HEADER, TIMESTAMP_HEADER, SIGNATURE_HEADER)
    )
    timestamp_s = seconds(timestamp)
    if abs((time.time() if now_s is None else now_s) - timestamp_s) > tolerance_s:
        raise BadWebhook(
            f"The message was signed more than {tolerance_s} seconds from now. Set the clock of "
            "this machine, or do not believe it."
        )
    wanted = signature(key, message_id, timestamp_s, body)
    if not is_among(wanted, given):
        raise BadWebhook("The message was not signed with this secret, or was changed on its way.")
    return read(body)


def field(headers: Mapping[str, str], name: str) -> str:
    """A header that must be there."""
    value = headers.get(name)
    if not value:
        raise BadWebhook(f"The header `{name}` is missing.")
    return value


def seconds(text: str) -> int:
    """The time at which a message was signed."""
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise BadWebhook(f"The header `{TIMESTAMP_HEADER}` is no number of seconds.")
    return int(text)


def is_among(wanted: str, given: str) -> bool:
    """Whether a signature is one of those given, found out in a time that tells nothing."""
    candidates = [each for each in given.split(" ") if each.startswith(SIGNATURE_PREFIX)]
    same = [
        hmac.compare_digest(wanted.encode(), each.encode("utf-8", "replace"))
        for each in candidates[:SIGNATURES_MAX]
    ]
    return any(same)


def read(body: bytes) -> dict[str, Any]:
    """The message itself."""
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadWebhook("The message is signed, and is no JSON object.") from error
