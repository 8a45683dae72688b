"""Registering: `/register`, for programs. The page for people posts the same as a form."""

from ordu.engine import accounts
from ordu.protocol import operations
from ordu.protocol.errors import Refused
from ordu.protocol.registration import Registered, RegistrationInput
from ordu.rules import names
from ordu.server.call import Call, handles


@handles(operations.post_register)
async def post_register(call: Call[RegistrationInput]) -> Registered:
    """Make an account; its key is told here and never again. A raided horde makes none."""
    if call.horde.modes.get("raid_mode"):
        raise Refused(
            "RegistrationClosed",
            "This horde makes no new accounts now. Try again later, or ask its operators.",
        )
    api_key = call.horde.fresh.key()
    newcomer = await accounts.register(
        call.horde, call.body.username, api_key, call.secret.hash_of(api_key)
    )
    user = newcomer.user
    return Registered(
        username=names.alias(user.username, user.id), id=user.id, api_key=newcomer.api_key
    )
