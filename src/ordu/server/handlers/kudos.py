"""Kudos: `/kudos/…`."""

from ordu.engine import history, transfer
from ordu.protocol import operations
from ordu.protocol.errors import Refused
from ordu.protocol.kudos import (
    KudosAwarded,
    KudosHistory,
    KudosTransferred,
    PostAwardKudosRequest,
    PostTransferKudosRequest,
)
from ordu.server import movements, once
from ordu.server.acts import by
from ordu.server.call import Answer, Call, handles
from ordu.server.queries import limit_of


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


@handles(operations.get_kudos_history)
async def get_kudos_history(call: Call[None]) -> Answer:
    """The caller's own movements: a part of them, the sums of days, or a table."""
    by, headers = call.query.get("by"), {"Cache-Control": "no-store"}
    if by is not None:
        if by != "day":
            raise Refused("BadParameter", "`by` is `day`, or is left out.")
        first, last = movements.days_wanted(call)
        worker_id = call.query.get("worker_id")
        moved = await history.by_day(call.horde, call.user, worker_id, first, last)
        return Answer(KudosHistory(days=movements.days_shown(moved, first, last)), headers=headers)
    wanted = movements.wanted_by(call)
    if movements.wants_csv(call):
        return await movements.table(call, wanted)
    limit = limit_of(call, usual=movements.PAGE_USUAL, most=history.PAGE_MAX)
    page = await history.page(call.horde, call.user, wanted, limit)
    following = None if page.below is None else str(page.below)
    return Answer(KudosHistory(entries=movements.shown(page), next=following), headers=headers)
