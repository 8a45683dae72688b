"""Users: what the horde tells about them, and what may be changed about them."""

from typing import Annotated, TypeAlias

import msgspec
from msgspec import UNSET, Meta, UnsetType

from ordu.protocol.acts import Reason

Count: TypeAlias = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Note: TypeAlias = Annotated[str, Meta(min_length=5, max_length=500)]


class UserKudosDetails(msgspec.Struct, frozen=True, kw_only=True):
    """Where a user's kudos came from and went to: signed sums."""

    accumulated: Annotated[
        float | UnsetType | None,
        Meta(description="The amount of Kudos accumulated or used for generating images."),
    ] = UNSET
    gifted: Annotated[
        float | UnsetType | None,
        Meta(description="The amount of Kudos this user has given to other users."),
    ] = UNSET
    donated: Annotated[
        float | UnsetType | None,
        Meta(description="The amount of Kudos this user has given to education accounts."),
    ] = UNSET
    admin: Annotated[
        float | UnsetType | None,
        Meta(description="The amount of Kudos this user has been given by the Horde admins."),
    ] = UNSET
    received: Annotated[
        float | UnsetType | None,
        Meta(description="The amount of Kudos this user has been given by other users."),
    ] = UNSET
    recurring: Annotated[
        float | UnsetType | None,
        Meta(description="The amount of Kudos this user has received from recurring rewards."),
    ] = UNSET
    awarded: Annotated[
        float | UnsetType | None,
        Meta(description="The amount of Kudos this user has been awarded for things done."),
    ] = UNSET
    styled: Annotated[
        float | UnsetType | None,
        Meta(description="The amount of Kudos this user has received for styles others use."),
    ] = UNSET


class MonthlyKudos(msgspec.Struct, frozen=True, kw_only=True):
    """Kudos that come every month."""

    amount: Annotated[
        int | UnsetType | None,
        Meta(description="How much recurring Kudos this user receives monthly."),
    ] = UNSET
    last_received: Annotated[
        str | UnsetType | None,
        Meta(description="Last date this user received monthly Kudos, as RFC 822 writes it."),
    ] = UNSET


class UsageDetails(msgspec.Struct, frozen=True, kw_only=True):
    """What a user asked for."""

    requests: Annotated[
        int | UnsetType | None, Meta(description="How many images this user has requested.")
    ] = UNSET


class UsageDetailsStable(UsageDetails, frozen=True, kw_only=True):
    """What a user asked for, with its size."""

    megapixelsteps: Annotated[
        float | UnsetType | None,
        Meta(description="How many megapixelsteps this user has requested."),
    ] = UNSET


class ContributionsDetails(msgspec.Struct, frozen=True, kw_only=True):
    """What a user's workers made."""

    fulfillments: Annotated[
        int | UnsetType | None, Meta(description="How many images this user has generated.")
    ] = UNSET


class ContributionsDetailsStable(ContributionsDetails, frozen=True, kw_only=True):
    """What a user's workers made, with its size."""

    megapixelsteps: Annotated[
        float | UnsetType | None,
        Meta(description="How many megapixelsteps this user has generated."),
    ] = UNSET


class RecordedSizes(msgspec.Struct, frozen=True, kw_only=True):
    """How much, by kind of work."""

    megapixelsteps: Annotated[
        float | UnsetType | None, Meta(description="For pictures, in megapixelsteps.")
    ] = UNSET
    tokens: Annotated[int | UnsetType | None, Meta(description="For texts, in tokens.")] = UNSET


class RecordedCounts(msgspec.Struct, frozen=True, kw_only=True):
    """How many, by kind of work."""

    image: Annotated[int | UnsetType | None, Meta(description="Pictures.")] = UNSET
    text: Annotated[int | UnsetType | None, Meta(description="Texts.")] = UNSET
    interrogation: Annotated[int | UnsetType | None, Meta(description="Alchemy forms.")] = UNSET


class UserRecords(msgspec.Struct, frozen=True, kw_only=True):
    """What a user asked for and made, by kind of work."""

    usage: Annotated[
        RecordedSizes | UnsetType, Meta(description="How much this user asked for.")
    ] = UNSET
    contribution: Annotated[
        RecordedSizes | UnsetType, Meta(description="How much this user's workers made.")
    ] = UNSET
    fulfillment: Annotated[
        RecordedCounts | UnsetType, Meta(description="How many this user's workers made.")
    ] = UNSET
    request: Annotated[
        RecordedCounts | UnsetType, Meta(description="How many this user asked for.")
    ] = UNSET
    style: Annotated[
        RecordedCounts | UnsetType, Meta(description="How often this user's styles were used.")
    ] = UNSET


class StyleReference(msgspec.Struct, frozen=True, kw_only=True):
    """A style of a user."""

    name: Annotated[str | UnsetType, Meta(description="The style's name.")] = UNSET
    id: Annotated[str | UnsetType, Meta(description="The style's UUID.")] = UNSET
    type: Annotated[str | UnsetType, Meta(description="What it is for: image or text.")] = UNSET


class ActiveGenerations(msgspec.Struct, frozen=True, kw_only=True):
    """The requests of a user that are not done, by kind of work."""

    image: Annotated[
        list[str] | UnsetType | None, Meta(description="The UUIDs of requests for pictures.")
    ] = UNSET
    text: Annotated[
        list[str] | UnsetType | None, Meta(description="The UUIDs of requests for texts.")
    ] = UNSET
    alchemy: Annotated[
        list[str] | UnsetType | None, Meta(description="The UUIDs of requests for alchemy.")
    ] = UNSET


class UserDetails(msgspec.Struct, frozen=True, kw_only=True):
    """What the horde tells about a user; how much depends on who asks."""

    username: Annotated[
        str | UnsetType,
        Meta(
            description="The user's unique Username. It is a combination of their chosen alias"
            " plus their ID."
        ),
    ] = UNSET
    id: Annotated[
        int | UnsetType, Meta(description="The user unique ID. It is always an integer.")
    ] = UNSET
    kudos: Annotated[
        float | UnsetType,
        Meta(
            description="The amount of Kudos this user has. The amount of Kudos determines the"
            " priority when requesting image generations."
        ),
    ] = UNSET
    evaluating_kudos: Annotated[
        float | UnsetType | None,
        Meta(
            description="(Privileged) The amount of Evaluating Kudos this untrusted user has from"
            " generations and uptime. With enough of them they automatically become trusted."
        ),
    ] = UNSET
    concurrency: Annotated[
        int | UnsetType, Meta(description="How many concurrent generations this user may request.")
    ] = UNSET
    worker_invited: Annotated[
        int | UnsetType,
        Meta(
            description="Whether this user has been invited to join a worker to the horde and how"
            " many of them. When 0, this user cannot add (new) workers to an invite-only horde."
        ),
    ] = UNSET
    moderator: Annotated[bool | UnsetType, Meta(description="This user is a Horde moderator.")] = (
        UNSET
    )
    kudos_details: Annotated[
        UserKudosDetails | UnsetType,
        Meta(description="Where the kudos came from and went to."),
    ] = UNSET
    worker_count: Annotated[
        int | UnsetType,
        Meta(description="How many workers this user has created (active or inactive)."),
    ] = UNSET
    worker_ids: Annotated[
        list[str] | UnsetType | None,
        Meta(
            description="Privileged or public when the user has explicitly allowed it to be public."
        ),
    ] = UNSET
    sharedkey_ids: Annotated[
        list[str] | UnsetType | None, Meta(description="(Privileged) The user's shared keys.")
    ] = UNSET
    active_generations: Annotated[
        ActiveGenerations | UnsetType | None,
        Meta(description="(Privileged) The user's requests that are not done."),
    ] = UNSET
    monthly_kudos: Annotated[
        MonthlyKudos | UnsetType | None,
        Meta(description="(Privileged) Kudos that come every month."),
    ] = UNSET
    trusted: Annotated[
        bool | UnsetType, Meta(description="This user is a trusted member of the Horde.")
    ] = UNSET
    suspicious: Annotated[
        int | UnsetType | None,
        Meta(description="(Privileged) How much suspicion this user has accumulated."),
    ] = UNSET
    suspicion_reasons: Annotated[
        list[str] | UnsetType | None,
        Meta(description="(Privileged) What for, and how often: `unreasonably_fast x2`."),
    ] = UNSET
    flagged: Annotated[
        bool | UnsetType | None, Meta(description="This user is under suspicion.")
    ] = UNSET
    vpn: Annotated[
        bool | UnsetType | None,
        Meta(description="(Privileged) This user's workers may come from a VPN."),
    ] = UNSET
    service: Annotated[
        bool | UnsetType | None, Meta(description="This account serves other people.")
    ] = UNSET
    education: Annotated[
        bool | UnsetType | None, Meta(description="This account is for teaching.")
    ] = UNSET
    customizer: Annotated[
        bool | UnsetType | None, Meta(description="This user may serve models of their own.")
    ] = UNSET
    special: Annotated[
        bool | UnsetType | None,
        Meta(description="(Privileged) This user may serve special models."),
    ] = UNSET
    deleted: Annotated[
        bool | UnsetType | None, Meta(description="This account is about to be wiped.")
    ] = UNSET
    pseudonymous: Annotated[
        bool | UnsetType | None, Meta(description="Nobody but the key vouches for this account.")
    ] = UNSET
    account_age: Annotated[
        int | UnsetType | None, Meta(description="How old this account is, in seconds.")
    ] = UNSET
    contact: Annotated[
        str | UnsetType | None, Meta(description="(Privileged) How to reach this user.")
    ] = UNSET
    admin_comment: Annotated[
        str | UnsetType | None, Meta(description="(Privileged) A note for moderators.")
    ] = UNSET
    proxy_passkey: Annotated[
        str | UnsetType | None, Meta(description="(Privileged) The passkey of a service account.")
    ] = UNSET
    styles: Annotated[
        list[StyleReference] | UnsetType | None, Meta(description="The styles of this user.")
    ] = UNSET
    records: Annotated[
        UserRecords | UnsetType | None,
        Meta(description="What this user asked for and made, by kind of work."),
    ] = UNSET


class GivenThisMonth(msgspec.Struct, frozen=True, kw_only=True):
    """What a user's workers did in the running month."""

    month: Annotated[str | UnsetType, Meta(description="The month, as 2026-11; in UTC.")] = UNSET
    fulfillments: Annotated[
        int | UnsetType, Meta(description="How many images they have generated in it.")
    ] = UNSET
    kudos: Annotated[
        float | UnsetType,
        Meta(
            description="What that earned the user, with the rewards for being online; what is"
            " held until the user is trusted is in it."
        ),
    ] = UNSET


class UserDetailsStable(UserDetails, frozen=True, kw_only=True):
    """What the horde tells about a user, with the totals of 2022."""

    usage: Annotated[
        UsageDetailsStable | UnsetType, Meta(description="What this user asked for.")
    ] = UNSET
    contributions: Annotated[
        ContributionsDetailsStable | UnsetType, Meta(description="What this user's workers made.")
    ] = UNSET
    this_month: Annotated[
        GivenThisMonth | UnsetType,
        Meta(
            description="Only where users are listed by what they gave this month. What this"
            " user's workers did in it."
        ),
    ] = UNSET


class PutUserSingleRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What is to change about a user (`put_user_single`), by the names of either era."""

    kudos: Annotated[
        Annotated[float, Meta(ge=-1e12, le=1e12)] | None,
        Meta(description="(Admins only) How many kudos to add, or to take away when negative."),
    ] = None
    monthly_kudos: Annotated[
        Annotated[int, Meta(ge=-(10**12), le=10**12)] | None,
        Meta(description="(Admins only) How many kudos more, or less, come every month."),
    ] = None
    usage_multiplier: Annotated[
        Annotated[float, Meta(ge=0, le=1000)] | None,
        Meta(description="(Admins only) Multiplies what this user pays for images."),
    ] = None
    moderator: Annotated[
        bool | None, Meta(description="(Admins only) Make this user a moderator, or no more.")
    ] = None
    concurrency: Annotated[
        Count | None, Meta(description="(Mods only) How many images may wait at the same time.")
    ] = None
    worker_invite: Annotated[
        Count | None,
        Meta(description="(Mods only) How many workers this user may add when invited ones only."),
    ] = None
    worker_invited: Annotated[
        Count | None, Meta(description="Today's name of `worker_invite`.")
    ] = None
    trusted: Annotated[
        bool | None, Meta(description="(Mods only) Trust this user, or no more.")
    ] = None
    flagged: Annotated[
        bool | None, Meta(description="(Mods only) Put this user under suspicion, or no more.")
    ] = None
    customizer: Annotated[
        bool | None, Meta(description="(Mods only) Let this user serve models of their own.")
    ] = None
    vpn: Annotated[
        bool | None, Meta(description="(Mods only) Let this user's workers come from a VPN.")
    ] = None
    service: Annotated[
        bool | None, Meta(description="(Mods only) This account serves other people.")
    ] = None
    education: Annotated[
        bool | None, Meta(description="(Mods only) This account is for teaching.")
    ] = None
    special: Annotated[
        bool | None, Meta(description="(Mods only) Let this user serve special models.")
    ] = None
    reset_suspicion: Annotated[
        bool | None, Meta(description="(Mods only) Forget the suspicion against this user.")
    ] = None
    admin_comment: Annotated[
        Note | None, Meta(description="(Mods only) A note for moderators.")
    ] = None
    public_workers: Annotated[
        bool | None, Meta(description="Let everybody see which workers are this user's.")
    ] = None
    username: Annotated[
        Annotated[str, Meta(min_length=1, max_length=100)] | None,
        Meta(description="The new name, without `#` and the number."),
    ] = None
    contact: Annotated[Note | None, Meta(description="How moderators can reach this user.")] = None
    generate_proxy_passkey: Annotated[
        bool | None, Meta(description="(Service accounts only) Make a new passkey.")
    ] = None
    undelete: Annotated[
        bool | None, Meta(description="Keep an account that was about to be wiped.")
    ] = None
    filtered: Annotated[bool | None, Meta(description="Accepted and ignored.")] = None
    reason: Reason = None


class ModifyUser(msgspec.Struct, frozen=True, kw_only=True):
    """What was changed about a user."""

    new_kudos: Annotated[
        float | UnsetType | None,
        Meta(description="The new total Kudos this user has after this request."),
    ] = UNSET
    concurrency: Annotated[
        int | UnsetType | None,
        Meta(description="The request concurrency this user has after this request."),
    ] = UNSET
    usage_multiplier: Annotated[
        float | UnsetType | None,
        Meta(description="Multiplies the amount of kudos lost when generating images."),
    ] = UNSET
    worker_invited: Annotated[
        int | UnsetType | None,
        Meta(
            description="Whether this user has been invited to join a worker to the horde and how"
            " many of them."
        ),
    ] = UNSET
    moderator: Annotated[
        bool | UnsetType | None, Meta(description="The user's new moderator status.")
    ] = UNSET
    public_workers: Annotated[
        bool | UnsetType | None, Meta(description="The user's new public_workers status.")
    ] = UNSET
    username: Annotated[str | UnsetType | None, Meta(description="The user's new username.")] = (
        UNSET
    )
    monthly_kudos: Annotated[
        int | UnsetType | None, Meta(description="The user's new monthly kudos total.")
    ] = UNSET
    trusted: Annotated[
        bool | UnsetType | None, Meta(description="The user's new trusted status.")
    ] = UNSET
    flagged: Annotated[
        bool | UnsetType | None, Meta(description="The user's new flagged status.")
    ] = UNSET
    customizer: Annotated[
        bool | UnsetType | None, Meta(description="The user's new customizer status.")
    ] = UNSET
    vpn: Annotated[bool | UnsetType | None, Meta(description="The user's new vpn status.")] = UNSET
    service: Annotated[
        bool | UnsetType | None, Meta(description="The user's new service status.")
    ] = UNSET
    education: Annotated[
        bool | UnsetType | None, Meta(description="The user's new education status.")
    ] = UNSET
    special: Annotated[
        bool | UnsetType | None, Meta(description="The user's new special status.")
    ] = UNSET
    new_suspicion: Annotated[
        int | UnsetType | None, Meta(description="The user's new suspicion.")
    ] = UNSET
    admin_comment: Annotated[
        str | UnsetType | None, Meta(description="The new note for moderators.")
    ] = UNSET
    contact: Annotated[
        str | UnsetType | None, Meta(description="The new way to reach this user.")
    ] = UNSET
    proxy_passkey: Annotated[
        str | UnsetType | None, Meta(description="The new passkey of a service account.")
    ] = UNSET
    undeleted: Annotated[
        bool | UnsetType | None, Meta(description="True when the account is kept.")
    ] = UNSET


class DeletedUser(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to deleting an account (`delete_user_single`)."""

    message: Annotated[str | UnsetType, Meta(description="`OK`.")] = UNSET
