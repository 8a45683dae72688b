"""The user of a key: `/find_user`."""

from ordu.protocol import operations
from ordu.protocol.users import UserDetailsStable
from ordu.rules.rights import Standing
from ordu.server.call import Call, handles
from ordu.server.views import user_view


@handles(operations.get_find_user)
async def get_find_user(call: Call[None]) -> UserDetailsStable:
    """The caller, as owners see themselves. An unknown key is not found here (design §2)."""
    now = call.horde.now()
    return await call.horde.read(lambda tx: user_view(tx, call.user, now, Standing.OWNER))
