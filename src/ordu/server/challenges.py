"""Challenges: the work that a horde may ask for before it makes an account (docs/adr/0034).

A challenge says itself how much work it asks for and until when, and is signed, so the server keeps
nothing of those that are only asked for. One that made an account is kept until it expires, in the
transaction that made the account (`engine/accounts.py::spend`): it is good once, in all processes
of a horde and after a start.
"""

import base64
import binascii
import hmac
import struct
from datetime import UTC, datetime

from msgspec import UNSET, UnsetType

from ordu.engine.accounts import Challenge
from ordu.engine.horde import Horde
from ordu.protocol import work
from ordu.protocol.errors import Refused
from ordu.protocol.registration import RegistrationChallenge, RegistrationWork
from ordu.rules.lifecycle import Millis
from ordu.server.secret import Secret

LASTS_S = 600  # a million hashes take seconds of a desk; a slow phone has time too
HEAD = struct.Struct(">IB8s")  # until which second, how many bits a part, chance
SIGNATURE_BYTES = 16  # with part and number all of it fits into one block of SHA-256
LABEL = "registration challenge"


def issue(horde: Horde, secret: Secret) -> RegistrationChallenge:
    """A new challenge; one without parts where no work is asked for."""
    bits = horde.settings.registration_work_bits
    until_s = horde.now() // 1000 + LASTS_S
    chance = base64.urlsafe_b64decode(horde.fresh.key() + "==")[:8]
    head = HEAD.pack(until_s, work.part_bits(bits), chance)
    return RegistrationChallenge(
        challenge=text_of(head + signature(secret, head)),
        parts=work.PARTS if bits else 0,
        bits=work.part_bits(bits),
        expires_at=datetime.fromtimestamp(until_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    )


def check(horde: Horde, secret: Secret, done: RegistrationWork | UnsetType) -> Challenge | None:
    """The challenge that was solved; None where no work is asked for.

    Raises:
        Refused: WorkNeeded, WorkNotAccepted.
    """
    if not horde.settings.registration_work_bits:
        return None
    if done is UNSET:
        raise Refused(
            "WorkNeeded",
            "This horde asks for some work of your computer before it makes an account. Register on"
            " its page /register, with a newer client, or get a challenge at /register/challenge,"
            " solve it, and send it as `work`.",
        )
    until_s, bits = read(secret, done.challenge)
    if horde.now() >= until_s * 1000:
        raise not_accepted("The time of this challenge is over")
    if len(done.numbers) != work.PARTS:
        raise not_accepted(f"It has {work.PARTS} parts and you sent {len(done.numbers)} numbers")
    for part, number in enumerate(done.numbers):
        if not work.is_solution(done.challenge, part, number, bits):
            raise not_accepted(f"The number of part {part} does not solve it")
    return Challenge(done.challenge, Millis(until_s * 1000))


def read(secret: Secret, challenge: str) -> tuple[int, int]:
    """Until which second a challenge of ours is good, and how many bits each part has.

    Raises:
        Refused: WorkNotAccepted, it is not ours.
    """
    try:
        raw = base64.urlsafe_b64decode(challenge.encode("ascii") + b"=")
    except (UnicodeEncodeError, binascii.Error):
        raw = b""
    head, given = raw[: HEAD.size], raw[HEAD.size :]
    is_ours = len(raw) == HEAD.size + SIGNATURE_BYTES and hmac.compare_digest(
        given, signature(secret, head)
    )
    # Of two texts that mean the same bytes only the one that was sent: it is remembered as text.
    if not is_ours or text_of(raw) != challenge:
        raise not_accepted("This challenge is not of this horde")
    until_s, bits, _ = HEAD.unpack(head)
    return until_s, bits


def not_accepted(why: str) -> Refused:
    """The refusal of work that was not done, or for nothing."""
    return Refused("WorkNotAccepted", f"{why}. Get a new one at /register/challenge.")


def text_of(raw: bytes) -> str:
    """Bytes as they stand in a challenge."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def signature(secret: Secret, head: bytes) -> bytes:
    """What only this horde can have written behind it."""
    return hmac.digest(secret.key(LABEL), head, "sha256")[:SIGNATURE_BYTES]
