"""How one gets an account and its key."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from ordu.protocol.work import NUMBER_MAX, PARTS


class RegistrationChallenge(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be solved before an account is made (`get_register_challenge`)."""

    challenge: Annotated[
        str | UnsetType, Meta(description="To be sent back with what solves it; good once.")
    ] = UNSET
    parts: Annotated[
        int | UnsetType,
        Meta(description="How many numbers are wanted; 0: this horde asks for no work."),
    ] = UNSET
    bits: Annotated[
        int | UnsetType,
        Meta(
            description="With how many zero bits the SHA-256 of `CHALLENGE.PART.NUMBER` begins,"
            " for each part from 0 on."
        ),
    ] = UNSET
    expires_at: Annotated[
        str | UnsetType, Meta(description="When it must have been solved and sent, in UTC.")
    ] = UNSET


class RegistrationWork(msgspec.Struct, frozen=True, kw_only=True):
    """A challenge that was solved."""

    challenge: Annotated[
        str, Meta(max_length=100, description="As it came from `/register/challenge`.")
    ]
    numbers: Annotated[
        list[Annotated[int, Meta(ge=0, le=NUMBER_MAX)]],
        Meta(max_length=PARTS, description="What solves each part, in their order."),
    ]


class RegistrationInput(msgspec.Struct, frozen=True, kw_only=True):
    """Who wants an account (`post_register`)."""

    username: Annotated[
        str,
        Meta(min_length=1, max_length=255, description="The name others will see, up to 30."),
    ]
    work: Annotated[
        RegistrationWork | UnsetType,
        Meta(description="What solves a challenge, where this horde asks for work."),
    ] = UNSET


class Registered(msgspec.Struct, frozen=True, kw_only=True):
    """A new account and, this once, its key."""

    username: Annotated[
        str | UnsetType, Meta(description="The name with the number, as `alias#id`.")
    ] = UNSET
    id: Annotated[int | UnsetType, Meta(description="The number of the account.")] = UNSET
    api_key: Annotated[
        str | UnsetType, Meta(description="The key. It is shown only now: keep it.")
    ] = UNSET


class ReplacedKey(msgspec.Struct, frozen=True, kw_only=True):
    """A user's new key, this once (`post_user_key`)."""

    username: Annotated[
        str | UnsetType, Meta(description="The name with the number, as `alias#id`.")
    ] = UNSET
    id: Annotated[int | UnsetType, Meta(description="The number of the account.")] = UNSET
    api_key: Annotated[
        str | UnsetType,
        Meta(description="The new key. It is shown only now; the one before has stopped."),
    ] = UNSET
