"""Leaving: accounts that are deleted, restored in time, or wiped for good (protocol sheet 20 §12).

A deleted account cannot ask, work, give or get kudos; its owner still sees it and can restore it.
After 30 days it is wiped: its name, its words about itself, its key and its workers are gone and
nobody finds it any more. Its number and its entries in the books stay, for the books must add up.
Whoever runs the horde can have that done at once (`erase`), for somebody who asks for it by mail.
"""

import asyncio

from ordu.engine import acts, end
from ordu.engine.acts import By
from ordu.engine.books import found
from ordu.engine.horde import Horde
from ordu.protocol import operations
from ordu.protocol.errors import Refused
from ordu.rules import rights
from ordu.rules.lifecycle import Millis
from ordu.rules.matching import WorkerId
from ordu.rules.money import ANONYMOUS, UserId
from ordu.rules.rights import Standing
from ordu.rules.trust import DAY_MS
from ordu.store import (
    answers,
    identities,
    jobs,
    requests,
    sign_ins,
    suspicions,
    users,
    webhooks,
    workers,
)
from ordu.store.database import Transaction
from ordu.store.users import User

KEPT_MS = 30 * DAY_MS  # so long a deleted account can be restored
KEPT_DAYS = KEPT_MS // DAY_MS
WIPED_NAME = "(wiped)"
WIPED_MAX = 200  # how many accounts one round of the chore wipes
ERASED_S = 3.0  # how long a running server is given to remove requests with their pictures
LOOK_S = 0.25


def check_not_deleted(user: User) -> None:
    """Refuse somebody whose account is deleted.

    Raises:
        Refused: DeletedUser.
    """
    if user.is_deleted:
        raise Refused(
            "DeletedUser",
            f"This account is deleted. For {KEPT_DAYS} days it can be restored: "
            f'PUT /api/v2/users/{user.id} with {{"undelete": true}}.',
        )


async def delete_user(
    horde: Horde, caller: User, target: UserId, by: By, key_hash: str = ""
) -> None:
    """Delete an account; one that was deleted long enough ago is wiped.

    Its browsers are signed out, but the one whose key this was done with: it can take it back.

    Raises:
        Refused: UserNotFound, AnonForbiddenUser, CannotDeleteMod, NotUserOrMod,
            CannotWipeActiveUser.
    """
    now = horde.now()

    def delete(tx: Transaction) -> list[WorkerId]:
        user = users.locked(tx, target).get(target)
        if user is None or user.is_wiped:
            raise Refused("UserNotFound", f"There is no user with the id {target}.")
        check_may_delete(caller, user)
        gone = delete_or_wipe(tx, user, now, key_hash)
        if caller.id != target:
            acts.note_on_user(tx, by, user, found(tx, target))
        return gone

    await horde.write(delete, lambda gone: forget_workers(horde, gone))


def delete_or_wipe(tx: Transaction, user: User, now: Millis, key_hash: str) -> list[WorkerId]:
    """Delete an account, or wipe one whose time is over; returns the workers that went with it."""
    if user.deleted_at is None:
        users.change(tx, user.id, {"deleted_at": now})
        sign_ins.end_all(tx, user.id, but=key_hash)
        return []
    if not is_over(user, now):
        raise Refused(
            "CannotWipeActiveUser",
            f"This account is deleted already. It is wiped {KEPT_DAYS} days after that.",
        )
    return wipe(tx, user, now)


def check_may_delete(caller: User, target: User) -> None:
    """Refuse everybody but the user and moderators, and to delete those who run the horde."""
    rights.check_not_anonymous(caller.id, "AnonForbiddenUser")
    if target.id == ANONYMOUS:
        raise Refused("AnonForbiddenUser", "The anonymous user, whom many share, always stays.")
    stands = rights.standing(caller.id, target.id, is_moderator=caller.is_moderator)
    target_stands = rights.standing(target.id, target.id, is_moderator=target.is_moderator)
    if target_stands >= Standing.MODERATOR:
        raise Refused(
            "CannotDeleteMod", "Moderators and the administrator cannot be deleted while they are."
        )
    rights.check(rights.DELETE_USER, stands, "delete this account")


def is_over(user: User, now: Millis) -> bool:
    """Whether the time is over in which a deleted account can be restored."""
    return user.deleted_at is not None and user.deleted_at + KEPT_MS <= now


def wipe(tx: Transaction, user: User, now: Millis) -> list[WorkerId]:
    """Forget who a user was; returns the workers that went with them."""
    theirs = workers.of_user(tx, user.id)
    suspicions.forget(tx, user.id)
    webhooks.forget_user(tx, user.id)
    identities.forget_user(tx, user.id)
    sign_ins.end_all(tx, user.id)
    for worker_id in theirs:
        workers.remove(tx, worker_id, now)
    users.set_key_hash(tx, user.id, None)
    nothing: dict[str, object] = {"contact": None, "admin_comment": None, "monthly_kudos": 0}
    users.change(tx, user.id, {"username": WIPED_NAME, "is_wiped": True} | nothing)
    answers.forget_user(tx, user.id, [row.name for row in operations.TABLE])
    acts.forget_user(tx, found(tx, user.id), theirs)
    return theirs


def forget_workers(horde: Horde, gone: list[WorkerId]) -> None:
    """Forget workers that went with their owner."""
    for worker_id in gone:
        horde.remove_worker(worker_id)


async def wipe_deleted(horde: Horde) -> None:
    """A chore: wipe the accounts that were deleted long enough ago."""
    now = horde.now()

    def wipe_some(tx: Transaction) -> list[WorkerId]:
        found = users.deleted_before(tx, Millis(now - KEPT_MS), WIPED_MAX)
        locked = users.locked(tx, *(user.id for user in found)).values()
        # Looked at again: one of them may have been restored, or wiped, before we had the lock.
        gone = [user for user in locked if is_over(user, now) and not user.is_wiped]
        return [worker_id for user in gone for worker_id in wipe(tx, user, now)]

    await horde.write(wipe_some, lambda gone: forget_workers(horde, gone))


# At once


async def erase(horde: Horde, target: UserId, by: By) -> None:
    """Wipe an account at once, with its requests and pictures, for a command on this machine.

    A running server takes back what its workers draw, and removes requests and pictures, in its
    next round of chores; where none runs, that is done here.

    Raises:
        Refused: UserNotFound, AnonForbiddenUser, CannotDeleteMod.
    """
    now = horde.now()

    def erase(tx: Transaction) -> list[WorkerId]:
        requests.end_lives(tx, target, now)
        jobs.leave(tx, target, WIPED_NAME, now)
        user = users.locked(tx, target).get(target)
        if user is None or user.is_wiped:
            raise Refused("UserNotFound", f"There is no user with the id {target}.")
        check_may_erase(user)
        for worker_id in workers.of_user(tx, target):
            webhooks.rename_worker(tx, worker_id, WIPED_NAME)
        answers.forget_registration(tx, operations.post_register.name, target)
        users.change(tx, target, {"deleted_at": user.deleted_at or now})
        gone = wipe(tx, user, now)
        acts.note(tx, by, acts.on_user(found(tx, target)))
        return gone

    await horde.write(erase, lambda gone: forget_workers(horde, gone))
    if not await are_gone(horde, target):
        for request_id in await horde.read(lambda tx: requests.ids_of_user(tx, target)):
            await end.expire(horde, request_id)


async def are_gone(horde: Horde, target: UserId) -> bool:
    """Whether a server that runs removes a user's requests, which is waited for a little."""
    for _ in range(int(ERASED_S / LOOK_S)):
        if not await horde.read(lambda tx: requests.ids_of_user(tx, target)):
            return True
        await asyncio.sleep(LOOK_S)
    return False


def check_may_erase(user: User) -> None:
    """Refuse to erase those who run the horde, and whom many share."""
    if user.id == ANONYMOUS:
        raise Refused("AnonForbiddenUser", "The anonymous user, whom many share, always stays.")
    if rights.standing(user.id, user.id, is_moderator=user.is_moderator) >= Standing.MODERATOR:
        raise Refused(
            "CannotDeleteMod", "Moderators and the administrator cannot be erased while they are."
        )
