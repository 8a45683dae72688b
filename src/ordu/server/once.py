"""`Idempotency-Key`: which call this is, and what its answer says of that.

Every POST that places, pays or makes an account takes the header (docs/adr/0027). Two calls are the
same when they are of one operation, one caller and one key; those without an account of their own
share the anonymous one, so their address counts as well. What is the same key with another body is
refused: bodies are compared by what they say, not by how they are written.
"""

import hashlib
import hmac

import msgspec

from ordu.engine.once import Once
from ordu.protocol.errors import Refused
from ordu.rules.money import ANONYMOUS
from ordu.server.call import Call
from ordu.server.ratelimits import address_of
from ordu.server.secret import Secret

KEY_LENGTH_MAX = 255
HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"

_ENCODER = msgspec.json.Encoder(order="deterministic")


def key_of(call: Call[object]) -> str | None:
    """The key of this call; None for nearly all.

    Raises:
        Refused: BadRequest, for a key that is no key.
    """
    key = call.header(b"idempotency-key")
    if key is None:
        return None
    if not 1 <= len(key) <= KEY_LENGTH_MAX:
        raise Refused(
            "BadRequest",
            f"An {HEADER} has 1 to {KEY_LENGTH_MAX} characters; yours has {len(key)}.",
        )
    if not (key.isascii() and key.isprintable()):
        raise Refused(
            "BadRequest", f"An {HEADER} consists of visible ASCII characters; yours does not."
        )
    return key


def once_of(call: Call[msgspec.Struct]) -> Once | None:
    """What makes this call the same as another; None without an `Idempotency-Key`.

    Raises:
        Refused: BadRequest, for a key that is no key.
    """
    key = key_of(call)
    if key is None:
        return None
    caller = call.caller
    is_known = caller is not None and caller.id != ANONYMOUS
    return Once(
        scope=f"{call.operation.name}:{'' if caller is None else caller.id}",
        key_hash=hash_of(key)
        if is_known
        else with_address(call.secret, key, address_of(call.http)),
        fingerprint=hashlib.sha256(_ENCODER.encode(call.body)).hexdigest(),
    )


def hash_of(key: str) -> str:
    """How the key of somebody with an account is kept."""
    return hashlib.sha256(key.encode()).hexdigest()


def with_address(secret: Secret, key: str, address: str) -> str:
    """How the key of somebody without is kept: nobody can tell the address from it."""
    return hmac.digest(secret.key("idempotency"), f"{address} {key}".encode(), "sha256").hex()


def headers(call: Call[object], *, is_again: bool) -> dict[str, str]:
    """What the answer to a call with a key says: that it was heard, and whether it is a repeat."""
    key = call.header(b"idempotency-key")
    if key is None:
        return {}
    return {HEADER: key, REPLAYED: "true"} if is_again else {HEADER: key}
