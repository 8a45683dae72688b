"""Users: `/users/…`."""

from urllib.parse import urlsplit

import msgspec
from starlette.responses import Response

from ordu.engine import editing, keys, leaving, sign_ins
from ordu.engine.editing import UserChange
from ordu.engine.leaving import check_not_deleted
from ordu.openid.errors import ProviderDownError
from ordu.protocol import operations
from ordu.protocol.errors import Refused
from ordu.protocol.registration import ReplacedKey
from ordu.protocol.sign_ins import (
    Identity,
    IdentityBegun,
    IdentityInput,
    SignInMessage,
    SignInProvider,
    UserIdentities,
)
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
from ordu.rules.rights import Standing, check_not_anonymous
from ordu.server import exports, signing_in
from ordu.server.acts import by, reason_in_query
from ordu.server.call import Answer, Call, handles
from ordu.server.pages.choices import place_of
from ordu.server.pages.house import site_of
from ordu.server.views import iso_date, user_view
from ordu.store import givers, identities, users
from ordu.store.database import Transaction
from ordu.store.users import COLUMN_OF, User

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


# By what they sign in. Only the user sees and changes that, moderators neither: who could link an
# identity to somebody's account could sign in as them.


@handles(operations.get_user_identities)
async def get_user_identities(call: Call[None]) -> UserIdentities:
    """By what the user can sign in."""
    user_id = await own_id(call)
    providers = call.horde.providers.values()
    by_issuer = {each.told.issuer: each.told for each in providers}

    def read(tx: Transaction) -> tuple[list[identities.Identity], bool]:
        return identities.of_user(tx, user_id), users.has_key(tx, user_id)

    theirs, has_key = await call.horde.read(read)
    return UserIdentities(
        identities=[
            Identity(
                id=each.id,
                provider=told.key if (told := by_issuer.get(each.issuer)) else None,
                name=told.name if told else urlsplit(each.issuer).netloc,
                created_at=iso_date(each.created_at),
            )
            for each in theirs
        ],
        providers=[
            SignInProvider(provider=each.told.key, name=each.told.name) for each in providers
        ],
        has_key=has_key,
    )


@handles(operations.post_user_identity)
async def post_user_identity(call: Call[IdentityInput]) -> Answer:
    """Begin to link the account: only the browser that asks with the key can finish it."""
    user_id = await own_id(call)
    check_not_deleted(call.user)
    provider = signing_in.provider_of(call.horde, call.body.provider)
    theirs = await call.horde.read(lambda tx: identities.of_user(tx, user_id))
    if provider.told.issuer in {each.issuer for each in theirs}:
        raise Refused("AlreadyLinked", f"The account is linked with {provider.told.name} already.")
    site = site_of(call.horde)
    to = site.root + place_of(call.body.to, site.root)
    link = signing_in.Link(user_id, call.secret.hash_of(call.header(b"apikey") or ""))
    try:
        url, begun = await signing_in.begin(call.horde, site, provider, to, link)
    except ProviderDownError as error:
        raise Refused(
            "ProviderUnavailable",
            f"{provider.told.name} does not answer as it should. Try again later; if that does not"
            " help, tell the operators of this horde.",
        ) from error
    cookie = signing_in.cookie(call.secret, site, begun)
    return Answer(
        IdentityBegun(url=url), headers={"Set-Cookie": cookie, "Cache-Control": "no-store"}
    )


@handles(operations.delete_user_identity)
async def delete_user_identity(call: Call[None]) -> SignInMessage:
    """Unlink an identity, unless it is the last way into the account."""
    user_id = await own_id(call)
    issuers = {each.told.issuer for each in call.horde.providers.values()}
    await sign_ins.unlink(call.horde, user_id, call.path["identity_id"], issuers)
    return SignInMessage(message="OK")


async def own_id(call: Call[object]) -> UserId:
    """The user in the path, who must be the caller.

    Raises:
        Refused: UserNotFound, AnonForbidden, NotOwner.
    """
    user_id = id_in_path(call)
    await call.horde.read(lambda tx: existing(tx, user_id))
    check_not_anonymous(call.user.id, "AnonForbidden")
    if user_id != call.user.id:
        raise Refused("NotOwner", "Only the users themselves may see or change how they sign in.")
    return user_id
