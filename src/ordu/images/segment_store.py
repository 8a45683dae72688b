"""Pictures in segments: large files in a folder that belongs to one process.

What was put is found by its name in memory; the segments say the same, and are read at a start.
A segment goes when nothing in it is wanted any more: pictures live for minutes, so in time all of a
segment have gone together; the few that stay longer are moved on.

Put is not yet on the disk. `flush` waits for that, for all that was put before; the database calls
it before each commit, so that a settled job never lacks its picture, whatever happens. A put whose
caller is answered without a commit asks for `is_durable`.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ordu.failpoints import Failpoint
from ordu.images.keeping import (
    Room,
    Upload,
    check_name,
    failpoint_of,
    room_at,
    unavailable_when_broken,
)
from ordu.images.segments import SUFFIX, Record, Segment, segments_in

AT_ONCE_MAX = 256 * 1024  # bytes that are written to the system's memory without another thread
SEGMENT_BYTES_MAX = 256 * 2**20
SEGMENT_AGE_MS_MAX = 10 * 60_000  # then the next begins, so that old pictures leave the disk
SPARSE = 4  # a segment is moved on when less than one in so many of its bytes is wanted
SPARSE_AGE_MS = 3_600_000
DISTRUST_MS = 10_000  # for so long after a failed flush nothing counts as flushed
DOUBTED_SEGMENTS = 2  # the newest, which may have been written to when the power went


@dataclass(frozen=True, slots=True)
class Place:
    """Where a picture lies."""

    segment: Segment
    offset: int
    length: int
    written_ms: int


class SegmentPictures:
    """`Pictures` in segments in a folder; belongs to one event loop, but for `flush`."""

    def __init__(
        self, folder: Path, now: Callable[[], int], failpoint: Failpoint | None = None
    ) -> None:
        self.places: dict[str, Place] = {}
        self._folder = folder
        self._now = now
        self._failpoint = failpoint
        self._segments: list[Segment] = []
        self._current: Segment | None = None
        self._number = 0  # of the newest segment
        self._unflushed: dict[Segment, None] = {}
        self._flushing = threading.Lock()
        self._trusted_from = 0  # when flushes are believed again after one that failed
        self._read_folder()

    def _read_folder(self) -> None:
        """Find what was kept in earlier lives."""
        paths = list(segments_in(self._folder))
        for number, path in enumerate(paths):
            segment = Segment.opened(path)
            self._segments.append(segment)
            is_doubted = len(paths) - number <= DOUBTED_SEGMENTS
            for record in segment.records(is_doubted=is_doubted):
                self._forget(record.name)
                if not record.is_deleted:
                    self._keep(segment, record)
            self._number = int(path.stem)

    def _passed(self, name: str, moment: str) -> None:
        """Die here where a test wants that."""
        if self._failpoint is not None:
            self._failpoint.passed(name, moment)

    async def put(self, name: str, data: bytes, *, is_durable: bool = True) -> None:
        """Keep these bytes under this name, in place of what was there."""
        check_name(name)
        failpoint = failpoint_of(name)
        self._passed(failpoint, "before")
        with unavailable_when_broken("stored"):
            await self._append(name, data, self._now())
            if is_durable:
                await asyncio.to_thread(self.flush)
        self._passed(failpoint, "after")

    async def _append(
        self, name: str, data: bytes, written_ms: int, moved: Place | None = None
    ) -> None:
        """Write a picture into the newest segment; it can be read from then on.

        One that is moved is left alone when it was deleted or replaced meanwhile.
        """
        segment = self._segment_for(len(data))
        segment.writers += 1
        try:
            if len(data) <= AT_ONCE_MAX:
                record = segment.append(name, data, written_ms)
            else:
                record = segment.reserve(name, data, written_ms)
                await asyncio.to_thread(segment.fill, record, data)
        except OSError:
            self._leave(segment)
            raise
        finally:
            segment.writers -= 1
        self._unflushed[segment] = None
        if moved is None or self.places.get(name) is moved:
            self._forget(name)
            self._keep(segment, record)

    def _segment_for(self, length: int) -> Segment:
        """The segment to write to; a new one when the newest is full or old."""
        current = self._current
        if current is not None and (
            current.end + length > SEGMENT_BYTES_MAX
            or self._now() - current.began_ms >= SEGMENT_AGE_MS_MAX
        ):
            self._leave(current)
        if self._current is None:
            self._current = self._new_segment()
            self._segments.append(self._current)
        return self._current

    def _new_segment(self) -> Segment:
        """A file for the next pictures; another program's is left alone."""
        while True:
            self._number += 1
            with suppress(FileExistsError):
                path = self._folder / f"{self._number:08}{SUFFIX}"
                return Segment.created(path, self._now())

    def _leave(self, segment: Segment) -> None:
        """Write no more to a segment; it is sealed with the next flush."""
        if segment is self._current:
            self._current = None
            self._unflushed[segment] = None

    def _keep(self, segment: Segment, record: Record) -> None:
        """Note where a picture lies."""
        segment.live += 1
        segment.live_bytes += record.length
        self.places[record.name] = Place(segment, record.offset, record.length, record.written_ms)

    def _forget(self, name: str) -> Place | None:
        """Forget where a picture lay."""
        place = self.places.pop(name, None)
        if place is not None:
            place.segment.live -= 1
            place.segment.live_bytes -= place.length
        return place

    async def get(self, name: str) -> bytes | None:
        """The bytes of this name, or None."""
        return self._read(name, None)

    async def head(self, name: str, length: int) -> bytes | None:
        """The first bytes of this name, at most `length`, or None."""
        return self._read(name, max(0, length))

    def _read(self, name: str, most: int | None) -> bytes | None:
        place = self.places.get(check_name(name))
        if place is None:
            return None
        length = place.length if most is None else min(most, place.length)
        with unavailable_when_broken("read"):
            return place.segment.read(place.offset, length)

    async def size(self, name: str) -> int | None:
        """How many bytes this name has, or None."""
        place = self.places.get(check_name(name))
        return None if place is None else place.length

    async def take_upload(self, upload: str, name: str, length: int) -> Upload | None:
        """Size and beginning of an upload; the server let it in, and lets no other in later."""
        if name != upload:
            data = await self.get(upload)
            if data is None:
                return None
            await self.put(name, data, is_durable=False)
        head, size = await self.head(name, length), await self.size(name)
        return None if head is None or size is None else Upload(size, head)

    async def delete(self, names: Sequence[str]) -> None:
        """Forget these names; one that is not there is no mistake."""
        self._passed("delete_pictures", "before")
        with unavailable_when_broken("deleted"):
            for name in names:
                if self._forget(check_name(name)) is not None:
                    self._segment_for(0).note_deletion(name, self._now())
        self._passed("delete_pictures", "after")

    async def older_than(self, before_ms: int) -> AsyncIterator[tuple[str, int]]:
        """Every name last written before this time, with that time: what a sweep looks at."""
        for name, place in list(self.places.items()):
            if place.written_ms < before_ms:
                yield name, place.written_ms

    async def tidy(self) -> None:
        """Leave a segment that has grown old, move on what few there are in sparse ones, and
        remove those in which nothing is wanted."""
        self._passed("tidy_pictures", "before")
        with unavailable_when_broken("swept"):
            now = self._now()
            current = self._current
            if current is not None and now - current.began_ms >= SEGMENT_AGE_MS_MAX:
                self._leave(current)
            await self._move_on([each for each in self._segments if self._is_sparse(each, now)])
            await asyncio.to_thread(self.flush)
            for segment in list(self._segments):
                if self._is_done(segment):
                    self._segments.remove(segment)
                    segment.remove()
        self._passed("tidy_pictures", "after")

    def _is_sparse(self, segment: Segment, now: int) -> bool:
        is_old = segment is not self._current and now - segment.began_ms >= SPARSE_AGE_MS
        return is_old and 0 < segment.live_bytes * SPARSE < segment.end

    def _is_done(self, segment: Segment) -> bool:
        """Whether a segment says nothing that is needed: no picture, and no older one's end."""
        is_used = segment is self._current or segment.live or segment.writers
        is_used = is_used or segment in self._unflushed
        return not is_used and (not segment.has_deletions or segment is self._segments[0])

    async def _move_on(self, sparse: Sequence[Segment]) -> None:
        """Write what is still wanted of these segments into the newest."""
        wanted = [(name, place) for name, place in self.places.items() if place.segment in sparse]
        for name, place in wanted:
            if self.places.get(name) is place:
                data = place.segment.read(place.offset, place.length)
                await self._append(name, data, place.written_ms, moved=place)

    def links(self, lifetime_s: int) -> None:
        """None: the server carries the bytes."""

    async def check(self) -> None:
        """Nothing: the folder was read at the start."""

    def room(self) -> Room | None:
        """How much room there is on the disk, and how much of it segments take."""
        return room_at(self._folder, sum(each.taken for each in self._segments))

    def flush(self) -> None:
        """Wait until all that was put is on the disk; raises OSError."""
        with self._flushing:  # who comes while another flushes waits for that too
            if self._now() < self._trusted_from:
                raise OSError("a flush has failed a moment ago")
            for segment in list(self._unflushed):
                del self._unflushed[segment]
                try:
                    segment.flush()
                    if segment is not self._current:
                        segment.seal()
                except OSError:
                    # The system forgets what it could not write, and a flush after that succeeds:
                    # by the time that one is believed, all who put before were told of a failure.
                    self._trusted_from = self._now() + DISTRUST_MS
                    if segment is self._current:
                        self._current = None
                    raise

    def close(self) -> None:
        """Close what is open."""
        with suppress(OSError):
            self.flush()
        for segment in self._segments:
            segment.close()
