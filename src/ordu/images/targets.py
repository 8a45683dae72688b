"""Whom the door may ask: links taken apart, and which addresses are public.

Nothing here resolves, connects or waits. A link is parsed once, by one parser, and what was parsed
is what is dialled: there is no second reading that could disagree about the host.
"""

import ipaddress
import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

import httpx

from ordu.protocol.errors import Refused

LINK_LENGTH_MAX = 2048  # characters; what browsers and proxies agree on
PORTS = {"http": 80, "https": 443}

_LINK = re.compile(r"[a-z][a-z0-9+.-]{1,20}://", re.IGNORECASE)
_NAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\Z")
_NUMBER_AT_END = re.compile(r"(\A|\.)(0x[0-9a-f]*|[0-9]+)\Z")

# Not all of these are "not global" to the oldest Python we run on.
_SPECIAL = tuple(
    ipaddress.ip_network(text)
    for text in (
        "192.0.0.0/24",  # protocol assignments
        "192.88.99.0/24",  # relays of 6to4, given up
        "64:ff9b:1::/48",  # NAT64 inside one network
        "2001::/23",  # protocol assignments, Teredo among them
        "3fff::/20",  # documentation
        "5f00::/16",  # segment routing
    )
)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


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


def is_link(text: str) -> bool:
    """Whether a source image is given by link, of whatever scheme, and not in Base64."""
    return _LINK.match(text) is not None


def target_of(text: str) -> Target:
    """A link taken apart, or a refusal with the rc SourceImageUrlInvalid."""
    if len(text) > LINK_LENGTH_MAX:
        raise _bad(f"has {len(text):,} characters and at most {LINK_LENGTH_MAX:,} are allowed.")
    try:
        url = httpx.URL(text)
        port = PORTS.get(url.scheme) if url.port is None else url.port
        host = url.raw_host.decode("ascii").lower().removesuffix(".")
    except (httpx.InvalidURL, ValueError) as error:
        raise _bad("is no address. Send one such as https://example.org/fox.webp.") from error
    if url.scheme not in PORTS:
        raise _bad("is neither http nor https.")
    if url.userinfo:
        raise _bad("has a user or a password in it. Send one that needs neither.")
    if not port or not 0 < port < 65536:
        raise _bad("has a port that does not exist. Use one from 1 to 65535.")
    target = Target(url, host, port)
    # 0x7f.1, 0177.0.0.1 and 2130706433 are 127.0.0.1 to some programs.
    is_name = _NAME.match(host) is not None and not _NUMBER_AT_END.search(host)
    if "%" in host or not (is_name or target.literal):
        raise _bad("has a host that is neither a name nor an address in its usual form.")
    return target


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address is one of the public Internet; an IPv4 address inside it counts."""
    if any(address in network for network in _SPECIAL):
        return False
    inner = _inner(address)
    if inner is not None:
        return is_public(inner)
    return address.is_global and not (
        address.is_multicast
        or address.is_reserved
        or address.is_private
        or address.is_loopback
        or address.is_link_local
        or address.is_unspecified
        or getattr(address, "is_site_local", False)
    )


def _inner(address: IPv4Address | IPv6Address) -> IPv4Address | None:
    """The IPv4 address that packets to this IPv6 address end at: mapped, 6to4, NAT64."""
    if isinstance(address, IPv4Address):
        return None
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour


def _bad(what: str) -> Refused:
    return Refused("SourceImageUrlInvalid", f"The link of the source image {what}")
