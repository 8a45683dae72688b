"""Links to pictures: whoever has one may do this one thing until it expires.

They lead to this server, which signs and checks them itself, or past it to the store where that can
sign (`ordu.images.s3`). A handler asks for one and does not know which.

A link carries no key and needs no account, because workers use it as it stands, without headers.
The signature covers method, name and expiry, so a link for reading cannot write, and neither can
be made to last longer or to name another picture.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from ordu.protocol.errors import Refused


class Links(Protocol):
    """Where a client reads a picture and a worker uploads one."""

    @property
    def is_https(self) -> bool:
        """Whether the links are https, which some programs demand."""
        ...

    async def get_url(self, name: str) -> str:
        """A link that reads this picture."""
        ...

    async def put_url(self, name: str, at_least_s: int = 0) -> str:
        """A link that uploads this picture, as often as wanted until it expires.

        It works for `at_least_s` seconds where that is longer than links usually do.
        """
        ...


@dataclass(frozen=True, slots=True)
class ServerLinks:
    """`Links` below the server's public address, signed with one key of the installation."""

    key: bytes = field(repr=False)
    base_url: str
    lifetime_s: int
    now: Callable[[], int] = field(repr=False)

    @property
    def is_https(self) -> bool:
        """Whether the server's public address is https."""
        return self.base_url.startswith("https://")

    async def get_url(self, name: str) -> str:
        """A link that reads this picture."""
        return self._url("GET", name, self.lifetime_s)

    async def put_url(self, name: str, at_least_s: int = 0) -> str:
        """A link that writes this picture, as often as wanted until it expires.

        It works for `at_least_s` seconds where that is longer than links usually do: a job may
        take longer.
        """
        return self._url("PUT", name, max(self.lifetime_s, at_least_s))

    def verify(self, method: str, name: str, expires: str, signature: str) -> None:
        """Return when a link of ours allows this now; else refuse with the rc BadSignature.

        A link for GET serves HEAD too.
        """
        wanted = self._signature("GET" if method == "HEAD" else method, name, expires)
        is_ours = hmac.compare_digest(wanted.encode(), signature.encode("utf-8", "replace"))
        if not is_ours or not re.fullmatch(r"[0-9]{1,15}", expires):
            raise Refused(
                "BadSignature",
                f"This link does not allow {method} of this picture. "
                "Use the link exactly as the horde gave it.",
            )
        # Only after the signature, so that nobody learns anything from a link made up.
        late_s = self.now() // 1000 - int(expires)
        if late_s >= 0:
            raise Refused(
                "BadSignature",
                f"This link expired {late_s} seconds ago. Ask the horde for a new one.",
            )

    def _url(self, method: str, name: str, lifetime_s: int) -> str:
        expires = str(self.now() // 1000 + lifetime_s)
        signature = self._signature(method, name, expires)
        base = self.base_url.rstrip("/")
        return f"{base}/pictures/{name}?expires={expires}&signature={signature}"

    def _signature(self, method: str, name: str, expires: str) -> str:
        text = f"{method}\n{name}\n{expires}".encode("utf-8", "replace")
        digest = hmac.digest(self.key, text, hashlib.sha256)
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
