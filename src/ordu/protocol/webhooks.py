"""Webhooks: what is sent to a `webhook`, how it is signed, and the log of what was delivered.

Messages are signed as Standard Webhooks says (https://www.standardwebhooks.com): three headers, of
which the third holds one or more signatures of id, time and body, so that nobody else can make one
up, change one, or send an old one again unnoticed. Server and receivers (`ordu.client.webhooks`)
share what is here.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from ordu.protocol.requests import GenerationMetadata

ID_HEADER = "webhook-id"
TIMESTAMP_HEADER = "webhook-timestamp"
SIGNATURE_HEADER = "webhook-signature"
SECRET_PREFIX = "whsec_"  # noqa: S105 - how a secret begins, not one
SIGNATURE_PREFIX = "v1,"


def secret_of(key: bytes) -> str:
    """A key as its owner is shown it."""
    return SECRET_PREFIX + base64.b64encode(key).decode()


def key_of(secret: str) -> bytes:
    """The key in a secret as it is shown, with or without `whsec_`.

    Raises:
        ValueError: it is no such secret.
    """
    try:
        key = base64.b64decode(secret.strip().removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("A webhook secret is whsec_ and Base64; this is neither.") from error
    if not key:
        raise ValueError("The webhook secret is empty.")
    return key


def signature(key: bytes, message_id: str, timestamp_s: int, body: bytes) -> str:
    """The signature of a message by one key."""
    signed = f"{message_id}.{timestamp_s}.".encode() + body
    digest = hmac.digest(key, signed, hashlib.sha256)
    return SIGNATURE_PREFIX + base64.b64encode(digest).decode()


def signed_headers(
    keys: Sequence[bytes], message_id: str, timestamp_s: int, body: bytes
) -> dict[str, str]:
    """The headers that sign a message, with a signature by each key."""
    signatures = [signature(key, message_id, timestamp_s, body) for key in keys]
    return {
        ID_HEADER: message_id,
        TIMESTAMP_HEADER: str(timestamp_s),
        SIGNATURE_HEADER: " ".join(signatures),
    }


# What is sent


class WebhookGeneration(msgspec.Struct, frozen=True, kw_only=True):
    """A picture is there: the fields of today's public servers, and `event` (sheet 11 §7)."""

    img: str | None = None  # a link or Base64; null when it is kept no longer
    seed: int | str
    worker_id: str
    worker_name: str
    model: str
    id: str
    censored: bool
    gen_metadata: list[GenerationMetadata]
    request: str
    kudos: float
    event: str


class WebhookEnd(msgspec.Struct, frozen=True, kw_only=True):
    """A request has ended; sent only to those who asked for it (`webhook_end`)."""

    event: str
    request: str
    finished: int
    lost: int
    cancelled: int
    kudos: float


# The log


class WebhookAttempt(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt to deliver."""

    number: Annotated[int | UnsetType, Meta(description="Which of the attempts, from 1.")] = UNSET
    at: Annotated[str | UnsetType, Meta(description="When it began.")] = UNSET
    took_ms: Annotated[int | UnsetType, Meta(description="How long it took, in milliseconds.")] = (
        UNSET
    )
    status: Annotated[
        int | UnsetType | None, Meta(description="What the receiver answered, if it did.")
    ] = UNSET
    error: Annotated[
        str | UnsetType | None, Meta(description="Why it failed, for people to read.")
    ] = UNSET


class WebhookDelivery(msgspec.Struct, frozen=True, kw_only=True):
    """One message to a webhook, and how far it is."""

    id: Annotated[
        str | UnsetType,
        Meta(description="The UUID of the picture or request it tells of; sent as `webhook-id`."),
    ] = UNSET
    event: Annotated[
        str | UnsetType,
        Meta(
            description="`generation`, or `request.done`, `request.faulted`, `request.cancelled`,"
            " `request.expired`."
        ),
    ] = UNSET
    request: Annotated[str | UnsetType, Meta(description="The UUID of the request.")] = UNSET
    url: Annotated[str | UnsetType, Meta(description="Where it is sent.")] = UNSET
    state: Annotated[
        str | UnsetType,
        Meta(
            description="`waiting`, `delivered`, `failed` when every try failed, or `gone` when"
            " the receiver answered 410."
        ),
    ] = UNSET
    attempts: Annotated[
        int | UnsetType, Meta(description="How often it was tried, replays included.")
    ] = UNSET
    created: Annotated[str | UnsetType, Meta(description="When it was first to be sent.")] = UNSET
    next_attempt: Annotated[
        str | UnsetType | None, Meta(description="When it is tried next, while it waits.")
    ] = UNSET
    ended: Annotated[
        str | UnsetType | None, Meta(description="When it was delivered or given up.")
    ] = UNSET


class WebhookDeliveries(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the log, newest first."""

    deliveries: Annotated[
        list[WebhookDelivery] | UnsetType, Meta(description="The deliveries, newest first.")
    ] = UNSET
    next: Annotated[
        str | UnsetType | None,
        Meta(description="The `cursor` of the next part; null when this was the last."),
    ] = UNSET


class WebhookDeliveryDetails(WebhookDelivery, frozen=True, kw_only=True):
    """One delivery with its attempts."""

    log: Annotated[
        list[WebhookAttempt] | UnsetType,
        Meta(description="Each attempt, the first first; the newest 50 are kept."),
    ] = UNSET


class WebhookSecret(msgspec.Struct, frozen=True, kw_only=True):
    """What signs the messages of one user."""

    secret: Annotated[
        str | UnsetType,
        Meta(description="The secret that receivers check signatures with. Keep it to yourself."),
    ] = UNSET
    since: Annotated[
        str | UnsetType | None,
        Meta(
            description="When it took the place of the one before, which signs as well for a day;"
            " null when it is the first."
        ),
    ] = UNSET
