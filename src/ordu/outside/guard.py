"""The guard: resolves a host once, checks every address it has, and dials exactly those.

A stranger names the host, so it is hostile: it may be in the network behind us, or a name that
resolves differently the second time (docs/adr/0015). Whoever connects to it comes through here:
pictures by link (`images.door`) and webhooks (`outside.post`).

Plain httpcore, not httpx: it knows no cookies, no proxies of the environment and no encodings, and
takes who dials as an argument.
"""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, partial
from typing import Any, Self

import httpcore
import httpx

from ordu.outside.targets import Target
from ordu.protocol.addresses import is_public_text

Resolver = Callable[[str, int], Awaitable[Sequence[str]]]

ADDRESSES_MAX = 3  # of one host that are tried
LOOKUPS_MAX = 32  # at once, those that nobody waits for any more among them
CONNECT_S = 3.0  # for one of them: the first may be IPv6 in a network that has none

# OSError is what is left of TLS that breaks in the middle of a body.
BROKEN = (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, OSError)


class NoPublicHostError(Exception):
    """A host cannot be found, or has an address that is not public; which is not for strangers."""


class SystemNames:
    """Looks hosts up as the system does, in threads of its own.

    A stranger's name server may be slow, and a look-up cannot be given up: in the threads that all
    share, the picture store would wait for it.
    """

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(LOOKUPS_MAX, "names")  # each is made when it is needed

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        """The addresses of a host.

        Raises:
            OSError, ValueError: it has none, or is no name.
        """
        look = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        found = await asyncio.get_running_loop().run_in_executor(self._threads, look)
        return [str(address[0]) for *_, address in found]


class Guard:
    """Lets connections through to public hosts, and to those that the operator allows."""

    def __init__(
        self,
        hosts: Collection[str] = (),
        resolver: Resolver | None = None,
        network: httpcore.AsyncNetworkBackend | None = None,
    ) -> None:
        """`hosts` may have private addresses; `network` is who really dials."""
        self._hosts = frozenset(host.lower() for host in hosts)
        self._resolve = resolver or SystemNames()
        self._network = network or httpcore.AnyIOBackend()

    async def addresses(self, target: Target) -> list[str]:
        """Where the host is, looked up once.

        Raises:
            NoPublicHostError: nowhere, or any of its addresses is not public.
        """
        literal = target.literal
        try:
            found = [str(literal)] if literal else await self._resolve(target.host, target.port)
        except (OSError, ValueError) as error:
            raise NoPublicHostError from error
        is_allowed = target.host in self._hosts or all(map(is_public_text, found))
        if not found or not is_allowed:
            raise NoPublicHostError
        return list(dict.fromkeys(found))[:ADDRESSES_MAX]

    @contextlib.asynccontextmanager
    async def asked(
        self,
        target: Target,
        addresses: Sequence[str],
        method: str,
        headers: Sequence[tuple[bytes, bytes]],
        content: bytes | None = None,
    ) -> AsyncIterator[httpcore.Response]:
        """The answer of one server to one question, with a connection of its own.

        Raises:
            BROKEN: it is silent, breaks off, or speaks no HTTP.
        """
        url = httpcore.URL(
            scheme=target.url.raw_scheme,
            host=target.host.encode("ascii"),
            port=target.port,
            target=target.url.raw_path,
        )
        usual = [(b"Host", target.url.netloc), (b"User-Agent", b"ordu")]
        last = [(b"Accept-Encoding", b"identity"), (b"Connection", b"close")]
        async with (
            _Dialler(self._network, addresses) as dialler,
            httpcore.AsyncConnectionPool(self._tls, network_backend=dialler) as pool,
            pool.stream(
                method, url, headers=[*usual, *headers, *last], content=content
            ) as response,
        ):
            yield response

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        # Loading the authorities takes 20 ms and most processes never need them.
        return httpx.create_ssl_context(trust_env=False)


class _Dialler(httpcore.AsyncNetworkBackend):
    """Connects to addresses that were looked at, whatever name it is told.

    TLS is still spoken with the name: httpcore takes that from the URL.
    """

    def __init__(self, network: httpcore.AsyncNetworkBackend, addresses: Sequence[str]) -> None:
        self.network = network
        self.addresses = addresses
        self.streams: list[httpcore.AsyncNetworkStream] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        # httpcore leaves a connection open when it is cancelled while TLS begins.
        for stream in self.streams:
            await stream.aclose()

    async def connect_tcp(
        self,
        host: str,  # noqa: ARG002 - the name, which was looked up already
        port: int,
        timeout: float | None = None,  # noqa: ARG002, ASYNC109 - httpcore's own signature
        local_address: str | None = None,  # noqa: ARG002 - the same
        socket_options: Iterable[Any] | None = None,  # noqa: ARG002 - the same
    ) -> httpcore.AsyncNetworkStream:
        """The first address that answers."""
        *others, last = self.addresses
        for address in others:
            with contextlib.suppress(httpcore.ConnectError, httpcore.ConnectTimeout):
                return await self._dial(address, port, CONNECT_S)
        return await self._dial(last, port, None)

    async def _dial(
        self, address: str, port: int, seconds: float | None
    ) -> httpcore.AsyncNetworkStream:
        stream = await self.network.connect_tcp(address, port, seconds)
        self.streams.append(stream)
        return stream
