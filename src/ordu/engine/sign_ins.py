"""Signing in: from what a provider says of somebody to a key of their browser (docs/adr/0032).

A key of a browser is as good as the account's own and ends sooner: after a time, by signing out,
when the account's own key is replaced, and when the account is deleted. An account that was made
this way has no key of its own until the person makes one.
"""

from collections.abc import Collection

from ordu.engine.books import found
from ordu.engine.horde import Horde
from ordu.engine.leaving import check_not_deleted
from ordu.engine.tidings import Rekeyed
from ordu.protocol.errors import Refused
from ordu.rules import names
from ordu.rules.lifecycle import Millis
from ordu.rules.money import UserId
from ordu.store import identities, sign_ins, users
from ordu.store.database import Transaction
from ordu.store.identities import Identity
from ordu.store.users import User

ROUNDS_MAX = 20  # batches of one round of the chore


async def sign_in(horde: Horde, issuer: str, subject: str, key_hash: str) -> User | None:
    """Give a browser of this person a key of that hash; None: nobody has this identity yet."""
    now = horde.now()
    return await horde.write(lambda tx: enter(tx, horde, issuer, subject, key_hash, now))


def enter(
    tx: Transaction, horde: Horde, issuer: str, subject: str, key_hash: str, now: Millis
) -> User | None:
    """The same in a transaction."""
    identity = identities.find(tx, issuer, subject)
    user = None if identity is None else users.locked(tx, identity.user_id).get(identity.user_id)
    # Unlinked or wiped before we had the lock: then it is nobody's any more.
    if user is None or user.is_wiped or identities.find(tx, issuer, subject) != identity:
        return None
    expires_at = Millis(now + horde.settings.sign_in_lifetime_s * 1000)
    sign_ins.add(tx, key_hash=key_hash, user_id=user.id, now=now, expires_at=expires_at)
    return user


async def register(horde: Horde, username: str, issuer: str, subject: str, key_hash: str) -> User:
    """Make an account of this identity, and give the browser a key; both were made before: sign in.

    Raises:
        Refused: BadRequest or TooLongUserName, when the name will not do.
    """
    name = names.username(username)
    now = horde.now()
    identity_id = horde.fresh.id(now)

    def write(tx: Transaction) -> User:
        user_id = users.next_id(tx)  # nobody else makes an account meanwhile, nor one of these
        known = enter(tx, horde, issuer, subject, key_hash, now)
        if known is not None:
            return known
        concurrency = horde.settings.concurrency
        users.add(
            tx, user_id=user_id, username=name, key_hash=None, concurrency=concurrency, now=now
        )
        add(
            tx,
            Identity(
                id=identity_id, issuer=issuer, subject=subject, user_id=user_id, created_at=now
            ),
        )
        entered = enter(tx, horde, issuer, subject, key_hash, now)
        assert entered is not None, "it was made just now"
        return entered

    return await horde.write(write)


async def link(horde: Horde, user_id: UserId, proof: str, issuer: str, subject: str) -> User:
    """Let this user sign in by an identity; `proof` is the hash of a key that must still be theirs.

    Raises:
        Refused: InvalidAPIKey, DeletedUser, AlreadyLinked.
    """
    now = horde.now()
    identity_id = horde.fresh.id(now)

    def write(tx: Transaction) -> User:
        user = users.locked(tx, user_id).get(user_id)
        by_key = users.by_key_hash(tx, proof, now)
        if user is None or by_key is None or by_key.id != user_id:
            raise Refused(
                "InvalidAPIKey", "The key with which this was begun is no longer the account's."
            )
        check_not_deleted(user)
        add(
            tx,
            Identity(
                id=identity_id, issuer=issuer, subject=subject, user_id=user_id, created_at=now
            ),
        )
        return found(tx, user_id)

    return await horde.write(write)


def add(tx: Transaction, identity: Identity) -> None:
    """Add an identity of a user who is locked; theirs already is well.

    Raises:
        Refused: AlreadyLinked, it is somebody else's, or the user has another of that provider.
    """
    if identities.add(tx, identity):
        tx.touch(identity.user_id)
        return
    known = identities.find(tx, identity.issuer, identity.subject)
    if known is None:
        raise Refused(
            "AlreadyLinked",
            "The account is linked with somebody else at this provider. Unlink that first.",
        )
    if known.user_id != identity.user_id:
        raise Refused(
            "AlreadyLinked",
            "Another account is linked with you at this provider. Sign in by it, and unlink it "
            "there first.",
        )


async def unlink(horde: Horde, user_id: UserId, identity_id: str, issuers: Collection[str]) -> None:
    """Let this user sign in by an identity no more; `issuers` are the providers that are trusted.

    Raises:
        Refused: IdentityNotFound, or LastWayIn.
    """

    def write(tx: Transaction) -> None:
        users.locked(tx, user_id)
        theirs = identities.of_user(tx, user_id)
        if identity_id not in {each.id for each in theirs}:
            raise Refused("IdentityNotFound", "The account has no identity with this id.")
        others = [each for each in theirs if each.id != identity_id and each.issuer in issuers]
        if not others and not users.has_key(tx, user_id):
            raise Refused(
                "LastWayIn",
                "Without it nobody could get into this account. Make a key for it first.",
            )
        identities.remove(tx, user_id, identity_id)

    await horde.write(write)


async def sign_out(horde: Horde, user_id: UserId, key_hash: str) -> None:
    """End a browser's key.

    Raises:
        Refused: BadRequest, it is the account's own.
    """

    def write(tx: Transaction) -> None:
        if not sign_ins.end(tx, user_id, key_hash):
            raise Refused(
                "BadRequest",
                "This is the account's own key, which no sign-out ends. To end it, replace it.",
            )

    await horde.write(write, lambda _: horde.tell(Rekeyed(user_id)))


async def forget_expired(horde: Horde) -> None:
    """A chore: drop the keys of browsers whose time is over."""
    now = horde.now()
    for _ in range(ROUNDS_MAX):
        if await horde.write(lambda tx: sign_ins.forget_expired(tx, now)) < sign_ins.FORGET_MAX:
            break
