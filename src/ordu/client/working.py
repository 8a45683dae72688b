"""Work for an account: how much of it a client is willing to do, and how it is sent."""

import msgspec

from ordu.client.errors import HordeError
from ordu.client.wire import Fields, known
from ordu.protocol.registration import (
    RegistrationChallenge,
    RegistrationInput,
    RegistrationWork,
)

NEEDED = "WorkNeeded"  # the code of the refusal that asks for it
HASHES_MAX = 2**28  # minutes of a fast computer; a horde that wants more is not to be trusted
PARTS_MAX = 1024
AT_ONCE = 50_000  # hashes between two looks whether somebody wants to stop: some 50 ms


def check_is_bearable(parts: int, bits: int) -> None:
    """Refuse work without end.

    Raises:
        HordeError: the horde asks for too much, or for nonsense.
    """
    if not (0 <= bits < 64 and 0 <= parts <= PARTS_MAX and parts * 2**bits <= HASHES_MAX):
        raise HordeError(
            f"This horde asks for {parts} times 2**{bits} hashes before it makes an account, which"
            " is more than this client does. Ask its operators for an account."
        )


def with_work(
    payload: RegistrationInput | Fields, challenge: RegistrationChallenge, numbers: list[int]
) -> RegistrationInput | Fields:
    """What is asked for, with what was solved for it."""
    done = RegistrationWork(challenge=known(challenge.challenge, ""), numbers=numbers)
    if isinstance(payload, RegistrationInput):
        return msgspec.structs.replace(payload, work=done)
    return {**payload, "work": done}
