"""Registering: `/register`, for programs. The page for people posts the same as a form.

With an `Idempotency-Key` the same call gets the same account and the same key of it, and yet no key
is kept in clear: it is made of the call's key, a salt that is kept for a day, and the secret of the
installation. So whoever has the call's key has the account's, which is why it must be long; who has
the database cannot make it without the secret, nor with it without the call's key (docs/adr/0027).
"""

import base64
import hmac

from ordu.engine import accounts
from ordu.engine.accounts import Registration
from ordu.engine.once import before
from ordu.protocol import operations
from ordu.protocol.errors import Refused
from ordu.protocol.registration import Registered, RegistrationInput
from ordu.rules import names
from ordu.server import challenges, once
from ordu.server.call import Answer, Call, handles

KEY_LENGTH = 22  # of an account's key
CALL_KEY_LENGTH_MIN = 22  # as hard to guess as the key that is made of it


@handles(operations.get_register_challenge)
async def get_register_challenge(call: Call[None]) -> Answer:
    """What is to be solved before an account is made."""
    return Answer(challenges.issue(call.horde, call.secret), headers={"Cache-Control": "no-store"})


@handles(operations.post_register)
async def post_register(call: Call[RegistrationInput]) -> Answer:
    """Make an account; its key is told here and never again. A raided horde makes none."""
    key = call_key(call)
    if key is None:
        return answer(call, await made(call), is_again=False)
    this_call = once.once_of(call)
    earlier = await before(call.horde, this_call, Registration)
    if earlier is not None:
        return answer(call, registered(earlier, key_from(call, key, earlier.salt)), is_again=True)
    accounts.check_open(call.horde)
    challenge = challenges.check(call.horde, call.secret, call.body.work)
    salt = call.horde.fresh.key()
    api_key = key_from(call, key, salt)
    newcomer = await accounts.register(
        call.horde,
        call.body.username,
        api_key,
        call.secret.hash_of(api_key),
        this_call,
        salt,
        challenge=challenge,
    )
    kept = newcomer.registration  # of the first of these calls, should this be the second
    reply = registered(kept, key_from(call, key, kept.salt))
    return answer(call, reply, is_again=newcomer.is_again)


async def made(call: Call[RegistrationInput]) -> Registered:
    """A new account, whoever asked for one before."""
    accounts.check_open(call.horde)
    challenge = challenges.check(call.horde, call.secret, call.body.work)
    api_key = call.horde.fresh.key()
    key_hash = call.secret.hash_of(api_key)
    newcomer = await accounts.register(
        call.horde, call.body.username, api_key, key_hash, challenge=challenge
    )
    return registered(newcomer.registration, api_key)


def call_key(call: Call[RegistrationInput]) -> str | None:
    """The call's `Idempotency-Key`, which nobody may guess: with it the account's key is told."""
    key = once.key_of(call)
    if key is not None and len(key) < CALL_KEY_LENGTH_MIN:
        raise Refused(
            "BadRequest",
            f"Here an Idempotency-Key has at least {CALL_KEY_LENGTH_MIN} characters, because who "
            f"knows it can read the account's key; yours has {len(key)}. Take a random UUID.",
        )
    return key


def key_from(call: Call[RegistrationInput], key: str, salt: str) -> str:
    """The account's key that goes with a call's."""
    secret = call.secret.key("registration")
    digest = hmac.digest(secret, f"{salt} {key}".encode(), "sha256")
    return base64.urlsafe_b64encode(digest).decode()[:KEY_LENGTH]


def registered(registration: Registration, api_key: str) -> Registered:
    """What is told of a new account."""
    user_id = registration.id
    username = names.alias(registration.username, user_id)
    return Registered(username=username, id=user_id, api_key=api_key)


def answer(call: Call[RegistrationInput], reply: Registered, *, is_again: bool) -> Answer:
    """The answer, with where the account can be seen."""
    place = operations.get_user_single.path.replace("{user_id}", str(reply.id))
    about = {"Location": place, "Cache-Control": "no-store"}
    return Answer(reply, headers=about | once.headers(call, is_again=is_again))
