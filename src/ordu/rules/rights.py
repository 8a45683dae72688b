"""Rights: who may do what to whom.

A caller is looked at from the side of the thing touched: its owner, a moderator, the administrator
or anybody. Anonymous callers own nothing.
"""

from ordu.protocol.errors import Refused
from ordu.rules.money import ADMINISTRATOR, ANONYMOUS, UserId


def check_administrator(caller: UserId) -> None:
    """Refuse everybody but the administrator (user 1)."""
    if caller != ADMINISTRATOR:
        raise Refused("NotAdmin", "Only the administrator of this horde (user 1) may do this.")


def check_moderator(caller: UserId, *, is_moderator: bool) -> None:
    """Refuse everybody but moderators and the administrator."""
    if not (is_moderator or caller == ADMINISTRATOR):
        raise Refused("NotModerator", "Only a moderator of this horde may do this.")


def check_owner(caller: UserId, owner: UserId, *, is_moderator: bool) -> None:
    """Refuse everybody but the owner of a thing, moderators and the administrator."""
    if caller == ANONYMOUS:
        raise Refused("AnonForbiddenWorker", "This needs a key of your own: register to get one.")
    if caller != owner and not (is_moderator or caller == ADMINISTRATOR):
        raise Refused("NotOwner", "This belongs to somebody else; only its owner may change it.")
