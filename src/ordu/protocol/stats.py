"""What the horde has made: totals by span of time, and by model."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType


class SinglePeriodImgStat(msgspec.Struct, frozen=True, kw_only=True):
    """Pictures made in one span of time."""

    images: Annotated[int | UnsetType, Meta(description="The amount of images delivered.")] = UNSET
    ps: Annotated[int | UnsetType, Meta(description="Their pixels times their steps.")] = UNSET


class StatsImgTotals(msgspec.Struct, frozen=True, kw_only=True):
    """Pictures made in each span of time."""

    minute: Annotated[
        SinglePeriodImgStat | UnsetType, Meta(description="In the last whole minute.")
    ] = UNSET
    hour: Annotated[SinglePeriodImgStat | UnsetType, Meta(description="In the last hour.")] = UNSET
    day: Annotated[SinglePeriodImgStat | UnsetType, Meta(description="In the last day.")] = UNSET
    month: Annotated[SinglePeriodImgStat | UnsetType, Meta(description="In the last 30 days.")] = (
        UNSET
    )
    total: Annotated[SinglePeriodImgStat | UnsetType, Meta(description="Ever.")] = UNSET


class ImgModelStats(msgspec.Struct, frozen=True, kw_only=True):
    """Pictures made by each model."""

    day: Annotated[dict[str, int] | UnsetType, Meta(description="In the last day, by model.")] = (
        UNSET
    )
    month: Annotated[
        dict[str, int] | UnsetType, Meta(description="In the last 30 days, by model.")
    ] = UNSET
    total: Annotated[dict[str, int] | UnsetType, Meta(description="Ever, by model.")] = UNSET


class SinglePeriodTxtStat(msgspec.Struct, frozen=True, kw_only=True):
    """Texts made in one span of time."""

    requests: Annotated[int | UnsetType, Meta(description="The amount of texts delivered.")] = UNSET
    tokens: Annotated[int | UnsetType, Meta(description="Their tokens.")] = UNSET


class StatsTxtTotals(msgspec.Struct, frozen=True, kw_only=True):
    """Texts made in each span of time."""

    minute: Annotated[
        SinglePeriodTxtStat | UnsetType, Meta(description="In the last whole minute.")
    ] = UNSET
    hour: Annotated[SinglePeriodTxtStat | UnsetType, Meta(description="In the last hour.")] = UNSET
    day: Annotated[SinglePeriodTxtStat | UnsetType, Meta(description="In the last day.")] = UNSET
    month: Annotated[SinglePeriodTxtStat | UnsetType, Meta(description="In the last 30 days.")] = (
        UNSET
    )
    total: Annotated[SinglePeriodTxtStat | UnsetType, Meta(description="Ever.")] = UNSET


class TxtModelStats(msgspec.Struct, frozen=True, kw_only=True):
    """Texts made by each model."""

    day: Annotated[dict[str, int] | UnsetType, Meta(description="In the last day, by model.")] = (
        UNSET
    )
    month: Annotated[
        dict[str, int] | UnsetType, Meta(description="In the last 30 days, by model.")
    ] = UNSET
    total: Annotated[dict[str, int] | UnsetType, Meta(description="Ever, by model.")] = UNSET
