"""Users: `/users/…`."""

import msgspec
from starlette.responses import Response

from ordu.engine import editing, keys, leaving
from ordu.engine.editing import COLUMN_OF, UserChange
from ordu.protocol import operations
from ordu.protocol.errors import Refused
from ordu.protocol.registration import ReplacedKey
from ordu.protocol.users import (
    DeletedUser,
    GivenThisMonth,
    ModifyUser,
    PutUserSingleRequest,
    UserDetailsStable,
)
from ordu.rules import money, names
from ordu.rules.lifecycle import Millis
from ordu.rules.money import UserId
from ordu.rules.rights import Standing
from ordu.server import exports
from ordu.server.acts import by, reason_in_query
from ordu.server.call import Answer, Call, handles
from ordu.server.views import user_view
from ordu.store import givers, users
from ordu.store.database import Transaction
from ordu.store.users import User

PAGE_MAX = 10_000


@handles(operations.get_users)
async def get_users(call: Call[None]) -> list[UserDetailsStable]:
    """Twenty-five users a page, as everybody may see them."""
    text = call.query.get("page", "1")
    if not (text.isascii() and text.isdigit()) or len(text) > len(str(PAGE_MAX)):
        raise Refused(
            "ValidationFailed",
            "Input payload validation failed",
            errors={"page": f"{text[:40]!r} is no page number; pages count from 1."},
        )
    number = max(1, int(text))
    now = call.horde.now()
    name = call.query.get("name")

    sort = call.query.get("sort")

    def read(tx: Transaction) -> list[UserDetailsStable]:
        if sort == "month":
            return givers_view(tx, number, now)
        if name is not None:
            found = users.named(tx, name, number)
        else:
            found = users.page(tx, number, oldest_first=sort == "age")
        return [user_view(tx, user, now, Standing.ANYBODY) for user in found]

    return await call.horde.read(read)


def givers_view(tx: Transaction, number: int, now: Millis) -> list[UserDetailsStable]:
    """A page of those whose workers earned something this month, most first."""
    month = givers.month_of(now)
    return [
        msgspec.structs.replace(
            user_view(tx, existing(tx, giver.user_id), now, Standing.ANYBODY),
            this_month=GivenThisMonth(
                month=month, fulfillments=giver.pictures, kudos=money.exact(giver.kudos)
            ),
        )
        for giver in givers.page(tx, number, now)
    ]


@handles(operations.get_user_single)
async def get_user_single(call: Call[None]) -> UserDetailsStable:
    """One user, as this caller may see it."""
    user_id = id_in_path(call)
    now = call.horde.now()
    stands = call.stands(user_id)
    return await call.horde.read(lambda tx: user_view(tx, existing(tx, user_id), now, stands))


@handles(operations.put_user_single)
async def put_user_single(call: Call[PutUserSingleRequest]) -> ModifyUser:
    """Change a user: everything that was asked for, or nothing."""
    user_id = id_in_path(call)
    await call.horde.read(lambda tx: existing(tx, user_id))  # 404 comes before all else
    change = editing.read_change(call.body)
    editing.check_may_change(call.user, user_id, change)
    act = by(call, call.body.reason)
    return modified(await editing.edit(call.horde, user_id, change, act), change)


@handles(operations.delete_user_single)
async def delete_user_single(call: Call[None]) -> DeletedUser:
    """Delete an account, and wipe one that was deleted long ago."""
    act = by(call, reason_in_query(call))
    key_hash = call.secret.hash_of(call.header(b"apikey") or "")
    await leaving.delete_user(call.horde, call.user, id_in_path(call), act, key_hash)
    return DeletedUser(message="OK")


@handles(operations.post_user_key)
async def post_user_key(call: Call[None]) -> Answer:
    """Give a user another key, which is told this once."""
    api_key = call.horde.fresh.key()
    key_hash = call.secret.hash_of(api_key)
    act = by(call, reason_in_query(call))
    user = await keys.replace_key(call.horde, call.user, id_in_path(call), key_hash, act)
    reply = ReplacedKey(username=names.alias(user.username, user.id), id=user.id, api_key=api_key)
    return Answer(reply, headers={"Cache-Control": "no-store"})


@handles(operations.get_user_export)
async def get_user_export(call: Call[None]) -> Response:
    """Send everything that is kept of a user, piece by piece."""
    user_id = id_in_path(call)
    exports.check_may_export(call.user, user_id)
    user = await call.horde.read(lambda tx: existing(tx, user_id))
    return exports.Export(call.horde, user)


def modified(user: User, change: UserChange) -> ModifyUser:
    """The fields that were changed, with their new values."""
    names = change.fields.keys()
    values = {name: getattr(user, COLUMN_OF[name]) for name in names if name in COLUMN_OF}
    if "kudos" in names:
        values["new_kudos"] = money.exact(user.kudos)
    if "monthly_kudos" in names:
        values["monthly_kudos"] = user.monthly_kudos // 100
    if "reset_suspicion" in names:
        values["new_suspicion"] = user.suspicion
    if "education" in names:
        values["concurrency"] = user.concurrency
    if "undelete" in names:
        values["undeleted"] = True
    return ModifyUser(**values)


def id_in_path(call: Call[object]) -> UserId:
    """The user id in the path; anything that cannot be one is not found."""
    text = call.path["user_id"]
    if not (text.isascii() and text.isdigit()):
        raise not_found(text)
    user_id = names.user_id_of(text)
    if user_id is None:
        raise not_found(text)
    return user_id


def existing(tx: Transaction, user_id: UserId) -> User:
    """The user of this id."""
    user = users.known(tx, user_id)
    if user is None:
        raise not_found(str(user_id))
    return user


def not_found(text: str) -> Refused:
    """The refusal for a user that is not there."""
    return Refused("UserNotFound", f"There is no user with the id {text[:40]!r}.")
