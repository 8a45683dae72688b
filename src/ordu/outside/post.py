"""Sending something to a stranger's server, once: one POST through the guard, and what it said.

Of the answer only its status counts: the body is not read, so it can neither be endless nor tell
anything. A redirect is an answer like any other and is not followed, so it leads nowhere inside.
"""

import asyncio
from collections.abc import Collection, Mapping
from typing import NamedTuple

import httpcore

from ordu.outside.guard import BROKEN, Guard, NoPublicHostError, Resolver
from ordu.outside.targets import BadLinkError, Target, taken_apart
from ordu.protocol.addresses import is_public


class Posted(NamedTuple):
    """How sending went: the status that came back, or in words why there is none."""

    status: int | None
    error: str | None = None


def called_at(link: str, hosts: Collection[str]) -> Target:
    """The server that may be sent something: a public one by https, or one of these by http too.

    Nothing is resolved here; the guard looks at the addresses whenever it dials.

    Raises:
        BadLinkError: it is none; the words go on after "The webhook …".
    """
    target = taken_apart(link)
    is_allowed = target.host in {host.lower() for host in hosts}
    if target.url.scheme != "https" and not is_allowed:
        raise BadLinkError("must begin with https://.")
    literal = target.literal
    if literal is not None and not is_allowed and not is_public(literal):
        raise BadLinkError(
            "is at an address that is not on the public Internet. The operator of this horde can"
            " allow it (`webhook_hosts`)."
        )
    return target


class Post:
    """Sends messages to strangers' servers; made once in a process."""

    def __init__(
        self,
        *,
        timeout_s: float,
        hosts: Collection[str] = (),
        resolver: Resolver | None = None,
        network: httpcore.AsyncNetworkBackend | None = None,
    ) -> None:
        """`hosts` may have private addresses and speak plain http; `network` really dials."""
        self.timeout_s = timeout_s
        self.hosts = frozenset(hosts)
        self._guard = Guard(hosts, resolver, network)

    async def send(self, link: str, headers: Mapping[str, str], body: bytes) -> Posted:
        """Send this, within the time there is; never raises for what the other side does."""
        try:
            target = called_at(link, self.hosts)
            async with asyncio.timeout(self.timeout_s):
                return await self._send(target, headers, body)
        except TimeoutError:
            return Posted(None, f"did not answer within {self.timeout_s:g} seconds")
        except BadLinkError as error:
            return Posted(None, f"the webhook {error}".rstrip("."))
        except NoPublicHostError:
            return Posted(None, "the host cannot be found or is not on the public Internet")
        except BROKEN as error:
            return Posted(None, f"the connection failed ({type(error).__name__})")

    async def _send(self, target: Target, headers: Mapping[str, str], body: bytes) -> Posted:
        addresses = await self._guard.addresses(target)
        fields = [(name.encode(), value.encode()) for name, value in headers.items()]
        fields += [
            (b"Content-Type", b"application/json"),
            (b"Content-Length", str(len(body)).encode()),
            (b"Accept", b"*/*"),
        ]
        async with self._guard.asked(target, addresses, "POST", fields, body) as response:
            return Posted(response.status)
