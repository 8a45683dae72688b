"""Acts: what those who run a horde did to what is not theirs, for each other to look at."""

from typing import Annotated, Any, TypeAlias

import msgspec
from msgspec import UNSET, Meta, UnsetType

REASON_LENGTH_MAX = 500
Reason: TypeAlias = Annotated[
    Annotated[str, Meta(max_length=REASON_LENGTH_MAX)] | None,
    Meta(
        description="Why; those who run this horde find it in their log of acts, and nobody else."
    ),
]


class ActTarget(msgspec.Struct, frozen=True, kw_only=True):
    """What was acted upon."""

    kind: Annotated[
        str | UnsetType, Meta(description="`user`, `worker`, `news` or `modes`, which have no id.")
    ] = UNSET
    id: Annotated[str | UnsetType, Meta(description="Its id, as text.")] = UNSET
    name: Annotated[str | UnsetType, Meta(description="What it was called then.")] = UNSET


class ActChange(msgspec.Struct, frozen=True, kw_only=True):
    """One field that was changed; of a secret neither value is told."""

    field: Annotated[str | UnsetType, Meta(description="The name of the field.")] = UNSET
    before: Annotated[
        Any, Meta(description="What it was: a text, number, yes or no, a list of texts, or null.")
    ] = UNSET
    after: Annotated[Any, Meta(description="What it is since.")] = UNSET


class HordeAct(msgspec.Struct, frozen=True, kw_only=True):
    """One act."""

    id: Annotated[str | UnsetType, Meta(description="The id of the act.")] = UNSET
    date: Annotated[
        str | UnsetType,
        Meta(description="When it was done, in UTC.", extra_json_schema={"format": "date-time"}),
    ] = UNSET
    who: Annotated[
        str | UnsetType,
        Meta(
            description="Who did it, as `name#17`, or `the server's machine` for a command there."
        ),
    ] = UNSET
    operation: Annotated[
        str | UnsetType,
        Meta(description="The operation, or the command on the server's machine."),
    ] = UNSET
    target: Annotated[ActTarget | UnsetType, Meta(description="What it was done to.")] = UNSET
    changes: Annotated[list[ActChange] | UnsetType, Meta(description="What it changed.")] = UNSET
    reason: Annotated[str | UnsetType | None, Meta(description="Why, where that was said.")] = UNSET


class HordeActs(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the log of acts."""

    acts: Annotated[list[HordeAct] | UnsetType, Meta(description="Newest first.")] = UNSET
    next: Annotated[
        str | UnsetType | None,
        Meta(description="What to give as `cursor` for those before; null at the end."),
    ] = UNSET
