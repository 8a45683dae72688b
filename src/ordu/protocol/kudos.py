"""Kudos sent from one user to another."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType


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
