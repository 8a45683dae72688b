"""Accounts: registering users, changing them, moving kudos between them."""

from dataclasses import dataclass

from ordu.engine.horde import Horde
from ordu.protocol.errors import Refused
from ordu.protocol.users import PutUserSingleRequest
from ordu.rules import money, names, rights
from ordu.rules.lifecycle import Millis
from ordu.rules.money import ADMINISTRATOR, ANONYMOUS, Action, Kudos, Line, UserId
from ordu.store import ledger, stats, users
from ordu.store.database import Transaction
from ordu.store.users import User

# Registering


@dataclass(frozen=True)
class Newcomer:
    """A user who has just registered, and the only moment the key can be read."""

    user: User
    api_key: str


async def register(horde: Horde, username: str, api_key: str, key_hash: str) -> Newcomer:
    """Add a user.

    Raises:
        Refused: BadRequest or TooLongUserName, when the name will not do.
    """
    name = names.username(username)
    now = horde.now()
    concurrency = horde.settings.concurrency

    def add(tx: Transaction) -> User:
        user_id = users.next_id(tx)
        users.add(
            tx,
            user_id=user_id,
            username=name,
            key_hash=key_hash,
            concurrency=concurrency,
            now=now,
        )
        return found(tx, user_id)

    return Newcomer(await horde.write(add), api_key)


def found(tx: Transaction, user_id: UserId) -> User:
    """A user who is known to exist."""
    user = users.by_id(tx, user_id)
    assert user is not None, f"user {user_id} exists"
    return user


# Changing

COLUMN_OF = {
    "concurrency": "concurrency",
    "usage_multiplier": "usage_multiplier",
    "worker_invited": "worker_invited",
    "moderator": "is_moderator",
    "trusted": "is_trusted",
    "flagged": "is_flagged",
    "public_workers": "has_public_workers",
    "monthly_kudos": "monthly_kudos",
    "username": "username",
    "contact": "contact",
}
FOR_ADMINISTRATOR = frozenset({"kudos", "monthly_kudos", "usage_multiplier", "moderator"})
FOR_OWNER = frozenset({"public_workers", "username", "contact"})
NOT_YET = (
    "customizer",
    "vpn",
    "service",
    "education",
    "special",
    "admin_comment",
    "generate_proxy_passkey",
    "undelete",
    "reset_suspicion",
)


@dataclass(frozen=True)
class UserChange:
    """What is to be changed of a user: fields of the wire, and kudos to give or take."""

    fields: dict[str, object]
    kudos: Kudos | None = None

    @property
    def names(self) -> frozenset[str]:
        """Every field that is to be changed."""
        return frozenset(self.fields) | ({"kudos"} if self.kudos is not None else frozenset())

    @property
    def reported(self) -> tuple[str, ...]:
        """The fields whose new values the answer gives."""
        return tuple(self.fields)


def read_change(body: PutUserSingleRequest) -> UserChange:
    """What a body asks to change, in either era's names.

    Raises:
        Refused: NoUserModSelected, NotImplemented, TooLongUserName, BadRequest.
    """
    used = [name for name in NOT_YET if getattr(body, name) is not None]
    if used:
        raise Refused("NotImplemented", f"This horde cannot change {', '.join(used)} yet.")
    invited = body.worker_invited if body.worker_invited is not None else body.worker_invite
    given = {name: getattr(body, name) for name in COLUMN_OF if name != "worker_invited"}
    given["worker_invited"] = invited
    fields = {name: value for name, value in given.items() if value is not None}
    if body.username is not None:
        fields["username"] = names.username(body.username)
    kudos = None if body.kudos is None else Kudos(round(body.kudos * 100))
    change = UserChange(fields, kudos)
    if not change.names:
        raise Refused(
            "NoUserModSelected", "Nothing to change: the body names no field that can be changed."
        )
    return change


def check_rights(caller: User, target: UserId, change: UserChange) -> None:
    """Refuse a change that this caller may not make."""
    if change.names & FOR_ADMINISTRATOR:
        rights.check_administrator(caller.id)
    if change.names - FOR_ADMINISTRATOR - FOR_OWNER:
        rights.check_moderator(caller.id, is_moderator=caller.is_moderator)
    if change.names & FOR_OWNER:
        if ANONYMOUS in {target, caller.id}:
            raise Refused("AnonForbiddenUserMod", "The anonymous user cannot be changed so.")
        if caller.id != target:
            rights.check_moderator(caller.id, is_moderator=caller.is_moderator)
    if target == ANONYMOUS and change.names & {"moderator", "trusted", "kudos"}:
        raise Refused("AnonForbiddenUserMod", "The anonymous user can hold no rights and no kudos.")


async def edit(horde: Horde, target: UserId, change: UserChange) -> User:
    """Change a user: everything, or nothing when something cannot be."""
    now = horde.now()
    entry_id = horde.fresh.id(now)
    return await horde.write(lambda tx: edit_user(tx, target, change, entry_id, now))


def edit_user(
    tx: Transaction, target: UserId, change: UserChange, entry_id: str, now: Millis
) -> User:
    """Change columns and book kudos in one transaction."""
    user = users.by_id(tx, target)
    if user is None:
        raise Refused("UserNotFound", f"There is no user with the id {target}.")
    columns = {COLUMN_OF[name]: value for name, value in change.fields.items()}
    if "monthly_kudos" in change.fields:
        delta = money.from_whole(int(str(change.fields["monthly_kudos"])))
        columns["monthly_kudos"] = max(0, user.monthly_kudos + delta)
    if change.fields.get("moderator") is True:
        columns["is_trusted"] = True
    if columns:
        users.change(tx, target, columns)
    if change.kudos:
        give(tx, user, change.kudos, entry_id, now)
    return found(tx, target)


def give(tx: Transaction, user: User, amount: Kudos, entry_id: str, now: Millis) -> None:
    """Give kudos to a user, or take them; never more than there are."""
    if user.kudos + amount < 0:
        raise Refused(
            "KudosTransferNotEnough",
            f"{names.alias(user.username, user.id)} has {money.exact(user.kudos)} kudos; "
            f"{-money.exact(amount)} cannot be taken.",
        )
    entry = money.adjustment(f"admin:{entry_id}", user.id, amount, Action.ADMIN)
    ledger.post(tx, entry, entry_id, now)
    stats.append(tx, kudos_deltas(entry.lines))


def kudos_deltas(lines: tuple[Line, ...]) -> list[tuple[str, str, int]]:
    """What statistics learn from an entry: each user's kudos by action."""
    return [
        (f"user:{line.user_id}", f"kudos:{line.action}", line.amount)
        for line in lines
        if line.account is money.Account.USER
    ]


# Transferring


async def transfer(horde: Horde, source: User, target_name: str, amount: int) -> int:
    """Give whole kudos from one user to another; returns how many.

    Raises:
        Refused: the refusals of protocol sheet 21 §1 that this horde has.
    """
    now = horde.now()
    entry_id = horde.fresh.id(now)
    await horde.write(lambda tx: move(tx, source.id, target_name, amount, entry_id, now))
    return amount


def move(
    tx: Transaction, source_id: UserId, target_name: str, amount: int, entry_id: str, now: Millis
) -> None:
    """Check and book a transfer."""
    source = found(tx, source_id)
    target_id = names.user_id_of(target_name)
    target = None if target_id is None else users.by_id(tx, target_id)
    check_transfer(source, target, target_name, amount)
    assert target is not None
    entry = money.transfer(f"transfer:{entry_id}", source.id, target.id, money.from_whole(amount))
    ledger.post(tx, entry, entry_id, now)
    stats.append(tx, kudos_deltas(entry.lines))


def check_transfer(source: User, target: User | None, target_name: str, amount: int) -> None:
    """Refuse a transfer that breaks a rule, in the order of protocol sheet 21 §1."""
    refusals = (
        (
            source.id == ANONYMOUS,
            "KudosTransferFromAnon",
            "The anonymous user has no kudos to give; register to have your own.",
        ),
        (
            target is None,
            "InvalidTargetUsername",
            f"There is no user {target_name[:60]!r}. Write the name as `name#17`.",
        ),
        (
            target is not None and target.id == ANONYMOUS,
            "KudosTransferToAnon",
            "The anonymous user cannot hold kudos.",
        ),
        (
            target is not None and target.id == source.id,
            "KudosTransferToSelf",
            "These kudos are yours already.",
        ),
        (source.is_flagged, "SourceAccountFlagged", "Your account is under review."),
        (
            target is not None and target.is_flagged,
            "TargetAccountFlagged",
            "The receiving account is under review.",
        ),
        (amount < 0, "NegativeKudosTransfer", "Kudos can be given, not taken: say more than 0."),
        (amount == 0, "InvalidKudosTransferAmount", "Nothing to give: say more than 0."),
        (
            money.from_whole(amount) > source.kudos,
            "KudosTransferNotEnough",
            f"You have {money.exact(source.kudos)} kudos and want to give {amount}.",
        ),
    )
    for is_broken, rc, message in refusals:
        if is_broken:
            raise Refused(rc, message)


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
