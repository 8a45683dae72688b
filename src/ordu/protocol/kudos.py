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


class KudosMovementAbout(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a movement was about, as far as it is known."""

    model: Annotated[
        str | UnsetType, Meta(description="The model of the picture that was made or asked for.")
    ] = UNSET
    width: Annotated[int | UnsetType, Meta(description="Its width in pixels.")] = UNSET
    height: Annotated[int | UnsetType, Meta(description="Its height in pixels.")] = UNSET
    pictures: Annotated[int | UnsetType, Meta(description="How many pictures it was.")] = UNSET
    user: Annotated[
        str | UnsetType,
        Meta(description="Who gave or got the kudos, as `alias#id`, by the name of today."),
    ] = UNSET


class KudosMovement(msgspec.Struct, frozen=True, kw_only=True):
    """One movement of one's kudos."""

    id: Annotated[
        str | UnsetType,
        Meta(description="The entry of the books, and after a dot the movement's number."),
    ] = UNSET
    date: Annotated[str | UnsetType, Meta(description="When, as ISO 8601 in UTC.")] = UNSET
    kind: Annotated[
        str | UnsetType,
        Meta(description="`earned`, `spent`, `given`, `received` or `other`."),
    ] = UNSET
    action: Annotated[
        str | UnsetType,
        Meta(
            description=(
                "What brought it about: `picture`, `uptime`, `transfer`, `trust` (evaluating kudos"
                " became spendable), `recurring`, `awarded` or `admin`."
            )
        ),
    ] = UNSET
    amount: Annotated[
        float | UnsetType, Meta(description="What it changed of the spendable kudos.")
    ] = UNSET
    balance: Annotated[
        float | UnsetType, Meta(description="The spendable kudos after it, as they were written.")
    ] = UNSET
    evaluating: Annotated[
        float | UnsetType, Meta(description="What it changed of the evaluating kudos.")
    ] = UNSET
    worker_id: Annotated[
        str | UnsetType | None, Meta(description="The worker that made the picture or was there.")
    ] = UNSET
    worker_name: Annotated[
        str | UnsetType | None, Meta(description="Its name of today; null when it is deleted.")
    ] = UNSET
    about: Annotated[
        KudosMovementAbout | UnsetType | None, Meta(description="What it was about, for people.")
    ] = UNSET


class KudosDay(msgspec.Struct, frozen=True, kw_only=True):
    """What moved on one day, by kind; amounts have their sign."""

    date: Annotated[str | UnsetType, Meta(description="The day in UTC.")] = UNSET
    earned: Annotated[float | UnsetType, Meta(description="By pictures and by being there.")] = (
        UNSET
    )
    spent: Annotated[float | UnsetType, Meta(description="For pictures.")] = UNSET
    given: Annotated[float | UnsetType, Meta(description="To others.")] = UNSET
    received: Annotated[float | UnsetType, Meta(description="From others.")] = UNSET
    other: Annotated[float | UnsetType, Meta(description="All else.")] = UNSET
    evaluating: Annotated[
        float | UnsetType, Meta(description="What changed of the evaluating kudos, beside these.")
    ] = UNSET


class KudosHistory(msgspec.Struct, frozen=True, kw_only=True):
    """A part of one's history, or its days."""

    entries: Annotated[
        list[KudosMovement] | UnsetType, Meta(description="The movements, newest first.")
    ] = UNSET
    next: Annotated[
        str | UnsetType | None,
        Meta(
            description=(
                "The `cursor` of the next part; null after the last. With a filter a part may have"
                " few movements or none, and yet a next one."
            )
        ),
    ] = UNSET
    days: Annotated[
        list[KudosDay] | UnsetType, Meta(description="With `by=day`: the days, oldest first.")
    ] = UNSET
