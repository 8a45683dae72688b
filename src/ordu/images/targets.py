"""Links of source images: told from Base64, and refused in their own words."""

import re

from ordu.outside.targets import LINK_LENGTH_MAX, BadLinkError, Target, taken_apart
from ordu.protocol.errors import Refused

_LINK = re.compile(r"[a-z][a-z0-9+.-]{1,20}://", re.IGNORECASE)


def is_link(text: str) -> bool:
    """Whether a source image is given by link, of whatever scheme, and not in Base64."""
    return _LINK.match(text) is not None


def target_of(text: str) -> Target:
    """A link taken apart, or a refusal with the rc SourceImageUrlInvalid."""
    try:
        return taken_apart(text)
    except BadLinkError as error:
        raise Refused("SourceImageUrlInvalid", f"The link of the source image {error}") from error


__all__ = ["LINK_LENGTH_MAX", "is_link", "target_of"]
