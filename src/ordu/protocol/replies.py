"""The one body of every "no"."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType


class RequestError(msgspec.Struct, frozen=True, kw_only=True):
    """Why a call was refused."""

    message: Annotated[
        str | UnsetType, Meta(description="The error message for this status code.")
    ] = UNSET
    rc: Annotated[
        str | UnsetType | None,
        Meta(description="The reason as one word for programs to react to."),
    ] = UNSET
    errors: Annotated[
        dict[str, str] | UnsetType | None,
        Meta(description="What is wrong with each field of the body, all of them at once."),
    ] = UNSET
    type: Annotated[
        str | UnsetType, Meta(description="The address of a page about this reason (RFC 9457).")
    ] = UNSET
    title: Annotated[
        str | UnsetType, Meta(description="What all refusals for this reason have in common.")
    ] = UNSET
    status: Annotated[int | UnsetType, Meta(description="The status code, once more.")] = UNSET
    detail: Annotated[
        str | UnsetType,
        Meta(description="The message, for who asks for `application/problem+json`."),
    ] = UNSET
    instance: Annotated[
        str | UnsetType, Meta(description="The id of the call, as in `X-Request-Id`.")
    ] = UNSET
