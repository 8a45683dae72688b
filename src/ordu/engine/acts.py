"""Acts: what those who run a horde do to what is not theirs, noted so that others can look.

An act is written in the transaction of what it tells of: neither is there without the other. A
handler says who acts, by which operation and why (`By`); the verb notes what changed (`note`).
What users do to what is theirs is no act, as long as everybody might do that to their own.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from ordu.engine.clock import SystemClock
from ordu.engine.fresh import Fresh
from ordu.engine.horde import Horde
from ordu.protocol.errors import Refused
from ordu.rules import money, names
from ordu.rules.lifecycle import Millis
from ordu.rules.money import UserId
from ordu.store import acts, facts, users
from ordu.store.acts import Act, Change, Wanted
from ordu.store.database import Transaction
from ordu.store.users import COLUMN_OF, User

MACHINE = UserId(-1)  # who acts by a command on the server's machine
MACHINE_NAME = "the server's machine"
PAGE_MAX = 200
# What an act says of a user, by the names of the wire: how the column is shown. Of contacts, notes
# and names nothing is left when the account is wiped.
SHOWN_OF_USER: Mapping[str, str] = {
    "kudos": "kudos",
    "evaluating_kudos": "evaluating_kudos",
    "monthly_kudos": "monthly_kudos",
    **COLUMN_OF,
    "suspicion": "suspicion",
    "deleted": "is_deleted",
    "wiped": "is_wiped",
}
WORDS = frozenset({"username", "contact", "admin_comment"})
WORDS_OF_WORKER = frozenset({"name", "info", "maintenance_msg"})
FORGOTTEN_NAME = "(forgotten)"  # of whom an old act was upon
FORGOTTEN_UNTIL = "acts without words"  # the fact that says up to which act words are forgotten
FORGET_MAX = 500
ROUNDS_MAX = 20  # batches of old acts in one go
MONEY = frozenset({"kudos", "evaluating_kudos", "monthly_kudos"})


@dataclass(frozen=True)
class By:
    """Who does something, by which operation, and why."""

    actor_id: UserId
    operation: str
    act_id: str
    now: Millis
    reason: str | None = None


def by(horde: Horde, actor_id: UserId, operation: str, reason: str | None = None) -> By:
    """What this user does now."""
    now = horde.now()
    return By(actor_id, operation, horde.fresh.id(now), now, said(reason))


def by_machine(command: str) -> By:
    """What is done now by this command on the server's machine."""
    now = SystemClock().now()
    return By(MACHINE, command, Fresh().id(now), now)


def said(reason: str | None) -> str | None:
    """A reason without space around it; one that says nothing is none."""
    return (reason or "").strip() or None


@dataclass(frozen=True)
class Target:
    """What was acted upon: `kind` is user, worker, news, modes; the name is for people."""

    kind: str
    id: str
    name: str


def on_user(user: User) -> Target:
    """A user, as the target of an act."""
    return Target("user", str(user.id), names.alias(user.username, user.id))


MODES = Target("modes", "", "")


def note(tx: Transaction, by: By, target: Target, changes: Iterable[Change] = ()) -> None:
    """Write down what somebody has done, in the transaction in which it is done."""
    acts.add(
        tx,
        Act(
            id=by.act_id,
            created_at=by.now,
            actor_id=by.actor_id,
            operation=by.operation,
            target_kind=target.kind,
            target_id=target.id,
            target_name=target.name,
            changes=list(changes),
            reason=by.reason,
        ),
    )


def note_on_user(tx: Transaction, by: By, before: User, after: User) -> None:
    """Write down what was done to a user, where it changed something."""
    changes = differences(shown_of(before), shown_of(after))
    if changes:
        note(tx, by, on_user(after), changes)


def shown_of(user: User) -> dict[str, Any]:
    """What an act says of a user; kudos as the wire has them."""
    values = {name: getattr(user, column) for name, column in SHOWN_OF_USER.items()}
    return values | {name: money.exact(values[name]) for name in MONEY}


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """What differs between two states of the same thing."""
    return [
        Change(name, value, after[name]) for name, value in before.items() if after[name] != value
    ]


def owned_by(user_id: UserId) -> Change:
    """Says in an act upon a worker whose it was: so what it says is found when they are wiped."""
    return Change("owner", None, user_id)


def workers_of(tx: Transaction, user_id: UserId) -> list[str]:
    """The workers of a user upon which there was an act, also those that are gone."""
    return acts.targets_with(tx, "worker", owned_by(user_id))


def forget_user(tx: Transaction, wiped: User, worker_ids: Iterable[str]) -> None:
    """Forget the name, contact and notes of a user who was wiped, and the words about their
    workers, also those that went before; the acts stay."""
    target = on_user(wiped)
    acts.forget_words(tx, target.kind, target.id, target.name, set(WORDS))
    for worker_id in sorted({*worker_ids, *workers_of(tx, wiped.id)}):
        acts.forget_words(tx, "worker", worker_id, wiped.username, set(WORDS_OF_WORKER))


async def forget_act_words(horde: Horde) -> None:
    """A chore: of old acts only numbers are kept: who did what to whom, and when."""
    before = Millis(horde.now() - horde.settings.keep_act_words_s * 1000)

    def forget(tx: Transaction) -> int:
        old = acts.between(tx, facts.get(tx, FORGOTTEN_UNTIL) or "", before, FORGET_MAX)
        for act in old:
            forget_old(tx, act)
        if old:
            facts.put(tx, FORGOTTEN_UNTIL, old[-1].id)
        return len(old)

    for _ in range(ROUNDS_MAX):
        if await horde.write(forget) < FORGET_MAX:
            break


def forget_old(tx: Transaction, act: Act) -> None:
    """Forget the words of an old act."""
    match act.target_kind:
        case "user":
            name = names.alias(FORGOTTEN_NAME, UserId(int(act.target_id)))
            acts.forget_words_of(tx, act, name, set(WORDS))
        case "worker":
            acts.forget_words_of(tx, act, FORGOTTEN_NAME, set(WORDS_OF_WORKER))
        case _:
            acts.forget_words_of(tx, act, act.target_name, set())


# Reading


class Told(msgspec.Struct, frozen=True):
    """An act, and what its actor is called now."""

    act: Act
    actor: str


async def page(
    horde: Horde, wanted: Wanted, before_id: str | None, most: int
) -> tuple[Sequence[Told], str | None]:
    """Acts, newest first, and the id to go on from; None at the end."""
    assert 1 <= most <= PAGE_MAX, most

    def read(tx: Transaction) -> list[Told]:
        found = acts.page(tx, wanted, before_id, most + 1)
        names_of = actors(tx, {act.actor_id for act in found})
        return [Told(act, names_of[act.actor_id]) for act in found]

    told = await horde.read(read)
    following = told[most - 1].act.id if len(told) > most else None
    return told[:most], following


def actors(tx: Transaction, ids: Collection[UserId]) -> dict[UserId, str]:
    """What these are called."""
    found = {user_id: users.by_id(tx, user_id) for user_id in ids}
    return {
        user_id: MACHINE_NAME if user is None else names.alias(user.username, user_id)
        for user_id, user in found.items()
    }


def actor_of(text: str) -> UserId:
    """Whom a filter names: `name#17`, `17`, or `machine`.

    Raises:
        Refused: BadParameter.
    """
    if text == "machine":
        return MACHINE
    user_id = names.user_id_of(text)
    if user_id is None:
        raise Refused("BadParameter", "`actor` is `name#17`, `17`, or `machine`.")
    return user_id
