"""Where picture bytes lie: in a folder of one process, in a folder that several share, or on S3.

| place | for | in |
|---|---|---|
| `file:///FOLDER` | one process | `segment_store`: large files, a flush for many (docs/adr/0020) |
| `file:///FOLDER`, shared | several processes | `folder`: a file for each picture |
| `s3://BUCKET/PREFIX` | several machines | `s3`: past the server (docs/adr/0023) |
"""

import os
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from ordu.failpoints import Failpoint
from ordu.images.bucket import bucket_of
from ordu.images.folder import FolderPictures
from ordu.images.keeping import Room, Upload
from ordu.images.links import Links
from ordu.images.segment_store import SegmentPictures


class Pictures(Protocol):
    """Picture bytes by name; every method answers `Refused` with 503 when the store cannot."""

    async def put(self, name: str, data: bytes, *, is_durable: bool = True) -> None:
        """Keep these bytes under this name, in place of what was there.

        Unless it is to be durable at once, it is so after the next `flush`.
        """
        ...

    async def get(self, name: str) -> bytes | None:
        """The bytes of this name, or None."""
        ...

    async def size(self, name: str) -> int | None:
        """How many bytes this name has, or None."""
        ...

    async def head(self, name: str, length: int) -> bytes | None:
        """The first bytes of this name, at most `length`, or None."""
        ...

    async def take_upload(self, upload: str, name: str, length: int) -> Upload | None:
        """Take what was put to the upload link of a name: its size and its first bytes, or None.

        From then on it is what `get` reads under the other name, which may be the same, and no
        upload link can change it.
        """
        ...

    async def delete(self, names: Sequence[str]) -> None:
        """Forget these names; one that is not there is no mistake."""
        ...

    def older_than(self, before_ms: int) -> AsyncIterator[tuple[str, int]]:
        """Every name last written before this time, with that time: what a sweep looks at."""
        ...

    async def tidy(self) -> None:
        """Give back the space of what was deleted."""
        ...

    def links(self, lifetime_s: int) -> Links | None:
        """Links past the server, where the store has such; None: the server carries the bytes."""
        ...

    async def check(self) -> None:
        """Look whether the store can be used; raises ValueError with words for the operator."""
        ...

    def room(self) -> Room | None:
        """How much room there is; None where nobody can know, as on S3."""
        ...

    def flush(self) -> None:
        """Wait until all that was put is on the disk; raises OSError. For any thread."""
        ...

    def close(self) -> None:
        """Close what is open."""
        ...


def open_store(
    url: str,
    now: Callable[[], int],
    failpoint: Failpoint | None = None,
    *,
    is_shared: bool = False,
) -> Pictures:
    """The store at a URL; a folder is made, for its owner only.

    `is_shared` says that other processes have the same folder; a bucket may always be shared.

    Raises:
        ValueError: it is no place for pictures, or what reaches it is not installed.
    """
    parts = urlsplit(url)
    if parts.scheme == "s3":
        return _open_s3(url, failpoint)
    if parts.scheme != "file" or parts.netloc or not parts.path.startswith("/"):
        raise ValueError(
            f"Pictures can be kept at file:///FOLDER or s3://BUCKET/PREFIX only, not at {url}."
        )
    folder = Path(unquote(parts.path))
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    kind = FolderPictures if is_shared else SegmentPictures
    return kind(folder, now, failpoint)


def _open_s3(url: str, failpoint: Failpoint | None) -> Pictures:
    """The store in a bucket, where what reaches it is installed."""
    try:
        from ordu.images.s3 import S3Pictures  # noqa: PLC0415 - only with the extra s3
    except ModuleNotFoundError as error:
        if error.name != "obstore":
            raise
        raise ValueError(
            "To keep pictures on S3 this needs pip install 'ordu[s3]' (obstore is missing)."
        ) from error
    return S3Pictures(bucket_of(url, os.environ), failpoint)
