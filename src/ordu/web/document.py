"""Documents: bytes that are the same for everybody until the next start, and how they are sent."""

import gzip
import hashlib
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Document:
    """What is sent, and what it is."""

    content: bytes
    media_type: str

    @cached_property
    def etag(self) -> str:
        """The mark by which a browser asks whether it has changed; packed or not, it is one."""
        return f'W/"{hashlib.sha256(self.content).hexdigest()[:16]}"'

    @cached_property
    def packed(self) -> bytes:
        """The content under gzip."""
        return gzip.compress(self.content, mtime=0)

    @property
    def is_worth_packing(self) -> bool:
        """Whether gzip saves anything; fonts are packed in themselves."""
        return not self.media_type.startswith("font/")

    def is_known(self, if_none_match: str) -> bool:
        """Whether the caller has it already, by the header `If-None-Match`."""
        known = {each.strip() for each in if_none_match.split(",")}
        return "*" in known or self.etag in known or self.etag.removeprefix("W/") in known
