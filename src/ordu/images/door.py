"""The one door through which pictures of strangers' servers come in (docs/adr/0015).

A caller names the link, so the link is hostile: it may point into the network behind us, lead
there by a redirect or by a name that resolves differently the second time, send without end or
not at all. So every connection comes through the guard (`ordu.outside.guard`), and redirects start
again from the beginning.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Collection, Sequence

import httpcore
import httpx

from ordu.images.targets import target_of
from ordu.outside.guard import BROKEN, Guard, NoPublicHostError, Resolver
from ordu.outside.targets import Target
from ordu.protocol.errors import Refused

REDIRECTS_MAX = 3
FETCHES_MAX = 8  # at once in this process
WAITING_MAX = 100  # who would be later than that is told at once
RETRY_AFTER_S = 5

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
# What stores say of files whose kind nobody told them; the bytes are looked at anyway.
_ANY_BYTES = frozenset({"", "application/octet-stream", "binary/octet-stream"})


class Door:
    """Fetches pictures by link, within bounds; made once in a process."""

    def __init__(
        self,
        *,
        timeout_s: float,
        bytes_max: int,
        hosts: Collection[str] = (),
        resolver: Resolver | None = None,
        network: httpcore.AsyncNetworkBackend | None = None,
    ) -> None:
        """`hosts` may have private addresses; `network` is who really dials."""
        self.timeout_s = timeout_s
        self.bytes_max = bytes_max
        self._guard = Guard(hosts, resolver, network)
        self._seats = asyncio.Semaphore(FETCHES_MAX)
        self._waiting = 0

    async def fetch(self, link: str) -> bytes:
        """The bytes behind a link; whether they are a picture is for `ordu.images.check`.

        Raises:
            Refused: SourceImageUrlInvalid, ImageValidationFailed, SourceImageSizeExceeded,
                Unavailable.
        """
        target = target_of(link)
        async with self._seat():
            try:
                async with asyncio.timeout(self.timeout_s):
                    return await self._follow(target)
            except TimeoutError as error:
                raise _failed(f"did not arrive within {self.timeout_s:g} seconds.") from error

    @contextlib.asynccontextmanager
    async def _seat(self) -> AsyncIterator[None]:
        """One of the fetches that may run at once."""
        if self._waiting >= WAITING_MAX:
            raise _busy()
        self._waiting += 1
        try:
            async with asyncio.timeout(self.timeout_s):
                await self._seats.acquire()
        except TimeoutError as error:
            raise _busy() from error
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._seats.release()

    async def _follow(self, target: Target) -> bytes:
        for _ in range(REDIRECTS_MAX + 1):
            addresses = await self._addresses(target)
            answer = await self._ask(target, addresses)
            if isinstance(answer, bytes):
                return answer
            target = answer
        raise _failed(f"is behind more than {REDIRECTS_MAX} redirects. Send its own link.")

    async def _addresses(self, target: Target) -> list[str]:
        """Where the host is, looked up once; a refusal when any of it is not public."""
        try:
            return await self._guard.addresses(target)
        except NoPublicHostError as error:
            raise _no_host(target) from error

    async def _ask(self, target: Target, addresses: Sequence[str]) -> bytes | Target:
        """One question to one host: what it sent, or where it sends us."""
        headers = [(b"Accept", b"image/*")]
        try:
            async with self._guard.asked(target, addresses, "GET", headers) as response:
                fields = {name.lower(): value for name, value in response.headers}
                if response.status in _REDIRECTS and b"location" in fields:
                    return _next(target, fields[b"location"])
                if response.status != 200:
                    raise _failed(f"cannot be had: its server answers {response.status}.")
                self._check_fields(fields)
                return await self._body(response)
        except BROKEN as error:
            raise _failed("cannot be fetched: its server is silent or breaks off.") from error

    def _check_fields(self, fields: dict[bytes, bytes]) -> None:
        """Refuse by what the server announces, before anything of it is read."""
        kind = fields.get(b"content-type", b"").decode("latin-1").partition(";")[0].strip().lower()
        if not kind.startswith("image/") and kind not in _ANY_BYTES:
            raise Refused(
                "SourceImageUrlInvalid",
                f"The link of the source image leads to {kind[:50]!r} and not to a picture. "
                "Send the link of the picture itself.",
            )
        if fields.get(b"content-encoding", b"identity").strip().lower() != b"identity":
            raise _failed("is sent in an encoding that was not asked for.")
        length = fields.get(b"content-length", b"0")
        if length.isdigit() and int(length) > self.bytes_max:
            raise self._too_large()

    async def _body(self, response: httpcore.Response) -> bytes:
        body = bytearray()
        async for part in response.aiter_stream():
            body += part
            if len(body) > self.bytes_max:
                raise self._too_large()
        return bytes(body)

    def _too_large(self) -> Refused:
        return Refused(
            "SourceImageSizeExceeded",
            f"The source image has more than {self.bytes_max:,} bytes. Make it smaller.",
        )


def _next(target: Target, location: bytes) -> Target:
    """Where a redirect leads."""
    try:
        return target_of(str(target.url.join(location.decode("utf-8"))))
    except (httpx.InvalidURL, ValueError) as error:
        raise Refused(
            "SourceImageUrlInvalid", "The link of the source image leads on to what is no address."
        ) from error


def _no_host(target: Target) -> Refused:
    # One message for both, without the address: what a name means inside is not for strangers.
    return _failed(
        f"is at the host {target.host[:100]}, which cannot be found or is not on the public "
        "Internet. Send the image in Base64, or ask the operator of this horde to add the host to "
        "`source_hosts`."
    )


def _failed(what: str) -> Refused:
    return Refused("ImageValidationFailed", f"The source image {what}")


def _busy() -> Refused:
    return Refused(
        "Unavailable",
        f"{FETCHES_MAX} source images are being fetched already. Try again soon, or send the image "
        "in Base64.",
        retry_after_s=RETRY_AFTER_S,
    )
