"""Links taken apart, for whatever connects to what they name.

Nothing here resolves, connects or waits. A link is parsed once, by one parser, and what was parsed
is what is dialled: there is no second reading that could disagree about the host.
"""

import ipaddress
import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

import httpx

LINK_LENGTH_MAX = 2048  # characters; what browsers and proxies agree on
PORTS = {"http": 80, "https": 443}

_NAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\Z")
_NUMBER_AT_END = re.compile(r"(\A|\.)(0x[0-9a-f]*|[0-9]+)\Z")


class BadLinkError(ValueError):
    """A text is no link that is followed; the words go on after "The link …"."""


@dataclass(frozen=True, slots=True)
class Target:
    """A link taken apart."""

    url: httpx.URL
    host: str  # a name in lower case without a dot at the end, or an address without brackets
    port: int

    @property
    def literal(self) -> IPv4Address | IPv6Address | None:
        """The address, when the link has one instead of a name."""
        try:
            return ipaddress.ip_address(self.host)
        except ValueError:
            return None


def taken_apart(text: str) -> Target:
    """A link taken apart.

    Raises:
        BadLinkError: it is none, or one that is not followed.
    """
    if len(text) > LINK_LENGTH_MAX:
        raise BadLinkError(
            f"has {len(text):,} characters and at most {LINK_LENGTH_MAX:,} are allowed."
        )
    try:
        url = httpx.URL(text)
        port = PORTS.get(url.scheme) if url.port is None else url.port
        host = url.raw_host.decode("ascii").lower().removesuffix(".")
    except (httpx.InvalidURL, ValueError) as error:
        raise BadLinkError(
            "is no address. Send one such as https://example.org/fox.webp."
        ) from error
    if url.scheme not in PORTS:
        raise BadLinkError("is neither http nor https.")
    if url.userinfo:
        raise BadLinkError("has a user or a password in it. Send one that needs neither.")
    if not port or not 0 < port < 65536:
        raise BadLinkError("has a port that does not exist. Use one from 1 to 65535.")
    target = Target(url, host, port)
    # 0x7f.1, 0177.0.0.1 and 2130706433 are 127.0.0.1 to some programs.
    is_name = _NAME.match(host) is not None and not _NUMBER_AT_END.search(host)
    if "%" in host or not (is_name or target.literal):
        raise BadLinkError("has a host that is neither a name nor an address in its usual form.")
    return target
