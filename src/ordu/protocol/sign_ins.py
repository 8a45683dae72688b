"""Signing in by a provider: the identities of an account, and the end of a browser's key."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType


class SignInProvider(msgspec.Struct, frozen=True, kw_only=True):
    """A provider of OpenID Connect that this horde trusts."""

    provider: Annotated[str | UnsetType, Meta(description="What it is called in addresses.")] = (
        UNSET
    )
    name: Annotated[str | UnsetType, Meta(description="Its name for people.")] = UNSET


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Who the user is to a provider: by it they can sign in."""

    id: Annotated[str | UnsetType, Meta(description="The id, to unlink it by.")] = UNSET
    provider: Annotated[
        str | UnsetType | None,
        Meta(description="Which provider; null when this horde trusts it no longer."),
    ] = UNSET
    name: Annotated[
        str | UnsetType, Meta(description="The provider's name for people, or its address.")
    ] = UNSET
    created_at: Annotated[str | UnsetType, Meta(description="Since when.")] = UNSET


class UserIdentities(msgspec.Struct, frozen=True, kw_only=True):
    """By what somebody can sign in (`get_user_identities`)."""

    identities: Annotated[
        list[Identity] | UnsetType, Meta(description="Those of the account, oldest first.")
    ] = UNSET
    providers: Annotated[
        list[SignInProvider] | UnsetType,
        Meta(description="The providers that this horde trusts."),
    ] = UNSET
    has_key: Annotated[
        bool | UnsetType,
        Meta(description="Whether the account has a key of its own: made by a provider, it may"
             " have none."),
    ] = UNSET  # fmt: skip


class IdentityInput(msgspec.Struct, frozen=True, kw_only=True):
    """By which provider the user wants to sign in from now on (`post_user_identity`)."""

    provider: Annotated[
        str, Meta(min_length=1, max_length=30, description="What it is called in addresses.")
    ]
    to: Annotated[
        str,
        Meta(max_length=500, description="The path of the page that comes after it."),
    ] = ""


class IdentityBegun(msgspec.Struct, frozen=True, kw_only=True):
    """Where the user says to the provider who they are."""

    url: Annotated[
        str | UnsetType,
        Meta(description="The address at the provider; the browser that asked has to open it."),
    ] = UNSET


class SignInMessage(msgspec.Struct, frozen=True, kw_only=True):
    """It is done."""

    message: Annotated[str | UnsetType, Meta(description="`OK`.")] = UNSET
