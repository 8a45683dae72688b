"""Identities: `/users/{id}/identities`. Only the user sees and changes them, moderators neither:
who could link one to somebody's account could sign in as them."""

from urllib.parse import urlsplit

from ordu.engine import sign_ins
from ordu.engine.leaving import check_not_deleted
from ordu.openid.errors import ProviderDownError
from ordu.protocol import operations
from ordu.protocol.errors import Refused
from ordu.protocol.sign_ins import (
    Identity,
    IdentityBegun,
    IdentityInput,
    SignInMessage,
    SignInProvider,
    UserIdentities,
)
from ordu.rules.money import UserId
from ordu.rules.rights import check_not_anonymous
from ordu.server import signing_in
from ordu.server.call import Answer, Call, handles
from ordu.server.handlers.users import existing, id_in_path
from ordu.server.pages.choices import place_of
from ordu.server.pages.house import site_of
from ordu.server.views import iso_date
from ordu.store import identities, users
from ordu.store.database import Transaction


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
