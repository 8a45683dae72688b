"""Keys: a user gets another one, and the one before stops at once, in every process.

Only its hash is kept, so the new key is told this once. Processes remember callers for a second;
this one forgets the user with the commit, the others when they are told, a few milliseconds later.
"""

from ordu.engine import acts
from ordu.engine.acts import By
from ordu.engine.horde import Horde
from ordu.engine.leaving import check_not_deleted
from ordu.engine.tidings import Rekeyed
from ordu.protocol.errors import Refused
from ordu.rules import rights
from ordu.rules.money import ADMINISTRATOR, ANONYMOUS, UserId
from ordu.rules.rights import Standing
from ordu.store import users
from ordu.store.database import Transaction
from ordu.store.users import User


async def replace_key(horde: Horde, caller: User, target: UserId, key_hash: str, by: By) -> User:
    """Give a user the key of this hash.

    Raises:
        Refused: UserNotFound, AnonForbiddenUser, NotUserOrMod, NotAdmin, DeletedUser, Forbidden.
    """
    is_set_elsewhere = bool(horde.settings.admin_key)

    def replace(tx: Transaction) -> User:
        user = users.locked(tx, target).get(target)
        if user is None or user.is_wiped:
            raise Refused("UserNotFound", f"There is no user with the id {target}.")
        check_may_replace(caller, user)
        check_not_deleted(user)
        if user.id == ADMINISTRATOR and is_set_elsewhere:
            raise Refused(
                "Forbidden",
                "The administrator's key is set by the setting `admin_key` and would come back with"
                " the next start. Change it there.",
            )
        users.set_key_hash(tx, user.id, key_hash)
        if caller.id != user.id:
            acts.note(tx, by, acts.on_user(user))
        return user

    return await horde.write(replace, lambda user: horde.tell(Rekeyed(user.id)))


def check_may_replace(caller: User, target: User) -> None:
    """Refuse everybody but the user and those who stand higher.

    Raises:
        Refused: AnonForbiddenUser, NotUserOrMod, NotAdmin.
    """
    rights.check_not_anonymous(caller.id, "AnonForbiddenUser")
    if target.id == ANONYMOUS:
        raise Refused("AnonForbiddenUser", "The key of the anonymous user is everybody's.")
    if caller.id == target.id:
        return
    stands = rights.standing(caller.id, target.id, is_moderator=caller.is_moderator)
    target_stands = rights.standing(target.id, target.id, is_moderator=target.is_moderator)
    is_person = target_stands < Standing.MODERATOR
    right = rights.REPLACE_KEY if is_person else rights.REPLACE_KEY_OF_MODERATOR
    rights.check(right, stands, "replace this key")
