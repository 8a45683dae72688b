"""What a job costs and what it earns: one number, fixed when the request is placed.

The formula is that of October 2022 (protocol sheet 12 §1): pixels × steps ÷ 1 310 720, so that ten
kudos are 512×512 at 50 steps. Quote, dry run and bill are this number; the reward is that number
less the published tax.
"""

import math
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache

from ordu.protocol.errors import Refused
from ordu.rules.money import Kudos

PIXELSTEPS_PER_KUDOS = 1_310_720
SMALLEST = Kudos(1)
REMEMBERED = 4_096  # exact arithmetic is slow, and most requests are alike


@lru_cache(maxsize=REMEMBERED)
def price(pixelsteps: int, factors: tuple[float, ...] = ()) -> Kudos:
    """The price of one job, half up to a hundredth, at least one hundredth.

    Example: 512 × 512 × 50 = 13,107,200 pixelsteps cost `Kudos(1000)`, ten kudos.
    """
    exact = Fraction(pixelsteps * 100, PIXELSTEPS_PER_KUDOS)
    for factor in factors:
        exact *= Fraction(str(factor))
    return Kudos(max(SMALLEST, half_up(exact)))


@lru_cache(maxsize=REMEMBERED)
def bill(price_each: Kudos, usage_multiplier: float) -> Kudos:
    """What this user pays for a job of that price."""
    return Kudos(half_up(price_each * Fraction(str(usage_multiplier))))


@lru_cache(maxsize=REMEMBERED)
def reward(price_each: Kudos, tax: float) -> Kudos:
    """What the worker's owner gets for a job of that price; `tax` is a share from 0 to 1."""
    return Kudos(half_up(price_each * (1 - Fraction(str(tax)))))


class Upfront(StrEnum):
    """Whose price is held when a request is placed."""

    HEAVY = "heavy"  # of requests above the bounds of 2022, or that want fast workers only
    ALL = "all"
    NONE = "none"


def is_upfront(rule: Upfront, *, is_heavy: bool) -> bool:
    """Whether a request's price is held until its jobs are settled or end."""
    return rule is Upfront.ALL or (rule is Upfront.HEAVY and is_heavy)


def suffices(bill: Kudos, available: Kudos) -> bool:
    """Whether a user with so much can have so much held."""
    return bill <= max(available, 0)


def check_upfront(bill: Kudos, available: Kudos) -> None:
    """Refuse a request whose price is to be held by a user who has less."""
    if not suffices(bill, available):
        raise Refused(
            "KudosUpfront",
            f"This request costs {bill / 100:g} kudos up front and you have "
            f"{max(available, 0) / 100:g}. Lower the size or the steps, take slow workers too, or "
            "wait until you have more.",
        )


def half_up(amount: Fraction) -> int:
    """The nearest whole number; halves go up."""
    return math.floor(amount + Fraction(1, 2))
