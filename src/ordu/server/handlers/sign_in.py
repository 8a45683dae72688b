"""Signing out: `/sign_in`. How one signs in is a page's matter (`server.pages.sign_in`)."""

from ordu.engine import sign_ins
from ordu.protocol import operations
from ordu.protocol.sign_ins import SignInMessage
from ordu.rules.rights import check_not_anonymous
from ordu.server.call import Call, handles


@handles(operations.delete_sign_in)
async def delete_sign_in(call: Call[None]) -> SignInMessage:
    """End the browser's key that the call is made with."""
    check_not_anonymous(call.user.id, "AnonForbidden")
    key = call.header(b"apikey")
    assert key, f"{call.operation.name} requires a key"
    await sign_ins.sign_out(call.horde, call.user.id, call.secret.hash_of(key))
    return SignInMessage(message="OK")
