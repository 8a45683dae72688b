"""What both forms of the client know of connections: who is at their other end."""

import socket
from typing import Any, NamedTuple
from urllib.request import getproxies

import httpx

from ordu.protocol.addresses import is_public_text

# Events of httpcore's extension `trace`: what is dialled, and that it answered.
CONNECTING = "connect_tcp.started"
CONNECTED = "connect_tcp.complete"
PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}


class Place(NamedTuple):
    """What is dialled: a name or an address, and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def place_of(address: str) -> Place:
    """Where an address leads."""
    url = httpx.URL(address)
    return Place(url.raw_host.decode("ascii"), url.port or PORTS.get(url.scheme, 0))


def proxies() -> set[Place]:
    """The proxies that httpx goes through, as the environment says."""
    said = getproxies()  # also has, as `no`, what is reached without
    named = (said[kind] for kind in ("http", "https", "all") if said.get(kind))
    return {place_of(value if "://" in value else f"http://{value}") for value in named}


def is_public(stream: Any) -> bool:
    """Whether who is at the other end of this connection (httpcore) has a public address."""
    peer = stream.get_extra_info("server_addr")
    return bool(peer) and is_public_text(str(peer[0]))


def is_outside(place: Place) -> bool:
    """Whether this is not surely in a private network. It looks the name up, which takes time."""
    try:
        found = socket.getaddrinfo(*place, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return True
    return any(is_public_text(str(address[0])) for *_, address in found)
