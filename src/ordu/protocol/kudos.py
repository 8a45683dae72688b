"""Kudos sent from one user to another, and awarded by the horde."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from ordu.protocol.acts import Reason


class PostTransferKudosRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Who is to get how much (`post_transfer_kudos`)."""

    username: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=255,
            description="The user who gets the kudos, as `alias#id` or the id alone.",
        ),
    ]
    # Zero and less are refused by rules with an rc of their own.
    amount: Annotated[
        int,
        Meta(ge=-(2**63), le=2**63 - 1, description="How many whole kudos to send."),
    ] = 100


class KudosTransferred(msgspec.Struct, frozen=True, kw_only=True):
    """What was sent."""

    transferred: Annotated[
        int | UnsetType | None, Meta(description="The amount of Kudos transferred.")
    ] = UNSET


class PostAwardKudosRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Whom the horde awards how much (`post_award_kudos`)."""

    username: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=255,
            description="The user who gets the kudos, as `alias#id` or the id alone.",
        ),
    ]
    amount: Annotated[
        int,
        Meta(
            ge=-(10**12),
            le=10**12,
            description="How many whole kudos to award, or to take away when negative.",
        ),
    ] = 100
    reason: Reason = None


class KudosAwarded(msgspec.Struct, frozen=True, kw_only=True):
    """What was awarded."""

    awarded: Annotated[
        float | UnsetType | None, Meta(description="The amount of Kudos awarded.")
    ] = UNSET
