"""How one gets an account and its key."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType


class RegistrationInput(msgspec.Struct, frozen=True, kw_only=True):
    """Who wants an account (`post_register`)."""

    username: Annotated[
        str,
        Meta(min_length=1, max_length=255, description="The name others will see, up to 30."),
    ]


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
