"""The pictures that copied books name.

The books come first, then the pictures. A picture is on the disk before the commit that settles
its job, so whatever the books name was there at their moment. What could go wrong after it is that
the horde deletes one meanwhile, because its request ended. The segments of a horde on SQLite are
therefore pinned (`ordu.images.pinned`), before and after that moment: nothing is lost. From a
shared folder and from S3 a picture can be gone; then the horde must know its job no more, or it is
missing indeed.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from ordu.engine.belonging import is_wanted, promised
from ordu.images.pinned import SegmentWriter, Shelf
from ordu.images.store import Pictures
from ordu.settings import ServerSettings
from ordu.store.database import Transaction

FOR_EVER = 2**53  # later than any picture was written; milliseconds
AT_ONCE = 16  # pictures that are read together; those on S3 take their time


@dataclass(frozen=True)
class Copied:
    """What was copied."""

    count: int
    bytes: int
    missing: Sequence[str]  # that the books name


async def copy_named(books: Transaction, shelf: Shelf, folder: Path) -> Copied:
    """Copy the pictures that these books want into new segments.

    Raises:
        OSError: they cannot be written.
        Refused: they cannot be read.
    """
    writer = SegmentWriter(folder)
    copied: set[str] = set()
    try:
        async for some in groups(shelf):
            wanted = [(name, written_ms) for name, written_ms in some if is_wanted(books, name)]
            found = await asyncio.gather(*(shelf.get(name) for name, _ in wanted))
            for (name, written_ms), data in zip(wanted, found, strict=True):
                if data is not None:
                    writer.add(name, data, written_ms)
                    copied.add(name)
    finally:
        writer.close()
    missing = [name for name in promised(books) if name not in copied]
    return Copied(writer.count, writer.bytes, missing)


async def groups(shelf: Shelf) -> AsyncIterator[list[tuple[str, int]]]:
    """All names, so many at a time."""
    some: list[tuple[str, int]] = []
    async for each in shelf.older_than(FOR_EVER):
        some.append(each)
        if len(some) == AT_ONCE:
            yield some
            some = []
    yield some


async def put_all(shelf: Shelf, target: Pictures) -> int:
    """Put every picture into another place; how many there were.

    Raises:
        Refused: it cannot be written to.
    """
    count = 0
    async for some in groups(shelf):
        found = await asyncio.gather(*(shelf.get(name) for name, _ in some))
        kept = [(name, data) for (name, _), data in zip(some, found, strict=True) if data]
        await asyncio.gather(*(target.put(name, data, is_durable=False) for name, data in kept))
        count += len(kept)
    await asyncio.to_thread(target.flush)
    return count


def local_folder(settings: ServerSettings) -> Path | None:
    """The folder with the pictures; None where they are on S3."""
    parts = urlsplit(settings.pictures_url())
    return Path(unquote(parts.path)) if parts.scheme == "file" else None


def size_of(folder: Path) -> int:
    """About how many bytes the files in a folder have."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size
        except FileNotFoundError:  # the horde goes on
            continue
    return total
