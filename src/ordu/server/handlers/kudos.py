"""Kudos: `/kudos/…`."""

from ordu.engine import accounts
from ordu.protocol import operations
from ordu.protocol.kudos import KudosTransferred, PostTransferKudosRequest
from ordu.server.call import Call, handles


@handles(operations.post_transfer_kudos)
async def post_transfer_kudos(call: Call[PostTransferKudosRequest]) -> KudosTransferred:
    """Give kudos to another user."""
    moved = await accounts.transfer(
        call.horde, call.user, call.body.username, int(call.body.amount)
    )
    return KudosTransferred(transferred=moved)
