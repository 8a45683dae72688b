"""Texts for people: terms, privacy, sponsors."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType


class HordeDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A text, in the format that was asked for."""

    html: Annotated[str | UnsetType, Meta(description="The text as HTML.")] = UNSET
    markdown: Annotated[str | UnsetType, Meta(description="The text as Markdown.")] = UNSET
