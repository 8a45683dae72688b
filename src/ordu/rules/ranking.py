"""Rank: who goes first.

Priority grows by the same amount for everyone with every second of waiting, so the order of two
requests never changes. It is therefore computed once, when a request is placed, as the priority it
would have had at time zero; nothing has to touch waiting requests later.
"""

from ordu.rules.money import ANONYMOUS, Kudos, UserId

ANONYMOUS_PRIORITY = Kudos(-5000)  # after everyone who has a name (design §7)


def priority(user_id: UserId, balance: Kudos) -> Kudos:
    """How much a new request counts: its owner's balance, or −50 kudos for the anonymous user."""
    return ANONYMOUS_PRIORITY if user_id == ANONYMOUS else balance


def rank(priority_at_placing: Kudos, created_at_ms: int, growth_per_s: int) -> int:
    """The place in the order: larger goes first. `growth_per_s` is in whole kudos."""
    return priority_at_placing - growth_per_s * created_at_ms // 10
