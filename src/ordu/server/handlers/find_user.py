"""The user of a key: `/find_user`."""

from ordu.protocol import operations
from ordu.protocol.errors import Refused
from ordu.protocol.users import UserDetailsStable
from ordu.rules.names import ANONYMOUS_KEY
from ordu.server import auth
from ordu.server.call import Call, handles
from ordu.server.views import user_view


@handles(operations.get_find_user)
async def get_find_user(call: Call[None]) -> UserDetailsStable:
    """The caller, as owners see themselves. An unknown key is not found here (design §2)."""
    api_key = call.http.headers.get("apikey")
    if not api_key:
        raise Refused("InvalidAPIKey", "The header `apikey` is missing. Send the key in it.")
    user = (
        await auth.anonymous(call.horde)
        if api_key == ANONYMOUS_KEY
        else await auth.find(call.horde, call.secret, api_key)
    )
    if user is None:
        raise Refused("UserNotFound", "This horde does not know that key.")
    known, now = user, call.horde.now()
    return await call.horde.read(
        lambda tx: user_view(tx, known, now, is_owner=True, is_moderator=False)
    )
