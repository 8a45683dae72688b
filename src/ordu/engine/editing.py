"""Editing users: what a PUT asks for, whether the caller may, and all of it in one transaction."""

from collections.abc import Mapping
from dataclasses import dataclass

from ordu.engine import acts
from ordu.engine.acts import By
from ordu.engine.books import found, give, promote
from ordu.engine.horde import Horde
from ordu.protocol.errors import Refused
from ordu.protocol.users import PutUserSingleRequest
from ordu.rules import money, names, rights
from ordu.rules.lifecycle import Millis
from ordu.rules.money import ANONYMOUS, Action, Kudos, UserId
from ordu.rules.rights import USER_CHANGED
from ordu.store import suspicions, users, workers
from ordu.store.database import Transaction
from ordu.store.users import COLUMN_OF, User

EDUCATION_CONCURRENCY = 200  # what an account for teaching gets, unless told otherwise


@dataclass(frozen=True)
class UserChange:
    """What is to be changed of a user, by the names of the wire; kudos are hundredths."""

    fields: Mapping[str, object]

    def amount(self, name: str) -> Kudos | None:
        """How many kudos a field gives or takes; None when it is not to be changed."""
        value = self.fields.get(name)
        assert value is None or isinstance(value, int)
        return None if value is None else Kudos(value)


def read_change(body: PutUserSingleRequest) -> UserChange:
    """What a body asks to change, in either era's names.

    Raises:
        Refused: NoUserModSelected, TooLongUserName, BadRequest.
    """
    fields = {name: getattr(body, name) for name in USER_CHANGED}
    if body.worker_invited is None:
        fields["worker_invited"] = body.worker_invite
    for name in ("reset_suspicion", "generate_proxy_passkey", "undelete"):
        fields[name] = fields[name] or None  # to say false is to ask for nothing
    fields = {name: value for name, value in fields.items() if value is not None}
    if body.username is not None:
        fields["username"] = names.username(body.username)
    if body.kudos is not None:
        fields["kudos"] = Kudos(round(body.kudos * 100))
    if body.monthly_kudos is not None:
        fields["monthly_kudos"] = money.from_whole(body.monthly_kudos)
    if not fields:
        raise Refused(
            "NoUserModSelected", "Nothing to change: the body names no field that can be changed."
        )
    return UserChange(fields)


def check_may_change(caller: User, target: UserId, change: UserChange) -> None:
    """Refuse a change that this caller may not make, or that nobody can.

    Raises:
        Refused: NotAdmin, NotModerator, AnonForbiddenUserMod, NotImplemented.
    """
    stands = rights.standing(caller.id, target, is_moderator=caller.is_moderator)
    rights.check_changes(USER_CHANGED, change.fields, stands)
    if target == ANONYMOUS:
        rights.check_of_anonymous(change.fields)
    if "generate_proxy_passkey" in change.fields:
        raise Refused("NotImplemented", "This horde has no passkeys for services yet.")


async def edit(horde: Horde, target: UserId, change: UserChange, by: By) -> User:
    """Change a user: everything, or nothing when something cannot be.

    Raises:
        Refused: UserNotFound, UserNotDeleted, KudosTransferNotEnough.
    """
    now = horde.now()
    entry_id = horde.fresh.id(now)
    usual = horde.settings.concurrency

    def write(tx: Transaction) -> Edited:
        before = users.locked(tx, target).get(target)
        if before is None or before.is_wiped:
            raise Refused("UserNotFound", f"There is no user with the id {target}.")
        after = edit_user(tx, before, change, usual, entry_id, now)
        if rights.is_act(by.actor_id, target, USER_CHANGED, change.fields):
            acts.note_on_user(tx, by, before, after)
        return Edited(after, is_promoted=after.is_trusted and not before.is_trusted)

    def publish(edited: Edited) -> None:
        if edited.is_promoted:
            horde.end_pauses(target)
        if "reset_suspicion" in change.fields:
            horde.clear_suspicion(target)

    return (await horde.write(write, publish)).user


@dataclass(frozen=True)
class Edited:
    """A user after a change, and whether it made them trusted."""

    user: User
    is_promoted: bool


def edit_user(
    tx: Transaction, user: User, change: UserChange, usual: int, entry_id: str, now: Millis
) -> User:
    """Change columns and book kudos in one transaction; `usual` is everybody's concurrency."""
    fields = change.fields
    columns = {COLUMN_OF[name]: value for name, value in fields.items() if name in COLUMN_OF}
    if "education" in fields and "concurrency" not in fields:
        columns["concurrency"] = teaching_concurrency(
            user.concurrency, usual, is_education=bool(fields["education"])
        )
    if "undelete" in fields:
        if not user.is_deleted:
            raise Refused("UserNotDeleted", "This account is not deleted.")
        columns["deleted_at"] = None
    if columns:
        users.change(tx, user.id, columns)
    if (fields.get("trusted") or fields.get("moderator")) and not user.is_trusted:
        promote(tx, user, f"{entry_id}-trust", now)
    if "reset_suspicion" in fields:
        users.change(tx, user.id, {"suspicion": 0})
        workers.clear_suspicion(tx, user.id)
        suspicions.forget(tx, user.id)
    if amount := change.amount("kudos"):
        give(tx, user, amount, Action.ADMIN, entry_id, now)
    if delta := change.amount("monthly_kudos"):
        change_allowance(tx, user, delta, f"{entry_id}-monthly", now)
    return found(tx, user.id)


def teaching_concurrency(before: int, usual: int, *, is_education: bool) -> int:
    """The concurrency of an account that becomes one for teaching, or is one no more."""
    if is_education:
        return max(before, EDUCATION_CONCURRENCY)
    return usual if before == EDUCATION_CONCURRENCY else before


def change_allowance(tx: Transaction, user: User, delta: Kudos, entry_id: str, now: Millis) -> None:
    """Change what comes every month; an addition is paid at once, for the month that begins."""
    columns: dict[str, object] = {"monthly_kudos": max(0, user.monthly_kudos + delta)}
    if delta > 0 and user.monthly_received_at is None:
        columns["monthly_received_at"] = now
    users.change(tx, user.id, columns)
    if delta > 0:
        give(tx, found(tx, user.id), delta, Action.RECURRING, entry_id, now)
