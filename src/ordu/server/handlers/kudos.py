"""Kudos: `/kudos/…`."""

import hashlib

import msgspec

from ordu.engine import transfer
from ordu.engine.transfer import Once
from ordu.protocol import operations
from ordu.protocol.errors import Refused
from ordu.protocol.kudos import (
    KudosAwarded,
    KudosTransferred,
    PostAwardKudosRequest,
    PostTransferKudosRequest,
)
from ordu.server.call import Call, handles

IDEMPOTENCY_KEY_LENGTH_MAX = 255


@handles(operations.post_transfer_kudos)
async def post_transfer_kudos(call: Call[PostTransferKudosRequest]) -> KudosTransferred:
    """Give kudos to another user."""
    body = call.body
    moved = await transfer.transfer(
        call.horde, call.user, body.username, body.amount, once_of(call)
    )
    return KudosTransferred(transferred=moved)


@handles(operations.post_award_kudos)
async def post_award_kudos(call: Call[PostAwardKudosRequest]) -> KudosAwarded:
    """Give kudos of the horde's own to a user."""
    body = call.body
    moved = await transfer.award(call.horde, call.user, body.username, body.amount, once_of(call))
    return KudosAwarded(awarded=moved)


def once_of(call: Call[msgspec.Struct]) -> Once | None:
    """What makes this call the same as another; None without an `Idempotency-Key`.

    Raises:
        Refused: BadRequest, for a key that is no key.
    """
    key = call.http.headers.get("idempotency-key")
    if key is None:
        return None
    if not 1 <= len(key) <= IDEMPOTENCY_KEY_LENGTH_MAX:
        raise Refused(
            "BadRequest",
            f"An Idempotency-Key has 1 to {IDEMPOTENCY_KEY_LENGTH_MAX} characters; "
            f"yours has {len(key)}.",
        )
    return Once(
        scope=f"{call.operation.name}:{call.user.id}",
        key_hash=hashlib.sha256(key.encode()).hexdigest(),
        fingerprint=hashlib.sha256(msgspec.json.encode(call.body)).hexdigest(),
    )
