"""Kudos: `/kudos/…`."""

from ordu.engine import transfer
from ordu.protocol import operations
from ordu.protocol.kudos import (
    KudosAwarded,
    KudosTransferred,
    PostAwardKudosRequest,
    PostTransferKudosRequest,
)
from ordu.server import once
from ordu.server.acts import by
from ordu.server.call import Answer, Call, handles


@handles(operations.post_transfer_kudos)
async def post_transfer_kudos(call: Call[PostTransferKudosRequest]) -> Answer:
    """Give kudos to another user."""
    body = call.body
    done = await transfer.transfer(
        call.horde, call.user, body.username, body.amount, once.once_of(call)
    )
    headers = once.headers(call, is_again=done.is_again)
    return Answer(KudosTransferred(transferred=done.reply), headers=headers)


@handles(operations.post_award_kudos)
async def post_award_kudos(call: Call[PostAwardKudosRequest]) -> Answer:
    """Give kudos of the horde's own to a user."""
    body = call.body
    done = await transfer.award(
        call.horde,
        call.user,
        body.username,
        body.amount,
        by(call, body.reason),
        once.once_of(call),
    )
    headers = once.headers(call, is_again=done.is_again)
    return Answer(KudosAwarded(awarded=done.reply), headers=headers)
