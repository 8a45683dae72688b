"""Accounts: registering users, and the first two, who are always there."""

from dataclasses import dataclass

import msgspec

from ordu.engine import acts
from ordu.engine.acts import By
from ordu.engine.books import found
from ordu.engine.horde import Horde
from ordu.engine.once import Once, Telling, once
from ordu.protocol.errors import Refused
from ordu.rules import names
from ordu.rules.lifecycle import Millis
from ordu.rules.money import ADMINISTRATOR, ANONYMOUS, UserId
from ordu.store import answers, users
from ordu.store.database import Transaction
from ordu.store.users import User

CHALLENGES = "challenge"  # those that were spent are kept among answers, under this scope

# Registering


class Registration(msgspec.Struct, frozen=True):
    """What is kept of an account that was made by a call with an `Idempotency-Key`.

    Its own key is not among it: that is made of `salt`, the call's key, and the installation's
    secret (`server/handlers/register.py`).
    """

    id: UserId
    username: str
    salt: str


@dataclass(frozen=True)
class Challenge:
    """A challenge that somebody has solved, by a name that no other has."""

    name: str
    expires_at: Millis


@dataclass(frozen=True)
class Newcomer:
    """A user who has just registered, and the only moment the key can be read."""

    user: User
    api_key: str
    registration: Registration
    is_again: bool = False  # the same call was made before, and made the account


def check_open(horde: Horde) -> None:
    """Refuse to make accounts in a raid.

    Raises:
        Refused: RegistrationClosed.
    """
    if horde.modes.get("raid_mode"):
        raise Refused(
            "RegistrationClosed",
            "This horde makes no new accounts now. Try again later, or ask its operators.",
        )


async def register(
    horde: Horde,
    username: str,
    api_key: str,
    key_hash: str,
    call: Once | None = None,
    salt: str = "",
    by: By | None = None,
    challenge: Challenge | None = None,
) -> Newcomer:
    """Add a user; nobody when the same `call` was made before. `by` is who does that for them.

    `challenge` is what they had to solve for it.

    Raises:
        Refused: BadRequest or TooLongUserName, when the name will not do; WorkNotAccepted.
    """
    name = names.username(username)
    now = horde.now()
    concurrency = horde.settings.concurrency

    def add(tx: Transaction) -> User:
        spend(tx, challenge)
        user_id = users.next_id(tx)
        users.add(
            tx,
            user_id=user_id,
            username=name,
            key_hash=key_hash,
            concurrency=concurrency,
            now=now,
        )
        user = found(tx, user_id)
        if by is not None:
            acts.note(tx, by, acts.on_user(user))
        return user

    telling: Telling[User, Registration] = Telling(
        lambda user: Registration(user.id, user.username, salt), Registration
    )

    def run(tx: Transaction) -> Newcomer:
        done = once(tx, call, now, add, telling)
        user = done.result or found(tx, done.reply.id)
        return Newcomer(user, api_key, done.reply, is_again=done.is_again)

    return await horde.write(run)


def spend(tx: Transaction, challenge: Challenge | None) -> None:
    """Take a challenge that was solved, which is good once; until it expires that is remembered.

    Raises:
        Refused: WorkNotAccepted, it made another account.
    """
    if challenge is None:
        return
    if not answers.begin(tx, CHALLENGES, challenge.name, "", challenge.expires_at):
        raise Refused(
            "WorkNotAccepted",
            "This challenge has made an account already. Get a new one at /register/challenge.",
        )


# The first users


async def ensure_first_users(horde: Horde, admin_hash: str, *, renew: bool) -> bool:
    """Make the anonymous user and the administrator when they are missing.

    `renew` gives the administrator the key of that hash although there is one. Returns whether the
    administrator was made now.
    """
    settings = horde.settings
    now = horde.now()

    def ensure(tx: Transaction) -> bool:
        if users.by_id(tx, ANONYMOUS) is None:
            users.add(
                tx,
                user_id=ANONYMOUS,
                username="Anonymous",
                key_hash=None,
                concurrency=settings.concurrency_anonymous,
                now=now,
            )
        is_new = users.by_id(tx, ADMINISTRATOR) is None
        if is_new:
            users.add(
                tx,
                user_id=ADMINISTRATOR,
                username="Administrator",
                key_hash=admin_hash,
                concurrency=settings.concurrency,
                now=now,
                is_moderator=True,
                is_trusted=True,
            )
        elif renew:
            users.set_key_hash(tx, ADMINISTRATOR, admin_hash)
        return is_new

    return await horde.write(ensure)
