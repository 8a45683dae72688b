"""Rank: who goes first.

Priority grows by the same amount for everyone with every second of waiting, so the order of two
requests never changes. It is therefore computed once, when a request is placed, as the priority it
would have had at time zero; nothing has to touch waiting requests later.
"""

from ordu.rules.money import ANONYMOUS, Kudos, UserId

ANONYMOUS_PRIORITY = Kudos(-5000)  # after everyone who has a name (design §7)
FLAGGED_PRIORITY = Kudos(-10_000)
FLAGGED_BALANCE = Kudos(1_000)  # with no more than this a flagged user goes last


def priority(user_id: UserId, balance: Kudos, *, is_flagged: bool = False) -> Kudos:
    """How much a new request counts: its owner's balance, or −50 kudos for the anonymous user.

    One who is flagged goes after everybody: a thousandth of the balance, or −100 kudos where that
    is 10 at most (protocol sheet 20 §10).
    """
    if user_id == ANONYMOUS:
        return ANONYMOUS_PRIORITY
    if is_flagged:
        return Kudos(balance // 1000) if balance > FLAGGED_BALANCE else FLAGGED_PRIORITY
    return balance


def rank(priority_at_placing: Kudos, created_at_ms: int, growth_per_s: int) -> int:
    """The place in the order: larger goes first. `growth_per_s` is in whole kudos."""
    return priority_at_placing - growth_per_s * created_at_ms // 10


def placed_later(rank_before: int, later_ms: int, growth_per_s: int) -> int:
    """The rank a request would have that was placed so much later with the same priority."""
    return rank_before - growth_per_s * later_ms // 10
