"""Pictures of one moment: segments that another process goes on writing, and new ones of a copy.

A server removes a segment in which nothing is wanted any more. A file that is open can be read all
the same, so whoever wants the pictures of a moment *pins* the folder before it and again after it.
Deletions are not looked at: which pictures were wanted at that moment, the books of it say.
"""

import os
from collections.abc import AsyncIterator
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Protocol

from ordu.images.segment_store import SEGMENT_BYTES_MAX
from ordu.images.segments import SUFFIX, Record, Segment, segments_in
from ordu.images.store import Pictures


class Shelf(Protocol):
    """Where pictures are read from; every `Pictures` is one."""

    async def get(self, name: str) -> bytes | None:
        """The bytes of this name, or None."""
        ...

    def older_than(self, before_ms: int) -> AsyncIterator[tuple[str, int]]:
        """Every name last written before this time, with that time."""
        ...


class PinnedSegments:
    """The segments of a folder as they are while they are pinned; a `Shelf`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._segments: list[Segment] = []
        self._known: set[int] = set()  # by their inodes: a number may come again

    def pin(self) -> None:
        """Keep what is there now readable, in addition to what is pinned already."""
        for path in segments_in(self._folder):
            with suppress(FileNotFoundError):  # it was removed at this moment
                segment = Segment.viewed(path)
                inode = os.fstat(segment.descriptor).st_ino
                if inode in self._known:
                    segment.close()
                    continue
                self._segments.append(segment)
                self._known.add(inode)

    @cached_property
    def places(self) -> dict[str, tuple[Segment, Record]]:
        """What lies where, as of the first look; the last that was put under a name counts."""
        return {
            record.name: (segment, record)
            for segment in self._segments
            for record in segment.records(is_doubted=False)
            if not record.is_deleted
        }

    async def get(self, name: str) -> bytes | None:
        """The bytes of this name; None where they are not there, or not as they were put."""
        place = self.places.get(name)
        return None if place is None else place[0].read_whole(place[1])

    async def older_than(self, before_ms: int) -> AsyncIterator[tuple[str, int]]:
        """Every name last written before this time, with that time."""
        for name, (_, record) in self.places.items():
            if record.written_ms < before_ms:
                yield name, record.written_ms

    def close(self) -> None:
        """Let go of the files."""
        for segment in self._segments:
            segment.close()
        self._segments.clear()


class Unpinned:
    """Pictures that others may delete at any time; a `Shelf`."""

    def __init__(self, store: Pictures) -> None:
        self._store = store
        self.get = store.get
        self.older_than = store.older_than
        self.close = store.close

    def pin(self) -> None:
        """Nothing: a picture that is deleted is gone."""


class SegmentWriter:
    """New segments in a folder of their own, written from the first to the last picture."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700)
        self._folder = folder
        self._number = 0
        self._current: Segment | None = None
        self.count = 0
        self.bytes = 0

    def add(self, name: str, data: bytes, written_ms: int) -> None:
        """Append a picture; raises OSError, as on a full disk."""
        if self._current is None or self._current.end + len(data) > SEGMENT_BYTES_MAX:
            self.close()
            self._number += 1
            path = self._folder / f"{self._number:08}{SUFFIX}"
            self._current = Segment.created(path, written_ms)
        self._current.append(name, data, written_ms)
        self.count += 1
        self.bytes += len(data)

    def close(self) -> None:
        """Have all that was added on the disk."""
        if self._current is not None:
            current, self._current = self._current, None
            try:
                current.seal()
                current.flush()
            finally:
                current.close()
