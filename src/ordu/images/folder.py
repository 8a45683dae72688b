"""Pictures in a folder that several processes share: a file for each.

A picture is written to a file of another name, flushed, moved to its own name, and the folder is
flushed. So whoever shares the folder, on this machine or over NFS, sees a picture whole or not at
all, and what `put` has answered outlives a power cut.

Names begin with the time they were made, so they are spread over sub-folders by how their first
part ends: there are 256 of them, and none gets huge.
"""

import asyncio
import os
import re
import secrets
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from ordu.failpoints import Failpoint
from ordu.images.keeping import (
    Room,
    Upload,
    check_name,
    failpoint_of,
    is_name,
    room_at,
    unavailable_when_broken,
)

DRAFT = re.compile(r"\.[A-Za-z0-9_.-]+\.[0-9a-f]{16}", re.ASCII)  # what is not moved yet
DRAFT_AGE_MS_MAX = 3_600_000  # one so old belongs to nobody any more


class FolderPictures:
    """`Pictures` in a folder that others write to as well."""

    def __init__(
        self, folder: Path, now: Callable[[], int], failpoint: Failpoint | None = None
    ) -> None:
        self._folder = folder
        self._now = now
        self._failpoint = failpoint

    def _passed(self, name: str, moment: str) -> None:
        """Die here where a test wants that."""
        if self._failpoint is not None:
            self._failpoint.passed(name, moment)

    def _path(self, name: str) -> Path:
        """Where a picture of this name lies."""
        owner = re.split(r"[._]", check_name(name), maxsplit=1)[0]
        return self._folder / owner[-2:] / name

    async def put(self, name: str, data: bytes, *, is_durable: bool = True) -> None:
        """Keep these bytes under this name, in place of what was there; durable in any case."""
        del is_durable
        path = self._path(name)
        self._passed(failpoint_of(name), "before")
        with unavailable_when_broken("stored"):
            await asyncio.to_thread(_write, path, data, self._now())
        self._passed(failpoint_of(name), "after")

    async def get(self, name: str) -> bytes | None:
        """The bytes of this name, or None."""
        return await self._read(name, -1)

    async def head(self, name: str, length: int) -> bytes | None:
        """The first bytes of this name, at most `length`, or None."""
        return await self._read(name, max(0, length))

    async def _read(self, name: str, most: int) -> bytes | None:
        path = self._path(name)
        with unavailable_when_broken("read"):
            return await asyncio.to_thread(_read, path, most)

    async def size(self, name: str) -> int | None:
        """How many bytes this name has, or None."""
        path = self._path(name)
        with unavailable_when_broken("read"):
            return await asyncio.to_thread(_size, path)

    async def take_upload(self, upload: str, name: str, length: int) -> Upload | None:
        """Size and beginning of an upload, which is linked to its other name.

        Who puts another one later writes another file.
        """
        if name != upload:
            with unavailable_when_broken("stored"):
                if not await asyncio.to_thread(_link, self._path(upload), self._path(name)):
                    return None
        head, size = await self.head(name, length), await self.size(name)
        return None if head is None or size is None else Upload(size, head)

    async def delete(self, names: Sequence[str]) -> None:
        """Forget these names; one that is not there is no mistake."""
        paths = [self._path(name) for name in names]
        self._passed("delete_pictures", "before")
        with unavailable_when_broken("deleted"):
            await asyncio.to_thread(_unlink, paths)
        self._passed("delete_pictures", "after")

    async def older_than(self, before_ms: int) -> AsyncIterator[tuple[str, int]]:
        """Every name last written before this time, with that time; a sub-folder at a time."""
        with unavailable_when_broken("listed"):
            folders = await asyncio.to_thread(_folders, self._folder)
        for folder in folders:
            with unavailable_when_broken("listed"):
                found = await asyncio.to_thread(_files, folder, before_ms)
            for name, written_ms in found:
                if is_name(name):
                    yield name, written_ms

    async def tidy(self) -> None:
        """Remove what processes that died were writing."""
        self._passed("tidy_pictures", "before")
        with unavailable_when_broken("swept"):
            await asyncio.to_thread(_remove_drafts, self._folder, self._now() - DRAFT_AGE_MS_MAX)
        self._passed("tidy_pictures", "after")

    def links(self, lifetime_s: int) -> None:
        """None: the server carries the bytes."""

    async def check(self) -> None:
        """Nothing: the folder was made at the start."""

    def room(self) -> Room | None:
        """How much room there is on the disk."""
        return room_at(self._folder)

    def flush(self) -> None:
        """Nothing: what was put is on the disk."""

    def close(self) -> None:
        """Nothing is open."""


def _write(path: Path, data: bytes, written_ms: int) -> None:
    """A file with these bytes, there as a whole and to stay."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        descriptor = _created(draft)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                # The clock of the horde, not of the disk: sweeps compare the two.
                os.utime(draft, ns=(written_ms * 1_000_000,) * 2)
                os.fsync(file.fileno())
            draft.replace(path)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
    except FileNotFoundError as error:
        raise OSError(f"the folder of {path} was taken away") from error
    _flush_folder(path.parent)


def _link(path: Path, other: Path) -> bool:
    """Give a file another name, to stay; says whether there is such a file."""
    other.parent.mkdir(mode=0o700, exist_ok=True)
    try:
        other.hardlink_to(path)
    except FileNotFoundError:
        return False
    _flush_folder(other.parent)
    return True


def _created(draft: Path) -> int:
    """A new file, open for writing; its folder is made when it is the first in it."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    try:
        return os.open(draft, flags, 0o600)
    except FileNotFoundError:
        draft.parent.mkdir(mode=0o700, exist_ok=True)
        _flush_folder(draft.parent.parent)
        return os.open(draft, flags, 0o600)


def _flush_folder(folder: Path) -> None:
    """Have the names in a folder outlive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read(path: Path, most: int) -> bytes | None:
    try:
        with path.open("rb") as file:
            return file.read(most)
    except FileNotFoundError:
        return None


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None


def _unlink(paths: Sequence[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


def _folders(folder: Path) -> list[Path]:
    """The sub-folders with pictures."""
    with os.scandir(folder) as entries:
        return [Path(each.path) for each in entries if len(each.name) <= 2 and each.is_dir()]


def _files(folder: Path, before_ms: int) -> list[tuple[str, int]]:
    """The files in a sub-folder that were written before a time, with that time."""
    return list(_written_before(folder, before_ms))


def _written_before(folder: Path, before_ms: int) -> Iterator[tuple[str, int]]:
    with os.scandir(folder) as entries:
        for each in entries:
            with suppress(FileNotFoundError):  # another process was quicker
                written_ms = each.stat(follow_symlinks=False).st_mtime_ns // 1_000_000
                if written_ms < before_ms and each.is_file(follow_symlinks=False):
                    yield each.name, written_ms


def _remove_drafts(folder: Path, before_ms: int) -> None:
    """Remove the drafts that were begun before a time."""
    for each in _folders(folder):
        for name, _ in _written_before(each, before_ms):
            if DRAFT.fullmatch(name):
                (each / name).unlink(missing_ok=True)
