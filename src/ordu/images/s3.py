"""Pictures on S3, past the server: clients get presigned links and the bytes go there directly.

Below the prefix lie two kinds of keys:

    pictures/NAME   what `get` reads. Only the server writes here.
    uploads/NAME    what workers put. Their links allow this and nothing else.

An upload link cannot be taken back: it works until it expires, also when its job has ended. So what
was uploaded is copied at the submit, inside S3, to where no link writes; then the copy is looked
at, which cannot change any more (docs/adr/0023).
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from ordu.failpoints import Failpoint
from ordu.images.bucket import Bucket
from ordu.images.headers import format_of
from ordu.images.keeping import (
    Room,
    Upload,
    check_name,
    failpoint_of,
    in_words,
    is_name,
    unavailable_when_broken,
)
from ordu.images.links import Links

if TYPE_CHECKING:  # obstore has these for type checkers only
    from obstore.store import ClientConfig, RetryConfig, S3Config

PICTURES = "pictures/"
UPLOADS = "uploads/"
UPLOAD_AGE_S_MAX = 90_000  # 25 hours: an hour more than the longest that a job and its link live

CONNECT_S = 3
TIMEOUT_S = 20  # of one try, with all its bytes
RETRIES_MAX = 3
LINK_S_MAX = 7 * 86_400  # longer S3 allows none
RETRY_S_MAX = 20  # after so long nothing is tried again
CALLS_MAX = 64  # at once of this process
PAGE = 1000  # keys of a list that are in memory at once; also the most that S3 sends


class S3Pictures:
    """`Pictures` in a bucket; others may use the same."""

    def __init__(self, bucket: Bucket, failpoint: Failpoint | None = None) -> None:
        self._bucket = bucket
        self._failpoint = failpoint
        self._store = _store(bucket, bucket.endpoint)
        self._seats = asyncio.Semaphore(CALLS_MAX)

    def _passed(self, name: str, moment: str) -> None:
        """Die here where a test wants that."""
        if self._failpoint is not None:
            self._failpoint.passed(name, moment)

    @asynccontextmanager
    async def _asking(self, done: str) -> AsyncIterator[None]:
        """Around a call: one of those that may run at once, refused when S3 cannot."""
        async with self._seats:
            with unavailable_when_broken(done, BaseError):
                yield

    async def put(self, name: str, data: bytes, *, is_durable: bool = True) -> None:
        """Keep these bytes under this name, in place of what was there; durable in any case."""
        del is_durable
        key = PICTURES + check_name(name)
        kind = format_of(data)
        self._passed(failpoint_of(name), "before")
        async with self._asking("stored"):
            # In parts only what S3 demands in parts, because cut off they stay and cost.
            await obstore.put_async(
                self._store,
                key,
                data,
                attributes={"Content-Type": f"image/{kind}" if kind else "binary/octet-stream"},
                use_multipart=False,
            )
        self._passed(failpoint_of(name), "after")

    async def get(self, name: str) -> bytes | None:
        """The bytes of this name, or None."""
        key = PICTURES + check_name(name)
        async with self._asking("read"):
            try:
                found = await obstore.get_async(self._store, key)
                return bytes(await found.bytes_async())
            except FileNotFoundError:
                return None

    async def size(self, name: str) -> int | None:
        """How many bytes this name has, or None."""
        key = PICTURES + check_name(name)
        async with self._asking("read"):
            try:
                return (await obstore.head_async(self._store, key))["size"]
            except FileNotFoundError:
                return None

    async def head(self, name: str, length: int) -> bytes | None:
        """The first bytes of this name, at most `length`, or None."""
        found = await self._beginning(name, length)
        return None if found is None else found.head

    async def _beginning(self, name: str, length: int) -> Upload | None:
        """Size and first bytes of a picture, from one answer."""
        key = PICTURES + check_name(name)
        async with self._asking("read"):
            try:
                found = await obstore.get_async(
                    self._store, key, options={"range": (0, max(1, length))}
                )
                head = bytes(await found.bytes_async())
                return Upload(found.meta["size"], head[: max(0, length)])
            except FileNotFoundError:
                return None
            except BaseError:
                # What is empty has no beginning: S3 answers 416.
                if (await obstore.head_async(self._store, key))["size"]:
                    raise
                return Upload(0, b"")

    async def take_upload(self, upload: str, name: str, length: int) -> Upload | None:
        """Copy an upload to where no link writes, and look at the copy."""
        check_name(name)
        async with self._asking("stored"):
            try:
                await obstore.copy_async(self._store, UPLOADS + check_name(upload), PICTURES + name)
            except FileNotFoundError:
                return None
        return await self._beginning(name, length)

    async def delete(self, names: Sequence[str]) -> None:
        """Forget these names and what was uploaded for them."""
        keys = [area + check_name(name) for name in names for area in (PICTURES, UPLOADS)]
        self._passed("delete_pictures", "before")
        await self._delete(keys)
        self._passed("delete_pictures", "after")

    async def _delete(self, keys: Sequence[str]) -> None:
        if keys:
            async with self._asking("deleted"):
                with suppress(FileNotFoundError):
                    await obstore.delete_async(self._store, keys)

    async def older_than(self, before_ms: int) -> AsyncIterator[tuple[str, int]]:
        """Every name last written before this time, by the clock of S3; a page at a time."""
        async for page in self._pages(PICTURES, before_ms):
            for key, written_ms in page:
                name = key.removeprefix(PICTURES)
                if is_name(name):
                    yield name, written_ms

    async def tidy(self) -> None:
        """Remove uploads that no job can want any more: put after its end, or never submitted."""
        self._passed("tidy_pictures", "before")
        now_ms = int(datetime.now(UTC).timestamp() * 1000)  # as S3's clock, whatever the horde's
        async for page in self._pages(UPLOADS, now_ms - UPLOAD_AGE_S_MAX * 1000):
            await self._delete([key for key, _ in page])
        self._passed("tidy_pictures", "after")

    async def _pages(self, area: str, before_ms: int) -> AsyncIterator[list[tuple[str, int]]]:
        """The keys below here that were written before a time, with that time."""
        pages = obstore.list(self._store, area.rstrip("/"), chunk_size=PAGE)
        while True:
            async with self._asking("listed"):
                try:
                    page = await anext(pages)
                except StopAsyncIteration:
                    return
                dated = [(each["path"], _ms(each["last_modified"])) for each in page]
            yield [(key, written_ms) for key, written_ms in dated if written_ms < before_ms]

    def links(self, lifetime_s: int) -> Links:
        """Presigned links, made with the server's keys and without asking S3."""
        return S3Links(self._bucket, lifetime_s)

    async def check(self) -> None:
        """Look whether the bucket is there and may be listed.

        Raises:
            ValueError: it is not, or may not.
        """
        try:
            await anext(obstore.list(self._store, chunk_size=1), None)
        except (BaseError, OSError) as error:
            raise ValueError(
                f"The bucket {self._bucket.name} cannot be used: {in_words(error)}. Look at the "
                "setting images and at the AWS variables of the environment."
            ) from error

    def room(self) -> Room | None:
        """Nobody knows how much room there is on S3."""
        return None

    def flush(self) -> None:
        """Nothing: what was put is kept."""

    def close(self) -> None:
        """Nothing is open."""


class S3Links:
    """`Links` that lead to S3."""

    def __init__(self, bucket: Bucket, lifetime_s: int) -> None:
        endpoint = bucket.public_endpoint or bucket.endpoint
        self.is_https = endpoint is None or endpoint.startswith("https://")
        self._lifetime_s = lifetime_s
        self._store = _store(bucket, endpoint)

    async def get_url(self, name: str) -> str:
        """A link that reads this picture."""
        return await self._url("GET", PICTURES + check_name(name), self._lifetime_s)

    async def put_url(self, name: str, at_least_s: int = 0) -> str:
        """A link that uploads this picture, as often as wanted until it expires."""
        lifetime_s = max(self._lifetime_s, at_least_s)
        return await self._url("PUT", UPLOADS + check_name(name), lifetime_s)

    async def _url(self, method: Literal["GET", "PUT"], key: str, lifetime_s: int) -> str:
        # Only the host is signed beside method, key and time: what other headers a client sends,
        # such as a content type, does not matter. Not the quicker `sign`, which would hold
        # everybody up while the keys of a machine's role are renewed.
        with unavailable_when_broken("linked", BaseError):
            return await obstore.sign_async(
                self._store, method, key, timedelta(seconds=min(lifetime_s, LINK_S_MAX))
            )


def _store(bucket: Bucket, endpoint: str | None) -> S3Store:
    """A way to a bucket by an endpoint; what the URL does not say is in the environment."""
    config: S3Config = {"virtual_hosted_style_request": not bucket.is_path_style}
    if bucket.region:
        config["region"] = bucket.region
    if address := bucket.endpoint_with_bucket(endpoint):
        # Both, because the variable of the second would win over the first.
        config["endpoint"] = config["aws_endpoint_url_s3"] = address
    options: ClientConfig = {
        "allow_http": True,
        "connect_timeout": timedelta(seconds=CONNECT_S),
        "timeout": timedelta(seconds=TIMEOUT_S),
    }
    retries: RetryConfig = {
        "max_retries": RETRIES_MAX,
        "retry_timeout": timedelta(seconds=RETRY_S_MAX),
    }
    return S3Store(
        bucket.name,
        prefix=bucket.prefix or None,
        config=config,
        client_options=options,
        retry_config=retries,
    )


def _ms(moment: datetime) -> int:
    """A moment in milliseconds."""
    return int(moment.timestamp() * 1000)
