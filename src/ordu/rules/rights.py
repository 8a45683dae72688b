"""Rights: who may see and who may change which field of what.

A caller stands somewhere towards a thing: anybody, its owner, a moderator, the administrator. Each
of these may do what those before it may. The tables below say for each field how far up a caller
has to stand; what they do not name is everybody's to see and nobody's to change. Views, changes,
their tests and the reference are all made from these tables.
"""

from collections.abc import Collection, Mapping
from enum import IntEnum

import msgspec

from ordu.protocol.errors import Refused
from ordu.rules.money import ADMINISTRATOR, ANONYMOUS, UserId


class Standing(IntEnum):
    """How a caller stands towards a thing."""

    ANYBODY = 0
    OWNER = 1
    MODERATOR = 2
    ADMINISTRATOR = 3


def standing(caller: UserId | None, owner: UserId, *, is_moderator: bool) -> Standing:
    """How a caller (None: without a key) stands towards what this owner has.

    All anonymous callers share one user, so that nobody owns what is theirs.
    """
    if caller == ADMINISTRATOR:
        return Standing.ADMINISTRATOR
    if is_moderator:
        return Standing.MODERATOR
    return Standing.OWNER if caller == owner and caller != ANONYMOUS else Standing.ANYBODY


# Seeing

# The fields of a user that not everybody sees (protocol sheet 20 §5).
USER_SEEN: Mapping[str, Standing] = {
    "worker_ids": Standing.OWNER,  # everybody, when the user has made them public
    "sharedkey_ids": Standing.OWNER,
    "active_generations": Standing.OWNER,
    "contact": Standing.OWNER,
    "vpn": Standing.OWNER,
    "special": Standing.OWNER,
    "evaluating_kudos": Standing.OWNER,  # moderators only elsewhere; but they are the user's own
    "monthly_kudos": Standing.MODERATOR,
    "suspicious": Standing.MODERATOR,
    "suspicion_reasons": Standing.MODERATOR,
    "admin_comment": Standing.MODERATOR,
    "proxy_passkey": Standing.MODERATOR,
}

# The fields of a worker that not everybody sees (protocol sheet 22 §3).
WORKER_SEEN: Mapping[str, Standing] = {
    "owner": Standing.OWNER,  # everybody, when its owner has made their workers public
    "messages": Standing.OWNER,
    "results": Standing.OWNER,
    "paused": Standing.MODERATOR,
    "suspicious": Standing.MODERATOR,
    "ipaddr": Standing.MODERATOR,
    "contact": Standing.MODERATOR,
}

# The fields of a worker's explanation that not everybody sees. Each pop tells its owner when it is
# paused, and so do the text and the reasons.
WORKER_EXPLAINED: Mapping[str, Standing] = {
    "paused": Standing.OWNER,
    "processing": Standing.OWNER,
}

# The modes that not everybody sees: who raids is not to be told what is known of it.
MODES_SEEN: Mapping[str, Standing] = {"raid_mode": Standing.MODERATOR}


# Changing


class Right(msgspec.Struct, frozen=True):
    """Who may change a field, how others are refused, and whether the anonymous user has it."""

    least: Standing
    rc: str
    of_anonymous: bool = False


BY_ADMINISTRATOR = Right(Standing.ADMINISTRATOR, "NotAdmin")
BY_MODERATOR = Right(Standing.MODERATOR, "NotModerator")
BY_OWNER = Right(Standing.OWNER, "NotModerator")

# The fields of a user that can be changed, in the order of protocol sheet 20 §6: the first that
# the caller may not change is the one that is refused.
USER_CHANGED: Mapping[str, Right] = {
    "kudos": BY_ADMINISTRATOR,
    "monthly_kudos": BY_ADMINISTRATOR,
    "usage_multiplier": BY_ADMINISTRATOR,
    "moderator": BY_ADMINISTRATOR,
    "concurrency": Right(Standing.MODERATOR, "NotModerator", of_anonymous=True),
    "worker_invited": BY_MODERATOR,
    "trusted": BY_MODERATOR,
    "flagged": BY_MODERATOR,
    "customizer": BY_MODERATOR,
    "vpn": BY_MODERATOR,
    "service": BY_MODERATOR,
    "education": BY_MODERATOR,
    "special": BY_MODERATOR,
    "reset_suspicion": BY_MODERATOR,
    "admin_comment": Right(Standing.MODERATOR, "NotModerator", of_anonymous=True),
    "public_workers": BY_OWNER,
    "username": BY_OWNER,
    "contact": BY_OWNER,
    "generate_proxy_passkey": BY_OWNER,
    "undelete": BY_OWNER,
}

# The fields of a worker that can be changed, in the order of protocol sheet 22 §4.
WORKER_CHANGED: Mapping[str, Right] = {
    "maintenance": Right(Standing.OWNER, "NotOwner"),
    "info": Right(Standing.OWNER, "NotOwner"),
    "paused": BY_MODERATOR,
    "name": BY_OWNER,
    "team": BY_OWNER,
}

# The modes of the horde (protocol sheet 23 §3).
MODES_CHANGED: Mapping[str, Right] = {
    "maintenance_mode": BY_ADMINISTRATOR,
    "invite_only_mode": BY_MODERATOR,
    "raid_mode": BY_MODERATOR,
}

# What else needs a standing: deleting a worker (protocol sheet 22 §5) or an account (20 §12), and
# awarding kudos (21 §2).
DELETE_WORKER = BY_OWNER
DELETE_USER = Right(Standing.OWNER, "NotUserOrMod")
AWARD_KUDOS = Right(Standing.ADMINISTRATOR, "NotAllowedAwards")
# Replacing the key of a person, or of somebody who runs the horde: everybody their own, and nobody
# that of one who stands as high or higher.
REPLACE_KEY = Right(Standing.OWNER, "NotUserOrMod")
REPLACE_KEY_OF_MODERATOR = Right(Standing.ADMINISTRATOR, "NotAdmin")
# Taking the data of somebody else: prompts are in it, which moderators have no business to read.
EXPORT_OTHERS = Right(Standing.ADMINISTRATOR, "NotAdmin")

# What those who run the horde do and see beyond that: news, each other's acts, how the horde is,
# and with which settings it runs.
WRITE_NEWS = BY_MODERATOR
SEE_ACTS = BY_MODERATOR
SEE_HEALTH = BY_MODERATOR
SEE_SETTINGS = BY_ADMINISTRATOR

REFUSALS: Mapping[Standing, str] = {
    Standing.OWNER: "Only the owner and moderators may {what}.",
    Standing.MODERATOR: "Only a moderator of this horde may {what}.",
    Standing.ADMINISTRATOR: "Only the administrator of this horde (user 1) may {what}.",
}


def check_changes(
    rights: Mapping[str, Right], names: Collection[str], caller_stands: Standing
) -> None:
    """Refuse the first of these fields that a caller who stands there may not change."""
    for name, right in rights.items():
        if name in names:
            check(right, caller_stands, f"change `{name}`")


def check(right: Right, caller_stands: Standing, what: str) -> None:
    """Refuse a caller who does not stand high enough."""
    if caller_stands < right.least:
        raise Refused(right.rc, REFUSALS[right.least].format(what=what))


def is_act(
    caller: UserId, owner: UserId, rights: Mapping[str, Right], names: Collection[str]
) -> bool:
    """Whether changing these fields is an act of who runs the horde, for others to look at.

    What is not the caller's own always is; of their own, what not everybody may do to theirs.
    """
    return caller != owner or any(rights[name].least > Standing.OWNER for name in names)


def check_not_anonymous(caller: UserId, rc: str) -> None:
    """Refuse the anonymous user, whom many share."""
    if caller == ANONYMOUS:
        raise Refused(rc, "This needs a key of your own: register to get one.")


def check_of_anonymous(names: Collection[str]) -> None:
    """Refuse to change what the anonymous user cannot have: rights, kudos, a name of its own."""
    for name, right in USER_CHANGED.items():
        if name in names and not right.of_anonymous:
            raise Refused(
                "AnonForbiddenUserMod",
                f"`{name}` cannot be changed of the anonymous user, whom many share.",
            )
